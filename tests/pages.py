"""What the browser tests share: a real server, a real Chromium, the real index.

Every page also fails its test when it asks another host for anything, or writes an error to its
console.
"""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rag import Answer, Index, Sentence, Turn, Value, ask, open_index
from rag.cite import cite
from ui.chat import Chat

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
try:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)  # A slow machine is no failure.
except ModuleNotFoundError:
    BROWSER = None
needs_browser = [
    pytest.mark.skipif(
        BROWSER is None, reason="no Chromium (apt-get install chromium), or no playwright"
    ),
    # Of the libraries below the page; none of them is ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:gradio"),
]

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
DESKTOP = {"viewport": {"width": 1360, "height": 860}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
QUESTION = "What is the span of the Orrin Bridge?"
OPEN: list[tuple[str, Any]] = []  # The address and the browser context of every page.
CHIPS = '#chat a[href^="#src-"]'


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()


def unused_port() -> int:
    """A port that no other test uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(chat: Chat) -> Iterator[str]:
    from ui.web import launch

    page, url = launch(chat, host="127.0.0.1", port=unused_port())
    yield url
    # Before the server ends: a page that still listens would report that it stopped.
    for context in [context for address, context in OPEN if address.startswith(url)]:
        context.close()
    page.close(verbose=False)
    chat.close()


@pytest.fixture(scope="session")
def address(sample_index: Path) -> Iterator[str]:
    """The chat over the sample articles."""
    yield from start(Chat(sample_index))


@pytest.fixture(scope="session")
def scripted_address(sample_index: Path) -> Iterator[str]:
    """A chat whose answers are scripted: a conflict, or one that never ends."""

    def scripted(
        question: str, index: Index, *, history: tuple[Turn, ...] = ()
    ) -> Iterator[Answer]:
        article = index.article("skerrow-light.md")
        assert article is not None
        (first, second) = (
            cite(article, *article.sentences[n], number=number) for number, n in ((1, 3), (2, 5))
        )
        sentences = (Sentence("One says this.", (1,)), Sentence("One says that.", (2,)))
        answer = Answer(question, question, True, (sentences,), citations=(first, second))
        if "disagree" in question:
            yield replace(answer, conflict=(Value("1874", (1,)), Value("1878", (2,))))
            return
        yield answer
        for _ in range(60 if "endless" in question else 0):
            time.sleep(0.5)
            yield answer

    yield from start(Chat(sample_index, scripted))


def is_error(line) -> bool:
    """Whether a line of the console is one, but for what Gradio aborts when a page is left."""
    left = line.text.startswith("AbortError: signal is aborted") and ".close (" in line.text
    return line.type == "error" and not left


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., object]]:
    """Opens pages that fail the test for any request elsewhere and any error in the console."""
    contexts, bad = [], []

    def watch(request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            bad.append(f"asked {request.url}")

    def open_it(address: str, *, ignore_errors: bool = False, before: str = "", **options):
        context = browser.new_context(**{**DESKTOP, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        if not ignore_errors:
            OPEN.append((address, context))
        page = context.new_page()
        page.add_init_script(before)
        page.set_default_timeout(15_000)
        page.on("request", watch)
        page.on("pageerror", lambda error: bad.append(f"error {error}"))
        if not ignore_errors:
            page.on("console", lambda line: bad.append(line.text) if is_error(line) else None)
        page.on("dialog", lambda dialog: bad.append(f"dialog {dialog.message}"))
        page.goto(address)
        expect(page.locator("#ask textarea")).to_be_visible()
        expect(page.locator("#ask .submit-button[aria-label=Ask]")).to_be_visible()
        return page

    yield open_it
    for context in contexts:
        context.close()
    OPEN[:] = [pair for pair in OPEN if pair[1] not in contexts]
    assert not bad, bad  # Shown whole: no rewritten assertion here.


def put(page, question: str):
    """Ask, wait for the end of the answer, and return its element."""
    answers = page.locator("#chat .bot-row")
    before = answers.count()
    page.get_by_role("textbox", name="Question").fill(question)
    page.get_by_role("textbox", name="Question").press("Enter")
    expect(answers).to_have_count(before + 1)
    expect(answers.last).not_to_contain_text("Looking through")
    expect(page.locator("#ask .submit-button")).to_be_visible()
    return answers.last


def final(question: str, folder: Path) -> Answer:
    *_, last = ask(question, open_index(folder))
    return last


def lit(page) -> str:
    return "".join(page.locator("#panel mark").all_text_contents())


def no_sideways_scroll(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")
