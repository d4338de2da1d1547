"""Schemathesis, which knows nothing of the API but its OpenAPI document, finds nothing that isn't as described.

A short part; ``python -m tests.api.schemathesis_run`` plays all of it against the whole gateway.
"""

from __future__ import annotations

from tests.api.house import House
from tests.api.schemathesis_run import called


async def test_calls_made_of_the_document_alone_are_answered_as_it_says(house: House) -> None:
    phases = "examples,fuzzing,stateful"
    code, said = await called(house.address(""), house.agent, seed=1, examples=2, phases=phases, seconds=60)
    assert code == 0, said
    assert "No issues found" in said
    assert int(said.partition(" generated")[0].split()[-1]) > 60, said
