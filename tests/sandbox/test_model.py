"""The scripted Messages API, met by the stock SDK over real HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from aiohttp import web

from sandbox.model import API_KEY, ScriptedModel, add_routes
from sandbox.story import StoryError, choose_story, load_stories
from tests.lazily import Lazily

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message

anthropic = Lazily("anthropic")

STORIES = Path(__file__).parents[2] / "sandbox" / "stories"

STORY = """
task: Send the mail.
match: [mail]
steps:
  look: {say: "Grüße, ich schaue nach.", use: [{tool: read, input: {id: 7}}], next: ask}
  ask:
    say: "Found {{result.read.items.0.name}} of {{result.read.total}}."
    use:
      - {tool: send, input: {to: ["{{result.read.items.0.name}}"], whole: "{{result.read.total}}", due: "{{today+14}}"},
         reason: It was asked for., confidence: 0.7}
    next: [{when_result: {contains: changed before, is_error: false}, go: changed}, {go: done}]
  done: {say: "Sent: {{last_result}}"}
  changed: {say: "Sent as changed: {{result.send.to}}"}
  no: {say: "{{match.who}} said {{match.words}}, so not: {{task}}"}
outcomes: [{when_result: {tool: send, matches: "^Rejected by (?P<who>.+?): (?P<words>.*)"}, go: no}]
"""
FAULTY = """
task: "{kind}"
match: ["{kind}"]
steps:
  only: {{say: "This is the answer, long enough to be cut.", use: [{{tool: read, input: {{id: 1}}}}], next: end,
    fault: {{kind: {kind}, times: {times}, retry_after: 3}}}}
  end: {{say: The end.}}
"""
READ = {"name": "read", "input_schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}
SEND = {"name": "send", "input_schema": {"type": "object", "properties": {"to": {}, "signoff_reason": {}}}}
TOOLS = [READ, SEND]
FOUND = '{"items": [{"name": "mara"}], "total": 3}'

Turns = list[dict[str, Any]]
Serve = Callable[..., Awaitable["AsyncAnthropic"]]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Start a server that plays the stories given by name, and give a client for it."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def start(**stories: str) -> AsyncAnthropic:
        for name, text in stories.items():
            (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
        app = web.Application()
        add_routes(app, tmp_path if stories else STORIES)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        client = anthropic.AsyncAnthropic(base_url=f"http://127.0.0.1:{port}/anthropic", api_key=API_KEY, max_retries=0)
        closing.extend([client.close, runner.cleanup])
        return client

    yield start
    for close in closing:
        await close()


async def ask(client: AsyncAnthropic, turns: Turns, *, stream: bool = False, **more: Any) -> Message:
    request: dict[str, Any] = {"model": "claude-test", "max_tokens": 500, "messages": turns, "tools": TOOLS, **more}
    if stream:
        async with client.messages.stream(**request) as answer:
            return await answer.get_final_message()
    return await client.messages.create(**request)  # type: ignore[no-any-return]


def task(text: str) -> Turns:
    return [{"role": "user", "content": text}]


def answered(turns: Turns, message: Message, result: str, *, is_error: bool = False) -> Turns:
    """The transcript with the model's turn and one result for each of its tool calls."""
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": result, "is_error": is_error}
        for block in message.content
        if block.type == "tool_use"
    ]
    spoken = [block.model_dump(exclude_none=True) for block in message.content]
    return [*turns, {"role": "assistant", "content": spoken}, {"role": "user", "content": results}]


