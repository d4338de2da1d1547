"""The page with a long history and a busy channel: it holds a window of it, and stays quick."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.sandbox.page_app import Office, browser_tests, open_office
from tests.sandbox.stock_app import actions, button, plain

pytestmark = browser_tests()

MANY = 1200
BURST = 400
HELD = 400
"""Rows that a page never exceeds; see history.js."""

OLDER = """(ts) => document.querySelector(".message").dataset.ts < ts
    || !document.querySelector(".more:not([hidden])")"""

WATCH = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
    }).observe({ type: "longtask" });
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        await many(opened, 0, MANY)
        yield opened


async def many(office: Office, first: int, number: int) -> None:
    gate = asyncio.Semaphore(8)

    async def post(name: int) -> None:
        async with gate:
            text = {"type": "section", "text": plain(f"The agent wants to refund order {name}")}
            await office.post("C0GENERAL", f"card {name}", text, actions(button("approve"), button("modify")))

    await asyncio.gather(*(post(name) for name in range(first, first + number)))


def rows(page: Page) -> Any:
    return page.locator(".message")


async def heap_mb(page: Page) -> float:
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    used = await session.send("Runtime.getHeapUsage")
    return float(used["usedSize"]) / 1e6


async def test_a_long_history_opens_quickly_at_its_end_and_reaches_its_beginning(office: Office) -> None:
    async with office.page("U0ANA", "C0GENERAL") as page:
        await expect(rows(page)).to_have_count(100)
        await expect(rows(page).last).to_be_in_viewport()
        most = 0
        log = page.get_by_role("log")
        while not await page.get_by_text("refund order 0", exact=False).count():
            oldest = await rows(page).first.get_attribute("data-ts")
            await log.evaluate("node => { node.scrollTop = 0; }")
            await page.wait_for_function(
                OLDER,
                arg=oldest,
            )
            most = max(most, await rows(page).count())
        assert 300 <= most <= HELD
        await expect(page.get_by_role("button", name="Show older messages")).to_have_count(0)
        await page.get_by_role("button", name="New messages").click()
        await expect(rows(page).last).to_be_in_viewport()
        assert await rows(page).count() <= HELD


async def test_what_is_read_further_up_stays_where_it_is_while_older_and_newer_arrive(office: Office) -> None:
    async with office.page("U0BEN", "C0GENERAL") as page:
        await expect(rows(page)).to_have_count(100)
        await page.get_by_role("log").evaluate("node => { node.scrollTop = 700; }")
        ts = await page.evaluate(
            "[...document.querySelectorAll('.message')].find((one) => one.getBoundingClientRect().top > 200).dataset.ts"
        )
        reading = page.locator(f'.message[data-ts="{ts}"]')
        before = await reading.bounding_box()
        await page.get_by_role("log").evaluate("node => { node.scrollTop -= 150; }")
        await expect(rows(page)).to_have_count(200)
        await office.post("C0GENERAL", "Something new")
        await expect(page.get_by_role("button", name="New messages")).to_be_visible()
        after = await reading.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"] - 150) <= 2


async def test_a_busy_channel_keeps_the_page_small_and_responsive(office: Office) -> None:
    async with office.page("U0SAM", "C0GENERAL") as page:
        await expect(rows(page)).to_have_count(100)
        await page.evaluate(WATCH)
        before = await heap_mb(page)
        await many(office, MANY, BURST)
        await expect(page.get_by_text(f"refund order {MANY + BURST - 1}", exact=False)).to_be_attached()
        await expect(rows(page).last).to_be_in_viewport()
        assert await rows(page).count() <= HELD
        assert await page.evaluate("window.longest") < 1000
        assert await heap_mb(page) < before + 15


async def test_a_burst_is_drawn_in_frames_not_one_by_one(office: Office) -> None:
    async with office.page("U0FAY", "C0GENERAL") as page:
        await expect(rows(page)).to_have_count(100)
        asked = len(await office.sandbox.control.record())
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        await many(office, 0, 50)
        await expect(rows(page).last).to_be_in_viewport()
        assert len(await office.sandbox.control.record(asked)) >= 50
        assert len([url for url in fetched if "/people/history" in url]) <= 5
