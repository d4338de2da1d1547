"""The program ``signoff``: its commands and their words. Nothing slow is imported before a command runs.

Exit codes: 0 success, 1 the thing asked about is wrong, 2 bad usage. Errors are one line on stderr, never a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(
    name="signoff",
    help="The Slack approval gateway for AI agents: a person's sign-off exactly where it matters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
policy_app = typer.Typer(no_args_is_help=True, help="Check, explain, test, replay and tune a policy.")
requests_app = typer.Typer(no_args_is_help=True, help="Look at requests, also while serve runs.")
audit_app = typer.Typer(no_args_is_help=True, help="The hash-chained journal.")
keys_app = typer.Typer(no_args_is_help=True, help="Agents' keys. No key decides anything.")
app.add_typer(policy_app, name="policy")
app.add_typer(requests_app, name="requests")
app.add_typer(audit_app, name="audit")
grants_app = typer.Typer(no_args_is_help=True, help="What people approved in advance.")
webhooks_app = typer.Typer(no_args_is_help=True, help="Where the news of agents' requests go.")
app.add_typer(keys_app, name="keys")
app.add_typer(webhooks_app, name="webhooks")
app.add_typer(grants_app, name="grants")


def fail(words: str, code: int = 1) -> NoReturn:
    """End with one line on stderr that a person can act on."""
    typer.echo(words, err=True)
    raise typer.Exit(code)


def _run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a command's coroutine; what Signoff refuses becomes one line each on stderr."""
    import asyncio

    from policies.errors import Faulty, SignoffError

    try:
        asyncio.run(main())
    except Faulty as error:
        fail("\n".join(str(fault) for fault in error.faults))
    except SignoffError as error:
        fail(error.words)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Where the local workspace answers.")] = 4390,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open a browser.")] = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Play the reviewers too, tell the story, exit 0 if all is right.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Shorten the ladder's delays.")] = False,
) -> None:
    """Watch an agent work and be stopped, with nothing but Python. Example: signoff demo --fast"""
    from bot.demo.stage import play

    _run(lambda: play(port=port, browser=not no_browser, auto=auto, fast=fast))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on. Default: SIGNOFF_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on. Default: PORT.")] = None,
) -> None:
    """Run the gateway. Example: signoff serve --port 8080"""
    from bot.commands.serving import serve_until_stopped

    _run(lambda: serve_until_stopped(host=host, port=port))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Where the workspace answers.")] = 4390,
    workspace: Annotated[Path | None, typer.Option(help="A workspace of your own, as YAML.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep channels and messages in this file.")] = None,
) -> None:
    """A local Slack workspace alone; prints what to set. Example: signoff sandbox --port 4390"""
    import os

    words = [sys.executable, "-m", "sandbox", "--port", str(port)]
    words += ["--workspace", str(workspace)] if workspace else []
    words += ["--keep", str(keep)] if keep else []
    os.execv(sys.executable, words)  # noqa: S606 - our own program


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema. Example: DATABASE_URL=sqlite:///signoff.db signoff migrate"""
    from bot.commands.operating import migrate_database

    _run(migrate_database)


@app.command()
def manifest(
    url: Annotated[str | None, typer.Option(help="The gateway's public address: prints the HTTP form.")] = None,
) -> None:
    """Print the Slack app's manifest. Example: signoff manifest --url https://signoff.example.com"""
    from bot.commands.manifest import manifest_text

    _say_or_fail(lambda: manifest_text(url))


@app.command()
def doctor() -> None:
    """Check tokens, scopes, channels, reviewers, database and clock. Example: signoff doctor"""
    from bot.commands.doctor import examine

    _run(examine)


@policy_app.command("check")
def policy_check(file: Annotated[Path, typer.Argument(help="The policy file.")]) -> None:
    """Every fault at once, as file:line:col. Example: signoff policy check policy.yml"""
    from bot.commands.policy import check

    _say_or_picture(lambda: check(file), file)


@policy_app.command("explain")
def policy_explain(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    call: Annotated[
        Path,
        typer.Argument(
            help='A JSON file: {"tool": …, "arguments": {…}}, with agent, confidence, context, on_behalf_of, at and '
            "recent and environment if you like."
        ),
    ],
    environment: Annotated[
        str, typer.Option(help="Where the gateway stands, unless the call says it: environment in conditions.")
    ] = "",
) -> None:
    """Which rules match a call, who decides, and when. Example: signoff policy explain policy.yml call.json"""
    from bot.commands.explaining import explain_call

    _say_or_fail(lambda: explain_call(file, call, environment))


