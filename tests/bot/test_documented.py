"""Every setting is documented, and no documented setting is unknown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import OTHERS, Settings

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_stands_in_the_readme(name: str) -> None:
    assert f"`{name.upper()}`" in README.read_text(encoding="utf-8")


def test_the_readme_names_no_setting_that_there_is_not() -> None:
    named = set(re.findall(r"\bSIGNOFF_[A-Z_]+[A-Z]\b", README.read_text(encoding="utf-8")))
    assert named <= {field.upper() for field in Settings.model_fields} | OTHERS


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name].description
