"""The browser chat: layout and wiring. The only file that imports gradio.

It listens on this machine unless told otherwise, loads nothing from elsewhere, and sends nothing.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Read when gradio is imported.
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr
from gradio.utils import get_upload_folder

from index.types import FootnoteError
from rag.types import LLM
from ui.chat import Chat
from ui.doors import Door, Doors
from ui.feedback import REASONS
from ui.frame import LOCAL, Running, address, free_port, head, middleware
from ui.library import LARGEST_UPLOAD, Library
from ui.screen import Asked, Screen
from ui.strings import say
from ui.welcome import Welcome

ROOM = Path(__file__).parent
SCRIPTS = ("page.js", "panel.js", "library.js", "map.js", "filter.js", "conversations.js")
# Gradio draws each part when its code has come, and may run the script before the page is there.
START = """(async () => {
while (!document.querySelector('#app #main')) await new Promise((next) => setTimeout(next, 10));
%s
})();"""
AT_ONCE = 8  # Questions answered at the same time; more wait in line.
WAITING = 64
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
EXAMPLE_PATIENCE = 4.0  # Seconds that a page waits for its examples; all else is there already.
COOKIE = re.compile(r"[0-9a-f]{32}")
THUMBS = ("Like", "Dislike")  # Gradio's names for the two icons; further reasons are in a menu.


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the page that change. `conversation` and `selection` are hidden fields."""

    chatbot: gr.Chatbot
    conversation: gr.Textbox
    panel: gr.HTML
    box: gr.Textbox
    note: gr.Markdown
    selection: gr.Textbox
    new: gr.Button

    def outputs(self) -> list[Any]:
        """What a `Screen` is put into, in the order of `_updates`."""
        return [self.chatbot, self.conversation, self.panel, self.box, self.note]


def build_page(chat: Chat, welcome: Welcome) -> gr.Blocks:
    """The page with everything it does."""
    with gr.Blocks(title="Footnote", fill_width=True, analytics_enabled=False) as page:
        parts = _lay_out(chat, welcome)
        _wire(parts, chat)
        _wire_conversations(page, parts, chat)

        def greet() -> Any:
            return gr.update(
                placeholder=welcome.text(), examples=welcome.examples(EXAMPLE_PATIENCE)
            )

        page.load(greet, None, parts.chatbot, queue=False, **QUIET)
        parts.panel.built(greet, None, parts.chatbot, queue=False, **QUIET)
        for name, function in (("ask", _ask(chat)), ("search", _search(chat))):
            gr.api(function, api_name=name, concurrency_limit=AT_ONCE, concurrency_id="api")
    page.queue(max_size=WAITING)
    return page


def _lay_out(chat: Chat, welcome: Welcome) -> Parts:
    """Put the parts in their places; the style sheets give them their look."""
    with gr.Row(elem_id="app"):
        with gr.Column(elem_id="main"):
            with gr.Row(elem_id="bar"):
                gr.Markdown("Footnote", elem_id="brand")
                # The scripts know these by their names; they act on all but the first.
                new = gr.Button(say("new"), elem_id="open-new")
                for name in ("conversations", "library", "sources"):
                    gr.Button(say(name), elem_id=f"open-{name}")
                gr.Button(say("theme", theme=""), elem_id="theme")
            chatbot = gr.Chatbot(
                elem_id="chat",
                layout="panel",
                height="auto",
                container=False,
                show_label=False,
                buttons=["copy"],
                editable="user",
                latex_delimiters=[],
                autoscroll=False,
                feedback_options=(*THUMBS, *list(REASONS.values())[1:]),
                placeholder=welcome.text(),
                group_consecutive_messages=False,
            )
            note = gr.Markdown(elem_id="note", latex_delimiters=[])
            gr.HTML('<p id="say" role="status"></p>', apply_default_css=False, elem_id="told")
            box = gr.Textbox(
                elem_id="ask",
                label=say("question"),
                placeholder=say("ask_placeholder"),
                show_label=False,
                container=False,
                autofocus=True,
                submit_btn=True,
                lines=1,
                max_lines=6,
            )
            gr.HTML('<div class="fn-only"></div>', apply_default_css=False, elem_id="only")
            conversation = gr.Textbox(visible="hidden", elem_id="conversation")
            selection = gr.Textbox(visible="hidden", elem_id="selection")
        panel = gr.HTML(
            {},
            html_template='<div class="fn-root"></div>',
            js_on_load=START % "\n".join((ROOM / name).read_text("utf-8") for name in SCRIPTS),
            server_functions=[
                _as_server_function(door) for door in Doors(chat, _is_upload).every()
            ],
            apply_default_css=False,
            elem_id="panel",
        )
    return Parts(chatbot, conversation, panel, box, note, selection, new)


