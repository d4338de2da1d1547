"""Domain values to text and back, exactly: 1 stays 1, 1.0 stays 1.0, 1e22, Unicode and the order of keys stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from policies.agent_run import AgentRun
from policies.effects import Effect
from policies.errors import Unavailable
from policies.grant import Grant
from policies.request import Request

T = TypeVar("T")


class Document(Generic[T]):
    """Turns values of one frozen dataclass into JSON text and back."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        # Only an adapter of something that isn't itself a dataclass takes a config, hence the tuple around it; without
        # "constants" pydantic would silently write NaN as null.
        self._adapter = TypeAdapter(tuple[kind], config=ConfigDict(ser_json_inf_nan="constants"))  # type: ignore[valid-type]

    def dump(self, value: T) -> str:
        """``value`` as a JSON object. Raises ValueError for what JSON text can't hold, such as a lone surrogate."""
        return self._adapter.dump_json((value,)).decode()[1:-1]

    def load(self, text: str) -> T:
        """The value that ``dump`` wrote. Raises Unavailable(code="storage_corrupt") where the text isn't one."""
        try:
            (value,) = self._adapter.validate_json(f"[{text}]")
        except ValidationError as error:
            raise Unavailable(
                f"A stored {self.kind.__name__} can't be read; restore the database from a backup.",
                code="storage_corrupt",
            ) from error
        return value


REQUEST = Document(Request)
RUN = Document(AgentRun)
GRANT = Document(Grant)
EFFECTS: dict[str, Document[Any]] = {kind.__name__: Document(kind) for kind in get_args(Effect)}


def request_columns(request: Request) -> dict[str, Any]:
    """The row of a request."""
    return {
        "id": request.id,
        "workspace_id": request.workspace_id,
        "requester": request.requester.id,
        "tool": request.call.tool,
        "created_at": request.created_at,
        "document": REQUEST.dump(request),
        **changing_columns(request),
    }


def changing_columns(request: Request) -> dict[str, Any]:
    """The columns that say again, to be searched by, what changes in the document."""
    return {
        "state": request.state.value,
        "execution_state": request.execution.state.value if request.execution else None,
        "revision": request.revision,
        "version": request.version,
        "next_action_at": request.next_action_at,
    }


def run_columns(run: AgentRun, workspace_id: str) -> dict[str, Any]:
    """The row of a run."""
    return {
        "id": run.id,
        "workspace_id": workspace_id,
        "owner": run.owner,
        "state": run.state.value,
        "version": run.version,
        "created_at": run.created_at,
        "document": RUN.dump(run),
    }


def grant_columns(grant: Grant) -> dict[str, Any]:
    """The row of a grant."""
    return {
        "id": grant.id,
        "workspace_id": grant.workspace_id,
        "request_id": grant.request_id,
        "requester": grant.requester.id,
        "tool": grant.tool,
        "policy_digest": grant.policy_digest,
        "created_at": grant.created_at,
        "expires_at": grant.expires_at,
        "most": grant.most,
        "used": grant.used,
        "revoked_at": grant.revoked_at,
        "revoked_by": grant.revoked_by,
        "document": GRANT.dump(grant),
    }


def grant_from(document: str, used: int, revoked_at: datetime | None, revoked_by: str | None) -> Grant:
    """The grant as it stands: the document never changes, the columns beside it do."""
    return replace(GRANT.load(document), used=used, revoked_at=revoked_at, revoked_by=revoked_by)


def effect_columns(effect: Effect) -> dict[str, str]:
    """The kind of an effect and its fields as text."""
    kind = type(effect).__name__
    return {"kind": kind, "payload": EFFECTS[kind].dump(effect)}


def effect_from(kind: str, payload: str) -> Effect:
    """The effect that ``effect_columns`` took apart. Raises KeyError for a kind that doesn't exist."""
    effect: Effect = EFFECTS[kind].load(payload)
    return effect
