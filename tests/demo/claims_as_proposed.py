"""`signoff` with a bug planted: what is claimed is the call as the agent proposed it, not as a reviewer changed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.cli import main
from bot.gateway import Gateway
from policies.request import Request

_claim = Gateway.claim


async def _claim_as_proposed(self: Gateway, *words: Any, **named: Any) -> Request:
    request = await _claim(self, *words, **named)
    return replace(request, call=replace(request.call, arguments=request.proposed))


if __name__ == "__main__":
    Gateway.claim = _claim_as_proposed  # type: ignore[method-assign]
    main()