@policy_app.command("test")
def policy_test(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    cases: Annotated[
        Path, typer.Argument(help="A YAML list: {name: …, tool: …, arguments: {…}, expect: {checkpoint: …}}.")
    ],
    environment: Annotated[
        str, typer.Option(help="Where the gateway stands, unless the case says it: environment in conditions.")
    ] = "",
) -> None:
    """Calls and the checkpoints that you expect. Example: signoff policy test policy.yml cases.yml"""
    from bot.commands.trying import try_cases

    _say_or_picture(lambda: try_cases(file, cases, environment), file, cases)


@policy_app.command("replay")
def policy_replay(
    file: Annotated[Path, typer.Argument(help="The policy file.")],
    since: Annotated[str, typer.Option(help="How far back, such as 30d.")] = "30d",
    environment: Annotated[
        str | None, typer.Option(help="Where the gateway stands. Default: SIGNOFF_ENVIRONMENT.")
    ] = None,
) -> None:
    """The stored past under another policy. Example: signoff policy replay policy.yml --since 7d"""
    from bot.commands.replaying import replay_past

    _run(lambda: replay_past(file, since, environment))


@policy_app.command("tune")
def policy_tune(since: Annotated[str, typer.Option(help="How far back, such as 30d.")] = "30d") -> None:
    """What the past says of SIGNOFF_POLICY; proposes, applies nothing. Example: signoff policy tune --since 90d"""
    from bot.commands.tuning import tune

    _run(lambda: tune(since))


@policy_app.command("schema")
def policy_schema() -> None:
    """The JSON Schema of policy files, for editors. Example: signoff policy schema > policy.schema.json"""
    from bot.commands.policy import schema_text

    _say_or_fail(schema_text)


def _say_or_picture(make: Callable[[], str], *files: Path) -> None:
    """As ``_say_or_fail``; on a terminal each fault's line follows, with a caret under its place."""
    from bot.commands.policy import pictured
    from policies.errors import Faulty

    def told() -> str:
        try:
            return make()
        except Faulty as error:
            wrong = next((file for file in files if error.faults[0].where.startswith(f"{file}:")), None)
            if wrong is not None and sys.stderr.isatty():
                fail(pictured(wrong, error.faults))
            fail("\n".join(str(fault) for fault in error.faults))

    _say_or_fail(told)


@requests_app.command("list")
def requests_list(
    state: Annotated[str, typer.Option(help="pending, approved, rejected, expired, withdrawn or all.")] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
) -> None:
    """List requests, newest first. Example: signoff requests list --state all"""
    from bot.commands.operating import list_requests

    _run(lambda: list_requests(state, limit))


@requests_app.command("show")
def requests_show(request_id: str) -> None:
    """One request with its reviews, as JSON; secrets redacted. Example: signoff requests show req_1c9f…"""
    from bot.commands.operating import show_request

    _run(lambda: show_request(request_id))


@audit_app.command("verify")
def audit_verify(
    anchor: Annotated[str | None, typer.Option(help="What an earlier verify printed: it must still stand.")] = None,
) -> None:
    """Check the journal's chain. Example: signoff audit verify --anchor 812:9f3c…"""
    from bot.commands.operating import verify_journal

    _run(lambda: verify_journal(anchor))


@audit_app.command("export")
def audit_export(
    after: Annotated[int, typer.Option(min=0, help="Begin after this line's number.")] = 0,
) -> None:
    """The journal as JSON lines. Example: signoff audit export > journal.jsonl"""
    from bot.commands.operating import export_journal

    _run(lambda: export_journal(after))


@app.command()
def purge(older: Annotated[str, typer.Option(help="How long ago it ended, such as 90d.")]) -> None:
    """Blank the contents of what ended long ago; decisions stay. Example: signoff purge --older 90d"""
    from bot.commands.operating import purge as purge_contents

    _run(lambda: purge_contents(older))


