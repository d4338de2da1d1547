"""Changes lead from before to after, tell number types apart, and are named in plain words."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.changes import ABSENT, apply_changes, changes, label

leaves = st.none() | st.booleans() | st.sampled_from([0, 1, 0.0, 1.0, -0.0, 2, "", "a", "1", "a/b", "~"])
names = st.sampled_from(["a", "b", "", "a/b", "~0", "0", "1", "-"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=4), max_leaves=14
)
calls = st.dictionaries(names, values, max_size=4)


def exact(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(calls, calls)
@settings(max_examples=500)
def test_applying_the_changes_gives_exactly_the_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = deepcopy(before)
    made = changes(before, after)
    assert exact(apply_changes(before, made)) == exact(after)
    assert exact(before) == exact(kept)
    assert (made == ()) == (exact(before) == exact(after))


@given(calls, calls)
@settings(max_examples=200)
def test_the_changes_told_backwards_lead_back(before: dict[str, Any], after: dict[str, Any]) -> None:
    undo = [
        type(one)(path=one.path, label=one.label, before=one.after, after=one.before)
        for one in reversed(changes(before, after))
    ]
    assert exact(apply_changes(after, undo)) == exact(before)


@pytest.mark.parametrize(
    ("old", "new"), [(1, True), (0, False), (1, 1.0), (True, 1.0), ("1", 1), (None, False), ([], {})]
)
def test_values_that_python_takes_for_equal_are_still_changes(old: Any, new: Any) -> None:
    (change,) = changes({"a": [old]}, {"a": [new]})
    assert (exact(change.before), exact(change.after)) == (exact(old), exact(new))


def test_added_removed_inserted_and_moved_say_what_was_there() -> None:
    told = [
        (one.label, one.before, one.after)
        for one in changes({"to": ["ana", "bo"], "cc": 1}, {"to": ["zoe", "ana", "bo"], "n": None})
    ]
    assert ("to, item 1", ABSENT, "zoe") in told
    assert ("cc", 1, ABSENT) in told
    assert ("n", ABSENT, None) in told
    assert len(told) == 3
    moved = changes({"to": ["a", "b", "c"]}, {"to": ["c", "a", "b"]})
    assert [(one.before, one.after) for one in moved] in (
        [(ABSENT, "c"), ("c", ABSENT)],
        [("c", ABSENT), (ABSENT, "c")],
    )


@pytest.mark.parametrize(
    ("path", "document", "words"),
    [
        ("", ABSENT, "everything"),
        ("/recipients/1", ABSENT, "recipients, item 2"),
        ("/a~1b/~0", ABSENT, "a/b, ~"),
        ("/ports/0", {"ports": {"0": "x"}}, "ports, 0"),
        ("/ports/1/name", {"ports": [1, {"name": 2}]}, "ports, item 2, name"),
        ("/ports/2", {"ports": [1, 2]}, "ports, item 3"),
    ],
)
def test_a_path_reads_as_plain_words(path: str, document: Any, words: str) -> None:
    assert label(path, document) == words
