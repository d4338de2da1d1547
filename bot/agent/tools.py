"""The runner's tools: plain Python functions that an agent may call, collected from the module in SIGNOFF_TOOLS.

    @tool
    def read_order(order_id: str) -> dict[str, str]:
        '''Read one order.

        Args:
            order_id: The order's number, such as HG-1042.
        '''

Whether a call needs people first is the policy's affair and nowhere to be seen here.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, overload

from bot.agent.signature import ArgumentsRefused, UnfitForTool, read_signature
from policies.redaction import shortened

_MARK = "__signoff_tool__"
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what the Messages API and MCP clients both accept
_WORDS_MAX = 2_000

Function = TypeVar("Function", bound=Callable[..., Any])


class ToolFailed(Exception):
    """A tool could not do it; `str(error)` is one line for the model, never a traceback."""


class ToolInDoubt(Exception):
    """Nobody knows whether the tool did it: the way to it broke off. It is never run again unasked."""


class ToolsNotLoaded(Exception):
    """The tools' module cannot be used; `str(error)` says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offered:
    """A tool as the model and the reviewers see it.

    `schema` is the JSON Schema of the arguments; `check` turns JSON arguments into keyword arguments or raises
    ArgumentsRefused.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    check: Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool(Offered):
    """One Python function, with a closed schema (draft 2020-12); `run` is the function itself, sync or async."""

    run: Callable[..., Any]


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Function], Function]: ...
def tool(
    function: Function | None = None, /, *, name: str | None = None, description: str | None = None
) -> Function | Callable[[Function], Function]:
    """Mark a sync or async function as a tool; it stays an ordinary function.

    Every parameter needs a type; `Annotated[..., Field(...)]` adds limits. Raises UnfitForTool at the definition.
    """

    def mark(target: Function) -> Function:
        vars(target)[_MARK] = _describe(target, name or target.__name__, description)
        return target

    return mark if function is None else mark(function)


def _describe(function: Callable[..., Any], name: str, description: str | None) -> Tool:
    if not _NAME.fullmatch(name):
        raise UnfitForTool(f"{name!r} is no name for a tool: use 1 to 64 letters, digits, _ and -.")
    read = read_signature(function, description)
    return Tool(name=name, description=read.description, schema=read.schema, check=read.check, run=function)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolBox:
    """The tools of one module, by name, in the order of their definition."""

    tools: Mapping[str, Tool] = field(default_factory=dict)

    @classmethod
    def load(cls, module: str) -> Self:
        """Import `module` ("package.module") and collect its tools. Raises ToolsNotLoaded."""
        return cls.of(*vars(_import(module)).values(), where=module)

    @classmethod
    def of(cls, *things: object, where: str = "this tool box") -> Self:
        """Collect what `@tool` marked among `things`; anything else is passed over. Raises ToolsNotLoaded."""
        found = {id(thing): marked for thing in things if isinstance(marked := _marked(thing), Tool)}
        if not found:
            raise ToolsNotLoaded(f"{where} has no tools: put @tool (bot.agent.tools) above the functions to offer.")
        tools: dict[str, Tool] = {}
        for each in found.values():
            if each.name in tools:
                raise ToolsNotLoaded(f"{where} has two tools named {each.name}: rename one with @tool(name=...).")
            tools[each.name] = each
        return cls(tools=tools)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self.tools.values())

    def check(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Raise ToolFailed if this call could not run; worth asking before people are."""
        self._bind(name, arguments)

    async def run(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Run one call and return JSON (None, bool, number, text, list or dict).

        A sync function runs in a thread of its own, apart from the pool that the gateway lives on, and cannot be
        cancelled half-way: cancelling stops the wait, not the effect. Raises ToolFailed for an unknown tool, unfit
        arguments, and whatever the function raises.
        """
        found, fit = self._bind(name, arguments)
        if inspect.iscoroutinefunction(found.run):
            return await _run_async(found, fit)
        outcome = await _in_a_thread(found, fit)
        if isinstance(outcome, ToolFailed):
            raise outcome
        return outcome

    def _bind(self, name: str, arguments: Mapping[str, Any]) -> tuple[Tool, dict[str, Any]]:
        found = self.tools.get(name)
        if found is None:
            raise ToolFailed(f"There is no tool named {name}. There are: {', '.join(self.tools)}.")
        return found, bound(found, arguments)


def bound(found: Offered, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments to call a tool with. Raises ToolFailed where they don't fit."""
    try:
        return found.check(arguments)
    except ArgumentsRefused as error:
        raise ToolFailed(shortened(f"{found.name} was called with unfit arguments: {error}", _WORDS_MAX)) from None


async def _run_async(found: Tool, bound: dict[str, Any]) -> Any:
    try:
        return _as_json(await found.run(**bound))
    except (Exception, SystemExit) as error:
        raise _failure(found.name, error) from error


async def _in_a_thread(found: Tool, bound: dict[str, Any]) -> Any:
    """What ``_run_sync`` says, from a thread that nobody joins: a tool that hangs holds up only itself."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()
    context = copy_context()

    def tell(outcome: Any) -> None:
        if not ended.done():
            ended.set_result(outcome)

    def work() -> None:
        outcome = context.run(_run_sync, found, bound)
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for it any more
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=work, name=f"tool {found.name}", daemon=True).start()
    return await ended


def _run_sync(found: Tool, bound: dict[str, Any]) -> Any:
    """The result, or the ToolFailed to raise: returned, since a StopIteration that leaves a thread never arrives."""
    try:
        return _as_json(found.run(**bound))
    except BaseException as error:
        return _failure(found.name, error)


def _failure(name: str, error: BaseException) -> ToolFailed:
    if isinstance(error, ToolFailed):
        return error
    said = " ".join(str(error).split()) or type(error).__name__
    return ToolFailed(shortened(f"{name} failed: {said}", _WORDS_MAX))


def _as_json(result: Any) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(result)


def _marked(thing: object) -> object:
    return getattr(thing, "__dict__", {}).get(_MARK) if callable(thing) else None


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            words = f"There is no module {module}: check SIGNOFF_TOOLS, and that its folder is on PYTHONPATH."
        else:
            words = f"{module} needs {error.name}, which is not installed: install it where the gateway runs."
        raise ToolsNotLoaded(words) from error
    except Exception as error:
        raise ToolsNotLoaded(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