@keys_app.command("create")
def keys_create(
    name: str,
    owner: Annotated[
        str | None, typer.Option(help="The Slack user id of the person who answers for the agent.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends, such as 90d.")] = None,
    may: Annotated[
        list[str] | None, typer.Option(help="What it may do: ask, act (claim and report) or read. Default: everything.")
    ] = None,
    tools: Annotated[
        list[str] | None, typer.Option(help="Only for this tool, or those that this pattern matches; may be repeated.")
    ] = None,
    agent: Annotated[str | None, typer.Option(help="A further key of this agent, for another of its programs.")] = None,
    webhook: Annotated[
        str | None, typer.Option(help="The URL (https) that is told of what happens to its agent's requests.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="A key that reads /metrics and asks for nothing.")
    ] = False,
    provisioner: Annotated[
        bool, typer.Option("--provisioner", help="A key that makes agents' keys over HTTP and asks for nothing.")
    ] = False,
) -> None:
    """Make an agent's key; it is printed once. Example: signoff keys create billing-bot --owner U0ALICE --may ask"""
    from bot.commands.keys import Asked, create_key

    asked = Asked(
        name=name,
        operator=operator,
        provisioner=provisioner,
        owner=owner,
        agent=agent,
        expires=expires,
        may=may or (),
        tools=tools or (),
        webhook=webhook,
    )
    _run(lambda: create_key(asked))


@keys_app.command("list")
def keys_list() -> None:
    """List keys without their secrets, and say which end soon. Example: signoff keys list"""
    from bot.commands.keys import list_keys

    _run(list_keys)


@keys_app.command("rotate")
def keys_rotate(
    name: str,
    overlap: Annotated[str, typer.Option(help="How long the old secret stays valid; 0 ends it at once.")] = "24h",
    expires: Annotated[
        str | None, typer.Option(help="When the key ends, such as 90d from now, or never. Default: as before.")
    ] = None,
) -> None:
    """A new secret for the same agent. Example: signoff keys rotate billing-bot --overlap 24h"""
    from bot.commands.keys import rotate_key

    _run(lambda: rotate_key(name, overlap, expires))


@keys_app.command("revoke")
def keys_revoke(name: str) -> None:
    """End a key at once. Example: signoff keys revoke billing-bot"""
    from bot.commands.keys import revoke_key

    _run(lambda: revoke_key(name))


@webhooks_app.command("list")
def webhooks_list() -> None:
    """How each webhook fares, and what could not be delivered. Example: signoff webhooks list"""
    from bot.commands.hooks import list_webhooks

    _run(list_webhooks)


@webhooks_app.command("set")
def webhooks_set(name: str, url: str) -> None:
    """Give a key a webhook; prints its signing secret. Example: signoff webhooks set billing-bot https://hooks.example.com/x"""
    from bot.commands.hooks import set_webhook

    _run(lambda: set_webhook(name, url))


@webhooks_app.command("remove")
def webhooks_remove(name: str) -> None:
    """Take its webhook from a key. Example: signoff webhooks remove billing-bot"""
    from bot.commands.hooks import remove_webhook

    _run(lambda: remove_webhook(name))


@webhooks_app.command("rotate")
def webhooks_rotate(
    name: str,
    overlap: Annotated[str, typer.Option(help="How long the old secret signs as well; 0: not at all.")] = "24h",
) -> None:
    """A new signing secret, with the old one for a while. Example: signoff webhooks rotate billing-bot"""
    from bot.commands.hooks import rotate_webhook

    _run(lambda: rotate_webhook(name, overlap))


@webhooks_app.command("test")
def webhooks_test(name: str) -> None:
    """Send a webhook.test message now, from here. Example: signoff webhooks test billing-bot"""
    from bot.commands.hooks import try_webhook

    _run(lambda: try_webhook(name))


@webhooks_app.command("redrive")
def webhooks_redrive(
    which: Annotated[str | None, typer.Argument(help="A key's name, or a message's id. Default: everything.")] = None,
) -> None:
    """Send again what was given up. Example: signoff webhooks redrive billing-bot"""
    from bot.commands.hooks import redrive

    _run(lambda: redrive(which))


@grants_app.command("list")
def grants_list() -> None:
    """The grants of the last day, the newest first, ended ones too. Example: signoff grants list"""
    from bot.commands.grants import list_grants

    _run(list_grants)


@grants_app.command("revoke")
def grants_revoke(grant_id: str) -> None:
    """End a grant at once, also while serve runs. Example: signoff grants revoke grant_1c9f…"""
    from bot.commands.grants import revoke_grant

    _run(lambda: revoke_grant(grant_id))


def _say_or_fail(make: Callable[[], str]) -> None:
    from policies.errors import Faulty, SignoffError

    try:
        typer.echo(make())
    except Faulty as error:
        fail("\n".join(str(fault) for fault in error.faults))
    except SignoffError as error:
        fail(error.words)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


def main() -> None:
    """Entry point of the console script."""
    app()
