"""``python -m signoff`` is ``signoff-agent``."""

from signoff.agent import program

program()
