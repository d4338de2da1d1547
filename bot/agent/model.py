"""One turn of the model over the streaming Messages API, with its failures told apart.

A stream that breaks off raises nothing in the SDK (``stop_reason`` is None), a dropped connection raises httpx2's error
rather than Anthropic's: both count as a turn that never was, and are tried again.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.agent.transcript import Message
from bot.logs import get_logger
from policies.redaction import shortened

log = get_logger("signoff.agent")

TRIES = 6
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
MAX_TOKENS = 4096

REFUSALS: Mapping[int, str] = {
    401: "The Messages API refused the key. Check ANTHROPIC_API_KEY.",
    403: "The Messages API refused the key. Check ANTHROPIC_API_KEY.",
    404: "The Messages API doesn't know the model. Check SIGNOFF_MODEL and ANTHROPIC_BASE_URL.",
}

UNUSABLE: Mapping[str, str] = {
    "refusal": "The model declined to go on with this.",
    "max_tokens": "The model's answer was longer than its limit and was cut off. Ask for a smaller step.",
    "model_context_window_exceeded": "The conversation has become too long for the model. Ask for a smaller step.",
}
"""Turns that are whole messages and still no answer, and what the thread is told of them."""

SILENT = [{"type": "text", "text": "(The model said nothing.)"}]
"""In the place of an empty message, which the API would refuse as a part of the conversation."""


class ModelFailed(Exception):
    """The model gave no usable turn; ``str(error)`` says why in a sentence for the thread."""


class _Again(Exception):
    """This try failed in a way that another may not; ``after`` is the server's own wish in seconds."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """An assistant's message and whether it ends the model's work for now."""

    message: Message
    stop_reason: str


@dataclass(kw_only=True, slots=True)
class Model:
    """The Messages API at ``base_url`` (None: Anthropic's own). The SDK is loaded with the first turn, in a thread."""

    api_key: str
    name: str
    base_url: str | None = None
    pauses: Sequence[float] = PAUSES
    _client: Any = field(default=None, init=False)

    async def turn(self, system: str, transcript: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Turn:
        """The next assistant's message. Overload and broken streams are tried again. Raises ModelFailed."""
        why = ""
        for attempt in range(TRIES):
            try:
                return await self._once(system, transcript, tools)
            except _Again as again:
                why = str(again)
                log.warning("the model is tried again", why=why, attempt=attempt + 1)
                if attempt + 1 < TRIES:
                    await asyncio.sleep(again.after if again.after is not None else self._pause(attempt))
        raise ModelFailed(f"The model could not be reached: {why}. Start the run again later.")

    async def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.close()

    async def _once(self, system: str, transcript: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Turn:
        sdk = await asyncio.to_thread(importlib.import_module, "anthropic")
        httpx = await asyncio.to_thread(importlib.import_module, "httpx2")
        client = self._open(sdk)
        try:
            async with client.messages.stream(
                model=self.name, max_tokens=MAX_TOKENS, system=system, messages=list(transcript), tools=list(tools)
            ) as stream:
                message = await stream.get_final_message()
        except sdk.APIStatusError as error:
            raise _status(error) from error
        except (sdk.APIError, httpx.HTTPError) as error:
            raise _Again(f"the connection broke ({type(error).__name__})") from error
        return _usable(message)

    def _pause(self, attempt: int) -> float:
        return self.pauses[min(attempt, len(self.pauses) - 1)]

    def _open(self, sdk: Any) -> Any:
        if self._client is None:
            self._client = sdk.AsyncAnthropic(api_key=self.api_key, base_url=self.base_url, max_retries=0)
        return self._client


def _status(error: Any) -> Exception:
    if error.status_code < 400:  # the stream had begun well, and then an error event came
        return _Again(f"the stream broke off ({_words(error)})")
    if error.status_code in (408, 409, 429) or error.status_code >= 500:
        wish = error.response.headers.get("retry-after", "")
        after = min(float(wish), 60.0) if wish.isascii() and wish.replace(".", "", 1).isdigit() else None
        return _Again(f"the Messages API answered {error.status_code}", after)
    return ModelFailed(REFUSALS.get(error.status_code) or f"The Messages API refused the request: {_words(error)}")


def _words(error: Any) -> str:
    """What the API itself says of its refusal, in one line."""
    body = error.body if isinstance(error.body, dict) else {}
    told = body.get("error")
    words = told.get("message") if isinstance(told, dict) else None
    return shortened(" ".join(str(words or error.status_code).split()), 300)


def _usable(message: Any) -> Turn:
    if message.stop_reason is None:
        raise _Again("the stream broke off")
    if message.stop_reason in UNUSABLE:
        raise ModelFailed(UNUSABLE[message.stop_reason])
    content = [block.model_dump(mode="json", exclude_none=True, include=_FIELDS) for block in message.content]
    kept = [block for block in content if block["type"] in ("text", "tool_use") and block.get("text", "-").strip()]
    return Turn(message={"role": "assistant", "content": kept or SILENT}, stop_reason=message.stop_reason)


_FIELDS = {"type", "text", "id", "name", "input"}
