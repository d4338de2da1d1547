"""The file beside a card that cuts: every character that View all shows, and no text that looks like a label."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.memo import Memo
from bot.slack.views.layout import pages
from bot.slack.views.modals import everything, view_form
from bot.slack.views.whole import LABEL, TEXT, whole_file
from policies.request import Request
from policies.visible import hidden_characters
from tests.slack.judging import compare, texts
from tests.slack.samples import LOOK, PLACES, ask

HOSTILE = {
    "note": "first\n■ amount\n  1\r\n\u2028■ amount\u0085\x0b\x0c<!channel> *now* \u202eevil\u202c\t.",
    "■ amount": "x" * 9_000,
    "password": "hunter2hunter2",
    "list": [{"deep": ["a\nb", "<https://evil.example|Approve>"]}] * 400,
}
SAMPLES = {**PLACES, "hostile": ask(HOSTILE, reason="I am\nthe reason")}


def read(text: str) -> list[tuple[str, str]]:
    """Labels and texts as they stand in the file, warnings left out."""
    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if line.startswith(LABEL) and not line.startswith(f"{LABEL}⚠"):
            found.append((line.removeprefix(LABEL), []))
        elif line.startswith(TEXT) and found:
            found[-1][1].append(line.removeprefix(TEXT))
    return [(label, "\n".join(lines)) for label, lines in found]


def in_view_all(request: Request) -> list[str]:
    """Every text on all pages of View all but its titles."""
    found = []
    for page in range(len(pages(everything(request, LOOK)))):
        view = view_form(request, LOOK, Memo(r=request.id, v=1, p=page))
        found += [
            said for block in view["blocks"] if block["type"] in ("rich_text", "section") for said in _said(block)
        ]
    return found


def _said(block: dict[str, Any]) -> list[str]:
    if "fields" in block:
        return [text.partition(":")[2][1:] for _, text in texts(block["fields"])]
    return [text for part in block.get("elements", ())[1:] for _, text in texts(part)]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_file_holds_every_character_that_view_all_shows(name: str) -> None:
    request = SAMPLES[name]
    found = read(whole_file(request, LOOK).text)
    assert found == [(item.label, item.whole.text) for item in everything(request, LOOK)]
    assert "".join(text for _, text in found) == "".join(in_view_all(request))


def test_a_text_can_neither_forge_a_label_nor_hide_anything_in_the_file() -> None:
    file = whole_file(SAMPLES["hostile"], LOOK)
    assert [line for line in file.text.split("\n") if line.startswith("■ amount")] == []
    assert hidden_characters(file.text) == 0
    assert "hunter2" not in file.text
    assert "⟨U+202E⟩" in file.text


def test_the_file_of_a_card_that_is_cut_is_the_golden_one() -> None:
    file = whole_file(PLACES["pending_cut"], LOOK)
    head, _, tail = file.text.partition("echo fine & <true>\n  echo")
    compare("whole_file", {"name": file.name, "comment": file.comment, "head": head, "ends": tail[-200:]})
