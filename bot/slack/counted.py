"""Slack's Web API client that tells how each call went: for the metrics, whatever part of Signoff called."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

Called = Callable[[str, str], None]
"""Told the method (``chat.postMessage``) and the outcome: ``ok``, ``refused``, ``paced`` or ``failed``."""


class CountedClient(AsyncWebClient):
    """The SDK's client; ``called`` is told of each call."""

    called: Called | None = None

    async def api_call(self, api_method: str, **sent: Any) -> AsyncSlackResponse:
        """As the SDK's own, raising what it raises."""
        outcome = "failed"
        try:
            answer = await super().api_call(api_method, **sent)
            outcome = "ok"
            return answer
        except SlackApiError as error:
            outcome = _outcome(error)
            raise
        finally:
            if self.called is not None:
                self.called(api_method, outcome)


def _outcome(error: SlackApiError) -> str:
    status = error.response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "paced"
    return "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"
