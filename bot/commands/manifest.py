"""The Slack app's manifest: Socket Mode as shipped, or the HTTP form with the gateway's address."""

from __future__ import annotations

from importlib import resources
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from policies.errors import Invalid


def manifest_text(url: str | None) -> str:
    """The manifest as YAML; with ``url`` the one for HTTP, its request URLs filled in."""
    text = resources.files("bot").joinpath("manifest.yml").read_text(encoding="utf-8")
    if url is None:
        return text
    yaml = YAML()
    document = yaml.load(text)
    _for_http(document, _events_url(url))
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _for_http(document: Any, events: str) -> None:
    document["settings"]["socket_mode_enabled"] = False
    document["settings"]["event_subscriptions"]["request_url"] = events
    document["settings"]["interactivity"]["request_url"] = events
    for command in document["features"]["slash_commands"]:
        command["url"] = events


def _events_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise Invalid(f"Slack needs a public https address, such as https://signoff.example.com, not {url!r}.")
    return f"https://{parts.netloc}{parts.path.rstrip('/')}/slack/events"