def words(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def inputs(message: Message) -> list[Any]:
    return [block.input for block in message.content if block.type == "tool_use"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_tool_run_of_two_turns_reaches_its_end(serve: Serve, stream: bool) -> None:
    client = await serve(story=STORY)
    first = await ask(client, turns := task("Send the mail."), stream=stream)
    assert (words(first), inputs(first), first.stop_reason) == ("Grüße, ich schaue nach.", [{"id": 7}], "tool_use")

    second = await ask(client, turns := answered(turns, first, FOUND), stream=stream)
    assert words(second) == "Found mara of 3."
    assert inputs(second)[0]["to"] == ["mara"]
    assert inputs(second)[0]["whole"] == 3, "a text that is one placeholder becomes the value itself"

    last = await ask(client, answered(turns, second, '{"sent": 1}'), stream=stream)
    assert (words(last), last.stop_reason) == ('Sent: {"sent": 1}', "end_turn")
    assert last.usage.input_tokens > first.usage.input_tokens > 0
    assert last.usage.output_tokens > 1


async def test_the_agents_own_words_go_only_where_the_offered_tool_asks_for_them(serve: Serve) -> None:
    client = await serve(story=STORY)
    first = await ask(client, turns := task("mail"))
    second = await ask(client, answered(turns, first, FOUND))
    assert inputs(second)[0]["signoff_reason"] == "It was asked for."
    assert "signoff_confidence" not in inputs(second)[0]


@pytest.mark.parametrize(
    ("result", "is_error", "said"),
    [
        ('changed before it ran\nResult: {"to": "ben"}', False, "Sent as changed: ben"),
        ('changed before it ran\nResult: {"to": "ben"}', True, 'Sent: changed before it ran\nResult: {"to": "ben"}'),
        ("Rejected by Ana: too harsh: soften it\nplease", True, "Ana said too harsh: soften it\nplease, so not: mail"),
        ("Nobody answered in time", True, "Sent: Nobody answered in time"),
        ("{{task}}", False, "Sent: {{task}}"),
    ],
)
async def test_what_came_back_chooses_the_next_step(serve: Serve, result: str, is_error: bool, said: str) -> None:
    client = await serve(story=STORY)
    first = await ask(client, turns := task("mail"))
    second = await ask(client, turns := answered(turns, first, FOUND))
    assert words(await ask(client, answered(turns, second, result, is_error=is_error))) == said


async def test_a_stream_is_made_of_many_small_events_in_the_apis_order(serve: Serve) -> None:
    client = await serve(story=STORY)
    create: Any = client.messages.create
    stream = await create(model="m", max_tokens=9, messages=task("mail"), tools=TOOLS, stream=True)
    kinds = [event.type async for event in stream]
    text = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    call = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert kinds == ["message_start", *text, *call, "message_delta", "message_stop"], "pings are the SDK's to skip"


async def test_the_same_transcript_gets_the_same_continuation_from_a_server_that_never_saw_it(serve: Serve) -> None:
    client = await serve(story=STORY)
    first = await ask(client, turns := task("mail"))
    turns = answered(turns, first, FOUND)
    restarted = await serve(story=STORY)
    here, there = await ask(client, turns), await ask(restarted, turns)
    assert (words(here), inputs(here)) == (words(there), inputs(there))
    assert here.content[1].id != there.content[1].id  # type: ignore[union-attr]


async def test_what_a_person_says_after_the_end_begins_another_story(serve: Serve) -> None:
    client = await serve(story=STORY, other='{task: t, match: [weather], steps: {s: {say: "Rain, you said {{task}}"}}}')
    turns: Turns = [*task("weather?"), {"role": "assistant", "content": "Rain"}, *task("and the mail")]
    assert inputs(await ask(client, turns)) == [{"id": 7}]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("unauthorized", "AuthenticationError", 401),
        ("rate_limited", "RateLimitError", 429),
        ("server_error", "InternalServerError", 500),
        ("overloaded", "APIStatusError", 529),
    ],
)
async def test_a_status_fault_is_the_apis_own_error(
    serve: Serve, kind: str, error: str, status: int, stream: bool
) -> None:
    client = await serve(story=FAULTY.format(kind=kind, times=1))
    with pytest.raises(getattr(anthropic, error)) as caught:
        await ask(client, task(kind), stream=stream)
    assert caught.value.status_code == status
    assert caught.value.response.headers.get("retry-after") == ("3" if kind == "rate_limited" else None)
    assert caught.value.body["request_id"] == caught.value.response.headers["request-id"]
    assert (await ask(client, task(kind), stream=stream)).stop_reason == "tool_use"


