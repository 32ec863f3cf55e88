"""Takes the README's picture: a real conversation with the running bot, photographed from its chat page."""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.program import running
from tests.servers import CHROMIUM_ARGS, find_chromium

TARGET = Path("docs/conversation.png")
WIDTH, HEIGHT = 375, 880
# The jumps of the clock belong to the sandbox; on a phone there are none.
PHONE_ONLY = """
  #clock, #toast { display: none !important }
  body * { font-family: Inter, "Noto Sans", sans-serif }
"""
FRAMES = """
<style>
  body { margin: 0; padding: 16px; display: flex; gap: 18px; width: max-content; background: white }
  figure { margin: 0 } img { display: block; width: 375px; border-radius: 18px; border: 1px solid #c8ccd4 }
  figcaption { font: 600 17px Inter, "Noto Sans", sans-serif; color: #3c4250; padding: 0 4px 10px }
</style>
"""


async def take() -> None:
    """Play the conversation and write the picture."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGS])
        with tempfile.TemporaryDirectory() as folder:
            async with running(Path(folder)) as program:
                ada = await program.newcomer()
                taken = await _play(browser, f"{program.root}/?person={ada}")
        await _frame(browser, taken)
        await browser.close()


async def _play(browser: Browser, address: str) -> dict[str, bytes]:
    page = await browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=2,
        locale="en-GB",
        timezone_id="Europe/London",
        bypass_csp=True,
    )
    await page.goto(address)
    for label in ("I am 18 or older and I agree", "United Kingdom"):
        await _tap(page, label)
    for words in ("half past nine", "7:30"):
        await page.get_by_role("textbox", name="Message").fill(words)
        await page.get_by_role("textbox", name="Message").press("Enter")
        await asyncio.sleep(1)
    await _tap(page, "Later")
    await page.get_by_role("button", name="This evening").click()
    await _tap(page, "☐ Drink")
    taken = {"In the evening": await _photograph(page)}

    await page.get_by_role("button", name="Tomorrow morning").click()
    for label in ("6", "Ache or throb", "Done", "Left", "30 to 60 min", "Stretching"):
        await _tap(page, label)
    taken["In the morning"] = await _photograph(page)

    for label in ("Done", "One leg swollen, hot or red"):
        await _tap(page, label)
    await page.get_by_role("button", name="I have read this").wait_for()
    taken["When it must not wait"] = await _photograph(page, "I have read this")
    await page.close()
    return taken


async def _tap(page: Page, label: str) -> None:
    await page.get_by_role("log").get_by_role("button", name=label, exact=True).last.click()
    await asyncio.sleep(0.6)


async def _photograph(page: Page, card: str = "") -> bytes:
    """Photograph the end of the chat, or a long card from its first line on."""
    style = await page.add_style_tag(content=PHONE_ONLY)
    await page.evaluate(
        """card => {
            const log = document.getElementById("log");
            const all = [...log.querySelectorAll("article")];
            const shown = all.findLast((one) => one.textContent.includes(card));
            log.scrollTop = card ? shown.offsetTop - log.offsetTop - 8 : log.scrollHeight;
        }""",
        card,
    )
    await page.mouse.move(0, 0)
    await asyncio.sleep(0.5)
    taken = await page.screenshot()
    await style.evaluate("style => style.remove()")
    return taken


async def _frame(browser: Browser, taken: dict[str, bytes]) -> None:
    figures = "".join(
        f'<figure><figcaption>{title}</figcaption><img src="data:image/png;base64,'
        f'{base64.b64encode(picture).decode()}"></figure>'
        for title, picture in taken.items()
    )
    page = await browser.new_page(viewport={"width": 1200, "height": 960}, device_scale_factor=2)
    await page.set_content(FRAMES + figures)
    TARGET.parent.mkdir(exist_ok=True)
    await page.locator("body").screenshot(path=TARGET)
    if smaller := shutil.which("pngquant"):
        shrinking = await asyncio.create_subprocess_exec(
            smaller, "--force", "--strip", "--output", TARGET, "128", TARGET
        )
        await shrinking.wait()


if __name__ == "__main__":
    if find_chromium() is None:
        sys.exit("Chromium is missing: `python -m tests.servers` installs it")
    asyncio.run(take())
    print(f"{TARGET}: {TARGET.stat().st_size // 1000} KB")
