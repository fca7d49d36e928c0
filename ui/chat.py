"""What happens on Enter, as plain generators. Knows no Gradio.

One `Chat` serves everybody: it holds the opened index and nothing about a conversation. What it is
given comes from browsers, so every argument is checked here.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from index.manifest import current_build
from index.types import FootnoteError
from rag import Answer, Citation, Index, Turn, ask, open_index
from rag.answer import LONGEST_QUESTION, turn
from rag.types import LLM
from ui.examples import example_questions
from ui.render import (
    Data,
    Shown,
    error_markdown,
    escape,
    markdown,
    read_link,
    source,
    sources,
    token,
)

Message = dict[str, str]
"""A message of the chat: its role (user or assistant) and its Markdown content."""

TOO_LONG = (
    "This question has {length:,} characters; please shorten it to {limit:,}. "
    "Your text is still in the box."
)
LOOKING = "*Looking through your articles …*"
WELCOME = """# What would you like to know?

Footnote answers from your {articles}, and shows the exact lines every sentence stands on."""
NO_INDEX = """# No articles yet

Run `rag index` with the folder of your articles, then ask here. This page need not be reloaded."""
UNKNOWN_SOURCE = "This article is no longer in the index."
PACE = 0.1  # Seconds between two steps of a stream: drawing more often slows long chats down.
KEPT_MESSAGES = 200  # Of a conversation that the browser sends back.
KEPT_TURNS = 8  # Earlier questions that a follow-up may refer to.


@dataclass(frozen=True, slots=True)
class Screen:
    """What the page shows at one moment. `None` leaves that part of the page as it is.

    `draft` is the text in the question box, `note` a sentence above it.
    """

    messages: list[Message]
    turns: tuple[Turn, ...]
    sources: Data | None = None
    draft: str | None = None
    note: str = ""
    running: bool = False


class Chat:
    """Answers from the newest index in a folder."""

    def __init__(
        self,
        folder: Path,
        answers: Callable[..., Iterator[Answer]] = ask,
        *,
        llm: LLM | None = None,
        rewrite: bool = False,
    ) -> None:
        self.folder = folder
        self._answers = answers
        self._written = {"llm": llm, "rewrite": rewrite} if llm else {}
        self._lock = Lock()
        self._index: Index | None = None
        self._files: dict[str, str] = {}

    def index(self) -> Index:
        """The current index, opened again when a newer build is there. Raises IndexUnusable.

        Questions that are being answered go on with the one they began with.
        """
        with self._lock:
            build = current_build(self.folder)
            if self._index is None or self._index.build != build:
                index = open_index(self.folder)
                self._files = {token(file): file for file in index.files()}
                self._index = index
            return self._index

    def reply(self, question: object, history: object, turns: tuple[Turn, ...]) -> Iterator[Screen]:
        """Answer a question, as a stream of ever fuller screens."""
        messages = trusted(history)
        asked = question.strip() if isinstance(question, str) else ""
        if not asked:
            yield Screen(messages, turns)
            return
        if len(asked) > LONGEST_QUESTION:
            note = TOO_LONG.format(length=len(asked), limit=LONGEST_QUESTION)
            yield Screen(messages, turns, note=note)
            return
        messages = [*messages, {"role": "user", "content": escape_lines(asked)}]
        yield Screen([*messages, _said(LOOKING)], turns, draft="", running=True)
        try:
            last = None
            index = self.index()
            words = shown_in(index)
            answers = self._answers(asked, index, history=turns[-KEPT_TURNS:], **self._written)
            for answer in paced(answers):
                shown = [*messages, _said(markdown(answer, words))]
                listed = {**sources(answer, words), "turn": len(turns) + 1}
                last = Screen(shown, (*turns, turn(answer)), listed, running=True)
                yield last
            if last:
                yield replace(last, running=False)
        except FootnoteError as error:
            # The question goes back into the box, to be asked again when the cause is mended.
            yield Screen([*messages, _said(error_markdown(str(error)))], turns, draft=asked)

    def answer(self, question: str) -> Data:
        """The answer to one question, as `rag ask --json` prints it. Raises FootnoteError."""
        *_, last = self._answers(str(question).strip(), self.index(), **self._written)
        return last.as_json()

    def article(self, link: object = None) -> Data:
        """The article behind a citation's link, ready for the panel, or why there is none."""
        target = read_link(link)
        if target is None:
            return {"error": "This is not a link to a source."}
        try:
            index = self.index()
        except FootnoteError as error:
            return {"error": str(error)}
        article = index.article(self._files.get(target.token, ""))
        if article is None:
            return {"error": UNKNOWN_SOURCE}
        return source(article, target)

    def build(self) -> Path | None:
        """The folder of the current build, if there is one."""
        try:
            return current_build(self.folder)
        except FootnoteError:
            return None

    def articles(self) -> int:
        """How many articles are indexed; 0 without an index."""
        try:
            return self.index().manifest.articles
        except FootnoteError:
            return 0

    def examples(self) -> list[str]:
        """A few questions that the indexed articles answer; the models are warm afterwards."""
        try:
            index = self.index()
            self._is_answered(index.manifest.model, index)  # Any question: it loads the models.
            return example_questions(index, lambda question: self._is_answered(question, index))
        except FootnoteError:
            return []

    def _is_answered(self, question: str, index: Index) -> bool:
        *_, last = self._answers(question, index)
        told = bool(last.short_answer) or len(last.citations) > 1
        return last.answered and told and not last.conflict


