"""Items laid out as blocks within a budget: short ones side by side, long ones preformatted, nothing cut in silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.slack.views.blocks import CHUNK, Block, fields, pieces, quoted, titled
from bot.slack.views.text import Item, shown
from policies.display import Shown
from policies.visible import escaped_length

SIDE_BY_SIDE = 10
"""Fields in one section."""
LEAST = 240
"""No long text gets less room than this, so that head, tail and notice say something."""
NOTICED = 160
"""The shortest cut text in which ``policies.display`` says how much is hidden."""
WHEN_CUT = 0.4
"""What is cut anyway is cut to this part of the room: the rest is read in View all, and the card stays readable."""
PAGE_CHARACTERS = 24_000
PAGE_BLOCKS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Laid:
    """Blocks, whether something was cut, what is suspicious about the texts, and how long they are uncut."""

    blocks: tuple[Block, ...]
    cut: bool = False
    warnings: tuple[str, ...] = ()
    length: int = 0


def lay_out(items: Sequence[Item], key: bytes, *, characters: int, most_blocks: int) -> Laid:
    """``items`` in their order, within ``characters`` (escaped) and ``most_blocks``."""
    if sum(item.need for item in items) > characters:
        characters = int(characters * WHEN_CUT)
    kept = _that_fit(items, characters, most_blocks)
    allowed = iter(_allotted(kept, characters))
    blocks: list[Block] = []
    cut = len(kept) < len(items)
    for group in groups(kept):
        room = [next(allowed) for _ in group]
        if group[0].short:
            blocks.append(fields([_line(item) for item in group]))
        else:
            text = _within(group[0], key, room[0])
            blocks.append(_block(group[0], group[0].label, text.text))
            cut = cut or text.cut
    return Laid(blocks=tuple(blocks), cut=cut, warnings=warnings_of(items), length=sum(item.length for item in items))


def warnings_of(items: Sequence[Item]) -> tuple[str, ...]:
    """What is suspicious about the texts of ``items``, each with the item's label."""
    return tuple(f"{item.label}: {warning}" for item in items for warning in item.whole.warnings)


def _block(item: Item, title: str, text: str) -> Block:
    return quoted(title, text) if item.prose else titled(title, text)


def _line(item: Item) -> str:
    text = item.whole.text
    below = "\n" in text or text.startswith("• ")
    return f"{item.label}:\n{text}" if below else f"{item.label}: {text}"


def _within(item: Item, key: bytes, room: int) -> Shown:
    """As much of ``item`` as ``room`` holds; where lines take much of it, that much less of the characters."""
    if item.need <= room:
        return item.whole
    label = escaped_length(item.label) + 2
    length = escaped_length(item.whole.text)
    return shown(item.raw, key, max(NOTICED, (room - label) * length // (item.need - label)))


def groups(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Runs of at most ten short items, and each long item alone; the order stays."""
    row: list[Item] = []
    for item in items:
        if row and (not item.short or len(row) == SIDE_BY_SIDE):
            yield row
            row = []
        if item.short:
            row.append(item)
        else:
            yield [item]
    if row:
        yield row


def _least(item: Item) -> int:
    return min(item.need, escaped_length(item.label) + LEAST)


def _that_fit(items: Sequence[Item], characters: int, most_blocks: int) -> Sequence[Item]:
    """As many of the first items as fit even when every long one is cut to the least."""
    kept: list[Item] = []
    for blocks, group in enumerate(groups(items)):
        characters -= sum(map(_least, group))
        if blocks >= most_blocks or characters < 0:
            break
        kept.extend(group)
    return kept


def _allotted(items: Sequence[Item], characters: int) -> list[int]:
    least = [_least(item) for item in items]
    more = shares([item.need - low for item, low in zip(items, least, strict=True)], characters - sum(least))
    return [low + extra for low, extra in zip(least, more, strict=True)]


def shares(needs: Sequence[int], total: int) -> list[int]:
    """How much of ``total`` each gets: what it needs, or else an equal part of what the modest ones leave over."""
    limits = [0] * len(needs)
    left, waiting = total, len(needs)
    for place in sorted(range(len(needs)), key=lambda place: needs[place]):
        limits[place] = min(needs[place], left // waiting)
        left -= limits[place]
        waiting -= 1
    return limits


def pages(items: Sequence[Item]) -> list[tuple[Block, ...]]:
    """All of ``items``, in full, on as many pages as it takes; at least one page, which may be empty."""
    found: list[list[Block]] = [[]]
    room = PAGE_CHARACTERS
    for block, size in _in_full(items):
        if size > room or len(found[-1]) >= PAGE_BLOCKS:
            found.append([])
            room = PAGE_CHARACTERS
        found[-1].append(block)
        room -= size
    return [tuple(page) for page in found]


def _in_full(items: Sequence[Item]) -> Iterator[tuple[Block, int]]:
    for group in groups(items):
        if group[0].short:
            yield fields([_line(item) for item in group]), sum(item.need for item in group)
            continue
        parts = pieces(group[0].whole.text, CHUNK)
        for number, part in enumerate(parts, 1):
            title = f"{group[0].label} (part {number} of {len(parts)})" if len(parts) > 1 else group[0].label
            yield _block(group[0], title, part), escaped_length(title) + escaped_length(part)
