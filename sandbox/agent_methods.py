"""agents.sessions.* and assistant.threads.*: what an agent says it is doing, shown beside a thread."""

from sandbox import limits
from sandbox.json_types import Json
from sandbox.members import Channel
from sandbox.tickets import Refused
from sandbox.web_call import Call

STATUSES = ("processing", "active", "suspended", "closed")


def _wrong(words: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {words}"]})


def _place(call: Call, *, thread_required: bool) -> tuple[Channel, str]:
    channel, thread = call.channel("channel_id"), call.text("thread_ts")
    if thread_required:
        call.required("thread_ts")
    if thread and thread not in channel.messages:
        raise Refused("thread_not_found")
    return channel, thread


def _note(call: Call, channel: Channel, thread: str, **changes: object) -> None:
    now = call.sandbox.clock.now()
    channel.agent[thread] = {"status": "", "title": "", **channel.agent.get(thread, {}), "since": now, **changes}
    told = {"channel": channel.id, "thread_ts": thread, "agent": channel.agent[thread]}
    call.sandbox.stream.publish("agent", told, channel.members)


def _title(call: Call) -> str:
    title = call.required("title")
    if len(title) > limits.AGENT_TITLE:
        raise _wrong(f"must be less than {limits.AGENT_TITLE + 1} characters [json-pointer:/title]")
    return title


def _session_status(call: Call) -> Json:
    call.needs("assistant:write")
    channel, thread = _place(call, thread_required=False)
    status = call.required("status")
    if status not in STATUSES:
        raise _wrong(f"must be a valid enum value: {', '.join(STATUSES)} [json-pointer:/status]")
    _note(call, channel, thread, status=status, **({"title": _title(call)} if call.text("title") else {}))
    return {}


def _session_rename(call: Call) -> Json:
    call.needs("assistant:write")
    channel, thread = _place(call, thread_required=False)
    if thread not in channel.agent:
        raise Refused("session_not_found")
    _note(call, channel, thread, title=_title(call))
    return {}


def _thread_status(call: Call) -> Json:
    """A status in the app's own words; it ends with its next message in the thread, or after two minutes."""
    call.needs("chat:write", "assistant:write")
    channel, thread = _place(call, thread_required=True)
    if "status" not in call.arguments:
        raise _wrong("missing required field: status")
    if call.text("status"):
        _note(call, channel, thread, status=call.text("status"), until_reply=True)
    else:
        channel.agent.pop(thread, None)
    return {}


def _thread_title(call: Call) -> Json:
    call.needs("assistant:write")
    channel, thread = _place(call, thread_required=True)
    _note(call, channel, thread, title=_title(call))
    return {}


def _prompts(call: Call) -> Json:
    call.needs("assistant:write")
    channel, thread = _place(call, thread_required=False)
    prompts = call.object("prompts", "invalid_arguments")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= 4:
        raise _wrong("must be an array of 1 to 4 prompts [json-pointer:/prompts]")
    if not all(isinstance(each, dict) and set(each) == {"title", "message"} for each in prompts):
        raise _wrong("each prompt has a title and a message [json-pointer:/prompts]")
    _note(call, channel, thread, prompts=prompts)
    return {}


METHODS = {
    "agents.sessions.setStatus": _session_status,
    "agents.sessions.rename": _session_rename,
    "assistant.threads.setStatus": _thread_status,
    "assistant.threads.setTitle": _thread_title,
    "assistant.threads.setSuggestedPrompts": _prompts,
}
