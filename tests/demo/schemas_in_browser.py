"""`python -m tests.demo.schemas_in_browser` changes a call of every real tool in the page, one after the other."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from time import perf_counter

from playwright.async_api import Page

from tests.demo.form_drive import drive, edit_of
from tests.gateway.stage import Stage, staged
from tests.sandbox.page_app import open_browser, watched_page
from tests.slack.real_calls import schemas

LANES = 30


async def drive_all(wanted: argparse.Namespace) -> int:
    """Drive every tool whose name contains `--only`; the number of those that failed."""
    names = [name for name in schemas() if wanted.only in name]
    failed = 0
    async with staged(lanes=LANES, kinds=("hard",)) as stage, open_browser() as browser:
        size = {"width": 900, "height": wanted.height}
        async with watched_page(browser, f"{stage.sandbox.url}/#as=U0ANA&channel=C0LANE0", viewport=size) as page:
            for name in names:
                failed += await _one(stage, page, name, wanted)
    sys.stdout.write(f"{len(names) - failed} of {len(names)} tools: the API tells exactly the change that was made\n")
    return failed


async def _one(stage: Stage, page: Page, name: str, wanted: argparse.Namespace) -> bool:
    start = perf_counter()
    edit = edit_of(name, wanted.seed)
    picture = str(Path(wanted.pictures) / f"{name.replace('/', '.')}.png") if wanted.pictures else ""
    try:
        await drive(stage, page, edit, picture=picture)
    except Exception as error:
        said = f"FAILED {error}"[:1_500]
        await page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    else:
        said = "ok"
    sys.stdout.write(f"{name:60} {edit.field.kind.value:10} {perf_counter() - start:5.1f} s  {said}\n")
    sys.stdout.flush()
    return said != "ok"


def main() -> None:
    """Say for each tool whether the change came through; exit with 1 where one did not."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--pictures", default="", help="a folder for a picture of each form")
    sys.exit(bool(asyncio.run(drive_all(parser.parse_args()))))


if __name__ == "__main__":
    main()
