"""Files, in Slack's three steps: ask for an address, send the bytes there, complete."""

import secrets

from aiohttp import web

from sandbox.chat_methods import new_message, target
from sandbox.content import Content, checked_blocks
from sandbox.json_types import Json
from sandbox.parts import Sandbox
from sandbox.tickets import Refused, Upload
from sandbox.web_call import Call


def _announce(call: Call) -> Json:
    call.needs("files:write")
    name, length = call.required("filename"), call.number("length", 0)
    if length <= 0:
        raise Refused("invalid_arguments")
    upload = Upload(id=f"F0{secrets.token_hex(5).upper()}", name=name, length=length)
    call.sandbox.tickets.new_upload(upload)
    return {"upload_url": f"{call.sandbox.workspace.base_url}/upload/{upload.id}", "file_id": upload.id}


def _complete(call: Call) -> Json:
    call.needs("files:write")
    wanted = call.object("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(entry, dict) for entry in wanted):
        raise Refused("invalid_arguments")
    files = [_file(call, entry) for entry in wanted]
    if call.text("channel_id"):
        _share(call, files)
    for entry in files:
        call.sandbox.tickets.uploads[entry["id"]].completed = True
    return {"files": files}


def _file(call: Call, entry: Json) -> Json:
    upload = call.sandbox.tickets.uploads.get(str(entry.get("id")))
    if upload is None or upload.content is None or upload.completed:
        raise Refused("file_not_found")
    return {
        "id": upload.id,
        "name": upload.name,
        "title": entry.get("title", upload.name),
        "size": upload.length,
        "user": call.sandbox.workspace.app.bot_user,
        "url_private": f"{call.sandbox.workspace.base_url}/files/{upload.id}",
    }


def _share(call: Call, files: list[Json]) -> None:
    inner = Call(
        method=call.method,
        arguments={**call.arguments, "channel": call.text("channel_id")},
        sandbox=call.sandbox,
    )
    channel = target(inner)
    blocks = checked_blocks(call.object("blocks", "invalid_blocks_format"))
    content = Content(text=call.text("initial_comment"), blocks=blocks, attachments=None, metadata=None)
    message = new_message(inner, content)
    if message.thread_ts and message.thread_ts not in channel.messages:
        raise Refused("thread_not_found")
    message.files = files
    call.sandbox.workspace.post(channel, message)


METHODS = {"files.getUploadURLExternal": _announce, "files.completeUploadExternal": _complete}


async def receive_upload(sandbox: Sandbox, request: web.Request) -> web.Response:
    """The second step: the bytes, as the body or as a form's file; as many as were announced."""
    upload = sandbox.tickets.uploads.get(request.match_info["id"])
    content = await _bytes(request)
    entry = sandbox.record.add("in", "upload", method=request.match_info["id"], body={"length": len(content)})
    status, text = 200, f"OK - {len(content)}"
    if upload is None or upload.content is not None:
        status, text = 404, "unknown upload"
    elif upload.length != len(content):
        status, text = 400, f"{upload.length} bytes were announced, {len(content)} came"
    else:
        upload.content = content
    entry.update(status=status, answer=text)
    return web.Response(status=status, text=text)


async def _bytes(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""


def send_file(sandbox: Sandbox, request: web.Request) -> web.Response:
    """A completed file, for the page: always as a download, never shown as a document of its own."""
    upload = sandbox.tickets.uploads.get(request.match_info["id"])
    if upload is None or upload.content is None or not upload.completed:
        raise web.HTTPNotFound(text="no such file")
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=upload.content, content_type="application/octet-stream", headers=headers)
