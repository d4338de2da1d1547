"""The sandbox as a whole: its parts, put together once per process and handed to everything that needs them."""

from dataclasses import dataclass
from pathlib import Path

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


def build(workspace_file: Path) -> Sandbox:
    """A sandbox with the workspace of a file. Raises ValueError when the file is not one."""
    clock, stream, record = Clock(), Stream(), Record()
    workspace = load(workspace_file, clock, stream)
    tickets = Tickets(clock=clock)
    views = OpenViews(clock)
    sockets = Sockets(workspace.app.id, clock, record, tickets)
    payloads = Payloads(workspace, tickets, views)
    return Sandbox(
        workspace=workspace,
        clock=clock,
        stream=stream,
        record=record,
        tickets=tickets,
        pace=Pace(clock),
        faults=Faults(),
        views=views,
        sockets=sockets,
        delivery=Delivery(workspace, clock, record, sockets),
        payloads=payloads,
    )
