"""Webhooks by hand: given to a key or taken from it, listed, tried, signed with another secret, sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer

from bot.commands.opening import open_store
from bot.naming import new_id
from bot.settings import Settings
from bot.webhooks.sender import NotSent, Sender
from bot.webhooks.signing import new_secret
from policies.addresses import read_address
from policies.duration import parse_duration
from policies.errors import Invalid, SignoffError
from policies.webhook import Webhook, fails_long
from policies.webhook_url import check_reach, read_url
from storage.store import Delivery, Endpoint, Store

AT_ONCE = "0"
SHOWN = 20
"""Messages that were given up and are listed, of each webhook."""
LOOPBACK = tuple(filter(None, map(read_address, ("127.0.0.1", "::1"))))


def new_webhook(key_id: str, url: str, settings: Settings, now: datetime) -> Webhook:
    """A webhook for this key, with a fresh secret. Raises ``Invalid`` for a URL that nothing could be sent to."""
    target = read_url(url)
    networks = settings.webhook_networks
    if target.literal is not None:
        check_reach(target, [target.literal], networks)
    elif target.scheme == "http" and not any(address in network for address in LOOPBACK for network in networks):
        raise Invalid(
            "Webhooks go by https. For a receiver on this machine, set SIGNOFF_WEBHOOK_NETWORKS=127.0.0.0/8 first."
        )
    return Webhook(id=new_id("hook"), key_id=key_id, url=url, secret=new_secret(), created_at=now)


def overlapping(words: str, now: datetime) -> datetime:
    """Until when what is replaced ``now`` counts as well: ``words`` are a duration, or ``0`` for not at all."""
    return now + (timedelta() if words == AT_ONCE else parse_duration(words))


async def list_webhooks() -> None:
    """One line a webhook, tab-separated: key, id, URL, state, waiting, failed; below it what was given up."""
    now = datetime.now(UTC)
    async with open_store() as (store, _):
        endpoints = await store.endpoints()
        given_up = {each.webhook.id: await store.given_up(each.webhook.id, limit=SHOWN) for each in endpoints}
    if not endpoints:
        typer.echo("No key has a webhook; `signoff webhooks set NAME URL` gives it one.", err=True)
    for each in endpoints:
        hook = each.webhook
        counts = (f"waiting {each.waiting}", f"failed {each.failed}")
        typer.echo("\t".join((each.name, hook.id, hook.url, _state(hook, now), *counts)))
        for delivery in given_up[hook.id]:
            typer.echo("\t".join(_columns(delivery)))


def _state(hook: Webhook, now: datetime) -> str:
    if hook.disabled is not None:
        return f"disabled: {hook.disabled}"
    if hook.failing_since is not None:
        return f"failing since {hook.failing_since:%Y-%m-%d %H:%M} UTC: {hook.error}"
    return "ok"


def _columns(delivery: Delivery) -> tuple[str, ...]:
    at = f"{delivery.created_at:%Y-%m-%d %H:%M} UTC"
    return ("", delivery.message_id, delivery.type, delivery.request_id, at, f"given up: {delivery.error}")


async def set_webhook(name: str, url: str) -> None:
    """Give the key ``name`` a webhook, in the place of the one that it had; prints the signing secret alone on stdout.

    What was owed to the former one is dropped with it.
    """
    now = datetime.now(UTC)
    async with open_store() as (store, settings):
        keys = [key for key in await store.keys() if key.name == name and key.revoked_at is None]
        if not keys or keys[-1].kind != "agent":
            raise Invalid(f"There is no active agent's key named {name}; see `signoff keys list`.")
        hook = new_webhook(keys[-1].id, url, settings, now)
        await store.set_webhook(hook)
    _show(hook.secret)


def _show(secret: str) -> None:
    typer.echo(secret)
    typer.echo("This signing secret is shown only now. The receiver verifies with it.", err=True)


async def remove_webhook(name: str) -> None:
    """Send nothing any more for the key ``name``, and forget what was owed."""
    async with open_store() as (store, _):
        await store.remove_webhook((await _of_key(store, name)).webhook, datetime.now(UTC))
    typer.echo(f"{name} has no webhook any more.")


async def rotate_webhook(name: str, overlap: str) -> None:
    """Sign with a new secret, and for ``overlap`` with the old one as well; prints the new one alone on stdout."""
    now = datetime.now(UTC)
    until, secret = overlapping(overlap, now), new_secret()
    async with open_store() as (store, _):
        await store.renew_webhook((await _of_key(store, name)).webhook, secret, until=until, now=now)
    _show(secret)
    until_then = f"Until {until:%Y-%m-%d %H:%M} UTC messages are signed with the old one too."
    typer.echo(until_then if until > now else "Nothing is signed with the old one any more.", err=True)


async def try_webhook(name: str) -> None:
    """Send a signed message of the type ``webhook.test`` now, from here. Raises where no success came back."""
    now = datetime.now(UTC)
    async with open_store() as (store, settings):
        hook = (await _of_key(store, name)).webhook
    sender = Sender(settings.webhook_networks)
    body = f'{{"type":"webhook.test","timestamp":"{now:%Y-%m-%dT%H:%M:%S}Z","data":{{}}}}'.encode()
    try:
        answer = await sender.send(hook.url, body, message_id=new_id("msg"), keys=hook.secrets(now), now=now)
    except NotSent as error:
        raise SignoffError(f"{name}: {error.words}") from error
    finally:
        sender.close()
    if not 200 <= answer.status < 300:
        raise SignoffError(f"{name}: it answered {answer.status}; only 2xx is taken for success.")
    typer.echo(f"{name}: it answered {answer.status}.")


async def redrive(which: str | None) -> None:
    """Send again what was given up: of all webhooks, of one key's, or one message by its id."""
    async with open_store() as (store, _):
        endpoints = await store.endpoints()
        chosen = [each for each in endpoints if which in (None, each.name)]
        number = sum([await store.redrive_webhook(each.webhook.id) for each in chosen])
        if which is not None and not chosen:
            number = await store.redrive_message(which)
            if not number:
                raise Invalid(
                    f"There is neither a key {which} with a webhook nor a message {which} that was given up; see "
                    "`signoff webhooks list`."
                )
    typer.echo(f"{number} {'message goes' if number == 1 else 'messages go'} out again, with what still waited.")


async def _of_key(store: Store, name: str) -> Endpoint:
    found = [each for each in await store.endpoints() if each.name == name]
    if not found:
        raise Invalid(f"No active key named {name} has a webhook; see `signoff webhooks list`.")
    return found[-1]


def troubles(endpoints: tuple[Endpoint, ...], now: datetime) -> tuple[str, ...]:
    """A sentence for each webhook that somebody must look after."""
    failing = [
        f"webhook of {each.name}: {_state(each.webhook, now)}; mend the receiver, then `signoff webhooks redrive "
        f"{each.name}`"
        for each in endpoints
        if fails_long(each.webhook, now)
    ]
    given_up = [
        f"webhook of {each.name}: {each.failed} {'message was' if each.failed == 1 else 'messages were'} given up; "
        f"`signoff webhooks redrive {each.name}` sends them again"
        for each in endpoints
        if each.failed and not fails_long(each.webhook, now)
    ]
    return (*failing, *given_up)
