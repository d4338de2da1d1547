"""mrkdwn on the page: what Slack's marks mean, and that nothing else means anything."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.sandbox.page_app import Office, browser_tests, open_office

pytestmark = browser_tests()

PARSE = "async ([source, options]) => (await import('/page/mrkdwn.js')).parse(source, options)"

TIMED = """async (source) => {
    const { parse } = await import('/page/mrkdwn.js');
    const started = performance.now();
    parse(source, {});
    return performance.now() - started;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Page]:
    async with open_office() as office, _page(office) as opened:
        yield opened


def _page(office: Office) -> Any:
    return office.page("U0ANA", "C0GENERAL")


async def parse(page: Page, source: str, **options: Any) -> str:
    """The tree in short: `bold(text)`, with the kind of a node before what is in it."""
    return "".join(_short(node) for node in await page.evaluate(PARSE, [source, options]))


def _short(node: dict[str, Any]) -> str:
    if node["kind"] == "text":
        return str(node["text"])
    if "children" in node:
        return f"{node['kind']}({''.join(_short(child) for child in node['children'])})"
    rest = [str(value) for key, value in node.items() if key != "kind" and value is not None]
    return f"{node['kind']}({'|'.join(rest)})"


@pytest.mark.parametrize(
    ("source", "meaning"),
    [
        ("*bold* _italic_ ~strike~", "bold(bold) italic(italic) strike(strike)"),
        ("*bold _both_*", "bold(bold italic(both))"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("* not bold* and *not bold", "* not bold* and *not bold"),
        ("*no\nbold*", "*no\nbold*"),
        ("(*bold*), *bold*.", "(bold(bold)), bold(bold)."),
        ("`*code*` `a` ``", "code(*code*) code(a) ``"),
        ("```\n*pre* &lt;b&gt;\n```after", "pre(*pre* <b>\n)after"),
        ("```never closed", "```never closed"),
        ("&gt; quoted\n> too\nnot", "quote(quoted\ntoo)not"),
        ("a &gt; b", "a > b"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("<@U0ANA> <#C0GENERAL|general>", "user(U0ANA) channel(C0GENERAL|general)"),
        ("<!subteam^S0SUPPORT> <!here> <!channel>", "usergroup(S0SUPPORT) broadcast(here) broadcast(channel)"),
        ("<!date^1790000000^{date_short} {time}|then>", "date(1790000000|{date_short} {time}|then)"),
        ("<https://a.example/x?a=1&amp;b=2|label>", "link(https://a.example/x?a=1&b=2|label)"),
        ("<mailto:ana@example.com>", "link(mailto:ana@example.com|mailto:ana@example.com)"),
        ("<javascript:alert(1)|press me>", "<javascript:alert(1)|press me>"),
        ("<data:text/html,x>", "<data:text/html,x>"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("see https://a.example/a_b_c.", "see link(https://a.example/a_b_c|https://a.example/a_b_c)."),
        (":tada: :not an emoji: 12:30:45", "emoji(tada) :not an emoji: 12emoji(30)45"),
        ("*<https://a.example/*|a*b>*", "bold(link(https://a.example/*|a*b))"),
    ],
)
async def test_marks_mean_what_slack_means_by_them(page: Page, source: str, meaning: str) -> None:
    assert await parse(page, source) == meaning


async def test_verbatim_text_links_no_bare_address(page: Page) -> None:
    assert await parse(page, "https://a.example *b*", verbatim=True) == "https://a.example bold(b)"


@pytest.mark.parametrize("unit", ["*a ", "_", "`a", "<a ", "*_~", "&gt;", "```a", ":a", "<@U", "> \n", "*a_ ~b "])
async def test_long_hostile_text_is_read_quickly(page: Page, unit: str) -> None:
    source = unit * (40_000 // len(unit))
    assert await page.evaluate(TIMED, source) < 500


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [("{date_num}", "2026-09-21"), ("{time} on {date_short}", "on Sep 21, 2026"), ("{unknown}", "{unknown}")],
)
async def test_dates_are_shown_in_the_viewers_time_zone(page: Page, pattern: str, shown: str) -> None:
    format_date = "async ([pattern]) => (await import('/page/dates.js')).formatDate(1790000000, pattern, 'fallback')"
    assert shown in await page.evaluate(format_date, [pattern])


async def test_an_impossible_date_shows_its_fallback(page: Page) -> None:
    format_date = "async () => (await import('/page/dates.js')).formatDate(999999999999999, '{date}', 'some day')"
    assert await page.evaluate(format_date) == "some day"
