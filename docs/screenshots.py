"""Takes the pictures of the README from the real page and the sample articles.

`make screenshots` writes, beside this file:

desktop.png  an answer and the article it stands on      conflict.png  sources that disagree, dark
library.png  the library    map.png  its map             phone.png     an answer on a phone
"""

import shutil
import socket
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from index.build import build  # noqa: E402
from ui.chat import Chat  # noqa: E402
from ui.web import launch  # noqa: E402

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DESKTOP = {"viewport": {"width": 1360, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "device_scale_factor": 1.5}


def put(page: Page, question: str) -> None:
    """Ask, and wait until the answer and what to go on with are there."""
    page.get_by_role("textbox", name="Question").fill(question)
    page.get_by_role("textbox", name="Question").press("Enter")
    page.locator('#chat a[href^="#answer-"]').last.wait_for()
    page.wait_for_timeout(2500)


def picture(page: Page, name: str) -> None:
    """One picture, when all that slides or fades has come to rest."""
    page.wait_for_timeout(800)
    page.screenshot(path=ROOT / "docs" / f"{name}.png", animations="disabled")
    print(f"docs/{name}.png")


def take(browser: Browser, address: str) -> None:
    """All pictures."""
    page = browser.new_page(**DESKTOP)
    page.goto(address)
    put(page, "How tall is the tower at Skerrow Point?")
    put(page, "Who designed it?")
    page.locator("#chat .bot-row").last.locator('a[href^="#src-"]').nth(1).click()
    picture(page, "desktop")

    page = browser.new_page(**DESKTOP, color_scheme="dark")
    page.goto(address)
    put(page, "When was the Skerrow light first lit?")
    picture(page, "conflict")

    page = browser.new_page(**DESKTOP)
    page.goto(address)
    put(page, "What is the span of the Orrin Bridge?")
    page.locator("#open-library").click()
    page.locator(".fn-table tbody tr").first.wait_for()
    picture(page, "library")
    page.get_by_role("tab", name="Map").click()
    page.locator(".fn-legend li").first.wait_for()
    picture(page, "map")

    page = browser.new_page(**PHONE)
    page.goto(address)
    put(page, "What is the span of the Orrin Bridge?")
    page.locator('#chat a[href^="#src-"]').first.click()
    picture(page, "phone")


def main() -> None:
    """Index the sample articles in a folder of its own, serve it, take the pictures."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        for _ in build([ROOT / "articles"], Path(folder)):
            pass
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        chat = Chat(Path(folder))
        server, address = launch(chat, host="127.0.0.1", port=port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            take(browser, address)
            browser.close()
        server.close(verbose=False)
        chat.close()


if __name__ == "__main__":
    main()
