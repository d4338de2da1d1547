"""The API's description: complete, valid, true to the code, and readable without anything from elsewhere."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from jsonschema_rs import Draft202012Validator

from bot.api.aap.described import AAP_CODES
from bot.api.codes import CODES
from bot.api.openapi import TAGS, document_of, written
from bot.api.operations import described
from bot.api.page import CSP, STYLE, page_of, prose
from tests.api.house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    *("already_serving", "schema_newer", "schema_outdated", "settings", "storage_not_durable", "key_exists", "faulty"),
    *("grant_ended", "no_question", "question_open", "phrase_wrong", "stale_revision", "not_allowed", "refused"),
    *("conflict", "condition_error", "error", "webhook_exists", "address_refused"),
}
"""Codes that no call of the API can come upon: those of commands, of the start, of people's clicks, of bases."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def operations(house: House) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in house.contract.document["paths"].items():
        for method, told in methods.items():
            yield method, path, told


async def test_every_route_is_described_and_nothing_else_is(house: House) -> None:
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in house.runner.app.router.routes()
        if route.resource is not None and described(route.handler) is not None
    }
    undescribed = [route for route in house.runner.app.router.routes() if described(route.handler) is None]
    assert undescribed == []
    documented = {(method, path) for method, path, _ in operations(house)}
    assert documented == {route for route in routes if route[0] != "head"}
    assert {("get", path) for method, path in routes if method == "head"} <= documented


async def test_the_document_is_served_without_a_key_and_is_the_one_of_the_routes(house: House) -> None:
    answer = await house.call("GET", "/openapi.json", key="")
    assert answer.status == 200
    assert answer.body == json.loads(written(document_of(house.runner.app.router.routes())))
    assert answer.body["openapi"] == "3.1.0"


async def test_every_operation_has_an_id_of_its_own_a_summary_and_a_known_tag(house: House) -> None:
    told = [operation for _, _, operation in operations(house)]
    ids = [operation["operationId"] for operation in told]
    assert len(set(ids)) == len(ids)
    for operation in told:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
        assert 3 < len(operation["summary"]) < 60, operation["operationId"]
        assert set(operation["tags"]) <= set(TAGS)


async def test_every_reference_leads_somewhere(house: House) -> None:
    document = house.contract.document
    found = re.findall(r'"\$ref":"#/([^"]+)"', written(document).decode())
    assert found
    for reference in set(found):
        place: Any = document
        for part in reference.split("/"):
            place = place[part]


async def test_every_link_leads_to_a_call_by_the_parameters_that_it_has(house: House) -> None:
    known = {told["operationId"]: told for _, _, told in operations(house)}
    links = [link for told in known.values() for answer in told["responses"].values() for link in links_of(answer)]
    assert {"claim_request", "report_request", "withdraw_request", "aap_consume"} <= {
        link["operationId"] for link in links
    }
    for link in links:
        named = {parameter["name"] for parameter in known[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= named


def links_of(answer: Mapping[str, Any]) -> list[Any]:
    return list(answer.get("links", {}).values())


async def test_every_pattern_is_one_that_any_language_reads(house: House) -> None:
    patterns = set(re.findall(r'"pattern":("(?:[^"\\]|\\.)*")', written(house.contract.document).decode()))
    assert len(patterns) > 4
    for pattern in map(json.loads, patterns):
        re.compile(pattern)
        assert not re.search(r"\\[pPxA-Z](?<!\\S)", pattern), pattern


async def test_every_schema_is_valid_and_every_example_fits_its_own(house: House) -> None:
    components = house.contract.components
    for name in components["schemas"]:
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})
    seen = 0
    for _, _, told in operations(house):
        contents = [*told.get("requestBody", {"content": {}})["content"].values()]
        contents += [content for answer in told["responses"].values() for content in answer.get("content", {}).values()]
        for content in contents:
            for example in examples_of(content, components):
                seen += 1
                assert [fault.message for fault in house.contract.faults(content, example)] == []
    assert seen > 50


