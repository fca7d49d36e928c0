"""An answer that a language model writes, each sentence checked before it is shown.

The model sees the passages that were found; what it says of them is believed only where a sentence
of theirs bears it. Wherever it cannot answer, the articles' own sentences do.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from index import Index
from index.types import FootnoteError, Range
from rag.cite import cite
from rag.extract import Finding
from rag.markers import Draft, drafts
from rag.prompt import REFUSAL, answer_messages, rewrite_messages
from rag.types import LLM, Answer, Citation, Message, Sentence, Turn
from rag.verify import Passages, Place

OWN_WORDS = "These are the articles' own words."
REPEATED = 3  # Times that a sentence is written before the model is stopped: it goes in circles.
MOST_SENTENCES = 30
MOST_CHARACTERS = 6000  # For a server that does not keep to the tokens it is allowed.
LONGEST_REWRITE = 300  # Characters; a longer question is no rewrite but an answer.


def write(
    extractive: Answer,
    findings: Sequence[Finding],
    index: Index,
    llm: LLM,
    history: Sequence[Turn],
) -> Iterator[Answer]:
    """Ever fuller written answers; the extractive one, with a note why, where there is none."""
    yield replace(extractive, note=f"{llm.name} is writing …")
    messages, shown = answer_messages(
        extractive.searched_for, findings, history, context=llm.context, count=llm.count
    )
    passages = Passages(findings[:shown], index)
    base = replace(extractive, paragraphs=(), citations=(), mode="llm", model=llm.name)
    answer, checked = base, Checked(passages, index)
    try:
        for paragraphs in _written(llm, messages):
            answer = checked.answer(base, paragraphs)
            if answer.paragraphs:
                yield answer
    except FootnoteError as error:
        yield replace(extractive, note=f"{error} {OWN_WORDS}")
        return
    if not answer.paragraphs:
        yield replace(extractive, note=f"{llm.name} wrote nothing. {OWN_WORDS}")
    elif not answer.citations:
        refused = REFUSAL.rstrip(".") in answer.text
        told = "found no answer in the passages" if refused else "wrote nothing that stands in them"
        yield replace(extractive, note=f"{llm.name} {told}. {OWN_WORDS}")
    else:
        short = extractive.short_answer
        kept = short if short and short.casefold() in answer.text.casefold() else None
        yield replace(answer, short_answer=kept, extractive=extractive)


def rewritten(question: str, history: Sequence[Turn], llm: LLM) -> str | None:
    """A follow-up as the model makes it stand alone; None where it cannot."""
    if not history:
        return None
    try:
        with closing(llm.stream(rewrite_messages(question, history))) as pieces:
            words = ""
            for piece in pieces:
                words += piece
                if len(words) > LONGEST_REWRITE:
                    return None
    except FootnoteError:
        return None
    lines = [line.strip(' "“”') for line in words.strip().splitlines()]
    return next(filter(None, lines), None)


def _written(llm: LLM, messages: Sequence[Message]) -> Iterator[list[list[Draft]]]:
    """All whole sentences so far, whenever there is one more; ends when the model does."""
    written, known = "", 0
    with closing(llm.stream(messages)) as pieces:
        for piece in pieces:
            written += piece
            if len(written) > MOST_CHARACTERS:
                break
            found = drafts(written, ended=False)
            count = sum(map(len, found))
            if count > known:
                known = count
                yield found
                counted = Counter(draft.text for paragraph in found for draft in paragraph)
                if count >= MOST_SENTENCES or max(counted.values()) >= REPEATED:
                    return
    yield drafts(written, ended=True)


class Checked:
    """The sentences of one answer that were checked, each once, and their citations."""

    def __init__(self, passages: Passages, index: Index) -> None:
        self._passages = passages
        self._index = index
        self._places: dict[Draft, Place | None] = {}

    def answer(self, base: Answer, paragraphs: Sequence[Sequence[Draft]]) -> Answer:
        """The answer with these paragraphs; a sentence that is written twice is said once."""
        numbers: dict[tuple[str, Range], int] = {}
        citations: list[Citation] = []
        unsupported: list[str] = []
        said: set[str] = set()
        before = base.searched_for
        told: list[tuple[Sentence, ...]] = []
        for paragraph in paragraphs:
            sentences = []
            for draft in paragraph:
                if draft.text in said:
                    continue
                said.add(draft.text)
                place = self._place(draft, before)
                before = draft.text
                if place is None:
                    unsupported.append(draft.text)
                    sentences.append(Sentence(draft.text))
                    continue
                cited = place.article.file, place.range
                if cited not in numbers:
                    number = numbers[cited] = len(numbers) + 1
                    quote = cite(place.article, *place.range, number=number, index=self._index)
                    citations.append(quote)
                sentences.append(Sentence(draft.text, (numbers[cited],)))
            if sentences:
                told.append(tuple(sentences))
        return replace(
            base,
            paragraphs=tuple(told),
            citations=tuple(citations),
            unsupported=tuple(unsupported),
            looked_at=(),
        )

    def _place(self, draft: Draft, before: str) -> Place | None:
        if draft not in self._places:
            self._places[draft] = self._passages.support(draft, before)
        return self._places[draft]