class Welcome:
    """What the empty page says; its examples are found in the background, once a build."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._build: Path | None = None
        self._search = Thread()
        self._questions: list[str] = []
        self._lock = Lock()

    def text(self) -> str:
        """The welcome, or how to begin when there is no index."""
        articles = self._chat.articles()
        counted = "article" if articles == 1 else f"{articles:,} articles"
        return WELCOME.format(articles=counted) if articles else NO_INDEX

    def examples(self, patience: float) -> list[dict[str, str]]:
        """The example questions of the current build that are known after `patience` seconds."""
        with self._lock:
            build = self._chat.build()
            if build != self._build:
                self._build, self._questions = build, []
                # No daemon: a thread inside onnxruntime that is killed aborts the whole process.
                self._search = Thread(target=self._find)
                self._search.start()
        if build:
            self._search.join(patience)
        return [{"text": question} for question in self._questions]

    def _find(self) -> None:
        self._questions = self._chat.examples()


def paced(answers: Iterable[Answer], pace: float = PACE) -> Iterator[Answer]:
    """A stream thinned out to one answer in `pace` seconds; the last one always comes."""
    shown_at = float("-inf")
    held: Answer | None = None
    for answer in answers:
        held = answer
        if time.perf_counter() - shown_at >= pace:
            yield answer
            held, shown_at = None, time.perf_counter()
    if held is not None:
        yield held


def shown_in(index: Index) -> Shown:
    """A function from a citation to its words without marks; reads each article once."""
    article = cache(index.article)

    def shown(citation: Citation) -> str:
        found = article(citation.file)
        return found.shown(citation.start, citation.end) if found else citation.quote

    return shown


def trusted(history: object) -> list[Message]:
    """The messages that a browser sent back, less everything that is not text of the two roles."""
    messages: list[Message] = []
    for message in history if isinstance(history, list) else []:
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            continue
        text = _text(message.get("content"))
        if text:
            messages.append({"role": message["role"], "content": text})
    return messages[-KEPT_MESSAGES:]


def _text(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = (
        part.get("text") if isinstance(part, dict) and part.get("type") == "text" else part
        for part in parts
    )
    return "".join(text for text in texts if isinstance(text, str))


def escape_lines(text: str) -> str:
    """A question as Markdown, its own lines kept."""
    return "\n".join(escape(line) for line in text.split("\n"))


def _said(content: str) -> Message:
    return {"role": "assistant", "content": content}
