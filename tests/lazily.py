"""A library that few tests need, imported by the first that uses it: each worker collects all of the tests' modules."""

from __future__ import annotations

import importlib
from typing import Any


class Lazily:
    """Stands for the module of this name in a test's module; raises ModuleNotFoundError when it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # what pytest looks for in whatever stands in a module
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)
