"""views.open, push, update and publish."""

from sandbox.json_types import Json
from sandbox.open_views import View
from sandbox.tickets import Refused
from sandbox.web_call import Call


def _described(call: Call) -> Json:
    found = call.object("view", "invalid_arguments")
    if not isinstance(found, dict):
        raise Refused(
            "invalid_arguments", response_metadata={"messages": ["[ERROR] must provide an object [json-pointer:/view]"]}
        )
    return found


def _shown(call: Call, view: View) -> Json:
    event = "home" if view.kind == "home" else "view"
    call.sandbox.stream.publish(event, {"view_id": view.id}, [view.person])
    return {"view": call.sandbox.payloads.view(view)}


def _open(call: Call) -> Json:
    described = _described(call)
    trigger = call.sandbox.tickets.use_trigger(call.required("trigger_id"))
    return _shown(call, call.sandbox.views.open(trigger.person, described))


def _push(call: Call) -> Json:
    described = _described(call)
    trigger = call.sandbox.tickets.use_trigger(call.required("trigger_id"))
    if not any(view.id == trigger.view_id for view in call.sandbox.views.stack(trigger.person)):
        raise Refused("not_found")
    return _shown(call, call.sandbox.views.push(trigger.person, described))


def _update(call: Call) -> Json:
    described = _described(call)
    view = call.sandbox.views.find(call.text("view_id"), call.text("external_id"))
    return _shown(call, call.sandbox.views.update(view, described, call.text("hash")))


def _publish(call: Call) -> Json:
    described = _described(call)
    person = call.sandbox.workspace.people.get(call.required("user_id"))
    if person is None or person.deleted or person.is_stranger:
        raise Refused("user_not_found")
    return _shown(call, call.sandbox.views.publish(person.id, described, call.text("hash")))


METHODS = {"views.open": _open, "views.push": _push, "views.update": _update, "views.publish": _publish}
