"""The sandbox as a whole: its parts, put together once per process and handed to everything that needs them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.delivery import Delivery
from sandbox.faults import Faults
from sandbox.open_views import OpenViews
from sandbox.pacing import Pace
from sandbox.payloads import Payloads
from sandbox.record import Record
from sandbox.socket_mode import Sockets
from sandbox.stream import Stream
from sandbox.tickets import Tickets
from sandbox.workspace import Workspace, load


@dataclass(kw_only=True, slots=True)
class Sandbox:
    """What the routes work on."""

    workspace: Workspace
    clock: Clock
    stream: Stream
    record: Record
    tickets: Tickets
    pace: Pace
    faults: Faults
    views: OpenViews
    sockets: Sockets
    delivery: Delivery
    payloads: Payloads
    rebuild: "Callable[[], Sandbox]"

    async def close(self) -> None:
        """End every stream, delivery and connection."""
        self.stream.close()
        await self.delivery.close()
        await self.sockets.close()

    async def reset(self) -> None:
        """Start over with everything as it was at the beginning; connections end, the address stays."""
        await self.close()
        new, address = self.rebuild(), self.workspace.base_url
        for part in fields(self):
            setattr(self, part.name, getattr(new, part.name))
        self.workspace.base_url = address


def build(workspace_file: Path, *, pace: bool = True, **app: Any) -> Sandbox:
    """A sandbox with the workspace of a file; `app` changes fields of the app's profile.

    Raises ValueError when the file is not a workspace.
    """
    clock, stream, record = Clock(), Stream(), Record()
    workspace = load(workspace_file, clock, stream)
    workspace.app = replace(workspace.app, **app)
    tickets = Tickets(clock=clock)
    views = OpenViews(clock)
    faults = Faults()
    sockets = Sockets(workspace.app.id, clock, record, tickets)
    payloads = Payloads(workspace, tickets, views)
    return Sandbox(
        workspace=workspace,
        clock=clock,
        stream=stream,
        record=record,
        tickets=tickets,
        pace=Pace(clock, enabled=pace),
        faults=faults,
        views=views,
        sockets=sockets,
        delivery=Delivery(workspace, clock, record, sockets, faults),
        payloads=payloads,
        rebuild=partial(build, workspace_file, pace=pace, **app),
    )
