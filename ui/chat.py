"""What happens on Enter, as plain generators. Knows no Gradio.

One `Chat` serves everybody: it holds the opened index, and conversations by their owner. What it is
given comes from browsers, so every argument is checked here.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Event, Lock

from index import Article, Index
from index.manifest import current_build
from index.types import FootnoteError
from rag import Answer, Citation, ask, open_index
from rag import search as find_passages
from rag.answer import LONGEST_QUESTION, prepare
from rag.cite import cite
from rag.types import LLM
from ui.article import columns, source
from ui.conversations import Conversations, Exchange, new_id
from ui.examples import example_questions, follow_ups
from ui.export import references
from ui.feedback import REASONS, record
from ui.library import Library
from ui.render import (
    Data,
    Shown,
    error_markdown,
    escape,
    markdown,
    read_link,
    sources,
    token,
    unescape,
)
from ui.screen import (
    SHOWN_EXCHANGES,
    Asked,
    Screen,
    escape_lines,
    messages_of,
    paced,
    said,
)
from ui.selection import in_words, read_selection
from ui.strings import say

FEEDBACK = "feedback.jsonl"
KEPT_TURNS = 8  # Earlier questions that a follow-up may refer to.


class Chat:
    """Answers from the newest index in a folder, and keeps what was asked and answered."""

    def __init__(
        self,
        folder: Path,
        answers: Callable[..., Iterator[Answer]] = ask,
        *,
        llm: LLM | None = None,
        rewrite: bool = False,
        library: Library | None = None,
    ) -> None:
        self.folder = folder
        self.library = library or Library(folder)
        self.conversations = Conversations(folder / "conversations.sqlite")
        self._answers = answers
        self._written = {"llm": llm, "rewrite": rewrite} if llm else {}
        self._lock = Lock()
        self._judging = Lock()
        self._finding = Lock()
        self._closing = Event()
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

    def index_or_none(self) -> Index | None:
        """The current index, or None where there is none to open."""
        try:
            return self.index()
        except FootnoteError:
            return None

    def file(self, token: str) -> str:
        """The file that a link means; empty for one that is not in the index."""
        return self._files.get(token, "")

    def reply(self, asked: Asked) -> Iterator[Screen]:
        """Answer a question, as a stream of ever fuller screens, and keep the answer."""
        try:
            everything = self.conversations.exchanges(asked.owner, _text(asked.conversation))
        except FootnoteError as error:  # The question stays in the box.
            yield Screen([], note=error_markdown(str(error)))
            return
        conversation = _text(asked.conversation) if everything else new_id()
        kept = everything
        if asked.number is not None:
            kept = everything[: max(0, asked.number + max(0, len(everything) - SHOWN_EXCHANGES))]
        messages = messages_of(kept)
        question = _text(asked.question).strip()
        if asked.question is None and asked.number is not None and len(everything) > len(kept):
            question = everything[len(kept)].question  # The same once more.
        elif asked.number is not None:
            question = unescape(question)  # It was edited as the Markdown it is shown as.
        if not question:
            note = say("empty") if isinstance(asked.question, str) else ""
            yield Screen(messages, conversation, note=note)
            return
        if len(question) > LONGEST_QUESTION:
            limit, length = f"{LONGEST_QUESTION:,}", f"{len(question):,}"
            note = say("too_long", length=length, limit=limit)
            yield Screen(messages, conversation, note=note)
            return
        messages = [*messages, {"role": "user", "content": escape_lines(question)}]
        looking = said(f"*{say('looking')}*")
        yield Screen([*messages, looking], conversation, draft="", running=True)
        exchange, last = None, None
        try:
            for exchange in self._exchanges(question, kept, asked.only):
                shown = [*messages, said(exchange.markdown)]
                place = {"turn": f"{conversation}-{len(kept)}", "conversation": conversation}
                listed = {**exchange.sources, **place, "answer": exchange.id}
                last = Screen(shown, conversation, listed, running=True)
                yield last
        except FootnoteError as error:
            # The question goes back into the box, to be asked again when the cause is mended.
            failed = said(error_markdown(str(error)))
            yield Screen([*messages, failed], conversation, draft=question)
            return
        finally:
            note = self._keep(asked, conversation, len(kept), exchange)
        if last and last.sources:
            yield replace(last, sources={**last.sources, "done": True}, note=note, running=False)

    def _exchanges(self, question: str, kept: list[Exchange], only: object) -> Iterator[Exchange]:
        """The answer as it grows, each time with all that the page shows of it."""
        index = self.index()
        selection = read_selection(only)
        article = cache(index.article)
        shown = shown_by(article)
        chosen = {"only": selection} if selection else {}
        history = tuple(one.turn for one in kept[-KEPT_TURNS:])
        answers = self._answers(question, index, history=history, **chosen, **self._written)
        asked = datetime.now(UTC).isoformat(timespec="seconds")
        id = new_id()
        for answer in paced(answers):
            yield Exchange(
                id=id,
                question=question,
                searched_for=answer.searched_for,
                answer=answer.as_json(),
                markdown=markdown(answer, shown, only=in_words(selection), kept_as=id),
                sources={
                    **sources(answer, shown),
                    "columns": columns(answer, article),
                    "searched_for": answer.searched_for,
                },
                asked=asked,
            )

    def _keep(self, asked: Asked, conversation: str, number: int, exchange: Exchange | None) -> str:
        """Keep an answer, also one that was stopped; returns why it could not be, if so."""
        if exchange is None or not asked.owner:
            return ""
        try:
            self.conversations.cut(asked.owner, conversation, number)
            self.conversations.keep(asked.owner, conversation, exchange)
        except FootnoteError as error:
            return str(error)
        return ""

    def open(self, owner: str, conversation: object) -> Screen:
        """An earlier conversation as it was left."""
        id = _text(conversation)
        kept = self.conversations.exchanges(owner, id)
        if not kept:
            return Screen([], sources={})
        listed = {**kept[-1].sources, "turn": f"{id}-{len(kept) - 1}", "conversation": id}
        return Screen(messages_of(kept), id, {**listed, "answer": kept[-1].id, "done": True})

    def shared(self, exchange: object) -> Screen:
        """An answer that somebody sent a link to, as the beginning of a conversation of one's own.

        Who has the link may read that answer, and nothing else of the conversation it is from.
        """
        found = self.conversations.exchange(_text(exchange))
        if found is None:
            return Screen([], sources={}, note=say("no_such_answer"))
        listed = {**found.sources, "turn": found.id, "answer": found.id, "sent": True}
        return Screen(messages_of([found]), "", {**listed, "conversation": ""})

    def judge(self, owner: str, conversation: object, number: int, liked: bool | str | None) -> str:
        """Keep what somebody thinks of an answer, for `rag eval`; returns a word of thanks."""
        reasons = {words: verdict for verdict, words in REASONS.items()}
        thumbs = {True: "right", False: "wrong"}
        verdict = thumbs[liked] if isinstance(liked, bool) else reasons.get(str(liked), "")
        file = self.folder / FEEDBACK
        try:
            with self._judging:  # Gradio tells of a click on a reason twice, at the same moment.
                kept = self.conversations.exchanges(owner, _text(conversation))
                number += max(0, len(kept) - SHOWN_EXCHANGES)
                if not 0 <= number < len(kept):
                    return ""
                judged = self.conversations.judge(owner, kept[number].id, verdict)
                if judged is not None and verdict != kept[number].verdict:
                    record(file, judged, verdict)
        except FootnoteError as error:
            return str(error)
        return say("thanks_noted", file=escape(str(file))) if verdict else ""

    def close(self) -> None:
        """Stop a build and a search for examples that run, and let go of the files."""
        self._closing.set()
        with self._finding:  # A thread that goes on while Python ends could start no others.
            pass
        if self._index:  # A model that is being loaded while Python ends aborts the process.
            with suppress(FootnoteError):
                prepare(self._index)
        self.library.close()
        self.conversations.close()

    def answer(self, question: str) -> Data:
        """The answer to one question, as `rag ask --json` prints it. Raises FootnoteError."""
        *_, last = self._answers(str(question).strip(), self.index(), **self._written)
        return last.as_json()

    def search(self, query: str) -> list[Data]:
        """The passages for a query, best first, as `rag search --json` prints them."""
        hits = find_passages(str(query).strip(), self.index())
        return [
            {
                "rank": rank,
                "score": round(hit.score, 4),
                "file": hit.chunk.file,
                "title": hit.chunk.title,
                "start": hit.chunk.start,
                "end": hit.chunk.end,
                "text": hit.chunk.text,
            }
            for rank, hit in enumerate(hits, 1)
        ]

    def article(self, link: object = None) -> Data:
        """The article behind a citation's link, ready for the panel. Raises FootnoteError."""
        target = read_link(link)
        if target is None:
            raise FootnoteError(say("no_link"))
        index = self.index()
        article = index.article(self.file(target.token))
        if article is None:
            raise FootnoteError(say("unknown_source"))
        shown = source(article, target)
        start, end = target.cited
        if start < end and not shown["note"]:
            cited = cite(article, start, end, number=1, index=index)
            shown["references"] = references(cited.as_json())
        return {**shown, "changed": self.library.is_changed(article.file)}

    def suggestions(self, exchange: str) -> list[str]:
        """Questions to go on with after an answer, from the articles it cites."""
        found = self.conversations.exchange(exchange)
        index = self.index_or_none()
        if found is None or index is None:
            return []
        files = list(dict.fromkeys(one["file"] for one in found.answer["citations"]))
        articles = [article for file in files if (article := index.article(file))]
        return follow_ups(
            articles, found.searched_for, lambda question: self._is_answered(question, index)
        )

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

        def is_answered(question: str) -> bool:
            return not self._closing.is_set() and self._is_answered(question, index)

        with self._finding, suppress(FootnoteError):
            index = self.index()
            is_answered(index.manifest.model)  # Any question: it loads the models.
            return example_questions(index, is_answered)
        return []

    def _is_answered(self, question: str, index: Index) -> bool:
        *_, last = self._answers(question, index)
        told = bool(last.short_answer) or len(last.citations) > 1
        return last.answered and told and not last.conflict


def shown_by(article: Callable[[str], Article | None]) -> Shown:
    """A function from a citation to its words without marks."""

    def shown(citation: Citation) -> str:
        found = article(citation.file)
        return found.shown(citation.start, citation.end) if found else citation.quote

    return shown


def _text(sent: object) -> str:
    return sent if isinstance(sent, str) else ""
