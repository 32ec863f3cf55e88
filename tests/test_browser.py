"""The chat page in a real browser: enrolment, this evening, tomorrow morning, a whole check-in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.program import Program, running
from tests.servers import CHROMIUM_ARGS

pytestmark = pytest.mark.browser
PATIENCE = 15_000  # milliseconds


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    """The bot on its chat page, in a process of its own."""
    async with running(tmp_path) as program:
        yield program


@pytest.fixture
async def page(chromium_path: str, program: Program) -> AsyncIterator[Page]:
    """The chat page on a phone's screen; the browser may find nothing wrong with it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=[*CHROMIUM_ARGS])
        page = await browser.new_page(
            viewport={"width": 390, "height": 844}, locale="en-GB", timezone_id="Europe/London"
        )
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        await page.goto(program.root)
        yield page
        await browser.close()
    assert not wrong


async def tap(page: Page, label: str) -> None:
    """Tap the newest button with this label."""
    await page.get_by_role("log").get_by_role("button", name=label, exact=True).last.click()


async def hear(page: Page, words: str) -> None:
    """Wait until the bot's newest message has these words."""
    await expect(
        page.get_by_role("article", name="Quietlegs").filter(has_text=words).last
    ).to_be_in_viewport()


async def test_from_start_to_a_whole_check_in(page: Page) -> None:
    await page.get_by_role("button", name="Start").click()
    await hear(page, "What I am not")
    await tap(page, "I am 18 or older and I agree")
    await tap(page, "United Kingdom")
    await page.get_by_role("textbox", name="Message").fill("half past nine")
    await page.get_by_role("textbox", name="Message").press("Enter")
    await hear(page, "in the morning how your night was")
    await page.get_by_role("textbox", name="Message").fill("7:30")
    await page.get_by_role("button", name="Send", exact=True).click()
    await tap(page, "Later")
    await hear(page, "You are all set.")

    await page.get_by_role("button", name="This evening").click()
    await hear(page, "Good evening.")
    await expect(page.locator("#moment")).to_contain_text("21:30")
    await tap(page, "☐ Drink")
    await tap(page, "✅ Drink")
    await tap(page, "☐ Drink")
    await expect(page.get_by_role("log").get_by_role("button", name="✅ Drink")).to_be_visible()
    await tap(page, "▶️ Guide me")
    picture = page.get_by_role("img", name=re.compile("Sit|chair|towel|leg", re.IGNORECASE)).last
    await expect(picture).to_be_in_viewport()
    await tap(page, "Stop")

    await page.get_by_role("button", name="Tomorrow morning").click()
    await hear(page, "How were your legs last night?")
    await expect(page.locator("#moment")).to_contain_text("07:30")
    for label in ("6", "Hard cramp", "Done", "Both", "Under 30 min", "Stretching", "Done", "1 to 5 min"):
        await tap(page, label)
    await hear(page, "is anything here new, or worse than your usual?")
    await tap(page, "None of these")
    await tap(page, "A bit")
    await hear(page, "Thank you, that is noted.")
    summary = page.get_by_role("article", name="Quietlegs").filter(has_text="Saved. Thank you.")
    for line in (
        "Worst moment: 6",
        "Felt like: Hard cramp",
        "Leg: Both",
        "Helped: Stretching",
        "Tired: A bit",
    ):
        await expect(summary).to_contain_text(line)
    await expect(summary.get_by_role("button", name="Change an answer")).to_be_visible()


async def test_the_page_is_still_the_same_after_loading_it_again(page: Page) -> None:
    await page.get_by_role("button", name="Start").click()
    await tap(page, "I am 18 or older and I agree")
    await hear(page, "Which country are you in?")
    await page.reload()
    await hear(page, "Which country are you in?")
    await page.get_by_role("button", name="Commands").click()
    await page.get_by_role("button", name="/urgent").click()
    await hear(page, "What worries you?")
