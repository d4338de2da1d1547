"""A function as a tool: what reviewers see of a call is what it runs with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr, ValidationError

from signoff import AsyncSignoff, Signoff, needs_approval
from signoff.signature import Signature


class Speed(Enum):
    SLOW, FAST = "slow", "fast"


class Parcel(BaseModel):
    number: str
    weight: Decimal


def send(
    to: str, when: date, /, copies: int = 1, *, speed: Speed = Speed.SLOW, parcels: list[Parcel], model_of: str | None
) -> tuple[Any, ...]:
    """Send parcels."""
    return (to, when, copies, speed, parcels, model_of)


PARCELS = st.lists(st.builds(Parcel, number=st.text(), weight=st.decimals(allow_nan=False, allow_infinity=False)))


@given(st.text(), st.dates(), st.integers(), st.sampled_from(Speed), PARCELS, st.none() | st.text())
def test_a_call_comes_back_from_json_as_it_was(
    to: str, when: date, copies: int, speed: Speed, parcels: list[Parcel], model_of: str | None
) -> None:
    signature = Signature(send)
    arguments, _ = signature.arguments(to, when, copies, speed=speed, parcels=parcels, model_of=model_of)
    assert list(arguments) == ["to", "when", "copies", "speed", "parcels", "model_of"]
    assert signature.call(send, arguments, {})() == (to, when, copies, speed, parcels, model_of)


def test_the_schema_says_what_the_annotations_say() -> None:
    def refund(
        amount: Annotated[float, Field(gt=0, le=500, description="In euros")], kind: Literal["part", "whole"] = "part"
    ) -> None:
        """Give money back."""

    signature = Signature(refund)
    assert signature.description == "Give money back."
    assert signature.schema["required"] == ["amount"]
    assert signature.schema["additionalProperties"] is False
    amount = signature.schema["properties"]["amount"]
    assert (amount["maximum"], amount["description"]) == (500, "In euros")
    with pytest.raises(ValidationError):
        signature.arguments(501)
    with pytest.raises(ValidationError):
        signature.call(refund, {"amount": 501}, {})
    with pytest.raises(ValidationError):
        signature.call(refund, {"amount": 5, "payee": "me"}, {})


def test_a_value_that_json_does_not_carry_is_refused_before_anybody_is_asked() -> None:
    def log_in(password: SecretStr) -> None: ...

    with pytest.raises(TypeError, match="doesn't survive as JSON"):
        Signature(log_in).arguments(SecretStr("hunter2"))


def test_what_is_local_is_passed_on_and_not_shown() -> None:
    class Desk:
        def refund(self, session: object, amount: int) -> tuple[Any, ...]:
            return (self, session, amount)

    desk, session = Desk(), object()
    signature = Signature(Desk.refund, ["session"])
    arguments, local = signature.arguments(desk, session, 5)
    assert (arguments, list(signature.schema["properties"])) == ({"amount": 5}, ["amount"])
    assert signature.call(Desk.refund, {"amount": 4}, local)() == (desk, session, 4)


def gathers(*orders: str) -> None: ...


def sweeps(**orders: str) -> None: ...


@pytest.mark.parametrize("function", [gathers, sweeps])
def test_arguments_without_names_of_their_own_are_refused(function: Callable[..., None]) -> None:
    with pytest.raises(TypeError, match="name each parameter"):
        needs_approval(function)


async def test_a_function_is_given_the_client_of_its_own_kind() -> None:
    async def later() -> None: ...

    def now() -> None: ...

    async with AsyncSignoff("https://signoff.example", "key") as waits:
        with Signoff("https://signoff.example", "key") as holds:
            with pytest.raises(TypeError, match="give it an AsyncSignoff"):
                needs_approval(client=holds)(later)
            with pytest.raises(TypeError, match="give it a Signoff"):
                needs_approval(client=waits)(now)


def test_the_key_travels_only_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="anybody on the way can read the key"):
        Signoff("http://signoff.example", "key")
    with pytest.raises(ValueError, match="must be like https"):
        Signoff("signoff.example", "key")
    monkeypatch.delenv("SIGNOFF_KEY", raising=False)
    with pytest.raises(ValueError, match="Set SIGNOFF_KEY to this agent's key"):
        Signoff("https://signoff.example")
    Signoff("http://127.0.0.1:8080", "key").close()
    for key in ("sk_1\r\nX-More: 1", "sk_é"):  # the HTTP client would quote them in its refusal
        with pytest.raises(ValueError, match="holds characters that no key has") as refused:
            Signoff("https://signoff.example.com", key)
        assert "sk_" not in str(refused.value)
    Signoff("http://signoff.internal", "key\n", allow_http=True).close()
