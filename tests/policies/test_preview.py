"""A draft is the argument whose text it shows, or the agent's own showing; an edit never makes the one the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policies.arguments import JsonValue
from policies.events import Edit
from policies.lifecycle import apply
from policies.preview import Preview, bound, followed, preview_changes, redrawn
from policies.request import Request, State
from policies.review import Verdict
from tests.slack.samples import NOW, ask, checkpoint, verdict

TEXTS = st.sampled_from(["a", "b", "c", ""])
ARGUMENTS = st.dictionaries(st.sampled_from(["x", "y", "z"]), TEXTS | st.integers(0, 3))
PREVIEWS = st.lists(
    TEXTS.filter(bool).map(lambda text: Preview(title="T", media_type="text/plain", text=text)), max_size=5
)


def draft(text: str = "Open on Sunday", title: str = "Post", media_type: str = "text/plain") -> Preview:
    return Preview(title=title, media_type=media_type, text=text)


def edited(request: Request, arguments: dict[str, JsonValue], drafts: dict[int, str]) -> Request:
    edit = Edit(arguments=arguments, checkpoint=checkpoint(), drafts=drafts)
    return apply(request, verdict("U0ANA", Verdict.MODIFY, edit=edit), NOW).request


@given(PREVIEWS, ARGUMENTS, ARGUMENTS)
def test_a_draft_that_is_an_argument_always_shows_that_argument(
    previews: list[Preview], before: dict[str, JsonValue], after: dict[str, JsonValue]
) -> None:
    found = bound(previews, before)
    names = [preview.argument for preview in found if preview.argument is not None]
    assert len(names) == len(set(names))
    assert all(preview.text == before[preview.argument] for preview in found if preview.argument is not None)
    assert [preview.text for preview in found] == [preview.text for preview in previews]
    for preview in followed(found, after):
        assert preview.argument is None or preview.text == after[preview.argument]
    kept = [preview for preview in followed(found, after) if preview.argument is None]
    assert kept == [preview for preview in found if preview.argument is None]


@given(PREVIEWS, ARGUMENTS, st.dictionaries(st.integers(0, 5), TEXTS))
def test_editing_drafts_never_touches_one_that_is_an_argument(
    previews: list[Preview], arguments: dict[str, JsonValue], texts: dict[int, str]
) -> None:
    before = bound(previews, arguments)
    after = redrawn(before, texts)
    for place, (was, now) in enumerate(zip(before, after, strict=True)):
        expected = was.text if was.argument is not None else texts.get(place, was.text)
        assert (now.text, now.argument, now.title) == (expected, was.argument, was.title)
    changed = [place for place, was in enumerate(before) if after[place].text != was.text]
    assert [change.path for change in preview_changes(after)] == [f"/preview/{place}/text" for place in changed]
    undone = {place: was.text for place, was in enumerate(before)}
    assert redrawn(after, undone) == before


def test_an_edit_of_a_draft_alone_is_a_revision_with_a_digest_of_its_own_and_the_same_arguments() -> None:
    request = ask({"body": "Open on Sunday", "day": 7}, preview=(draft(), draft("Subject: Sunday", "Mail")))
    changed = edited(request, dict(request.call.arguments), {1: "Subject: Monday"})
    assert (changed.state, changed.revision) == (State.APPROVED, 2)
    assert changed.digest != request.digest
    assert changed.call.arguments == request.call.arguments
    assert [(each.text, each.argument) for each in changed.preview] == [
        ("Open on Sunday", "body"),
        ("Subject: Monday", None),
    ]


def test_an_edit_of_the_argument_is_an_edit_of_its_draft() -> None:
    request = ask({"body": "Open on Sunday"}, preview=(draft(),))
    changed = edited(request, {"body": "Closed on Sunday"}, {0: "something else"})
    assert changed.preview == (
        Preview(title="Post", media_type="text/plain", text="Closed on Sunday", argument="body"),
    )
    assert preview_changes(changed.preview) == ()