async def test_a_fault_comes_as_often_as_the_story_says_in_each_conversation(serve: Serve) -> None:
    client = await serve(story=FAULTY.format(kind="overloaded", times=2))

    async def fails(text: str) -> bool:
        try:
            await ask(client, task(text))
        except anthropic.APIStatusError:
            return True
        return False

    assert [await fails(text) for text in ("overloaded a", "overloaded b", "overloaded a", "overloaded a")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert await fails("overloaded a"), "the next conversation with the same words meets the fault anew"


async def test_a_truncated_stream_ends_without_a_stop_reason(serve: Serve) -> None:
    client = await serve(story=FAULTY.format(kind="truncated", times=1))
    assert (await ask(client, task("truncated"), stream=True)).stop_reason is None
    assert (await ask(client, task("truncated"), stream=True)).stop_reason == "tool_use"


async def test_a_dropped_stream_breaks_the_connection(serve: Serve) -> None:
    client = await serve(story=FAULTY.format(kind="dropped", times=1))
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        await ask(client, task("dropped"), stream=True)


@pytest.mark.parametrize("kind", ["dropped", "truncated", "interrupted"])
async def test_without_a_stream_a_broken_answer_is_a_broken_connection(serve: Serve, kind: str) -> None:
    client = await serve(story=FAULTY.format(kind=kind, times=1))
    with pytest.raises(anthropic.APIConnectionError):
        await ask(client, task(kind))


async def test_an_interrupted_stream_carries_an_error_event(serve: Serve) -> None:
    client = await serve(story=FAULTY.format(kind="interrupted", times=1))
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        await ask(client, task("interrupted"), stream=True)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_refusal_and_a_cut_answer_say_so_in_their_stop_reason(serve: Serve, stream: bool) -> None:
    faults = {kind: FAULTY.format(kind=kind, times=1) for kind in ("refusal", "max_tokens")}
    client = await serve(**faults)
    refused = await ask(client, task("refusal"), stream=stream)
    assert (refused.stop_reason, refused.content) == ("refusal", [])
    cut = await ask(client, task("max_tokens"), stream=stream)
    assert (cut.stop_reason, words(cut), inputs(cut)) == ("max_tokens", "This is the answer, l", [])


USED = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"id": 1}}]}


def result(of: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": of, "content": "ok", **more}


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        ([], "at least one message"),
        ([{"role": "assistant", "content": "hi"}], 'first message must use the "user" role'),
        ([{"role": "system", "content": "hi"}], "messages.0.role"),
        ([{"role": "user", "content": ""}], "messages.0: user messages must have non-empty content"),
        ([{"role": "user", "content": []}], "messages.0: user messages must have non-empty content"),
        ([{"role": "user", "content": " "}], "text content blocks must be non-empty"),
        ([{"role": "user", "content": [{"type": "video"}]}], "messages.0.content"),
        ([*task("x"), {"role": "assistant", "content": "hi"}], "prefill"),
        ([*task("x"), USED], "have no `tool_result` blocks after them"),
        ([*task("x"), USED, *task("go on")], "ids were found without `tool_result` blocks immediately after: toolu_1"),
        ([*task("x"), USED, *task("y"), {"role": "user", "content": [result("toolu_1")]}], "immediately after"),
        ([*task("x"), USED, {"role": "user", "content": [result("toolu_2")]}], "unexpected `tool_use_id`"),
        ([{"role": "user", "content": [result("toolu_1")]}], "unexpected `tool_use_id`"),
        ([*task("x"), USED, {"role": "user", "content": [result("toolu_1")] * 2}], "single result"),
        ([*task("x"), USED, {"role": "user", "content": [{"type": "tool_result"}]}], "tool_use_id: Field required"),
        ([{"role": "user", "content": [*USED["content"]]}], "not allowed in user messages"),
    ],
)
async def test_a_malformed_transcript_is_refused(serve: Serve, turns: Turns, fault: str) -> None:
    client = await serve(story=STORY.replace("[mail]", "['']"))
    with pytest.raises(anthropic.BadRequestError) as caught:
        await ask(client, turns)
    body: Any = caught.value.body
    assert body["error"]["type"] == "invalid_request_error"
    assert fault in body["error"]["message"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [READ, READ]}, "Tool names must be unique"),
        ({"tools": [{**READ, "name": "read me"}]}, "tools.0.name"),
        ({"tools": [{"name": "read", "input_schema": {}}]}, "input_schema.type"),
        ({"tools": [SEND]}, "story story, step look: the tool read is not among the tools offered: send"),
        ({"extra_body": {"aproval": 1}}, "aproval: Extra inputs are not permitted"),
    ],
)
async def test_a_malformed_request_is_refused(serve: Serve, changed: dict[str, Any], fault: str) -> None:
    client = await serve(story=STORY)
    with pytest.raises(anthropic.BadRequestError, match=fault):
        await ask(client, task("mail"), **changed)