def _wire(parts: Parts, chat: Chat) -> None:
    """Connect asking, picking an example, asking again, stopping."""

    def reply(
        question: object, conversation: str, only: str, request: gr.Request
    ) -> Iterator[list[Any]]:
        yield from _stream(chat.reply(Asked(question, _owner(request), conversation, only)))

    def example(
        conversation: str, only: str, chosen: gr.SelectData, request: gr.Request
    ) -> Iterator[list[Any]]:
        yield from reply(chosen.value.get("text"), conversation, only, request)

    def edit(
        conversation: str, only: str, edited: gr.EditData, request: gr.Request
    ) -> Iterator[list[Any]]:
        number = _number(edited.index)
        asked = Asked(edited.value, _owner(request), conversation, only, number)
        yield from _stream(chat.reply(asked))

    def retry(
        conversation: str, only: str, again: gr.RetryData, request: gr.Request
    ) -> Iterator[list[Any]]:
        number = _number(again.index)
        asked = Asked(None, _owner(request), conversation, only, number)
        yield from _stream(chat.reply(asked))

    # Their own concurrency id: without one the smallest limit of any event would hold.
    shared: dict[str, Any] = {"concurrency_limit": AT_ONCE, "concurrency_id": "chat", **QUIET}
    outputs, given = parts.outputs(), [parts.conversation, parts.selection]
    events = [
        parts.box.submit(reply, [parts.box, *given], outputs, **shared),
        parts.chatbot.example_select(example, given, outputs, **shared),
        parts.chatbot.edit(edit, given, outputs, **shared),
        parts.chatbot.retry(retry, given, outputs, **shared),
    ]
    now: dict[str, Any] = {"queue": False, **QUIET}
    for event in events:
        event.failure(lambda: [say("failed"), _idle()], None, [parts.note, parts.box], **now)
    parts.box.stop(_idle, None, parts.box, cancels=events, **now)
    parts.new.click(lambda: _updates(Screen([], sources={})), None, outputs, cancels=events, **now)


def _wire_conversations(page: gr.Blocks, parts: Parts, chat: Chat) -> None:
    """Connect earlier conversations, answers that somebody sent, and what is thought of one."""

    def reopen(event: gr.EventData, request: gr.Request) -> list[Any]:
        return _updates(chat.open(_owner(request), event._data.get("conversation")))

    def arrive(request: gr.Request) -> list[Any]:
        sent = request.query_params.get("answer")
        return _updates(chat.shared(sent)) if sent else [gr.skip()] * len(parts.outputs())

    def judge(conversation: str, liked: gr.LikeData, request: gr.Request) -> str:
        return chat.judge(_owner(request), conversation, _number(liked.index), liked.liked)

    now: dict[str, Any] = {"queue": False, **QUIET}
    parts.panel.open(reopen, None, parts.outputs(), **now)
    page.load(arrive, None, parts.outputs(), **now)
    parts.chatbot.like(judge, parts.conversation, parts.note, **now)


def _stream(screens: Iterator[Screen]) -> Iterator[list[Any]]:
    first = True
    for screen in screens:
        yield _updates(screen, first)
        first = False


