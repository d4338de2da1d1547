"""The one path to the screen: redact, make visible, measure, truncate with a notice."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.display import SHORTEST_WITH_NOTICE, display
from policies.redaction import redact_text
from policies.visible import escaped_length, make_visible
from tests.policies.test_redaction import IN_CONTEXT, SECRETS
from tests.policies.test_visible import FORBIDDEN, hostile

KEY = b"installation"
blobs = st.lists(
    hostile | st.sampled_from([*SECRETS.values(), "<&>" * 30, "word " * 40, "\n" * 9, " " * 50, "👩‍💻" * 9, "ᄀ" * 50]),
    max_size=20,
).map(" ".join)


@given(blobs, st.integers(1, 900))
@settings(max_examples=300)
def test_the_escaped_text_keeps_the_limit_and_what_is_left_out_is_announced(text: str, limit: int) -> None:
    whole = make_visible(redact_text(text, key=KEY))
    shown = display(text, key=KEY, limit=limit)
    assert escaped_length(shown.text) <= limit
    assert shown.cut == (escaped_length(whole) > limit) == (shown.hidden_characters > 0)
    if not shown.cut:
        assert shown.text == whole
    elif limit >= SHORTEST_WITH_NOTICE:
        assert f"{shown.hidden_characters} more characters in {shown.hidden_lines} more line" in shown.text
    else:
        assert "…" in shown.text


@given(blobs, st.integers(SHORTEST_WITH_NOTICE, 900))
@settings(max_examples=200)
def test_head_and_tail_around_the_notice_are_the_text_itself(text: str, limit: int) -> None:
    whole = make_visible(redact_text(text, key=KEY))
    shown = display(text, key=KEY, limit=limit)
    if shown.cut:
        notice = regex.search(
            rf"\n… {shown.hidden_characters} more characters in {shown.hidden_lines} more lines? *…\n", shown.text
        )
        assert notice
        head, tail = shown.text[: notice.start()], shown.text[notice.end() :]
        assert whole.startswith(head)
        assert whole.endswith(tail)
        assert len(head) + len(tail) + shown.hidden_characters == len(whole)


def test_the_tail_has_a_fifth_of_the_room_or_more() -> None:
    text = "echo start " + "x" * 5000 + " && rm -rf /"
    shown = display(text, key=KEY, limit=300)
    assert shown.text.startswith("echo start")
    assert shown.text.endswith(" && rm -rf /")
    assert len(shown.text.rpartition("\n")[2]) >= 50
    assert shown.hidden_lines == 1


def test_lines_left_out_are_counted() -> None:
    shown = display("\n".join(f"line {number}" for number in range(100)), key=KEY, limit=300)
    kept = len(regex.findall(r"line \d+", shown.text))
    assert 100 - kept <= shown.hidden_lines <= 102 - kept


@given(st.permutations([*SECRETS.values()]).map(lambda every: every[:4]), st.integers(0, 60), st.integers(20, 400))
@settings(max_examples=200)
def test_no_secret_survives_whatever_is_cut(secrets: list[str], padding: int, limit: int) -> None:
    shown = display("x" * padding + " " + " | ".join(secrets) + " y" * padding, key=KEY, limit=limit)
    for secret in secrets:
        assert secret[-9:] not in shown.text


@pytest.mark.parametrize("text", IN_CONTEXT)
def test_no_secret_in_its_surroundings_survives(text: str) -> None:
    assert IN_CONTEXT[text] not in display(text.format(IN_CONTEXT[text]), key=KEY, limit=3000).text


@given(blobs, st.integers(1, 900))
@settings(max_examples=150)
def test_hidden_characters_are_always_announced_even_where_the_cut_hides_them(text: str, limit: int) -> None:
    shown = display(text, key=KEY, limit=limit)
    kept = regex.sub(r"(?<=\p{Extended_Pictographic})\uFE0F", "", shown.text)
    assert not FORBIDDEN.search(kept)
    dangerous = set(redact_text(text, key=KEY)) & {"\u202e", "\u200b", "\U000e0041", "\u3164"}
    if dangerous:
        assert shown.invisible > 0
        assert any("hidden" in warning or "reading order" in warning for warning in shown.warnings)


def test_marks_masks_and_graphemes_are_never_divided() -> None:
    text = ("é👩‍💻\u202e" + SECRETS["github token"] + "\n") * 50
    for limit in range(SHORTEST_WITH_NOTICE, 420, 3):
        kept = regex.sub(r"\n… .* …\n", "|", display(text, key=KEY, limit=limit).text)
        for side in kept.split("|"):
            assert side.count("⟨") == side.count("⟩")
            assert side.count("[redacted") == side.count("]")
            assert not side.startswith("\u0301")


def test_a_large_hostile_text_is_displayed_in_a_fraction_of_a_second() -> None:
    for piece in ("\u202e", "a\u0301", " " * 9 + "x", "\n \n", "pа ", "ᄀ", "<", "⟨", "https://а"):
        started = time.process_time()
        assert display((piece * 65_536)[:65_536], key=KEY, limit=3000).text
        assert time.process_time() - started < 2


def test_a_secret_inside_a_text_is_told_as_something_nobody_reads() -> None:
    command = "echo 'secret=\"' ; rm -rf /srv/data ; echo '\"'"
    shown = display(command, key=KEY, limit=3_000)
    assert "rm -rf" not in shown.text
    assert "characters inside it are hidden as secrets" in shown.warnings[0]
    assert display("xoxb-" + "1234567890-abcdef", key=KEY, limit=3_000).warnings == ()
