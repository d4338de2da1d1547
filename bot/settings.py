"""Settings from the environment and ``.env``. An unknown ``SIGNOFF_*`` name is refused: no typo stays silent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from policies.addresses import Network, read_networks
from policies.errors import Fault, Faulty, Invalid

SLACK_API = "https://slack.com/api/"


class Settings(BaseSettings):
    """One field for each setting; the description is what ``signoff doctor`` and the README say of it."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    slack_bot_token: SecretStr | None = Field(None, description="the app's bot token, xoxb-…")
    slack_app_token: SecretStr | None = Field(None, description="Socket Mode: the app-level token, xapp-…")
    slack_signing_secret: SecretStr | None = Field(None, description="HTTP instead of Socket Mode: the signing secret")
    slack_api_url: str = Field(SLACK_API, description="where Slack's Web API answers")
    database_url: str = Field("sqlite:///signoff.db", description="the database")
    signoff_policy: Path | None = Field(None, description="the policy file; default: the policy shipped with Signoff")
    signoff_environment: str = Field(
        "", max_length=80, description="where this gateway stands, such as production: environment in conditions"
    )
    signoff_batch_from: int = Field(
        4, ge=0, description="from how many waiting calls on those for one channel share a message; 0 for never"
    )
    signoff_host: str = Field("127.0.0.1", description="the address that serve listens on")
    port: int = Field(8080, ge=0, le=65535, description="the port that serve listens on")
    signoff_tools: str | None = Field(None, description="the module with the runner's tools")
    signoff_mcp: Path | None = Field(None, description="the file that names the MCP servers whose tools the runner has")
    anthropic_api_key: SecretStr | None = Field(None, description="the key for the runner's model")
    anthropic_base_url: str | None = Field(None, description="where the Messages API answers")
    signoff_model: str = Field("claude-sonnet-5-5", description="the runner's model")
    signoff_files: Literal["private", "all", "off"] = Field(
        "private", description="where what a card can't show is attached to it: in private places, everywhere, nowhere"
    )
    signoff_webhook_networks: str = Field(
        "", description="networks in the house that webhooks may be sent to, such as 10.1.0.0/16; default: none"
    )
    signoff_log: Literal["text", "json"] = Field("text", description="how log lines are written")

    @field_validator("signoff_webhook_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        read_networks(text)
        return text

    @property
    def webhook_networks(self) -> tuple[Network, ...]:
        """Where webhooks may be sent besides public addresses."""
        return read_networks(self.signoff_webhook_networks)

    @property
    def secret_key(self) -> bytes:
        """The key for the short hashes that stand in for redacted secrets: stable for one app, unknown to readers."""
        return hashlib.sha256(b"signoff redaction\x00" + self.bot_token.encode()).digest()

    @property
    def bot_token(self) -> str:
        """The bot token in clear; empty where none is set."""
        return self.slack_bot_token.get_secret_value() if self.slack_bot_token else ""

    @property
    def slack_api(self) -> str:
        """The Web API's address as the SDK wants it, with a slash at its end."""
        return f"{self.slack_api_url.rstrip('/')}/"

    @property
    def uses_socket_mode(self) -> bool:
        """True where an app-level token is set."""
        return self.slack_app_token is not None


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """Read and check the environment and ``env_file``. Raises ``Faulty`` with every fault at once."""
    faults = [_unknown(name) for name in sorted({*os.environ, *_stored(env_file)}) if _is_unknown(name)]
    settings: Settings | None = None
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        faults += [Fault(where=str(each["loc"][0]).upper(), words=each["msg"]) for each in error.errors()]
    if faults or settings is None:
        raise Faulty(tuple(faults), code="settings")
    return settings


def environment(env_file: Path = Path(".env")) -> dict[str, str]:
    """The environment over ``env_file``: what a file of settings may name as ``${NAME}``."""
    stored = {name: value for name, value in _stored(env_file).items() if value is not None}
    return {**stored, **os.environ}


def _stored(env_file: Path) -> Mapping[str, str | None]:
    try:
        return dotenv_values(env_file) if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{env_file} can't be read ({type(error).__name__}). It must be a text file in UTF-8.") from None


def require_slack(settings: Settings) -> None:
    """Refuse to serve without the tokens that Slack needs; says which and where to find them."""
    if settings.slack_bot_token is None:
        raise Invalid("SLACK_BOT_TOKEN is not set. Copy it from your Slack app's page, OAuth & Permissions (xoxb-…).")
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        raise Invalid(
            "Set SLACK_APP_TOKEN (xapp-…, Socket Mode: Basic Information, App-Level Tokens) "
            "or SLACK_SIGNING_SECRET (HTTP: Basic Information)."
        )


def _is_unknown(name: str) -> bool:
    return name.upper().startswith("SIGNOFF_") and name.lower() not in Settings.model_fields and name not in OTHERS


OTHERS = frozenset({"SIGNOFF_COMPANY"})
"""Names that belong to modules of tools, not to the gateway: the demo's company reads this one."""


def _unknown(name: str) -> Fault:
    known = [field.upper() for field in Settings.model_fields if field.startswith("signoff_")]
    close = get_close_matches(name.upper(), known, n=1)
    advice = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return Fault(where=name, words=f"there is no such setting; {advice}")
