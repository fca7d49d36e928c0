"""How long a person waits in the browser: for the first sentence, for a citation to be lit.

    python benchmarks/page.py [ARTICLES]

The peer is the least that this page could take: an event that returns at once, in the same server
and the same browser (a click on "New conversation").
"""

import argparse
import shutil
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from index.build import build  # noqa: E402
from ui.chat import Chat  # noqa: E402
from ui.web import launch  # noqa: E402

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUESTIONS = (
    "What is the span of the Orrin Bridge?", "When was the Weir Footbridge opened?",
    "Who designed the tower at Skerrow Point?", "How tall is the tower at Skerrow Point?",
)  # fmt: skip
ROUNDS = 9
# Measured inside the page: what the test driver adds is left out.
FIRST_SENTENCE = """(words) => new Promise((done) => {
  const field = document.querySelector('#ask textarea');
  field.value = words;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => {
    // Each answer has a link of its own, there from its first sentence on.
    const last = () => [...document.querySelectorAll('#chat a[href^="#answer-"]')].pop()?.href;
    const [before, began] = [last(), performance.now()];
    const there = () => performance.now() - began;
    const look = () => last() !== before ? done(there()) : requestAnimationFrame(look);
    document.querySelector('#ask .submit-button').click();
    look();
  });
})"""
LIT = """() => new Promise((done) => {
  const chips = document.querySelectorAll('#chat .bot-row a[href^="#src-"]');
  const began = performance.now();
  const lit = () => document.querySelector('#panel mark');
  const look = () => lit() ? done(performance.now() - began) : requestAnimationFrame(look);
  chips[chips.length - 1].click();
  look();
})"""
LEAST = """() => new Promise((done) => {
  const began = performance.now();
  const full = () => document.querySelector('#chat .message-row');
  const look = () => full() ? requestAnimationFrame(look) : done(performance.now() - began);
  document.querySelector('#open-new').click();
  look();
})"""


def measure(page: Page, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the first sentence, and from a click on a citation to its light."""
    first, lit = [], []
    for number in range(rounds):
        first.append(page.evaluate(FIRST_SENTENCE, QUESTIONS[number % len(QUESTIONS)]))
        page.locator("#ask .submit-button").wait_for()
        page.wait_for_timeout(1500)  # Suggestions are looked for; nobody asks within a second.
        lit.append(page.evaluate(LIT))
        page.keyboard.press("Escape")
    return first, lit


def fill(chat: Chat, page: Page, messages: int) -> None:
    """Make the page's conversation one of so many messages."""
    owner = "browser:" + page.evaluate("document.cookie.match(/footnote=([0-9a-f]{32})/)[1]")
    (conversation, *_) = chat.conversations.list(owner)
    kept = chat.conversations.exchanges(owner, conversation.id)[-1]
    for number in range(messages // 2):
        again = replace(kept, id=f"{time.time_ns():016x}{number:016x}")
        chat.conversations.keep(owner, conversation.id, again)
    page.reload()
    page.locator("#chat .bot-row").nth(99).wait_for()
    page.wait_for_timeout(1500)


def row(name: str, values: list[float], least: float) -> None:
    """A line of the table."""
    median, high = statistics.median(values), sorted(values)[int(0.95 * (len(values) - 1))]
    print(f"| {name} | {median:.0f} | {high:.0f} | {median / least:.1f} |")


def main() -> None:
    """Index, serve, measure, print."""
    chosen = argparse.ArgumentParser(description=__doc__)
    chosen.add_argument("articles", nargs="?", type=Path, default=ROOT / "articles")
    articles = chosen.parse_args().articles
    with tempfile.TemporaryDirectory() as folder:
        for _ in build([articles], Path(folder)):
            pass
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        chat = Chat(Path(folder))
        server, address = launch(chat, host="127.0.0.1", port=port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.goto(address)
            page.locator("#chat .example").first.wait_for()
            page.wait_for_timeout(2000)
            measure(page, 2)  # Warms what is warmed once.
            short = measure(page, ROUNDS)
            least = []
            for _ in range(ROUNDS):
                least.append(page.evaluate(LEAST))
                measure(page, 1)
            fill(chat, page, 200)
            long = measure(page, ROUNDS)
            browser.close()
        server.close(verbose=False)
        chat.close()
    fixed = statistics.median(least)
    print("| milliseconds | median | 95th | to the least |\n|---|---|---|---|")
    row("the least: an event that returns at once", least, fixed)
    for name, (first, lit) in (("a short conversation", short), ("200 messages", long)):
        row(f"first sentence, {name}", first, fixed)
        row(f"a citation lit, {name}", lit, fixed)


if __name__ == "__main__":
    main()
