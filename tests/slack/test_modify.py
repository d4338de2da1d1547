"""Modify over the real wire: nested fields, lists, choices, secrets, long texts, JSON, and two people at once."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import ids
from policies.preview import Preview
from policies.request import Request, State
from tests.sandbox_process import until
from tests.slack.house import House, said
from tests.slack.invoice import INVOICE, SCHEMA, SECRET, TERMS

SHORT = {name: INVOICE[name] for name in ("customer", "line_items", "payment", "due")}


async def ask(home: House, arguments: dict[str, Any] = INVOICE, tool: str = "send_invoice") -> Request:
    return await home.ask(arguments, tool=tool, schema=SCHEMA)


async def edit(home: House, request: Request, person: str = "U0ANA") -> dict[str, Any]:
    """The form, opened by this person: from the card, or from the last page of View all where the card cuts."""
    if "'text': 'Modify'" in str(await home.card(request)):
        await home.press(person, request, ids.MODIFY)
        return await home.front(person)
    await home.press(person, request, ids.VIEW)
    while not (await home.front(person))["submit"]:
        await home.press_in_view(person, ids.NEXT)
    await home.press_in_view(person, ids.MODIFY)
    return await home.front(person)


async def send(home: House, person: str = "U0ANA", /, **entered: Any) -> dict[str, Any]:
    """Send the form in front; fields by their label."""
    view = await home.front(person)
    blocks = {block["label"]["text"]: block for block in view["blocks"] if block["type"] == "input"}
    named = {name: block["block_id"] for name, block in blocks.items()}
    actions = {block["block_id"]: block["element"]["action_id"] for block in blocks.values()}
    front = (await home.sandbox.people.views(person))[-1]
    values = {named[label]: {actions[named[label]]: value} for label, value in entered.items()}
    return await home.sandbox.people.submit(person, front["id"], values)


async def press(home: House, block_id: str, action_id: str, person: str = "U0ANA", **more: Any) -> dict[str, Any]:
    """Press a button of the form in front, or make a choice in it (`selected`), with what was typed in (`values`)."""
    front = (await home.sandbox.people.views(person))[-1]
    return await home.sandbox.people.click(person, view_id=front["id"], block_id=block_id, action_id=action_id, **more)


def labels(view: dict[str, Any]) -> list[str]:
    return [block["label"]["text"] for block in view["blocks"] if block["type"] == "input"]


def value(view: dict[str, Any], block_id: str) -> Any:
    """What a text input starts with."""
    return next(one for one in view["blocks"] if one["block_id"] == block_id)["element"].get("initial_value")


async def test_an_invoice_is_fields_and_what_nobody_touched_stays_as_it_was(home: House) -> None:
    request = await ask(home)
    view = await edit(home, request)
    assert labels(view) == [
        "Customer › Name",
        "Customer › Email",
        "Customer › Address › Street",
        "Customer › Address › City",
        "Customer › Address › Country",
        *("Description", "Quantity", "Unit price") * 2,
        "Payment",
        "Payment › Iban",
        "Due",
        "Send at",
        "Portal password",
        *(f"Terms, part {number} of 3" for number in (1, 2, 3)),
    ]
    assert SECRET not in str(view)
    assert "use Approve" in str(await send(home))
    changed = {"Customer › Address › City": "Delft", "Terms, part 3 of 3": "Goods stay ours."}
    assert (await send(home, **changed))["ok"]
    standing = await home.now(request)
    wanted = deepcopy(INVOICE)
    wanted["customer"]["address"]["city"] = "Delft"
    assert {**standing.call.arguments, "terms": ""} == {**wanted, "terms": ""}
    cut = str(standing.call.arguments["terms"]).removesuffix("Goods stay ours.")
    assert TERMS.startswith(cut)
    assert len(cut) > 4_000
    assert standing.state is State.APPROVED


async def test_entries_are_added_and_removed_and_what_was_typed_stays(home: House) -> None:
    request = await ask(home, SHORT)
    await edit(home, request)
    typed = {"field:1/1/0": {ids.ENTRY: "Euro pallets"}, "field:0/0": {ids.ENTRY: "Tran"}}
    assert (await press(home, "list:1", ids.ADD, values=typed))["ok"]
    view = await home.front("U0ANA")
    assert labels(view).count("Quantity") == 3
    assert (value(view, "field:1/1/0"), value(view, "field:1/n0/1")) == ("Euro pallets", "1")
    assert (await press(home, "entry:1/0", ids.REMOVE))["ok"]
    view = await home.front("U0ANA")
    assert "Line items 2 of 2" in str(view)
    assert "crane" not in str(view)
    front = (await home.sandbox.people.views("U0ANA"))[-1]
    fresh = {"field:1/n0/0": {ids.ENTRY: "Straps"}, "field:1/n0/2": {ids.ENTRY: "3.20"}}
    assert (await home.sandbox.people.submit("U0ANA", front["id"], fresh))["ok"]
    standing = (await home.now(request)).call.arguments
    assert standing["customer"]["name"] == "Tran"
    assert standing["line_items"] == [
        {"description": "Euro pallets", "quantity": 24, "unit_price": 9.5},
        {"quantity": 1, "description": "Straps", "unit_price": 3.2},
    ]
    await home.card_says(request, "Euro pallets")


async def test_a_fault_stands_under_its_field_also_in_an_entry_that_has_moved_up(home: House) -> None:
    request = await ask(home, SHORT)
    await edit(home, request)
    await press(home, "entry:1/0", ids.REMOVE)
    front = (await home.sandbox.people.views("U0ANA"))[-1]
    wrong = {"field:1/1/2": {ids.ENTRY: "many"}, "field:2/v0/1": {ids.ENTRY: "91NL"}}
    answer = await home.sandbox.people.submit("U0ANA", front["id"], wrong)
    assert list(answer["errors"]) == ["field:1/1/2"]
    front = (await home.sandbox.people.views("U0ANA"))[-1]
    answer = await home.sandbox.people.submit("U0ANA", front["id"], {**wrong, "field:1/1/2": {ids.ENTRY: "7"}})
    assert answer["errors"] == {"field:2/v0/1": 'iban must match the pattern "^[A-Z]{2}[0-9]{2}"'}
    assert (await home.now(request)).state is State.PENDING


async def test_another_form_of_a_value_brings_its_own_fields(home: House) -> None:
    request = await ask(home, SHORT)
    await edit(home, request)
    assert (await press(home, "field:2", ids.CHOOSE, selected="1"))["ok"]
    view = await home.front("U0ANA")
    assert "Payment › Last digits" in labels(view)
    assert "Payment › Iban" not in labels(view)
    assert (await send(home))["errors"] == {"field:2/v1/1": "Please complete this required field."}
    assert (await send(home, **{"Payment › Last digits": "4242"}))["ok"]
    standing = (await home.now(request)).call.arguments
    assert standing["payment"] == {"method": "card", "last_digits": "4242"}


async def test_a_choice_whose_fields_never_came_is_not_saved_unseen(home: House) -> None:
    request = await ask(home, SHORT)
    await edit(home, request)
    answer = await send(home, Payment="1")
    assert answer["response_action"] == "update"
    assert (await home.now(request)).state is State.PENDING
    assert "Payment › Last digits" in labels(await home.front("U0ANA"))


async def test_a_secret_is_kept_or_replaced_and_its_mask_is_no_secret(home: House) -> None:
    request = await ask(home)
    view = await edit(home, request)
    mask = str(view).partition("(")[2]
    assert "[redacted password, 15 characters, #" in mask
    shown = "[redacted password, 15 characters, #0badcafe]"
    assert "in the place of the secret" in str(await send(home, **{"Portal password": shown}))
    await press(home, "list:1", ids.ADD, values={"field:5": {ids.ENTRY: "correct horse"}})
    drawn = (await home.front("U0ANA"))["blocks"]
    assert "correct horse" not in str(drawn)
    await press(home, "entry:1/n0", ids.REMOVE)
    assert (await send(home))["ok"]
    standing = await home.now(request)
    assert standing.call.arguments == {**INVOICE, "portal_password": "correct horse"}


async def test_the_call_can_be_edited_as_json_with_what_was_typed_so_far(home: House) -> None:
    request = await ask(home, SHORT)
    await edit(home, request)
    typed = {"field:1/0/1": {ids.ENTRY: "2"}}
    assert (await press(home, "b0.r1", ids.AS_JSON, values=typed))["ok"]
    view = await home.front("U0ANA")
    text = str(value(view, ids.JSON))
    assert '"quantity": 2' in text
    broken = await home.submit("U0ANA", json=text.replace('"quantity": 2,', '"quantity": 2'))
    assert "line 15" in broken["errors"][ids.JSON]
    assert "column" in broken["errors"][ids.JSON]
    unfit = await home.submit("U0ANA", json=text.replace('"quantity": 2,', '"quantity": 0,'))
    assert unfit["errors"][ids.JSON] == "/line_items/0/quantity: quantity must be at least 1"
    assert (await home.submit("U0ANA", json=text.replace("Pallets", "Crates")))["ok"]
    standing = (await home.now(request)).call.arguments
    assert [line["quantity"] for line in standing["line_items"]] == [2, 24]
    assert standing["line_items"][1]["description"] == "Crates"
    assert await home.sandbox.people.views("U0ANA") == []


@pytest.mark.parametrize("arguments", [INVOICE, {**SHORT, "customer": {"name": "x\u200b"}}])
async def test_json_is_not_offered_for_what_it_would_show_or_lose(home: House, arguments: dict[str, Any]) -> None:
    assert "Edit as JSON" not in str(await edit(home, await ask(home, arguments)))


async def test_two_people_at_once_lose_nothing_and_save_nothing_unseen(home: House) -> None:
    request = await ask(home, SHORT, tool="pair_up")
    await edit(home, request, "U0ANA")
    await edit(home, request, "U0BEN")
    await press(home, "list:1", ids.ADD, values={"field:1/0/1": {ids.ENTRY: "3"}})
    assert (await send(home, "U0BEN", **{"Customer › Name": "Tran", "Due": "2026-12-20"}))["ok"]
    front = (await home.sandbox.people.views("U0ANA"))[-1]
    mine = {
        "field:1/n0/0": {ids.ENTRY: "Straps"},
        "field:1/n0/2": {ids.ENTRY: "3"},
        "field:0/0": {ids.ENTRY: "Tran Ltd"},
    }
    answer = await home.sandbox.people.submit("U0ANA", front["id"], mine)
    assert answer["response_action"] == "update"
    assert (await home.now(request)).revision == 2
    view = await home.front("U0ANA")
    assert "Ben Okafor saved a change meanwhile, so this is revision 2" in said(view)
    assert "Tran &amp; Sons → Tran" in said(view)
    shown = {block["block_id"].partition("~")[0]: block.get("element", {}) for block in view["blocks"]}
    assert shown["field:0/0"]["initial_value"] == "Tran Ltd"
    assert shown["field:1/0/1"]["initial_value"] == "3"
    assert shown["field:1/n0/0"]["initial_value"] == "Straps"
    assert shown["field:3"]["initial_date"] == "2026-12-20"
    assert (await send(home))["ok"]
    standing = (await home.now(request)).call.arguments
    assert (standing["customer"]["name"], standing["due"]) == ("Tran Ltd", "2026-12-20")
    assert [line["quantity"] for line in standing["line_items"]] == [3, 24, 1]


async def test_json_typed_over_an_older_revision_comes_back_as_it_was_typed(home: House) -> None:
    request = await ask(home, SHORT, tool="pair_up")
    await edit(home, request, "U0ANA")
    await edit(home, request, "U0BEN")
    await press(home, "b0.r1", ids.AS_JSON)
    mine = str(value(await home.front("U0ANA"), ids.JSON)).replace("Pallets", "Crates")
    assert (await send(home, "U0BEN", Due="2026-12-20"))["ok"]
    assert (await home.submit("U0ANA", json=mine))["response_action"] == "update"
    view = await home.front("U0ANA")
    assert value(view, ids.JSON) == mine
    assert "due: 2026-12-14 → 2026-12-20" in said(view)
    assert (await home.now(request)).revision == 2


async def test_whoever_may_no_longer_decide_sees_and_changes_nothing(home: House) -> None:
    request = await ask(home, SHORT)
    await edit(home, request)
    await home.sandbox.control.person("U0ANA", is_restricted=True)
    home.clock.ahead = timedelta(seconds=50)
    for act in (("list:1", ids.ADD), ("b0.r1", ids.AS_JSON)):
        await press(home, *act)
        told = await until(lambda: _both_views(home))
        assert "Nothing was changed" in str(told[-1])
        await home.sandbox.people.close("U0ANA", told[-1]["id"])
    await send(home, Due="2026-12-20")
    assert (await home.now(request)).state is State.PENDING


async def _both_views(home: House) -> list[dict[str, Any]]:
    """The form and the notice over it, once both are there."""
    views: list[dict[str, Any]] = await home.sandbox.people.views("U0ANA")
    return views if len(views) > 1 else []


async def test_entries_of_a_list_that_somebody_else_made_shorter_must_be_entered_again(home: House) -> None:
    request = await ask(home, SHORT, tool="pair_up")
    await edit(home, request, "U0ANA")
    await edit(home, request, "U0BEN")
    await press(home, "entry:1/0", ids.REMOVE, "U0BEN")
    assert (await send(home, "U0BEN"))["ok"]
    front = (await home.sandbox.people.views("U0ANA"))[-1]
    mine = {"field:1/0/1": {ids.ENTRY: "3"}, "field:0/0": {ids.ENTRY: "Tran Ltd"}}
    await home.sandbox.people.submit("U0ANA", front["id"], mine)
    view = await home.front("U0ANA")
    assert "Enter again what could not be carried over: Quantity" in said(view)
    assert (await send(home))["ok"]
    standing = (await home.now(request)).call.arguments
    assert standing["customer"]["name"] == "Tran Ltd"
    assert standing["line_items"] == [INVOICE["line_items"][1]]


MAIL = Preview(title="The mail", media_type="text/plain", text="Dear all,\n\nwe open on Sunday.")
TOO_LONG = Preview(title="The terms", media_type="text/plain", text="All rights reserved. " * 200)
SECRETIVE = Preview(title="The call", media_type="text/plain", text=f"curl -H 'Authorization: Bearer {SECRET}'")


async def test_a_draft_beside_the_call_is_edited_alone_and_goes_back_to_the_agent(home: House) -> None:
    request = await home.ask(SHORT, tool="send_invoice", schema=SCHEMA, preview=(MAIL,))
    view = await edit(home, request)
    assert value(view, "field:draft:0") == MAIL.text
    assert "no part of it" in said(view)
    assert "Nothing was changed here" in str(await send(home))
    assert (await send(home, **{"Draft “The mail”": "Dear all,\n\nwe open on Monday."}))["ok"]
    standing = await home.now(request)
    assert (standing.state, standing.revision, standing.call.arguments) == (State.APPROVED, 2, request.call.arguments)
    assert (standing.preview[0].text, standing.preview[0].proposed) == ("Dear all,\n\nwe open on Monday.", MAIL.text)
    await home.card_says(request, "we open on Monday")


async def test_what_was_typed_into_a_draft_outlives_another_entry_and_is_not_lost_to_json(home: House) -> None:
    request = await home.ask(SHORT, tool="send_invoice", schema=SCHEMA, preview=(MAIL,))
    await edit(home, request)
    typed = {"field:draft:0": {ids.ENTRY: "Dear all, Monday."}}
    await press(home, "list:1", ids.ADD, values=typed)
    assert value(await home.front("U0ANA"), "field:draft:0") == "Dear all, Monday."
    await press(home, "b0.r1", ids.AS_JSON, values=typed)

    async def told() -> bool:
        return "without its drafts" in said(await home.front("U0ANA"))

    await until(told)


async def test_two_people_who_edit_a_draft_at_once_save_nothing_unseen(home: House) -> None:
    request = await home.ask(SHORT, tool="pair_up", schema=SCHEMA, preview=(MAIL,))
    await edit(home, request, "U0ANA")
    await edit(home, request, "U0BEN")
    assert (await send(home, "U0BEN", **{"Draft “The mail”": "By Ben"}))["ok"]
    assert (await send(home, Due="2026-12-20"))["response_action"] == "update"
    view = await home.front("U0ANA")
    assert value(view, "field:draft:0~1") == "By Ben"
    assert "By Ben" in said(view)
    assert (await send(home))["ok"]
    standing = await home.now(request)
    assert (standing.preview[0].text, standing.call.arguments["due"]) == ("By Ben", "2026-12-20")


async def test_a_draft_that_no_text_box_holds_is_seen_whole_first_and_its_secret_never_leaves(home: House) -> None:
    request = await home.ask(SHORT, tool="send_invoice", schema=SCHEMA, preview=(SECRETIVE, TOO_LONG))
    await home.press("U0ANA", request, ids.MODIFY)
    assert "Open “View all”" in await home.whispered("U0ANA")
    await home.press("U0ANA", request, ids.VIEW)
    while not (await home.front("U0ANA"))["submit"]:
        await home.press_in_view("U0ANA", ids.NEXT)
    await home.press_in_view("U0ANA", ids.MODIFY)
    view = await home.front("U0ANA")
    assert SECRET not in said(view)
    assert "longer than the 3,000 characters" in said(view)
    assert "field:draft:1" not in str(view)
    assert (await send(home, Due="2026-12-20"))["ok"]
    assert [draft.text for draft in (await home.now(request)).preview] == [SECRETIVE.text, TOO_LONG.text]
