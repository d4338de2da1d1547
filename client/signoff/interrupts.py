"""What a LangGraph graph asks when it is interrupted, and the words in which it takes the answer. No input or output.

Read are LangChain's ``HumanInTheLoopMiddleware`` in both modes (and as JavaScript spells it), the older
``HumanInterrupt`` of Agent Inbox, and a plain ``interrupt({"name": …, "args": {…}})``, answered as the middleware's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.errors import SignoffError, not_approved, not_claimable
from signoff.models import Request

Json = dict[str, Any]
ALL = frozenset({"approve", "edit", "reject", "respond"})


class UnknownInterrupt(SignoffError):
    """The graph asks something that this package can't read. It stays interrupted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One call that the graph asks about; ``allowed`` is what it takes for an answer. ``call_id`` where it tells."""

    tool: str
    arguments: Json
    allowed: frozenset[str] = ALL
    schema: Json | None = None
    call_id: str | None = None

    @property
    def question(self) -> str | None:
        """What to ask where people answer in the tool's stead, as the graph takes no yes."""
        if self.allowed & {"approve", "edit"} or "respond" not in self.allowed:
            return None
        texts = list(self.arguments.values())
        return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else json.dumps(self.arguments, indent=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The answer to one call. It runs only by ``approve`` and ``edit``, with ``arguments``; ``words`` say why not."""

    kind: str
    arguments: Json
    words: str = ""

    @property
    def runs(self) -> bool:
        """Is it a yes?"""
        return self.kind in ("approve", "edit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """All that one interrupt asks, and how its answer is put together: as many decisions, in the same order."""

    asked: tuple[Asked, ...]
    answer: Callable[[Sequence[Decision]], Any]


def asking_of(value: Any, schema: Any = None) -> Asking:
    """What an interrupt with this value asks. Raises ``UnknownInterrupt``."""
    try:
        return _asking(value, schema if isinstance(schema, dict) else {})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        words = "A graph was interrupted by what Signoff can't read as a call, so it asks nobody and lets it stand: "
        raise UnknownInterrupt(f"{words}{str(value)[:200]}") from error


def _asking(value: Any, schema: Mapping[str, Any]) -> Asking:
    if isinstance(value, dict) and "action_requests" in value:
        return _batched(value["action_requests"], value["review_configs"], "action_name", "allowed_decisions", _hitl)
    if isinstance(value, dict) and "actionRequests" in value:
        return _batched(value["actionRequests"], value["reviewConfigs"], "actionName", "allowedDecisions", _camel)
    old = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(old, dict) and "action_request" in old:
        return _inbox(old, listed=isinstance(value, list))
    return _single(value, schema)


def _batched(
    actions: Sequence[Json], configs: Sequence[Json], name: str, allowed: str, say: Callable[[str, Decision], Json]
) -> Asking:
    told = {str(config[name]): frozenset(map(str, config[allowed])) for config in configs}
    asked = tuple(_asked(action["name"], action["args"], told[action["name"]]) for action in actions)

    def answer(decisions: Sequence[Decision]) -> Json:
        return {"decisions": [say(one.tool, made) for one, made in zip(asked, decisions, strict=True)]}

    return Asking(asked=asked, answer=answer)


def _single(value: Json, schema: Mapping[str, Any]) -> Asking:
    """One call: of the middleware's per-call mode, whose schema says what it takes, or of a node's own interrupt."""
    kinds = _kinds(schema)
    one = _asked(value["name"], value["args"], kinds & ALL or ALL, schema.get("$defs", {}).get(value["name"]))
    call_id = value.get("tool_call_id")
    one = Asked(tool=one.tool, arguments=one.arguments, allowed=one.allowed, schema=one.schema, call_id=call_id)
    return Asking(asked=(one,), answer=lambda decisions: _hitl(one.tool, decisions[0]))


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types of decision that a per-call interrupt's schema knows."""
    shapes = [schema, *schema.get("$defs", {}).values()]
    return frozenset(str(shape.get("properties", {}).get("type", {}).get("const")) for shape in shapes)


def _inbox(value: Json, *, listed: bool) -> Asking:
    action, config = value["action_request"], value["config"]
    names = {"approve": "allow_accept", "edit": "allow_edit", "reject": "allow_ignore", "respond": "allow_respond"}
    one = _asked(action["action"], action["args"], frozenset(kind for kind, name in names.items() if config.get(name)))

    def answer(decisions: Sequence[Decision]) -> Any:
        said = _inbox_answer(one, decisions[0])
        return [said] if listed else said

    return Asking(asked=(one,), answer=answer)


def _asked(tool: Any, arguments: Any, allowed: frozenset[str], schema: Json | None = None) -> Asked:
    if not (isinstance(tool, str) and isinstance(arguments, dict) and allowed & ALL):
        raise TypeError("a call has a name, arguments and answers that it takes")
    return Asked(tool=tool, arguments=arguments, allowed=allowed & ALL, schema=schema if schema else None)


def _hitl(tool: str, decision: Decision, edited: str = "edited_action") -> Json:
    if decision.kind == "edit":
        return {"type": "edit", edited: {"name": tool, "args": decision.arguments}}
    return {"type": decision.kind, **({} if decision.runs else {"message": decision.words})}


def _camel(tool: str, decision: Decision) -> Json:
    return _hitl(tool, decision, "editedAction")


def _inbox_answer(one: Asked, decision: Decision) -> Json:
    """The older answer. Its ``ignore`` takes no words, so a no is said as a response where the graph takes one."""
    if decision.runs:
        action = {"action": one.tool, "args": decision.arguments}
        return {"type": "accept" if decision.kind == "approve" else "edit", "args": action}
    if "respond" in one.allowed:
        return {"type": "response", "args": decision.words}
    return {"type": "ignore", "args": None}


def decision_of(asked: Asked, request: Request) -> Decision:
    """The answer to one call of which the request is settled, in a form that the graph takes.

    What was begun before is a no once it has ended, or nobody told how for too long; claimed, somebody may be at it:
    that is the claim's matter. Raises ``NotApproved`` where the graph takes no no: then it stays interrupted.
    """
    edited = request.modified
    if not request.approved:
        return refusal_of(asked, request, str(not_approved(request)))
    state = request.execution.state if request.execution is not None else "gone"
    if state not in ("unclaimed", "claimed"):
        return refusal_of(asked, request, str(not_claimable(request)))
    if "edit" in asked.allowed and (edited or "approve" not in asked.allowed):
        return Decision(kind="edit", arguments=request.arguments)
    if "approve" in asked.allowed and not edited:
        return Decision(kind="approve", arguments=request.arguments)
    return refusal_of(asked, request, _changed(asked, request))


def refusal_of(asked: Asked, request: Request, words: str) -> Decision:
    """A no with these words. Raises ``NotApproved`` where the graph takes none."""
    kind = next((kind for kind in ("reject", "respond") if kind in asked.allowed), None)
    if kind is None:
        raise not_approved(request) if not request.approved else not_claimable(request)
    return Decision(kind=kind, arguments=request.arguments, words=words)


def _changed(asked: Asked, request: Request) -> str:
    said = json.dumps(request.arguments, ensure_ascii=False)
    return (
        f"People changed this call of {asked.tool}; as it was, it did not run. They would have it called with {said}."
    )
