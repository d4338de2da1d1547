"""What is never shown: secrets, found by the name of their key or by their shape.

Each is replaced by `[redacted <kind>, <n> characters, #<8 hex digits>]`. The hex digits are a keyed hash (HMAC-SHA256):
the same secret can be recognised from card to card, but not guessed from the outside. Only what is shown changes:
digests bind the real bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from policies.arguments import JsonValue, pointer

SENSITIVE_WORDS = frozenset({
    "password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token", "apikey",
    "credential", "credentials", "authorization", "authentication", "bearer", "cookie", "cookies", "cvv", "cvc",
    "otp", "totp", "jwt", "privatekey", "accesskey", "secretkey", "signingkey",
})  # fmt: skip
"""One of these words in a key's name makes its value a secret."""
SENSITIVE_PAIRS = frozenset({
    "api_key", "private_key", "access_key", "secret_key", "signing_key", "encryption_key", "master_key",
    "session_key", "session_id", "auth_key", "ssh_key", "client_secret", "refresh_token", "connection_string",
    "pass_phrase", "card_number", "recovery_code", "recovery_codes",
})  # fmt: skip
INNOCENT_ENDINGS = frozenset({
    "count", "counts", "limit", "length", "type", "types", "name", "names", "url", "uri", "expiry", "expires",
    "expiration", "policy", "enabled", "required", "budget", "usage",
})  # fmt: skip
"""`token_count` and `password_length` tell about a secret, but hold none."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_MASK = re.compile(r"\[redacted [a-z0-9 -]{1,30}, [0-9]+ characters, #[0-9a-f]{8}\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """What a kind of secret looks like; each match holds one of ``signs`` in small letters."""

    kind: str
    signs: tuple[str, ...]
    expression: re.Pattern[str]

    def may_be_in(self, small: str) -> bool:
        """Looks for the signs alone, which is many times faster than looking for the secret."""
        for sign in self.signs:  # noqa: SIM110 - any() takes thrice the time
            if sign in small:
                return True
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Redacted:
    """A JSON value fit to be shown, and the JSON pointers of what was replaced in it."""

    value: JsonValue
    paths: tuple[str, ...]


def _shape(kind: str, signs: str, expression: str) -> _Shape:
    return _Shape(kind=kind, signs=tuple(signs.split()), expression=re.compile(expression))


# Anchored on fixed words or bounded classes, so that each runs in linear time. What is a secret is the whole match,
# or its group "secret" where the match needs words around it. Broader shapes stand last. The signs are what any match
# holds in small letters: looking for them first takes a fortieth of the time. None holds an i, since re.IGNORECASE
# takes more letters for one than casefold knows.
_SHAPES = (
    _shape(
        "private key",
        "-----beg",
        # Only what a key is made of, so that nobody hides a command behind a key's first line: lines of base64 (broken
        # off at most in the middle of one), and the headers that some keys begin with. A token that follows a key
        # isn't taken for a line of it: what would be left of it is known to nobody as a secret.
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:\s|\\[rn]|(?:Proc-Type|DEK-Info|Version|Hash|Charset): [^\s;|&$`<>]{1,80}(?=\s)"
        r"|=?[A-Za-z0-9+/]{16,}+={0,2}(?!\.eyJ))*"
        r"(?:[A-Za-z0-9+/=]{1,15}\s{0,3}(?:\\[rn])?(?==[A-Za-z0-9+/]{4}|-----END))?(?:=[A-Za-z0-9+/]{4}\s{0,3})?"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?",
    ),
    _shape(
        "slack webhook",
        "hooks.slack",
        r"https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{10,}",
    ),
    _shape("slack token", "xox xapp-", r"(?<![A-Za-z0-9])(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{10,}"),
    _shape(
        "signoff key",
        "so_agent_ so_operator_ so_prov",
        r"(?<![A-Za-z0-9])so_(?:agent|operator|provisioner)_[A-Za-z0-9]{20,}",
    ),
    _shape("anthropic key", "sk-ant-", r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{10,}"),
    _shape("openai key", "sk-", r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
    _shape(
        "github token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    ),
    _shape(
        "gitlab token",
        "glpat- gldt- glptt- glrt- glcbt- glsoat-",
        r"(?<![A-Za-z0-9])gl(?:pat|dt|ptt|rt|cbt|soat)-[A-Za-z0-9_.-]{16,}",
    ),
    _shape("aws key id", "akia asia abia acca", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    _shape(
        "aws secret",
        "aws",
        r"(?i:\baws.{0,20}?secret.{0,20}?[=:]\s{0,3}[\"']?)(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    _shape(
        "stripe key",
        "k_live_ k_test_ whsec_",
        r"(?<![A-Za-z0-9])(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,})",
    ),
    _shape(
        "google key",
        "aiza gocspx- ya29.",
        r"(?<![A-Za-z0-9])(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})",
    ),
    _shape(
        "azure key",
        "accountkey= sharedaccess",
        r"(?i:\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)(?P<secret>[A-Za-z0-9+/%=]{20,})",
    ),
    _shape("jwt", "eyj", r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,3}"),
    _shape("npm token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{30,}"),
    _shape("pypi token", "pyp", r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{16,}"),
    _shape("sendgrid key", "sg.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _shape("twilio key", "sk", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}\b"),
    _shape("hugging face token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}"),
    _shape("digitalocean token", "_v1_", r"(?<![A-Za-z0-9])do[opr]_v1_[0-9a-f]{40,}"),
    _shape("shopify token", "shp", r"(?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _shape("telegram token", ":aa", r"(?<![A-Za-z0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    _shape(
        "url password",
        "://",
        r"\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s/:@\[\]]{0,200}:(?P<secret>[^\s/@;&|`()<>{}\"']{1,200})@",
    ),
    _shape(
        "authorization",
        "bearer bas author",
        r"(?i:\b(?:bearer|basic|authorization:)\s{1,3}(?:token\s{1,3}|bearer\s{1,3}|basic\s{1,3})?)"
        r"(?P<secret>[A-Za-z0-9._~+/=-]{12,})",
    ),
    _shape(
        "password",
        "passw pwd passphrase secret key token",
        r"(?i:(?:password|passwd|pwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|token)(?:\\{0,15}[\"'])?"
        r"(?:\s{0,3}[=:]\s{0,3}|(?<=--password)\s{1,3}|(?<=--token)\s{1,3}|(?<=--api-key)\s{1,3}))"
        # Without quotation marks never what would separate commands, so that nobody hides one behind "password=";
        # inside them more than that only where they surely open (see ``_opens``), and never what a shell runs anyway.
        r"(?:\\{1,15}\"(?P<nested>[^\s\"',;&|`\[\]{}()<>\\]{4,300})(?=\\)"
        r"|\"(?P<quoted>(?:[^\"\n`$]|\$(?!\()){4,300})\"|'(?P<single>[^'\n]{4,300})'"
        r"|(?P<secret>[^\s\"',;&|`\[\]{}()<>]{4,300}))",
    ),
)
_INERT = re.compile(r"[^\s\"',;&|`\[\]{}()<>]+")
"""A value that is no command of its own, wherever it stands."""
_READ = 4_000
_UNCLEAR = re.compile(r"\\|#|`|<<|\$\(|-- |//|/\*")
_DIGITS = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-9](?:[ -]?[0-9]){12,}(?!\.?[0-9])")
"""Groups of digits in a row, as card numbers are written; no decimals."""


def redact(value: JsonValue, *, key: bytes) -> Redacted:
    """`value` with every secret replaced; keys of objects are searched like text. `key` is the installation's own."""
    paths: list[str] = []
    return Redacted(value=_redact(value, key, (), "", paths), paths=tuple(paths))


