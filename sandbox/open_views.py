"""The views that people have before them: modals in stacks of up to three, and one Home each."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sandbox import limits
from sandbox.clock import Clock
from sandbox.forms import filled, initial, stateful
from sandbox.json_types import Json
from sandbox.normal import normal_blocks
from sandbox.tickets import Refused
from sandbox.views import check_view, is_too_large


@dataclass(kw_only=True, slots=True)
class View:
    """One view: what the app described, and what its person has put in so far (as entries of `state.values`)."""

    id: str
    person: str
    definition: Json
    hash: str
    root_id: str = ""
    previous_id: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """What the app has offered in menus that it fills, by block and action id."""

    @property
    def kind(self) -> str:
        """`modal` or `home`."""
        return str(self.definition["type"])

    def state(self) -> dict[str, dict[str, Json]]:
        """`state.values`: what was put in, and the initial values of all that was not touched."""
        found: dict[str, dict[str, Json]] = {}
        for block, element in stateful(self.definition["blocks"]):
            block_id, action_id = block["block_id"], element["action_id"]
            kept = self.values.get(block_id, {}).get(action_id)
            same = kept is not None and kept["type"] == element["type"]
            found.setdefault(block_id, {})[action_id] = kept if kept is not None and same else initial(element)
        return found

    def fill(self, values: dict[str, dict[str, Any]]) -> None:
        """Take what a person put in, as plain values. Raises ValueError for fields and values that the view lacks."""
        known = {
            (block["block_id"], element["action_id"]): element for block, element in stateful(self.definition["blocks"])
        }
        for block_id, entries in values.items():
            for action_id, plain in entries.items():
                if (block_id, action_id) not in known:
                    raise ValueError(f"the view has no field {block_id}/{action_id}")
                element = self.with_offers(block_id, known[block_id, action_id])
                self.values.setdefault(block_id, {})[action_id] = filled(element, plain)

    def with_offers(self, block_id: str, element: Json) -> Json:
        """An element as its person sees it: a menu that the app fills has the options that were offered so far."""
        offered = self.offered.get((block_id, element["action_id"]))
        return element if offered is None else {**element, "options": offered}


class OpenViews:
    """All of them. Every change gives a view a new hash; its id stays."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._views: dict[str, View] = {}
        self._stacks: dict[str, list[str]] = {}
        self._homes: dict[str, str] = {}

    def stack(self, person: str) -> list[View]:
        """A person's open modals, the one in front last."""
        return [self._views[name] for name in self._stacks.get(person, [])]

    def home(self, person: str) -> View | None:
        """What the app has published on a person's Home tab."""
        return self._views.get(self._homes.get(person, ""))

    def find(self, view_id: str = "", external_id: str = "") -> View:
        """An open view. Raises Refused("not_found")."""
        if view_id in self._views:
            return self._views[view_id]
        for view in self._views.values():
            if external_id and view.definition.get("external_id") == external_id:
                return view
        raise Refused("not_found")

    def open(self, person: str, definition: Json) -> View:
        """Show a modal; what was open before is gone."""
        checked = self._checked(definition, "modal")
        self.close_all(person)
        return self._add(person, checked)

    def push(self, person: str, definition: Json) -> View:
        """Put a modal on top of the open ones. Raises Refused("push_limit_reached") above three."""
        if len(self._stacks.get(person, [])) >= limits.VIEW_STACK:
            raise Refused("push_limit_reached")
        return self._add(person, self._checked(definition, "modal"))

    def update(self, view: View, definition: Json, expected_hash: str = "") -> View:
        """Show something else in an open view; what was put in stays where block and action ids stay."""
        if expected_hash and expected_hash != view.hash:
            raise Refused("hash_conflict")
        view.definition = self._checked(definition, view.kind, unless=view.id)
        view.hash, view.errors = self._new_hash(), {}
        return view

    def publish(self, person: str, definition: Json, expected_hash: str = "") -> View:
        """Show something on a person's Home tab."""
        found = self.home(person)
        if found is not None:
            return self.update(found, definition, expected_hash)
        view = self._keep(person, self._checked(definition, "home"))
        view.root_id = view.id
        self._homes[person] = view.id
        return view

    def restore_home(self, name: str, person: str, definition: Json) -> None:
        """Put back a Home view that was kept, under its old id."""
        self._views[name] = View(id=name, person=person, definition=definition, hash=self._new_hash(), root_id=name)
        self._homes[person] = name

    def close(self, view: View) -> None:
        """Take a modal away, and those on top of it."""
        stack = self._stacks.get(view.person, [])
        if view.id in stack:
            for name in stack[stack.index(view.id) :]:
                del self._views[name]
            del stack[stack.index(view.id) :]

    def close_all(self, person: str) -> None:
        """Take all modals of a person away."""
        for view in self.stack(person)[:1]:
            self.close(view)

    def _add(self, person: str, definition: Json) -> View:
        view = self._keep(person, definition)
        stack = self._stacks.setdefault(person, [])
        view.root_id, view.previous_id = (stack[0], stack[-1]) if stack else (view.id, None)
        stack.append(view.id)
        return view

    def _keep(self, person: str, definition: Json) -> View:
        name = f"V0{secrets.token_hex(5).upper()}"
        view = View(id=name, person=person, definition=definition, hash=self._new_hash())
        self._views[name] = view
        return view

    def _new_hash(self) -> str:
        return f"{int(self._clock.now())}.{secrets.token_urlsafe(6)}"

    def _checked(self, definition: Any, kind: str, *, unless: str = "") -> Json:
        faults = check_view(definition, kind)
        if faults:
            raise Refused("invalid_arguments", response_metadata={"messages": [fault.as_slack() for fault in faults]})
        if is_too_large(definition):
            raise Refused("view_too_large")
        name = definition.get("external_id")
        if name and any(
            view.definition.get("external_id") == name and view.id != unless for view in self._views.values()
        ):
            raise Refused("duplicate_external_id")
        return {**definition, "blocks": normal_blocks(definition["blocks"])}
