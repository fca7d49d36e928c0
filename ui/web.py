"""The browser chat: layout and wiring. The only file that imports gradio.

It listens on this machine unless told otherwise, loads nothing from elsewhere, and sends nothing.
"""

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Read when gradio is imported.
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.types import FootnoteError
from rag.types import LLM, Turn
from ui.chat import Chat, Screen, Welcome
from ui.render import Data

ROOM = Path(__file__).parent
DEFAULT_PORT = 7860
PORTS_TRIED = 20
AT_ONCE = 8  # Questions answered at the same time; more wait in line.
WAITING = 64
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
EXAMPLE_PATIENCE = 4.0  # Seconds that a page waits for its examples; all else is there already.
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound by default.
SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; frame-src 'none'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
FAILED = "Something went wrong here; the window that Footnote runs in says what."
# Runs before the page is drawn, so that a dark page never flashes white.
EARLY_SCRIPT = """
const chosen = localStorage.getItem('footnote-theme');
const dark = matchMedia('(prefers-color-scheme: dark)').matches;
document.documentElement.dataset.theme = chosen || (dark ? 'dark' : 'light');
"""
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='9' fill='%230b6158'/%3E%3Cpath d='M9 24V9h9M9 16h7' "
    "stroke='white' stroke-width='3' fill='none'/%3E%3Ccircle cx='23' cy='9' r='3' "
    "fill='%237fe0c8'/%3E%3C/svg%3E"
)


class Headers:
    """Adds the security headers to every response; does not hold streams up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the page that change."""

    chatbot: gr.Chatbot
    turns: gr.State
    panel: gr.HTML
    box: gr.Textbox
    note: gr.Markdown
    new: gr.Button


def build_page(chat: Chat) -> gr.Blocks:
    """The page with everything it does."""
    welcome = Welcome(chat)
    welcome.examples(patience=0)  # Starts the search, which also loads the models.
    with gr.Blocks(title="Footnote", fill_width=True, analytics_enabled=False) as page:
        parts = _lay_out(chat, welcome)
        _wire(parts, chat)

        def greet() -> Any:
            return gr.update(
                placeholder=welcome.text(), examples=welcome.examples(EXAMPLE_PATIENCE)
            )

        page.load(greet, None, parts.chatbot, queue=False, **QUIET)
        gr.api(_api(chat), api_name="ask", concurrency_limit=AT_ONCE, concurrency_id="api")
    page.queue(max_size=WAITING)
    return page


def _lay_out(chat: Chat, welcome: Welcome) -> Parts:
    """Put the parts in their places; style.css gives them their look."""
    turns = gr.State(())
    with gr.Row(elem_id="app"):
        with gr.Column(elem_id="main"):
            with gr.Row(elem_id="bar"):
                gr.Markdown("Footnote", elem_id="brand")
                new = gr.Button("New conversation", elem_id="new")
                gr.Button("Sources", elem_id="sources")  # This one and the next are panel.js's.
                gr.Button("Light or dark", elem_id="theme")
            chatbot = gr.Chatbot(
                elem_id="chat",
                layout="panel",
                height="auto",
                container=False,
                show_label=False,
                buttons=["copy"],
                latex_delimiters=[],
                autoscroll=False,
                feedback_options=None,
                placeholder=welcome.text(),
                group_consecutive_messages=False,
            )
            note = gr.Markdown(elem_id="note", latex_delimiters=[])
            box = gr.Textbox(
                elem_id="ask",
                label="Question",
                placeholder="Ask your articles",
                show_label=False,
                container=False,
                autofocus=True,
                submit_btn=True,
                lines=1,
                max_lines=6,
            )
        panel = gr.HTML(
            {},
            html_template='<div class="fn-root"></div>',
            js_on_load=(ROOM / "panel.js").read_text("utf-8"),
            server_functions=[_article_function(chat)],
            apply_default_css=False,
            elem_id="panel",
        )
    return Parts(chatbot, turns, panel, box, note, new)