def _updates(screen: Screen, first: bool = False) -> list[Any]:
    """One screen as values for the page. What somebody types meanwhile stays in the box."""
    box: dict[str, Any] = {"submit_btn": not screen.running, "stop_btn": screen.running}
    if screen.draft is not None:
        box["value"] = screen.draft
    elif first and screen.running:
        box["value"] = ""
    sources = gr.skip() if screen.sources is None else screen.sources
    return [screen.messages, screen.conversation, sources, gr.update(**box), screen.note]


def _idle() -> Any:
    return gr.update(submit_btn=True, stop_btn=False)


def _number(index: Any) -> int:
    """Which exchange a message belongs to: a question and its answer are two messages."""
    return int(index[0] if isinstance(index, (list, tuple)) else index) // 2


def _owner(request: gr.Request) -> str:
    """Whose conversations: those of a browser, or of one page where cookies are refused."""
    cookie = request.cookies.get("footnote", "")
    if COOKIE.fullmatch(cookie):
        return f"browser:{cookie}"
    session = getattr(request, "session_hash", "")
    return f"page:{session}" if session else ""


def _is_upload(path: Path) -> bool:
    """Whether a path is that of a file that the browser has sent, and not any file here."""
    there = path.resolve()
    return there.is_relative_to(Path(get_upload_folder()).resolve()) and there.is_file()


def _as_server_function(door: Door) -> Callable[..., Any]:
    # Gradio takes the name for the browser from the function, and the request by its annotation.
    def called(sent: object, request: gr.Request) -> Any:
        return door(_owner(request), sent)

    called.__name__ = door.__name__
    return called


def _ask(chat: Chat) -> Callable[[str], dict[str, Any]]:
    def ask(question: str) -> dict[str, Any]:
        """Answer a question from the user's own articles.

        Every sentence of the answer is quoted from an article, with the file and the lines it
        stands on. `answered` is false when the articles do not say; then do not answer from
        memory. `conflict` lists values where the articles disagree.

        Args:
            question: A whole question in plain words, such as "Who designed the Orrin Bridge?"

        """
        try:
            return chat.answer(question)
        except FootnoteError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return ask


def _search(chat: Chat) -> Callable[[str], list[dict[str, Any]]]:
    def search(query: str) -> list[dict[str, Any]]:
        """Find the passages of the user's own articles that fit a query best, best first.

        Args:
            query: Words or a question; a "phrase" must stand so, and a -word must not stand.

        """
        try:
            return chat.search(query)
        except FootnoteError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return search


def launch(
    chat: Chat, *, host: str, port: int | None, auth: tuple[str, str] | None = None
) -> tuple[gr.Blocks, str]:
    """Start serving without blocking; returns the page (close it when done) and its address."""
    port = free_port(host, port)
    welcome = Welcome(chat)
    page = build_page(chat, welcome)
    page.launch(
        server_name=host,
        server_port=port,
        auth=auth,
        prevent_thread_lock=True,
        quiet=True,
        footer_links=[],
        run_history=False,
        # Where nothing can be added there is nothing to upload, but gradio has a door for it.
        max_file_size=LARGEST_UPLOAD if chat.library.changeable else "1kb",
        mcp_server=find_spec("mcp") is not None,  # Comes with `pip install footnote[mcp]`.
        ssr_mode=False,
        show_error=False,
        auth_message="Footnote",
        theme=gr.themes.Base(primary_hue="teal", font=["system-ui"], font_mono=["monospace"]),
        head=head(),
        app_kwargs={"middleware": middleware(host)},
    )
    page.app.iterators = Running()
    # Loads the models too. Beside the start of Gradio it would only make both slower.
    welcome.examples(patience=0)
    return page, address(host, port)


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
    # Whoever reaches this page may ask; only who is here, or has the password, changes things.
    library = Library(folder, changeable=host in LOCAL or auth is not None)
    chat = Chat(folder, llm=llm, rewrite=rewrite, library=library)
    page, url = launch(chat, host=host, port=port, auth=auth)
    try:
        ready(url)
        Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        page.close(verbose=False)
        chat.close()
