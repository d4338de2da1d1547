"""Plain functions become tools: their schema, their checks, and what the model hears when they fail."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import jsonschema_rs
import pytest
from pydantic import BaseModel, Field

from bot.agent.signature import UnfitForTool
from bot.agent.tools import ToolBox, ToolFailed, ToolsNotLoaded, tool


class Place(BaseModel):
    street: str
    number: int = 1


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    return dict(next(iter(ToolBox.of(function))).schema)


def one(hint: Any, **more: Any) -> dict[str, Any]:
    """The schema of a single parameter `it` of this type."""

    def probe(it: Any) -> None:
        """Probe."""

    probe.__annotations__["it"] = hint
    probe.__defaults__ = (more["default"],) if "default" in more else None
    return schema_of(tool(probe))


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (date, {"type": "string", "format": "date"}),
        (Literal["EUR", "USD"], {"type": "string", "enum": ["EUR", "USD"]}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045 - as people write it
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Annotated[int, Field(ge=1, le=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (Annotated[str, Field(title="Name", max_length=5)], {"type": "string", "title": "Name", "maxLength": 5}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    ],
)
def test_a_parameters_type_becomes_its_json_schema(hint: Any, expected: dict[str, Any]) -> None:
    schema = one(hint)
    assert schema["properties"]["it"] == {"title": "It", **expected}
    assert (schema["required"], schema["additionalProperties"]) == (["it"], False)
    assert "required" not in one(hint, default=None)


def test_a_nested_model_is_closed_too() -> None:
    schema = one(Place)
    assert schema["properties"]["it"] == {"$ref": "#/$defs/Place"}
    assert schema["$defs"]["Place"]["additionalProperties"] is False
    check = jsonschema_rs.validator_for(schema)
    assert check.is_valid({"it": {"street": "Quay"}})
    assert not check.is_valid({"it": {"street": "Quay", "hidden": 1}})


def test_words_come_from_the_docstring_unless_they_are_given() -> None:
    @tool
    def send(to: str, body: Annotated[str, Field(description="Its own words")] = "x", cc: str = "") -> None:
        """Send a letter
        by hand.

        This paragraph is for programmers.

        Args:
            to: Who gets it,
                at home.
            body: Not these words.
        """

    (found,) = ToolBox.of(send)
    assert (found.name, found.description) == ("send", "Send a letter by hand.")
    described = {name: each.get("description") for name, each in found.schema["properties"].items()}
    assert described == {"to": "Who gets it, at home.", "body": "Its own words", "cc": None}
    assert found.schema["properties"]["body"]["default"] == "x"

    @tool(name="post-it", description="Put it up.")
    def post(copy: str, schema: str) -> str:
        return copy + schema

    (renamed,) = ToolBox.of(post)
    assert (renamed.name, renamed.description, list(renamed.schema["properties"])) == (
        "post-it",
        "Put it up.",
        ["copy", "schema"],
    )
    assert post("a", "b") == "ab", "a tool stays an ordinary function"


def _undescribed(it: str) -> None: ...


def _untyped(it) -> None:  # type: ignore[no-untyped-def]
    """Words."""


def _open(*it: str) -> None:
    """Words."""


def _reserved(signoff_reason: str) -> None:
    """Words."""


def _opaque(it: threading.Thread) -> None:
    """Words."""


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (_undescribed, "needs a docstring"),
        (_untyped, "give the parameter it a type"),
        (_open, "name each parameter"),
        (_reserved, "rename signoff_reason"),
        (_opaque, "cannot be described as JSON"),
    ],
)
def test_a_function_that_cannot_be_described_is_refused_where_it_is_defined(
    function: Callable[..., Any], advice: str
) -> None:
    with pytest.raises(UnfitForTool, match=advice):
        tool(function)


def test_a_name_that_the_model_could_not_say_is_refused() -> None:
    with pytest.raises(UnfitForTool, match="is no name for a tool"):
        tool(name="send mail", description="x")(_undescribed)


@tool
def pay(amount: float, due: date, to: Place, memo: Optional[str] = None, days: list[int] = [1]) -> dict[str, Any]:  # noqa: B006, UP045
    """Pay."""
    return {
        "amount": amount,
        "due": due,
        "to": to,
        "memo": memo,
        "days": days,
        "thread": threading.current_thread().name,
    }


PAY = {"amount": 40, "due": "2026-12-15", "to": {"street": "Quay"}}


async def test_a_call_runs_with_checked_arguments_and_gives_json() -> None:
    ran = await ToolBox.of(pay).run("pay", PAY)
    assert ran.pop("thread") != threading.main_thread().name, "a sync tool must not hold up the event loop"
    assert ran == {
        "amount": 40.0,
        "due": "2026-12-15",
        "to": {"street": "Quay", "number": 1},
        "memo": None,
        "days": [1],
    }
    json.dumps(ran)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"amount": "40"}, "amount: Input should be a valid number"),
        ({"amount": True}, "amount: Input should be a valid number"),
        ({"amount": float("nan")}, "not JSON"),
        ({"amount": {1, 2}}, "not JSON"),
        ({"due": "soon"}, "due: Input should be a valid date"),
        ({"hidden": 1}, "hidden: Unexpected keyword argument"),
        ({"to": {"street": "Quay", "hidden": 1}}, "to.hidden: Extra inputs are not permitted"),
        ({"to": {}}, "to.street: Field required"),
    ],
)
async def test_unfit_arguments_never_reach_the_function(changed: dict[str, Any], fault: str) -> None:
    box = ToolBox.of(pay)
    with pytest.raises(ToolFailed, match=fault):
        box.check("pay", {**PAY, **changed})
    with pytest.raises(ToolFailed, match=fault):
        await box.run("pay", {**PAY, **changed})


@tool
def break_down(how: str) -> Any:
    """Fail."""
    raise {
        "plain": ValueError("no such\norder"),
        "mute": KeyError(),
        "own": ToolFailed("Ask for less."),
        "stop": StopIteration("odd"),
        "exit": SystemExit("bye"),
        "long": ValueError("x " * 9_000),
    }[how]


@tool
async def break_later(how: str) -> Any:
    """Fail after a while."""
    await asyncio.sleep(0)
    break_down(how)


FAILURES = [("plain", "failed: no such order"), ("mute", "failed: KeyError"), ("exit", "failed: bye"), ("long", "x…")]


@pytest.mark.parametrize("name", ["break_down", "break_later"])
@pytest.mark.parametrize(("how", "said"), FAILURES)
async def test_what_a_tool_raises_becomes_one_line_for_the_model(name: str, how: str, said: str) -> None:
    with pytest.raises(ToolFailed) as caught:
        await ToolBox.of(break_down, break_later).run(name, {"how": how})
    words = str(caught.value)
    assert words.startswith(f"{name} failed: ")
    assert words.endswith(said)
    assert "\n" not in words
    assert "Traceback" not in words
    assert len(words) <= 2_000


async def test_a_tools_own_words_stay_as_they_are() -> None:
    with pytest.raises(ToolFailed, match=r"^Ask for less\.$"):
        await ToolBox.of(break_down).run("break_down", {"how": "own"})


async def test_a_stop_iteration_in_a_thread_is_heard_and_does_not_hang() -> None:
    async with asyncio.timeout(20):
        with pytest.raises(ToolFailed, match="odd"):
            await ToolBox.of(break_down).run("break_down", {"how": "stop"})


async def test_cancelling_an_async_tool_is_no_failure_of_the_tool() -> None:
    begun = asyncio.Event()

    @tool
    async def wait() -> None:
        """Wait for ever."""
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(ToolBox.of(wait).run("wait", {}))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_result_that_is_no_json_is_a_failure() -> None:
    @tool
    def thread() -> Any:
        """Give something odd."""
        return threading.current_thread()

    with pytest.raises(ToolFailed, match="thread failed: Unable to serialize"):
        await ToolBox.of(thread).run("thread", {})


async def test_an_unknown_tool_is_told_with_the_known_ones() -> None:
    with pytest.raises(ToolFailed, match=r"There is no tool named fly\. There are: pay"):
        await ToolBox.of(pay).run("fly", {})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Write a module on the import path and give its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text("from bot.agent.tools import tool\n" + textwrap.dedent(text))
        return name

    return write


def test_a_modules_tools_are_collected_in_order_also_imported_ones(module: Callable[[str, str], str]) -> None:
    module("tools_base", "@tool\ndef third(it: int) -> int:\n    'Words.'\n    return it")
    name = module(
        "tools_good",
        """
        @tool
        def first() -> int:
            'Words.'
            return 1

        @tool
        async def second() -> int:
            'Words.'
            return 2

        again = first
        def not_a_tool() -> None: ...
        from tools_base import third
        """,
    )
    assert [each.name for each in ToolBox.load(name)] == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("tools_empty", "", "tools_empty has no tools: put @tool"),
        ("tools_needy", "import no_such_thing", "tools_needy needs no_such_thing, which is not installed"),
        ("tools_broken", "1 / 0", "tools_broken cannot be imported: ZeroDivisionError"),
        (
            "tools_unfit",
            "@tool\ndef x(it: str): ...",
            "tools_unfit cannot be imported: UnfitForTool: x needs a docstring",
        ),
        (
            "tools_twice",
            "@tool(name='a')\ndef x():\n  'W.'\n@tool(name='a')\ndef y():\n  'W.'",
            "tools_twice has two tools named a: rename one",
        ),
    ],
)
def test_a_module_that_cannot_be_used_says_what_to_do(
    module: Callable[[str, str], str], name: str, text: str, advice: str
) -> None:
    with pytest.raises(ToolsNotLoaded, match=advice):
        ToolBox.load(module(name, text))


@pytest.mark.parametrize("name", ["no_such_module", "bot.agent.no_such_module", "no_such_package.tools"])
def test_a_missing_module_says_where_to_look(name: str) -> None:
    with pytest.raises(ToolsNotLoaded, match=f"There is no module {name}: check SIGNOFF_TOOLS"):
        ToolBox.load(name)


def test_importing_the_tools_brings_in_nothing_heavy() -> None:
    probe = "import sys, bot.agent.tools; print([m for m in ('anthropic', 'pydantic', 'aiohttp') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


async def test_tools_that_hang_hold_up_nothing_else_in_the_process() -> None:
    released = threading.Event()

    @tool
    def hang() -> str:
        """Wait for ever."""
        released.wait()
        return "released"

    box = ToolBox.of(hang)
    waits = [asyncio.create_task(box.run("hang", {})) for _ in range(40)]
    try:
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(lambda: "the pool is free") == "the pool is free"
            await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    finally:
        released.set()
    assert set(await asyncio.gather(*waits)) == {"released"}