async def test_a_foreign_key_a_missing_version_and_an_unknown_path_are_refused(serve: Serve) -> None:
    client = await serve(story=STORY)
    with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
        await ask(client.with_options(api_key="sk-other"), task("mail"))
    async with httpx2.AsyncClient() as plain:
        url, headers = f"{client.base_url}v1/messages", {"x-api-key": API_KEY}
        assert "anthropic-version" in (await plain.post(url, headers=headers, content="{}")).text
        assert (await plain.get(url, headers=headers)).json()["error"]["type"] == "not_found_error"
        versioned = {**headers, "anthropic-version": "2023-06-01"}
        assert "not valid JSON" in (await plain.post(url, headers=versioned, content="{")).text
        assert "request_too_large" in (await plain.post(url, headers=versioned, content=b" " * 2**21)).text


async def test_tokens_are_counted(serve: Serve) -> None:
    client = await serve(story=STORY)
    short = await client.messages.count_tokens(model="m", messages=task("mail"))  # type: ignore[arg-type]
    long = await client.messages.count_tokens(model="m", messages=task("mail " * 100))  # type: ignore[arg-type]
    assert long.input_tokens - short.input_tokens == pytest.approx(124, abs=2)


async def test_a_date_in_a_story_counts_from_the_day_it_is_asked(serve: Serve) -> None:
    client = await serve(story=STORY)
    first = await ask(client, turns := task("mail"))
    second = await ask(client, answered(turns, first, FOUND))
    assert (date.fromisoformat(inputs(second)[0]["due"]) - date.today()).days in (13, 14, 15)


async def test_a_placeholder_that_nothing_fills_is_told_and_not_guessed(serve: Serve) -> None:
    client = await serve(story=STORY)
    first = await ask(client, turns := task("mail"))
    for came_back in ('{"items": []}', "no json at all"):
        with pytest.raises(anthropic.BadRequestError, match="story story, step ask: "):
            await ask(client, answered(turns, first, came_back))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{task: t, match: [x], steps: {a: {}}}", "needs `say` or `use`"),
        ("{task: t, match: [x], steps: {a: {use: [{tool: t}]}}}", "needs `next`"),
        ("{task: t, match: [x], steps: {a: {say: s, next: a}}}", "needs `next`"),
        ("{task: t, match: [x], steps: {a: {use: [{tool: t}], next: b}}}", "no such step"),
        ("{task: t, match: [x], steps: {a: {use: [{tool: t}], next: [{when_result: {}, go: a}]}}}", "last branch"),
        ("{task: t, match: ['('], steps: {a: {say: s}}}", "not a regular expression"),
        ("{task: t, match: [x], steps: {a: {says: s}}}", "steps.a.says: Extra inputs"),
        ("{task: t, match: [x], steps: {a: {say: s, fault: {kind: odd}}}}", "fault.kind"),
        ("{task: t, task: u}", "not YAML"),
        ("[]", "task: Field required"),
    ],
)
def test_a_faulty_story_is_refused_when_it_is_loaded(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(StoryError, match=fault) as caught:
        load_stories(tmp_path)
    assert "bad.yml" in str(caught.value)


def test_every_shipped_story_is_chosen_by_its_own_example() -> None:
    stories = load_stories(STORIES)
    assert {story.name: choose_story(stories, story.task).name for story in stories} == {
        name: name for name in ("cleanup", "default", "mail", "newsletter", "payment", "refund")
    }
    assert choose_story(stories, "Sing me a song.").name == "default"
    assert choose_story(stories, "Refund Mara and publish nothing.").name == "refund"
    with pytest.raises(StoryError, match="No story fits"):
        choose_story([story for story in stories if story.name != "default"], "Sing me a song.")


async def test_the_servers_clock_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "day.yml").write_text('{task: t, match: [x], steps: {a: {say: "{{today}} {{today+30}}"}}}')
    app = web.Application()
    app.router.add_post("/v1/messages", ScriptedModel(load_stories(tmp_path), lambda: date(2027, 2, 1)).answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with anthropic.AsyncAnthropic(
        base_url=f"http://127.0.0.1:{runner.addresses[0][1]}", api_key=API_KEY
    ) as client:
        assert words(await ask(client, task("x"))) == "2027-02-01 2027-03-03"
    await runner.cleanup()


def test_what_a_story_asks_for_is_json(tmp_path: Path) -> None:
    for story in load_stories(STORIES):
        for step in story.steps.values():
            assert json.loads(json.dumps([use.input for use in step.use])) == [use.input for use in step.use]