def examples_of(content: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    for example in content.get("examples", {}).values():
        name = example.get("$ref", "").rpartition("/")[2]
        yield components["examples"][name]["value"] if name else example["value"]


async def test_every_body_and_every_answer_in_json_has_an_example(house: House) -> None:
    for _, _, told in operations(house):
        for content in told.get("requestBody", {"content": {}})["content"].values():
            assert content["examples"], told["operationId"]
        answer = told["responses"].get("200", {}).get("content", {})
        if told["operationId"] != "openapi":
            assert "application/json" not in answer or "example" in answer["application/json"], told["operationId"]


async def test_the_examples_of_bodies_are_taken(house: House) -> None:
    told = house.contract.document["paths"]["/v1/requests"]["post"]
    for example in told["requestBody"]["content"]["application/json"]["examples"].values():
        answer = await house.call("POST", "/v1/requests", json=example["value"])
        assert answer.status == 201, answer.body


async def test_every_code_that_the_code_names_is_described_or_belongs_elsewhere() -> None:
    rooms = ("policies", "storage", "bot/api", "bot/gateway.py", "bot/budgets.py", "bot/groups.py", "bot/shelf.py")
    files = [path for room in rooms for path in ((ROOT / room).rglob("*.py") if "." not in room else [ROOT / room])]
    named = {code for path in files for code in codes_in(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(named) > 40
    assert named - set(CODES) - set(AAP_CODES) - ELSEWHERE == set()
    assert not ELSEWHERE & set(CODES)


def codes_in(tree: ast.Module) -> Iterator[str]:
    """The codes that errors are raised or declared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from (str(node.value.value) for name in names if name == "code")


async def test_every_described_code_belongs_to_some_call_or_to_any_address(house: House) -> None:
    assert set(house.contract.components["examples"]) == set(CODES) - {"no_such_address", "method_not_allowed"}


# ---- the page


class Reader(HTMLParser):
    """What a page holds: its elements' ids, where its links lead, the words that it says, what is still open."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


async def test_the_page_needs_nothing_from_elsewhere_and_may_run_nothing(house: House) -> None:
    async with house.session.get(house.address("/docs")) as answer:
        page, headers = await answer.text(), answer.headers
    assert (answer.status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"] == CSP
    assert CSP.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search("unsafe|http|script", CSP)
    assert not re.search(r"url\(|@import|http", STYLE)
    found = read(page)
    assert not found.tags & {"script", "iframe", "form", "img", "object", "embed", "base"}
    assert not {name for name in found.attributes if name.startswith("on")} | found.attributes & {"style", "src"}
    assert {link for link in found.links if not link.startswith("#")} == {"data:,", "openapi.json"}


async def test_every_link_of_the_page_leads_to_a_place_on_it(house: House) -> None:
    found = read(page_of(house.contract.document))
    assert len(set(found.ids)) == len(found.ids)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert {told["operationId"] for _, _, told in operations(house)} <= set(found.ids)


async def test_the_page_says_each_member_each_code_and_how_to_call(house: House) -> None:
    words = read(page_of(house.contract.document)).words
    for name, schema in house.contract.components["schemas"].items():
        assert name in words
        assert all(member in words for member in schema.get("properties", ()))
    assert all(code in words for code in house.contract.components["examples"])
    assert """curl -s "$SIGNOFF/v1/requests/$ID/claim" \\\n""" in words


async def test_whatever_a_description_holds_is_text_on_the_page() -> None:
    assert prose("a <b> & `<i>`\n\n**x** *y*") == (
        "<p>a &lt;b&gt; &amp; <code>&lt;i&gt;</code></p><p><strong>x</strong> <em>y</em></p>"
    )


ASKED_FOR = {f"bot.api.{name}" for name in ("openapi", "page", "examples", "schemas", "kinds", "news")}


async def test_a_gateway_that_nobody_asks_for_its_description_does_not_pay_for_it() -> None:
    own = {ROOT / f"{name.replace('.', '/')}.py" for name in ASKED_FOR}
    others = [path for path in (ROOT / "bot").rglob("*.py") if path not in own]
    asking = {path.name for path in others if ASKED_FOR & imported(ast.parse(path.read_text(encoding="utf-8")).body)}
    assert asking == set()


def imported(statements: list[ast.stmt]) -> set[str]:
    """The modules that are imported as soon as these statements run, those of types alone left out."""
    return {f"{one.module}" for one in statements if isinstance(one, ast.ImportFrom)} | {
        f"{one.module}.{name.name}" for one in statements if isinstance(one, ast.ImportFrom) for name in one.names
    }
