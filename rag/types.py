"""The nouns of answering: a hit, a citation, an answer.

An answer is streamed as a sequence of ever fuller `Answer`s, each complete and valid.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from index import Chunk
from index.types import Range


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found: its fused score, its cosine, its BM25 score (0 without a word)."""

    chunk: Chunk
    score: float
    cosine: float
    bm25: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A span of characters in a passage that may answer, and its score.

    The score is the span's logit less that of "no answer here"; above 0 the reader believes it.
    """

    start: int
    end: int
    score: float


class Reader(Protocol):
    """Finds the words that answer a question in passages."""

    def read(self, question: str, passages: Sequence[str]) -> list[list[Reading]]:
        """For each passage, in the same order, its best spans, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a language model: who speaks (system or user), and what."""

    role: str
    text: str


class LLM(Protocol):
    """A language model. `context` are the tokens that it reads and writes in one go."""

    name: str
    context: int

    def count(self, text: str) -> int:
        """The tokens of a text, or an estimate that is rather too high."""
        ...

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """What it writes, in pieces; closing the stream stops it. Raises LLMUnusable."""
        ...


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of an answer stands: `article.text[start:end] == quote`, always.

    `short` is the range of the answering words inside it, in the same offsets. `date` (ISO, as far
    as it is known) and `author` are the article's, empty where it does not say. `copies` are other
    files with much the same article that say the cited sentence too: no further witnesses.
    """

    number: int
    id: str
    file: str
    title: str
    start: int
    end: int
    lines: Range | None
    page: int | None
    heading: str | None
    quote: str
    short: Range | None = None
    date: str = ""
    author: str = ""
    copies: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The citation as the command line prints it."""
        return {
            "number": self.number,
            "id": self.id,
            "file": self.file,
            "title": self.title,
            "start": self.start,
            "end": self.end,
            "lines": list(self.lines) if self.lines else None,
            "page": self.page,
            "heading": self.heading,
            "quote": self.quote,
            "date": self.date or None,
            "author": self.author or None,
            "copies": list(self.copies),
        }


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer with the numbers of the citations it stands on.

    Without numbers it is wording of ours, never a statement about the articles' subjects.
    """

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """One of several values that sources give for the same thing."""

    value: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation and what was found for it."""

    question: str
    searched_for: str = ""
    short_answer: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, complete and valid at every step of its stream.

    `confidence` are the log odds that the articles answer: above 0 they are believed to.
    `citations` were used, `looked_at` were read and not used; `nearest` stand in for an answer
    when there is none. With a language model, `mode` is "llm" and `model` its name; sentences of
    its answer that no passage bears are under `unsupported` and cite nothing, and `extractive` is
    the answer in the articles' own words. `note` tells a user how it was made, where that matters.
    """

    question: str
    searched_for: str
    answered: bool
    paragraphs: tuple[tuple[Sentence, ...], ...] = ()
    short_answer: str | None = None
    citations: tuple[Citation, ...] = ()
    conflict: tuple[Value, ...] = ()
    unsupported: tuple[str, ...] = ()
    nearest: tuple[Citation, ...] = ()
    looked_at: tuple[Citation, ...] = ()
    mode: str = "extractive"
    confidence: float = 0.0
    seconds: float = 0.0
    model: str = ""
    note: str = ""
    extractive: "Answer | None" = None

    @property
    def text(self) -> str:
        """The answer as plain text with its citation numbers: `A sentence. [1] Another. [2]`."""
        return "\n\n".join(
            " ".join(
                sentence.text + "".join(f" [{number}]" for number in sentence.citations)
                for sentence in paragraph
            )
            for paragraph in self.paragraphs
        )

    def as_json(self, id: str | None = None) -> dict[str, Any]:
        """The answer as `rag ask --json` prints it."""
        return {
            "id": id,
            "question": self.question,
            "searched_for": self.searched_for,
            "answered": self.answered,
            "mode": self.mode,
            "answer": self.text,
            "short_answer": self.short_answer,
            "citations": [citation.as_json() for citation in self.citations],
            "conflict": [
                {"value": value.value, "citations": list(value.citations)}
                for value in self.conflict
            ]
            or None,
            "unsupported": list(self.unsupported),
            "nearest": [citation.as_json() for citation in self.nearest],
            "model": self.model or None,
            "note": self.note or None,
            "seconds": round(self.seconds, 3),
        }
