"""Two ways to use the page: with the mouse, or with the keyboard alone."""

from __future__ import annotations

from typing import Protocol

from playwright.async_api import Locator, Page, expect

_FARTHEST = 250
_HERE = "node => node === document.activeElement"
_ABOVE = """node => {
    const here = document.activeElement;
    return Boolean(here && here.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING);
}"""


class Hands(Protocol):
    """What a person does with their hands."""

    async def press(self, button: Locator) -> None:
        """Press a button."""

    async def write(self, field: Locator, text: str) -> None:
        """Replace what stands in a field."""


class Mouse:
    """Points and clicks; only text comes from the keyboard."""

    async def press(self, button: Locator) -> None:
        """Click."""
        await button.click()

    async def write(self, field: Locator, text: str) -> None:
        """Click into the field, mark everything and type."""
        await field.click()
        await _replace(field.page, text)


class Keyboard:
    """Never points: goes from control to control with Tab, as the page offers them, and presses Enter.

    `keys` counts what was pressed, each typed character too.
    """

    def __init__(self) -> None:
        self.keys = 0

    async def press(self, button: Locator) -> None:
        """Go there and press Enter."""
        await self.go(button)
        await self.key(button.page, "Enter")

    async def write(self, field: Locator, text: str) -> None:
        """Go there, mark everything and type."""
        await self.go(field)
        await _replace(field.page, text)
        self.keys += 1 + len(text)

    async def go(self, control: Locator) -> None:
        """Tab or Shift and Tab until the keyboard is there."""
        await expect(control).to_be_enabled()
        for _ in range(_FARTHEST):
            if await control.evaluate(_HERE):
                return
            await self.key(control.page, "Shift+Tab" if await control.evaluate(_ABOVE) else "Tab")
        raise AssertionError(f"the keyboard does not reach {control}")

    async def key(self, page: Page, name: str) -> None:
        """Press one key, or several at once."""
        await page.keyboard.press(name)
        self.keys += 1


async def _replace(page: Page, text: str) -> None:
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)
