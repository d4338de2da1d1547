"""What people ask about a call that waits: put to the model beside the conversation, and its words sent back.

The run stays where it is. What was asked and answered enters the conversation with the end of the call (`outcomes`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.agent.kit import Kit
from bot.agent.model import ModelFailed, Turn
from bot.agent.outcomes import storable_words
from bot.agent.transcript import Message, aside, words_of
from bot.logs import get_logger
from policies.errors import SignoffError
from policies.inquiry import LONGEST_REPLY, Inquiry
from policies.redaction import shortened
from policies.request import Request, Requester

log = get_logger("signoff.agent")

Think = Callable[[Sequence[Message]], Awaitable[Turn]]

SILENT = "(The model gave no answer in words.)"


class Replies:
    """Answers what people ask about one run's calls, beside everything else. ``think`` is a turn of its model."""

    def __init__(self, kit: Kit, run_id: str, requester: Requester, think: Think) -> None:
        self._kit = kit
        self._run_id = run_id
        self._requester = requester
        self._think = think
        self._tried: set[str] = set()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def begin(self, use_id: str, request: Request) -> None:
        """See to what people asked about ``request``, unless that is under way."""
        if request.id not in self._under_way and self._next(request) is not None:
            self._under_way[request.id] = asyncio.create_task(self._see_to(use_id, request))

    async def end(self) -> None:
        """Stop answering: the run is over, or the runner stops."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _next(self, request: Request) -> Inquiry | None:
        return next((inquiry for inquiry in request.unanswered if inquiry.id not in self._tried), None)

    async def _see_to(self, use_id: str, request: Request) -> None:
        try:
            while not request.settled and (inquiry := self._next(request)) is not None:
                self._tried.add(inquiry.id)
                await self._answer(use_id, request, inquiry)
                request = await self._kit.gateway.own(request.id, self._requester)
        except (ModelFailed, SignoffError) as failed:
            log.warning("a person's question stays unanswered", request=request.id, why=str(failed))
        finally:
            del self._under_way[request.id]
            self._kit.waiting.wake((request.id,))  # what was asked in this very moment is seen then

    async def _answer(self, use_id: str, request: Request, inquiry: Inquiry) -> None:
        run = await self._kit.store.run(self._run_id)
        turn = await self._think(aside(run.transcript if run else (), use_id, _put(request, inquiry)))
        words = shortened(storable_words(words_of(turn.message)).strip(), LONGEST_REPLY) or SILENT
        await self._kit.gateway.reply(request.id, self._requester, inquiry.id, words)


def _put(request: Request, inquiry: Inquiry) -> str:
    """The question as the model reads it."""
    return (
        f"{request.call.tool or 'Your question'} still waits for people. Meanwhile {inquiry.name} asks you about it: "
        f"{inquiry.text}\nAnswer in plain words, shortly and honestly, and make no tool calls now: your answer is "
        "shown to the people who decide, and decides nothing."
    )
