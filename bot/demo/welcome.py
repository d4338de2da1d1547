"""The first words of the demo: what is going on and what to press, on the page and on the terminal."""

from __future__ import annotations

from typing import Any

WELCOME: dict[str, Any] = {
    "title": "An AI agent is at work here, and it needs you",
    "paragraphs": [
        "You are Ana Reyes of Harbour Goods. An agent is dealing with a customer's broken lamp, and it was stopped "
        "just before it pays money back. Nothing runs until somebody here decides, and what runs is exactly what was "
        "approved.",
    ],
    "steps": [
        "Read the card, then press Approve, Modify or Reject. Try Modify with 40: only the shade is broken.",
        "Open #agents to see what the agent makes of your decision.",
        "At the top right, become Nia Newton and type /agent with an errand of your own, for example: "
        "/agent Pay the November freight invoice of Nordkai Shipping",
    ],
}

ERRANDS = (
    "Mara Holm's brass harbour lamp (order HG-1042) arrived with a cracked shade. Refund her and let her know.",
    "Publish the winter opening hours on the news page.",
)
"""What the agent is given as the demo starts: something to decide, and something that goes ahead unless stopped."""


def first_screen(page: str, api: str) -> str:
    """What the terminal says when everything runs."""
    return f"""
Signoff's demo runs: a local Slack workspace, the gateway, and an agent that wants to do real things.

  Open   {page}
  You    are Ana Reyes, a reviewer. The agent waits for you in #approvals.
  Press  Approve, Modify (try 40) or Reject, then look at #agents: it goes on with exactly that.

The API answers at {api} ; Ctrl-C ends the demo and forgets everything.
"""
