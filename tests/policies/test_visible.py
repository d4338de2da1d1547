"""Nothing invisible reaches a screen; look-alikes are warned about."""

from __future__ import annotations

import html

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.visible import MAX_WARNINGS, escape, escaped_length, hidden_characters, make_visible, warnings

FORBIDDEN = regex.compile(
    r"[[\p{Default_Ignorable_Code_Point}\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}]--[\n\t]]", regex.VERSION1
)
SNEAKY = (
    "\u202e\u2066\u200b\u200d\u2060\u00ad\u034f\u115f\u1160\u3164\uffa0\u2800\ufe00\ufe0f\U000e0041\U000e0100\u2028\u2029"
    "\x00\x07\x1b\r\x0b\x0c\x85\ue000\uffff\ud800\udfff\u180e\u17b4\u061c \u00a0\u3000\u2003\t\n⟨⟩🎉❤"
)
hostile = st.text(st.sampled_from(SNEAKY) | st.characters(), max_size=60)


@given(hostile)
@settings(max_examples=500)
def test_no_forbidden_character_survives(text: str) -> None:
    shown = regex.sub(r"(?<=\p{Extended_Pictographic})\uFE0F", "", make_visible(text))
    assert FORBIDDEN.findall(shown) == []
    assert "\u2800" not in shown


@given(st.text(st.sampled_from("abc\u202e\u200b\U000e0041\u3164\u2800\x00\ud800\u2028\ufe0f"), max_size=60))
@settings(max_examples=200)
def test_every_hidden_character_is_counted_and_marked_none_is_stripped(text: str) -> None:
    shown = make_visible(text)
    assert hidden_characters(text) == shown.count("⟨") == sum(one not in "abc" for one in text)
    assert regex.sub(r"⟨U\+([0-9A-F]+)⟩", lambda mark: chr(int(mark[1], 16)), shown) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay\u202eevil", "pay⟨U+202E⟩evil"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("x\ud800", "x⟨U+D800⟩"),
        ("a\r\nb", "a⟨U+000D⟩\nb"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("a\ufe0f1\ufe0f", "a⟨U+FE0F⟩1⟨U+FE0F⟩"),
        ("ls" + " " * 12 + "rm", "ls⟨12 spaces⟩rm"),
        ("ls" + "\t" * 9 + "rm", "ls⟨9 spaces⟩rm"),
        ("ls" + " " * 7 + "rm", "ls" + " " * 7 + "rm"),
        ("def f():\n" + " " * 12 + "pass", "def f():\n" + " " * 12 + "pass"),
        ("x\n" + " " * 200 + "rm", "x\n⟨200 spaces⟩rm"),
        ("10\u00a0€", "10⟨U+00A0⟩€"),
        ("a" + "\u3000" * 9 + "b", "a⟨9 spaces, some unusual⟩b"),
        ("a" + "\n" * 15 + "b", "a\n⟨14 blank lines⟩\nb"),
        ("a" + "\n \t" * 14 + "\nb", "a\n⟨14 blank lines⟩\nb"),
        ("a\n\n\n\nb", "a\n\n\n\nb"),
        ("⟨U+202E⟩", "⟨U+27E8⟩U+202E⟩"),
        ("⟨12 spaces⟩", "⟨U+27E8⟩12 spaces⟩"),
        ("⟨x⟩", "⟨x⟩"),
        ("a" + "\u0301" * 20, "a" + "\u0301" * 4 + "⟨16 combining marks⟩"),
    ],
)
def test_what_would_not_show_stands_as_a_mark(text: str, shown: str) -> None:
    assert make_visible(text) == shown


@given(hostile, hostile)
@settings(max_examples=300)
def test_a_mark_in_the_result_always_stands_for_something_hidden(text: str, other: str) -> None:
    plain = FORBIDDEN.sub("", text + other).replace("\u2800", "")
    marks = regex.findall(r"⟨U\+([0-9A-F]+)⟩", make_visible(plain))
    assert all(chr(int(mark, 16)) in plain for mark in marks)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p\u0430ypal", '"pаypal" mixes alphabets (U+0430)'),
        ("see https://xn--pypal-4ve.com/x", "xn--pypal-4ve.com"),
        ("see https://раураl.com", "can look like another one"),
        ("ana@exаmple.com", "can look like another one"),
        ("a\u202eb", "reading order"),
        ("a\u200bb", "1 hidden character: U+200B"),
        ("pay אבג now", "writing directions"),
        ("𝐩𝐚𝐲 now", "look-alike letters"),
    ],
)
def test_look_alikes_are_warned_about(text: str, words: str) -> None:
    assert any(words in warning for warning in warnings(text))


@pytest.mark.parametrize(
    "text", ["pay Ana 5 €", "Привет, мир", "Ελλάδα", "Ünïcödé naïve", "日本語 text", "α = 5", "https://example.com/a"]
)
def test_honest_text_has_no_warnings(text: str) -> None:
    assert warnings(text) == ()


@given(hostile)
def test_warnings_are_few_and_fit_to_be_shown(text: str) -> None:
    found = warnings(text + " pа" * 3 + " ".join(f"pа{n}" for n in range(20)))
    assert len(found) == MAX_WARNINGS
    assert not any(
        FORBIDDEN.search(regex.sub(r"(?<=\p{Extended_Pictographic})\uFE0F", "", warning)) for warning in found
    )


@given(st.text(st.sampled_from("&<>;amplt🎉 ") | st.characters(exclude_categories=["Cs"])))
def test_escaping_can_be_read_back_and_its_length_is_known(text: str) -> None:
    assert html.unescape(escape(text)) == text or "&" in text
    assert not set("<>") & set(escape(text))
    assert escaped_length(text) == len(escape(text).encode("utf-16-le")) // 2