def redact_text(text: str, *, key: bytes) -> str:
    """`text` with every secret of a known shape replaced. What is a mask already stays as it is."""
    small = text.casefold()
    for shape in _SHAPES:
        if shape.may_be_in(small):
            text = shape.expression.sub(partial(_replace, kind=shape.kind, key=key), text)
    return _DIGITS.sub(lambda match: _replace_cards(match, key), text)


def sensitive_kind(name: str) -> str:
    """Why the value under the key `name` is a secret ("password", "api key"), or the empty string where it isn't."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in INNOCENT_ENDINGS:
        return ""
    pairs = [f"{first}_{second}" for first, second in pairwise(words)]
    joined = "".join(words)
    found = [word for word in words if word in SENSITIVE_WORDS] + [pair for pair in pairs if pair in SENSITIVE_PAIRS]
    if not found and joined in SENSITIVE_WORDS:
        found = [joined]
    return found[-1].replace("_", " ") if found else ""


def mask(kind: str, secret: str, *, key: bytes) -> str:
    """What stands in the place of `secret`."""
    seal = hmac.new(key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
    return f"[redacted {kind}, {len(secret)} characters, #{seal}]"


def shortened(text: str, limit: int) -> str:
    """`text`, or as many of its first words as `limit` characters hold with an ellipsis.

    For what is kept or sent on before it is redacted: cut between words, since half a secret is known to nobody as one.
    """
    if len(text) <= limit:
        return text
    return "".join(re.split(r"(\s+)", text[:limit])[:-2]).rstrip() + "…"


def has_mask(text: str) -> bool:
    """Does `text` hold what stands in the place of a secret?"""
    return _MASK.search(text) is not None


def _redact(value: JsonValue, key: bytes, path: tuple[str | int, ...], kind: str, paths: list[str]) -> JsonValue:
    if isinstance(value, dict):
        return _redact_object(value, key, path, kind, paths)
    if isinstance(value, list):
        return [_redact(child, key, (*path, position), kind, paths) for position, child in enumerate(value)]
    shown = _redact_leaf(value, key, kind)
    if shown is not value and shown != value:
        paths.append(pointer(*path))
    return shown


def _redact_object(
    value: dict[str, JsonValue], key: bytes, path: tuple[str | int, ...], kind: str, paths: list[str]
) -> JsonValue:
    shown: dict[str, JsonValue] = {}
    for name, child in value.items():
        label = redact_text(name, key=key)
        if label != name:
            label = label if label not in shown else f"{label} {len(shown)}"
            paths.append(pointer(*path, label))
        shown[label] = _redact(child, key, (*path, label), kind or sensitive_kind(name), paths)
    return shown


def _redact_leaf(value: str | int | float | bool | None, key: bytes, kind: str) -> JsonValue:
    """Under a sensitive name every text and number is a secret; true, false, null and empty text hold none."""
    if isinstance(value, str):
        whole = kind and value and not _MASK.fullmatch(value)
        return mask(kind, value, key=key) if whole else redact_text(value, key=key)
    if kind and value is not None and not isinstance(value, bool):
        return mask(kind, str(value), key=key)
    if isinstance(value, int) and not isinstance(value, bool) and _is_card(str(value)):
        return mask("card number", str(value), key=key)
    return value


def _replace(match: re.Match[str], kind: str, key: bytes) -> str:
    groups = match.re.groupindex
    named = next((name for name in groups if match[name] is not None), None)
    secret = match[named] if named else match[0]
    if _MASK.fullmatch(secret) or (
        named in ("quoted", "single") and not _INERT.fullmatch(secret) and not _opens(match)
    ):
        return match[0]
    start = (match.start(named) if named else match.start()) - match.start()
    return match[0][:start] + mask(kind, secret, key=key) + match[0][start + len(secret) :]


def _opens(match: re.Match[str]) -> bool:
    """Does the quotation mark before the value open one? In ``env 'password='x reboot now''`` it closes one, and what
    seems to be the value is a command.

    Read from the start of the text as a shell reads it, with other marks inside quoted parts counted in pairs. Where
    the text holds what this reading doesn't know (escapes, comments, substitutions), or is long, the answer is no.
    """
    before = match.string[: match.end() - 1]
    before = before[: before.rindex(match[0][-1])]
    if len(before) > _READ or _UNCLEAR.search(before):
        return False
    outer, inside = "", 0
    for mark in re.findall(r"[\"']", before):
        if mark == outer:
            outer = ""
        elif outer:
            inside += 1
        else:
            outer, inside = mark, 0
    return outer != match[0][-1] and inside * bool(outer) % 2 == 0


def _replace_cards(match: re.Match[str], key: bytes) -> str:
    """A row of digits with every card number in it masked, also beside other numbers."""
    row = match[0]
    if len(row) <= 37 and _is_card(row):  # 19 digits, each apart
        return mask("card number", row, key=key)
    groups = [group.span() for group in re.finditer("[0-9]{3,}", row)]
    shown, done = [], 0
    for place, (start, _) in enumerate(groups):
        ends = (end for _, end in reversed(groups[place : place + 6]))
        end = next(
            (end for end in ends if start >= done and 13 <= end - start <= 24 and _is_card(row[start:end])), None
        )
        if end is not None:
            shown += [row[done:start], mask("card number", row[start:end], key=key)]
            done = end
    return "".join([*shown, row[done:]])


def _is_card(text: str) -> bool:
    """13 to 19 digits of a card network's range whose Luhn sum is right; one ordinary number in ten passes the sum
    alone.
    """
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6) or len(set(digits)) < 2:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
