"""What people write in a condition who know another language, and what they mean: looked for where CEL refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.errors import Fault
from policies.expression import Expression

_SLIPS = (
    (r"===", "write == with two signs"),
    (r"<>", "write != for unlike"),
    (r"(?<![=!<>])=(?!=)", "one = compares nothing; write =="),
    (r"(?<![.\w])and\b", "write && instead of and"),
    (r"(?<![.\w])or\b", "write || instead of or"),
    (r"(?<![.\w])not\b", "write ! instead of not, such as !has(args.cc)"),
    (r"(?<![.\w])is\b", "write == instead of is"),
    (r"(?<!&)&(?!&)", "write && with two signs"),
    (r"(?<!\|)\|(?!\|)", "write || with two signs"),
    (r"\d\s*%(?=\s*(?:$|[)&|\]?:,]))", "there are no percentages here; write a fraction, such as 0.7 for 70%"),
    (r"(?<![\w.])\d{1,3}(?:,\d{3})+\b", "write the number without separators, such as 1000"),
    ("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]", "write straight quotes, such as 'EUR'"),
)


def slips(expression: Expression) -> Iterator[Fault]:
    """Each slip with its place; only good for an expression that didn't compile."""
    for pattern, words in _SLIPS:
        for found in re.finditer(pattern, expression.bare):
            yield Fault(where=expression.place(found.start()), words=words)
