"""``@needs_approval``: a function that runs only when people, or the policy, said yes to this very call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast, overload

from signoff.async_client import AsyncSignoff
from signoff.client import Signoff
from signoff.signature import Signature

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """How a function's calls are asked for. ``words`` are the API's other fields, such as ``reason``."""

    client: Signoff | AsyncSignoff | None
    tool: str | None
    local: Collection[str]
    timeout: float | None
    repeatable: bool
    words: dict[str, Any] = field(default_factory=dict)

    def asking(self, function: Callable[..., Any], signature: Signature) -> dict[str, Any]:
        """What a call is asked with, beside its arguments."""
        told = {"schema": signature.schema, "description": signature.description, **self.words}
        return {"tool": self.tool or function.__name__, "timeout": self.timeout, "repeatable": self.repeatable, **told}


@overload
def needs_approval(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def needs_approval(
    function: None = None,
    /,
    *,
    client: Signoff | AsyncSignoff | None = None,
    tool: str | None = None,
    local: Collection[str] = (),
    timeout: float | None = None,
    repeatable: bool = False,
    **words: Any,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def needs_approval(
    function: Callable[P, R] | None = None,
    /,
    *,
    client: Signoff | AsyncSignoff | None = None,
    tool: str | None = None,
    local: Collection[str] = (),
    timeout: float | None = None,
    repeatable: bool = False,
    **words: Any,
) -> Any:
    """Let each call of a function, sync or async, wait for a yes, and run with the arguments that were approved.

    ``tool``: the name that the policy knows, by default the function's. ``local``: parameters that are no part of what
    people decide about (a database session); they are never sent. ``client``: without one each call connects by
    ``SIGNOFF_URL`` and ``SIGNOFF_KEY``. The rest as in ``Signoff.approve_or_raise``. The decorated function raises
    ``NotApproved`` where the call did not run; its own exceptions pass, reported as failures.
    """
    gate = Gate(client=client, tool=tool, local=local, timeout=timeout, repeatable=repeatable, words=words)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", _async_gated(function, gate))
        return _gated(function, gate)

    return decorate(function) if function is not None else decorate


def _gated(function: Callable[P, R], gate: Gate) -> Callable[P, R]:
    if isinstance(gate.client, AsyncSignoff):
        raise TypeError(f"{function.__name__} is no coroutine function: give it a Signoff instead of an AsyncSignoff.")
    client, signature = gate.client, Signature(function, gate.local)
    asking = gate.asking(function, signature)

    @functools.wraps(function)
    def gated(*args: P.args, **kwargs: P.kwargs) -> R:
        arguments, local = signature.arguments(*args, **kwargs)
        with ExitStack() as stack:
            asked = client if client is not None else stack.enter_context(Signoff())
            with asked.approve_or_raise(arguments=arguments, **asking) as permit:
                return cast(R, signature.call(function, permit.arguments, local)())

    return gated


def _async_gated(function: Callable[..., Any], gate: Gate) -> Callable[..., Any]:
    if isinstance(gate.client, Signoff):
        raise TypeError(f"{function.__name__} is a coroutine function: give it an AsyncSignoff instead of a Signoff.")
    client, signature = gate.client, Signature(function, gate.local)
    asking = gate.asking(function, signature)

    @functools.wraps(function)
    async def gated(*args: Any, **kwargs: Any) -> Any:
        arguments, local = signature.arguments(*args, **kwargs)
        async with AsyncExitStack() as stack:
            asked = client if client is not None else await stack.enter_async_context(AsyncSignoff())
            async with await asked.approve_or_raise(arguments=arguments, **asking) as permit:
                return await signature.call(function, permit.arguments, local)()

    return gated
