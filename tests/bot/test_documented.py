"""Every setting and every metric is documented, and no documented one is unknown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import COUNTERS, GAUGES, WAITED, Metrics
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


def test_the_table_of_metrics_is_the_metrics() -> None:
    table = README.read_text(encoding="utf-8").split("## Metrics")[1].split("\n\nEvery")[0]
    documented = dict(re.findall(r"^\| `(signoff_[a-z_]+)` \|(.*?)\|", table, re.MULTILINE))
    served = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(Metrics().text().decode())
    }
    assert set(documented) == served
    for figure in (*COUNTERS, WAITED, *GAUGES):
        labels = next(labels for name, labels in documented.items() if name.removesuffix("_total") == figure.name)
        assert re.findall(r"`([a-z]+)`", labels) == list(figure.labels)
