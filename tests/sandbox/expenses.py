"""A whole app of the plainest sort, as anybody would write it: it knows nothing of the sandbox but its settings.

python expenses.py socket        python expenses.py http 3000
"""

import os
import sys
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
app = App(client=client, signing_secret=os.environ.get("SLACK_SIGNING_SECRET", "unused"))


def button(text: str, action_id: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action_id}


@app.command("/approvals")
def ask(ack: Any, command: Any, say: Any) -> None:
    ack("I have asked.")
    say(text=f"{command['text']}?", blocks=[{"type": "actions", "elements": [button("Edit", "edit")]}])


@app.action("edit")
def edit(ack: Any, body: Any, client: Any) -> None:
    ack()
    element = {"type": "plain_text_input", "action_id": "value", "multiline": True, "initial_value": "Train\nto Oslo"}
    label = {"type": "plain_text", "text": "What for"}
    blocks = [{"type": "input", "block_id": "what", "label": label, "element": element}]
    words = {name: {"type": "plain_text", "text": name.title()} for name in ("title", "submit")}
    view = {"type": "modal", "callback_id": "expense", "blocks": blocks, **words}
    place = f"{body['channel']['id']} {body['message']['ts']}"
    client.views_open(trigger_id=body["trigger_id"], view={**view, "private_metadata": place})


@app.view("expense")
def save(ack: Any, view: Any, body: Any, client: Any) -> Any:
    text = view["state"]["values"]["what"]["value"]["value"]
    if text == "nothing":
        return ack(response_action="errors", errors={"what": "Write what it was for."})
    channel, ts = view["private_metadata"].split()
    client.chat_update(channel=channel, ts=ts, text=f"{body['user']['name']} paid: {text}")
    return ack()


@app.event("app_home_opened")
def home(event: Any, client: Any) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*Expenses*"}}
    client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section]})


if sys.argv[1] == "socket":
    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start()  # type: ignore[no-untyped-call]
else:
    app.start(port=int(sys.argv[2]))
