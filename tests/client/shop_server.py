"""An MCP server as anybody may write one, with a side effect: `python shop_server.py FILE`."""

import os
import sys
from pathlib import Path

from mcp.server import MCPServer

server = MCPServer("shop")
done = Path(sys.argv[1])


@server.tool()
def refund(order_id: str, amount: float) -> str:
    """Give a customer money back."""
    if order_id == "lost":
        raise LookupError("no such order")
    with done.open("a") as written:
        written.write(f"{order_id} {amount:g}\n")
    if order_id == "crash":
        os._exit(1)
    return f"refunded {amount:g} for {order_id}"


@server.resource("shop://hours")
def hours() -> str:
    """When the shop is open."""
    return "9 to 5"


server.run()
