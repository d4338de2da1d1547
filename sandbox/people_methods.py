"""auth.*, team.*, bots.*, users.* and usergroups.*: who is who."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.json_types import Json
from sandbox.members import Group, Person
from sandbox.tickets import Refused
from sandbox.web_call import Call


def _api_test(call: Call) -> Json:
    return {"args": call.arguments}


def _auth_test(call: Call) -> Json:
    team, app = call.sandbox.workspace.team, call.sandbox.workspace.app
    found: Json = {
        "url": f"{call.sandbox.workspace.base_url}/",
        "team": team["name"],
        "user": app.bot_name,
        "team_id": team["id"],
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": app.is_enterprise_install,
    }
    return found | ({"enterprise_id": team["enterprise_id"]} if team.get("enterprise_id") else {})


def _team_info(call: Call) -> Json:
    call.needs("team:read")
    return {"team": {"email_domain": "example.com", "icon": {"image_default": True}, **call.sandbox.workspace.team}}


def _as_user(call: Call, person: Person) -> Json:
    """A user object; the e-mail address only with its scope, and never of people from other organisations."""
    app = call.sandbox.workspace.app
    profile: Json = {"real_name": person.real_name, "display_name": person.name, "title": person.title}
    profile.update(_status(person, call.sandbox.clock.now()))
    if "users:read.email" in app.scopes and person.email and not person.is_stranger:
        profile["email"] = person.email
    if person.is_bot:
        profile.update(api_app_id=app.id, bot_id=app.bot_id)
    found: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "profile": {**profile, "team": person.team_id},
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    if person.enterprise_id:
        found["enterprise_user"] = {"id": person.id, "enterprise_id": person.enterprise_id, "teams": [person.team_id]}
    if person.is_stranger:
        found["is_stranger"] = True
    if person.deleted:
        return found
    return found | {
        "real_name": person.real_name,
        **_time_zone(person, call.sandbox.clock.now()),
        "is_admin": person.is_admin or person.is_owner,
        "is_owner": person.is_owner,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
    }


def _status(person: Person, now: float) -> Json:
    over = 0 < person.status_expiration <= now
    return {
        "status_text": "" if over else person.status_text,
        "status_emoji": "" if over else person.status_emoji,
        "status_expiration": 0 if over else person.status_expiration,
    }


def _time_zone(person: Person, now: float) -> Json:
    local = datetime.fromtimestamp(now, ZoneInfo(person.tz))
    offset = local.utcoffset() or timedelta()
    return {"tz": person.tz, "tz_label": local.tzname(), "tz_offset": int(offset.total_seconds())}


def _bot_info(call: Call) -> Json:
    call.needs("users:read")
    app = call.sandbox.workspace.app
    if call.text("bot", app.bot_id) != app.bot_id:
        raise Refused("bot_not_found")
    found = {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.id, "user_id": app.bot_user}
    return {"bot": {**found, "updated": 1_700_000_000, "icons": {}}}


def _users_info(call: Call) -> Json:
    call.needs("users:read")
    person = call.sandbox.workspace.people.get(call.required("user"))
    if person is None:
        raise Refused("user_not_found")
    return {"user": _as_user(call, person)}


def _users_list(call: Call) -> Json:
    call.needs("users:read")
    call.needs_team()
    people = [person for person in call.sandbox.workspace.people.values() if not person.is_stranger]
    found, following = call.page(people)
    members = [_as_user(call, person) for person in found]
    return {"members": members, "cache_ts": int(call.sandbox.clock.now()), "response_metadata": following}


def _users_by_email(call: Call) -> Json:
    call.needs("users:read.email")
    wanted = call.required("email").lower()
    for person in call.sandbox.workspace.people.values():
        if person.email.lower() == wanted and not (person.deleted or person.is_stranger or person.is_bot):
            return {"user": _as_user(call, person)}
    raise Refused("users_not_found")


def _as_group(call: Call, group: Group) -> Json:
    found: Json = {
        "id": group.id,
        "team_id": call.sandbox.workspace.team["id"],
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "date_delete": 1_700_000_000 if group.disabled else 0,
        "user_count": len(group.users),
    }
    return found | ({"users": list(group.users)} if call.flag("include_users") else {})


def _groups_list(call: Call) -> Json:
    call.needs("usergroups:read")
    call.needs_team()
    hidden = not call.flag("include_disabled")
    groups = [group for group in call.sandbox.workspace.groups.values() if not (group.disabled and hidden)]
    return {"usergroups": [_as_group(call, group) for group in groups]}


def _group_users(call: Call) -> Json:
    call.needs("usergroups:read")
    group = call.sandbox.workspace.groups.get(call.required("usergroup"))
    if group is None or (group.disabled and not call.flag("include_disabled")):
        raise Refused("no_such_subteam")
    return {"users": list(group.users)}


METHODS = {
    "api.test": _api_test,
    "auth.test": _auth_test,
    "team.info": _team_info,
    "bots.info": _bot_info,
    "users.info": _users_info,
    "users.list": _users_list,
    "users.lookupByEmail": _users_by_email,
    "usergroups.list": _groups_list,
    "usergroups.users.list": _group_users,
}
