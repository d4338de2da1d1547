"""What others wrote, on a terminal: it neither hides nor steers, and JSON stays the same value."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.commands.operating import _columns, _shown
from bot.commands.tables import as_json, one_line
from tests.slack.hostile_words import TERMINAL
from tests.slack.judging import UNSEEN
from tests.slack.samples import ask

TEXT = st.text() | st.sampled_from([*TERMINAL, "\u202e\u2028\U000e0041\u115f", "👩\u200d👩", '\\"\n'])


@given(
    st.recursive(TEXT | st.integers(-9, 9) | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))
)
def test_json_escapes_whatever_would_not_show_and_stays_the_same_value(value: object) -> None:
    for indent in (None, 2):
        written = as_json(value, indent=indent)
        assert not UNSEEN.search(written)
        assert json.loads(written) == value


def test_a_request_steers_no_terminal_in_a_list_or_as_json() -> None:
    request = ask({f"a{end}": end for end in TERMINAL}, tool="x\x1b[2J")
    request = replace(request, requester=replace(request.requester, name="\u202e".join(TERMINAL)))
    for said in ("\t".join(map(one_line, _columns(request))), as_json(_shown(request), indent=2)):
        assert not UNSEEN.search(said.replace("\t", " "))
