"""A real scrape of a real gateway: what Prometheus reads there, and who may read it."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics
from tests.gateway.stage import Stage, staged
from tests.sandbox_process import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.process]

Figures = dict[tuple[str, ...], float]


@dataclass(kw_only=True)
class Scraped:
    """A gateway and the key that reads its figures."""

    stage: Stage
    key: str

    async def answer(self, key: str | None) -> tuple[int, str, str]:
        """Status, content type and body of a scrape."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.stage.serve.session.get(f"{self.stage.serve.url}/metrics", headers=headers) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()

    async def figures(self) -> Figures:
        """Every sample by its name and its labels' values, in the order of their names."""
        status, kind, text = await self.answer(self.key)
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8"), text
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def until(self, name: str, *labels: str, value: float) -> Figures:
        """The figures, as soon as one of them has this value."""
        return dict(await until(lambda: self._with((name, *labels), value), 10.0))

    async def _with(self, wanted: tuple[str, ...], value: float) -> Figures | None:
        figures = await self.figures()
        return figures if figures.get(wanted) == value else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scraped() -> AsyncIterator[Scraped]:
    async with staged(lanes=6) as stage:
        made = await stage.serve.signoff("keys", "create", "prometheus", "--operator")
        assert made.code == 0, made
        yield Scraped(stage=stage, key=made.out.strip())


async def test_an_operators_key_alone_reads_them(scraped: Scraped) -> None:
    status, _, text = await scraped.answer(scraped.stage.agent.key)
    assert (status, "wrong_kind_of_key" in text, "signoff_" in text) == (403, True, False)
    status, _, text = await scraped.answer(None)
    assert (status, "no_key" in text) == (401, True)


async def test_the_figures_follow_what_was_committed(scraped: Scraped) -> None:
    stage, before = scraped.stage, await scraped.figures()
    assert before[("signoff_requests_pending",)] == 0
    approved, expired, _ = await stage.ask("hard"), await stage.ask("quick"), await stage.ask("short")
    again = await stage.agent.submit("free", {"n": 1}, key="once")
    assert (await stage.agent.submit("free", {"n": 1}, key="once")).body["id"] == again.body["id"]
    card = await stage.card(approved["id"])
    assert (await stage.press("U0ANA", card, "signoff.approve"))["ok"]
    await stage.settled(expired["id"])
    figures = await scraped.until("signoff_ladder_steps_total", "add", value=1)
    assert figures[("signoff_requests_opened_total", "hard")] == 3
    assert figures[("signoff_requests_opened_total", "allow")] == 1
    assert figures[("signoff_requests_settled_total", "people", "approved")] == 1
    assert figures[("signoff_requests_settled_total", "policy", "approved")] == 1
    assert figures[("signoff_requests_settled_total", "silence", "expired")] == 1
    assert figures[("signoff_decision_seconds_count", "hard")] == 2
    assert 1 < figures[("signoff_decision_seconds_sum", "hard")] < 30
    assert figures[("signoff_ladder_steps_total", "remind")] == 1
    assert figures[("signoff_ladder_steps_total", "expire")] == 1
    assert figures[("signoff_requests_pending",)] == 1
    assert figures[("signoff_slack_calls_total", "chat.postMessage", "ok")] >= 3
    assert figures[("signoff_effects_total", "PostCard", "carried")] >= 2


async def test_what_slack_does_shows(scraped: Scraped) -> None:
    await scraped.stage.control.faults({"method": "chat.postMessage", "times": 1, "status": 500})
    await scraped.stage.ask("hard")
    await scraped.until("signoff_slack_calls_total", "chat.postMessage", "failed", value=1)

    async def retried() -> bool:  # the call that failed may have been a note in a thread
        figures = await scraped.figures()
        return (
            sum(value for key, value in figures.items() if key[0] == "signoff_effects_total" and key[-1] == "retried")
            == 1
        )

    await until(retried)


async def test_a_policy_that_is_read_again_shows(scraped: Scraped) -> None:
    policy = scraped.stage.serve.policy
    good = policy.read_text("utf-8")
    policy.write_text("version: 1\nrules: {", "utf-8")
    os.kill(scraped.stage.serve.pid, signal.SIGHUP)
    await scraped.until("signoff_policy_reloads_total", "refused", value=1)
    policy.write_text(good + "# read again\n", "utf-8")
    os.kill(scraped.stage.serve.pid, signal.SIGHUP)
    await scraped.until("signoff_policy_reloads_total", "ok", value=1)


async def test_nothing_was_wrong_and_no_agents_word_is_a_label(scraped: Scraped) -> None:
    figures = await scraped.figures()
    assert {key: value for key, value in figures.items() if key[0] == "signoff_repaired_total" and value} == {}
    assert {key: value for key, value in figures.items() if key[0] == "signoff_troubles" and value} == {}
    known = {
        sample.name for family in text_string_to_metric_families(Metrics().text().decode()) for sample in family.samples
    }
    assert known <= {key[0] for key in figures}
    labels = {label for key in figures for label in key[1:]}
    assert not [label for label in labels if "hard_" in label or "U0" in label or "tester" in label]
