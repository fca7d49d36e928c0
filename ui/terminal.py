"""An Answer, hits, an article as text for the terminal, or plain for a pipe. Pure.

Everything is built as pieces of text with a style, so that no article can smuggle in markup, and
control characters are made visible, so that none can drive the terminal.
"""

import re
from collections.abc import Iterator, Sequence

from index import Article
from index.types import Range
from rag.types import Answer, Citation, Hit, Value

Piece = tuple[str, str]
"""Words and the name of a rich style, empty for plain."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MARK = "bold cyan"
LIT = "black on yellow"
QUIET = "dim"
DOUBTED = "strike"
NOWHERE = "no passage says this"
COPIES_NAMED = 3
SNIPPET = 300  # Characters of a passage in a list of hits.


def clean(text: str) -> str:
    """Text without control characters: they could move the cursor or reverse what is read."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def place(citation: Citation) -> str:
    """Where a citation stands, in words: `line 12`, `lines 12-14`, `page 3`, or its heading."""
    if citation.page is not None or citation.lines is not None:
        first, last = citation.lines or (0, 0)
        there = f"line {first}" if first == last else f"lines {first}-{last}"
        page = f"page {citation.page}" if citation.page is not None else ""
        return ", ".join(filter(None, (page, there if citation.lines else "")))
    named = citation.heading and citation.heading != citation.title
    return f"under “{citation.heading}”" if named else ""


def also_in(citation: Citation) -> str:
    """The copies of an article that say the same, in words; empty when there are none."""
    named = ", ".join(citation.copies[:COPIES_NAMED])
    more = len(citation.copies) - COPIES_NAMED
    return (f"also in {named}" + f" and {more} more" * (more > 0)) if named else ""


def answer_pieces(answer: Answer) -> Iterator[Piece]:
    """A whole answer: what was searched for, the short answer, the sentences, the sources."""
    if answer.searched_for != answer.question.strip():
        yield f"searched for: {clean(answer.searched_for)}\n\n", QUIET
    if answer.note:
        yield f"{clean(answer.note)}\n\n", QUIET
    if answer.short_answer:
        yield f"{clean(answer.short_answer)}\n\n", "bold"
    for number, paragraph in enumerate(answer.paragraphs):
        if number == 1:  # What the sources disagree about, below the sentence that says so.
            yield from value_pieces(answer.conflict)
        for position, sentence in enumerate(paragraph):
            unsupported = sentence.text in answer.unsupported
            yield (" " if position else "") + clean(sentence.text), DOUBTED if unsupported else ""
            if unsupported:
                yield f" [{NOWHERE}]", MARK
            for cited in sentence.citations:
                yield f" [{cited}]", MARK
        yield "\n\n", ""
    if answer.mode == "llm":
        yield f"Written by {clean(answer.model)}; every sentence was checked.\n", QUIET
    yield from citation_pieces(answer.citations)
    if answer.nearest:
        yield "Nearest passages:\n", ""
        yield from citation_pieces(answer.nearest, quoted=True)


def value_pieces(values: Sequence[Value]) -> Iterator[Piece]:
    """The values that sources disagree about, a line each; nothing when they agree."""
    for value in values:
        yield clean(value.value), "bold"
        for number in value.citations:
            yield f" [{number}]", MARK
        yield "\n", ""
    if values:
        yield "\n", ""


def citation_pieces(citations: Sequence[Citation], *, quoted: bool = False) -> Iterator[Piece]:
    """A list of citations: number, title, place, and the id that `rag show` takes."""
    for citation in citations:
        yield f"[{citation.number}] ", MARK
        where = (clean(citation.title), clean(citation.date), place(citation))
        yield ", ".join(filter(None, (*where, clean(also_in(citation))))), ""
        yield f"  {clean(citation.id)}\n", QUIET
        if quoted:
            yield f"    {_snippet(citation.quote)}\n", QUIET


def hit_pieces(hits: Sequence[Hit], ids: Sequence[str]) -> Iterator[Piece]:
    """Search results, best first."""
    for rank, (hit, id) in enumerate(zip(hits, ids, strict=True), 1):
        yield f"{rank}. ", MARK
        yield clean(hit.chunk.title), "bold"
        yield f"  {clean(id)}  {hit.score:.2f}\n", QUIET
        yield f"   {_snippet(hit.chunk.text)}\n", ""


def article_pieces(article: Article, lit: Range, shown: Range) -> Iterator[Piece]:
    """A stretch of an article with one range lit."""
    yield clean(article.title), "bold"
    yield f"  {clean(article.file)}\n\n", QUIET
    yield clean(article.text[shown[0] : lit[0]]), QUIET
    yield clean(article.text[lit[0] : lit[1]]), LIT if lit != shown else ""
    yield clean(article.text[lit[1] : shown[1]]), QUIET
    yield "\n", ""


def _snippet(text: str) -> str:
    words = clean(" ".join(text.split()))
    return words if len(words) <= SNIPPET else words[: words.rfind(" ", 0, SNIPPET)] + " …"


def surroundings(article: Article, start: int, end: int) -> Range:
    """The range with a sentence before and after it, at most, from whole paragraphs."""
    before = [a for a, b in article.sentences if b <= start][-1:]
    after = [b for a, b in article.sentences if a >= end][:1]
    return min([*before, start]), max([*after, end])
