"""Drafts that an agent shows beside its call: the thing itself, to be looked at and edited.

A draft whose text is a text argument's value *is* that argument, and follows it. Any other is the agent's own showing:
it is no part of the call, so neither the digest nor the policy reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.changes import Change, label


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """One draft as it stands. ``argument`` names the argument that it is, None for the agent's own showing.

    ``proposed`` is the text as the agent sent it, once a reviewer edited a draft of the agent's own.
    """

    title: str
    media_type: str
    text: str
    argument: str | None = None
    proposed: str | None = None


def bound(previews: Sequence[Preview], arguments: Mapping[str, Any]) -> tuple[Preview, ...]:
    """``previews``, each knowing which argument it is; no argument has two drafts."""
    found: list[Preview] = []
    for preview in previews:
        taken = {earlier.argument for earlier in found}
        names = (name for name, value in arguments.items() if value == preview.text and name not in taken)
        found.append(replace(preview, argument=next(names, None)))
    return tuple(found)


def followed(previews: Sequence[Preview], arguments: Mapping[str, Any]) -> tuple[Preview, ...]:
    """``previews`` after ``arguments`` were edited; the draft of an argument that is no text any more is gone."""
    texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
    return tuple(
        preview if preview.argument is None else replace(preview, text=texts[preview.argument])
        for preview in previews
        if preview.argument is None or preview.argument in texts
    )


def redrawn(previews: Sequence[Preview], texts: Mapping[int, str]) -> tuple[Preview, ...]:
    """``previews`` with the edited texts of those that are the agent's own showing, by position."""
    return tuple(
        _redrawn(preview, texts[place]) if preview.argument is None and place in texts else preview
        for place, preview in enumerate(previews)
    )


def _redrawn(preview: Preview, text: str) -> Preview:
    proposed = preview.text if preview.proposed is None else preview.proposed
    return replace(preview, text=text, proposed=None if text == proposed else proposed)


def preview_changes(previews: Sequence[Preview]) -> tuple[Change, ...]:
    """What reviewers changed in drafts of the agent's own, at ``/preview/N/text``."""
    return tuple(
        Change(path=path, label=label(path), before=preview.proposed, after=preview.text)
        for place, preview in enumerate(previews)
        if preview.proposed is not None and (path := f"/preview/{place}/text")
    )
