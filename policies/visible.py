"""Text as a person should see it: nothing invisible, nothing that reorders, nothing that pushes the rest out of sight.

Nothing is stripped in silence: every character that wouldn't show stands as a mark such as `⟨U+202E⟩`, long white space
as `⟨12 spaces⟩`. Marks can't be forged: where the text itself spells one, its bracket is marked too. Unicode's category
Cf is not enough for this (U+115F and U+3164 are letters, U+034F and U+E0100 are combining marks), so the property
Default_Ignorable_Code_Point decides.
"""

from __future__ import annotations

from collections import Counter

import regex

HIDDEN = regex.compile(
    r"[[\p{Default_Ignorable_Code_Point}\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}\u2800]--[\n\t]]", regex.VERSION1
)
"""One character that a person would not see, or not where it stands (U+2800 is a blank that counts as a symbol)."""

LONG_RUN = 8
"""From so many spaces in a row on, they are counted instead of shown."""
LONGEST_INDENT = 24
"""Plain spaces at the start of a line up to this many stay: reviewers read code."""
MAX_WARNINGS = 8

_EMOJI_VARIATION = regex.compile(r"(?<=\p{Extended_Pictographic})\uFE0F")
_SPACES = regex.compile(r"[\p{Zs}\t]+")
_BLANK_LINES = regex.compile(r"(?:(?<=\n)|\A)(?:[\p{Zs}\t]*\r?\n){4,}")
_OWN_MARK = regex.compile(r"⟨(?=U\+|[0-9]+ (?:spaces|blank lines|combining marks))")
_STACKED = regex.compile(r"(?<=\p{M}{4})\p{M}+")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}_]+")
_LATIN = regex.compile(r"\p{Latin}")
_LOOKALIKE = regex.compile(r"[\p{Cyrillic}\p{Greek}\p{Armenian}\p{Cherokee}\p{Coptic}\p{Lisu}]")
_STYLED = regex.compile(r"[\U0001D400-\U0001D7FF\uFF10-\uFF5A\u24B6-\u24E9\u1D00-\u1D2B]+")
_HOST = regex.compile(r"(?<=://|@)[^\s/?#:@<>\"']+")
_QUOTATION = str.maketrans(dict.fromkeys("“”„‟❝❞〝〞", '"'))
_REORDERING = regex.compile(r"\p{Bidi_Control}")
_RIGHT_TO_LEFT = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")


def make_visible(text: str) -> str:
    """`text` with everything marked that a person would miss. Apply it once: marks in the result would be marked
    again.
    """
    text = _OWN_MARK.sub("⟨U+27E8⟩", text)
    text = _BLANK_LINES.sub(_blank_lines, text)
    text = _SPACES.sub(_spaces, text)
    text = _STACKED.sub(lambda match: f"⟨{len(match[0])} combining marks⟩", text)
    return "".join(_unhidden(text))


def hidden_characters(text: str) -> int:
    """How many characters of `text` a person would not see as such (they are marked by make_visible)."""
    return len(HIDDEN.findall(_EMOJI_VARIATION.sub("", text)))


def warnings(text: str) -> tuple[str, ...]:
    """What a reviewer should know about the characters of `text`: sentences that are fit to be shown, the gravest
    first.
    """
    found = [*_reordering(text), *_unseen(text), *_hosts(text), *_mixed_words(text), *_styled(text)]
    if len(found) <= MAX_WARNINGS:
        return tuple(found)
    return (*found[: MAX_WARNINGS - 1], f"{len(found) - MAX_WARNINGS + 1} more warnings of this kind")


def in_quotes(line: str) -> str:
    """`line` in quotation marks that nothing in it can close: what follows them is never the agent's."""
    return f"“{line.translate(_QUOTATION)}”"


def escape(text: str) -> str:
    """`text` with the three characters escaped that Slack's mrkdwn gives a meaning in entities, mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped_length(text: str) -> int:
    """The length that counts against limits: after escaping, in UTF-16 units (which of the two Slack counts isn't
    documented).
    """
    units = len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
    return units + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def code_point(character: str) -> str:
    """`U+202E` for one character."""
    return f"U+{ord(character):04X}"


def _unhidden(text: str) -> list[str]:
    if not HIDDEN.search(text):
        return [text]
    parts: list[str] = []
    start = 0
    kept = {match.start() for match in _EMOJI_VARIATION.finditer(text)}
    for match in HIDDEN.finditer(text):
        if match.start() not in kept:
            parts += text[start : match.start()], f"⟨{code_point(match[0])}⟩"
            start = match.end()
    parts.append(text[start:])
    return parts


def _spaces(match: regex.Match[str]) -> str:
    run: str = match[0]
    at_line_start = match.start() == 0 or match.string[match.start() - 1] == "\n"
    plain = not run.strip(" \t")
    if plain and (len(run) < LONG_RUN or (at_line_start and len(run.expandtabs(4)) <= LONGEST_INDENT)):
        return run
    if len(run) >= LONG_RUN:
        return f"⟨{len(run)} spaces⟩" if plain else f"⟨{len(run)} spaces, some unusual⟩"
    return "".join(one if one in " \t" else f"⟨{code_point(one)}⟩" for one in run)


def _blank_lines(match: regex.Match[str]) -> str:
    return f"⟨{match[0].count(chr(10))} blank lines⟩\n"


def _reordering(text: str) -> list[str]:
    if _REORDERING.search(text):
        return ["contains characters that change the reading order"]
    if _RIGHT_TO_LEFT.search(text) and _LATIN.search(text):
        return ["mixes writing directions: the order on the screen may differ from the order that counts"]
    return []


def _unseen(text: str) -> list[str]:
    counted = Counter(HIDDEN.findall(_EMOJI_VARIATION.sub("", text)))
    counted.pop("\r", None)
    if not counted:
        return []
    listed = ", ".join(f"{code_point(one)} ×{times}" for one, times in counted.most_common(3))
    total = sum(counted.values())
    return [f"contains {total} hidden character{'s' * (total > 1)}: {listed}" + (" …" if len(counted) > 3 else "")]


def _hosts(text: str) -> list[str]:
    unusual = (host for host in _HOST.findall(text) if not host.isascii() or "xn--" in host.lower())
    return [f'the address "{_quote(host)}" can look like another one' for host in dict.fromkeys(unusual)]


def _mixed_words(text: str) -> list[str]:
    words = (word for word in _WORD.findall(text) if _LATIN.search(word) and _LOOKALIKE.search(word))
    return [f'"{_quote(word)}" mixes alphabets ({_foreign(word)})' for word in dict.fromkeys(words)]


def _styled(text: str) -> list[str]:
    words = dict.fromkeys(_STYLED.findall(text))
    return [f'"{_quote(word)}" is written in look-alike letters' for word in words]


def _foreign(word: str) -> str:
    return ", ".join(code_point(letter) for letter in dict.fromkeys(_LOOKALIKE.findall(word)[:3]))


def _quote(word: str) -> str:
    return make_visible(word if len(word) <= 40 else word[:39] + "…")