def _wire(parts: Parts, chat: Chat) -> None:
    """Connect asking, picking an example, stopping and beginning anew."""
    outputs = [parts.chatbot, parts.turns, parts.panel, parts.box, parts.note]

    def reply(question: object, history: object, earlier: tuple[Turn, ...]) -> Iterator[list[Any]]:
        first = True
        for screen in chat.reply(question, history, earlier):
            yield _updates(screen, first)
            first = False

    def example(
        history: object, earlier: tuple[Turn, ...], chosen: gr.SelectData
    ) -> Iterator[list[Any]]:
        yield from reply(chosen.value.get("text"), history, earlier)

    # Their own concurrency id: without one the smallest limit of any event would hold.
    shared: dict[str, Any] = {"concurrency_limit": AT_ONCE, "concurrency_id": "chat", **QUIET}
    asking = parts.box.submit(reply, [parts.box, parts.chatbot, parts.turns], outputs, **shared)
    picking = parts.chatbot.example_select(example, [parts.chatbot, parts.turns], outputs, **shared)
    now: dict[str, Any] = {"queue": False, **QUIET}
    for event in (asking, picking):
        event.failure(lambda: [FAILED, _idle()], None, [parts.note, parts.box], **now)
    parts.box.stop(_idle, None, parts.box, cancels=[asking, picking], **now)
    parts.new.click(
        lambda: [[], (), {}, _idle(), ""], None, outputs, cancels=[asking, picking], **now
    )


def _updates(screen: Screen, first: bool) -> list[Any]:
    """One screen as values for the page. What somebody types meanwhile stays in the box."""
    box: dict[str, Any] = {"submit_btn": not screen.running, "stop_btn": screen.running}
    if screen.draft is not None:
        box["value"] = screen.draft
    elif first and screen.running:
        box["value"] = ""
    sources = gr.skip() if screen.sources is None else screen.sources
    return [screen.messages, screen.turns, sources, gr.update(**box), screen.note]


def _idle() -> Any:
    return gr.update(submit_btn=True, stop_btn=False)


def _article_function(chat: Chat) -> Callable[..., Data]:
    # Gradio takes the name for the browser from the function; it must be a plain function.
    def article(link: object = None) -> Data:
        return chat.article(link)

    return article


def _api(chat: Chat) -> Callable[[str], dict[str, Any]]:
    def ask(question: str) -> dict[str, Any]:
        """Answer a question from the articles, each sentence with the lines it stands on."""
        try:
            return chat.answer(question)
        except FootnoteError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return ask


def launch(
    chat: Chat, *, host: str, port: int | None, auth: tuple[str, str] | None = None
) -> tuple[gr.Blocks, str]:
    """Start serving without blocking; returns the page (close it when done) and its address."""
    port = free_port(host, port)  # First: the page loads models in a thread, and this may fail.
    page = build_page(chat)
    hosts = ["*"] if host in EVERYWHERE else [host, "localhost", "127.0.0.1"]
    style = (ROOM / "style.css").read_text("utf-8")
    page.launch(
        server_name=host,
        server_port=port,
        auth=auth,
        prevent_thread_lock=True,
        quiet=True,
        footer_links=[],
        run_history=False,
        max_file_size="1kb",  # There is nothing to upload, but gradio has a door for it.
        ssr_mode=False,
        show_error=False,
        auth_message="Footnote",
        theme=gr.themes.Base(primary_hue="teal", font=["system-ui"], font_mono=["monospace"]),
        head=f'<link rel="icon" href="{ICON}"><script>{EARLY_SCRIPT}</script>'
        f"<style>{style}</style>",
        app_kwargs={
            "middleware": [
                Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
                Middleware(Headers),
            ]
        },
    )
    shown = "localhost" if host in EVERYWHERE else host
    return page, f"http://{shown}:{port}"


def serve(
    folder: Path,
    *,
    host: str,
    port: int | None,
    auth: tuple[str, str] | None = None,
    llm: LLM | None = None,
    rewrite: bool = False,
    ready: Callable[[str], None],
) -> None:
    """Serve the chat until Ctrl-C; `ready` is called with the address once it accepts requests."""
    page, url = launch(Chat(folder, llm=llm, rewrite=rewrite), host=host, port=port, auth=auth)
    try:
        ready(url)
        Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        page.close(verbose=False)


def free_port(host: str, port: int | None) -> int:
    """The port asked for, or from the default one the first free. Raises FootnoteError."""
    first = DEFAULT_PORT if port is None else port
    for candidate in range(first, first + (PORTS_TRIED if first == DEFAULT_PORT else 1)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError as error:
                reason = error.strerror or str(error)
                continue
            return candidate
    raise FootnoteError(
        f"Nothing can be served on {host}:{first} ({reason}): choose another address with `--host` "
        "or another port with `--port`."
    )
