"""Passages -> findings: where in each the answering words stand, and which passage answers best."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from index import Article, Index
from index.types import Range
from rag.context import is_heading, leans_on, sentence_at
from rag.kinds import BEST_FORM, form, subject, wants_time, without_kind
from rag.types import Hit, Reader, Reading

# The reader sees whole sentences of about this many characters at a time: it was trained on short
# passages, and pointed at the right words half as often again as in whole chunks. Windows that
# overlap by a sentence cost a third more time and gained nothing (benchmarks/README.md).
WINDOW = 300
# What counts beside the reader's logit: the retrieval score (about 0 to 1), and the share of the
# question's words, weighted by rarity, in the very sentence. Their share in the whole passage added
# nothing (training/calibrate.py).
RETRIEVAL_WEIGHT = 4.0
COVERAGE_WEIGHT = 7.0

WINDOWS_READ = 14  # Of about 30; those left out held the best answer in 1 of 300 questions.
UNREAD = -10.0  # The confidence of words that the reader did not see.
HEADING = -20.0  # A heading names what the text below it says.
NAME_GOES_ON = re.compile(r" (?=[^\W\d_])[^\W\d_a-z][^\W\d_]*\b")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one passage has to say: the answering words and the sentences they stand in."""

    hit: Hit
    article: Article
    span: Range
    sentence: Range
    confidence: float  # The reader's logit; above 0 it believes the span.
    coverage: float  # Share of the question's words in the passage, 0 to 1.
    sentence_coverage: float  # The same for the very sentence, its title included.
    score: float  # The reader, retrieval, the sentence's words and the form of the answer together.

    @property
    def words(self) -> str:
        """The answering words as a person sees them."""
        return self.article.shown(*self.span)


def find(question: str, hits: Sequence[Hit], index: Index, reader: Reader) -> list[Finding]:
    """Read every passage; the findings, one a passage, best first."""
    read = _read(question, hits, index, reader)
    best = [passage.best(question, spans) for passage, spans in read if spans]
    return sorted(best, key=_order, reverse=True)


def _order(finding: Finding) -> tuple[float, int, int]:
    # Equal scores in the order of the text, so that the same question gives the same answer.
    return finding.score, -finding.hit.chunk.id, -finding.span[0]


def candidates(
    question: str, hits: Sequence[Hit], index: Index, reader: Reader
) -> Iterator[list[Finding]]:
    """For each passage, in the same order, all words that the reader points at."""
    for passage, spans in _read(question, hits, index, reader):
        yield [passage.finding(question, span) for span in spans]


def _read(
    question: str, hits: Sequence[Hit], index: Index, reader: Reader
) -> Iterator[tuple["_Passage", list["_Span"]]]:
    """Each passage with the words that the reader points at.

    Of all the windows in the passages, the reader sees those whose words and passage promise most;
    a passage without any of them gives its opening words, as good as unread.
    """
    articles = {file: index.article(file) for file in {hit.chunk.file for hit in hits}}
    weights = word_weights(question, index)
    passages = [
        _Passage(hit, article, coverage(f"{article.title} {hit.chunk.text}", weights, index))
        for hit in hits
        if (article := articles[hit.chunk.file])
    ]
    cut = {passage.hit.chunk.file: cut_windows(passage.article) for passage in passages}
    # Overlapping passages share windows; each is read once.
    promises: dict[tuple[str, Range], float] = {}
    for passage in passages:
        for window in passage.inside(cut[passage.hit.chunk.file]):
            place = passage.hit.chunk.file, window
            said = coverage(passage.about(window), weights, index)
            promises[place] = max(passage.promise(said), promises.get(place, -math.inf))
    ranked = sorted(promises, key=lambda place: -promises[place])
    # The best window of each article first: what one article says, another may contradict.
    heads = list({file: (file, window) for file, window in reversed(ranked)}.values())
    chosen = list(dict.fromkeys([*reversed(heads), *ranked]))[:WINDOWS_READ]
    by_file = {passage.hit.chunk.file: passage.article for passage in passages}
    titles = [_title_before(by_file[file], window) for file, window in chosen]
    texts = [
        title + by_file[file].text[start:end]
        for title, (file, (start, end)) in zip(titles, chosen, strict=True)
    ]
    # "The bridge has a span of 94 metres": which bridge, the title says.
    readings = {
        place: [
            Reading(one.start - len(title), one.end - len(title), one.score)
            for one in found
            if one.start >= len(title)
        ]
        for place, title, found in zip(chosen, titles, reader.read(question, texts), strict=True)
    }
    for passage in passages:
        shares: dict[Range, float] = {}
        found = []
        inside = passage.inside(cut[passage.hit.chunk.file])
        for window in inside:
            for reading in readings.get((passage.hit.chunk.file, window), ()):
                span, sentence = _placed(question, passage.article, window, reading)
                if sentence not in shares:
                    shares[sentence] = coverage(passage.about(sentence), weights, index)
                found.append(_Span(span, sentence, reading.score, shares[sentence]))
        if not found and inside:
            sentence = sentence_at(passage.article, inside[0][0])
            said = coverage(passage.about(sentence), weights, index)
            found = [_Span(sentence, sentence, UNREAD, said)]
        yield passage, found


@dataclass(frozen=True, slots=True)
class _Span:
    """Words of a passage, the sentence they stand in, and what is known of them so far."""

    span: Range
    sentence: Range
    confidence: float
    said: float  # The share of the question's words in the sentence.


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage in its article, with the share of the question's words that stand in it."""

    hit: Hit
    article: Article
    coverage: float

    def inside(self, windows: Sequence[Range]) -> list[Range]:
        """The windows that touch the passage."""
        chunk = self.hit.chunk
        return [(start, end) for start, end in windows if start < chunk.end and end > chunk.start]

    def about(self, sentence: Range) -> str:
        """The words of a sentence with its title and what it leans on."""
        # "It is 17 metres tall" is about what the sentence before it names.
        before = leans_on(self.article, sentence) or (0, 0)
        text = self.article.text
        return f"{self.article.title} {text[slice(*before)]} {text[slice(*sentence)]}"

    def promise(self, said: float) -> float:
        """What a window promises before it is read; `said` is its own share of the words."""
        return self.hit.score + said

    def best(self, question: str, spans: Sequence[_Span]) -> Finding:
        """The finding with the highest score; `spans` are not empty."""
        best: Finding | None = None
        # The form of the words is dear to look at, and seldom decides: the likeliest first.
        for span in sorted(spans, key=self._score, reverse=True):
            if best and self._score(span) + BEST_FORM < best.score:
                break
            found = self.finding(question, span)
            best = max(best or found, found, key=_order)
        if best is None:
            raise ValueError("A passage without spans has no best one.")
        return best

    def finding(self, question: str, span: _Span) -> Finding:
        """A finding in this passage with its score."""
        score = (
            self._score(span)
            + form(question, self.article.shown(*span.span))
            + HEADING * is_heading(self.article, span.sentence[0])
        )
        return Finding(
            self.hit,
            self.article,
            span.span,
            span.sentence,
            span.confidence,
            self.coverage,
            span.said,
            score,
        )

    def _score(self, span: _Span) -> float:
        """The score without what its form adds."""
        around = RETRIEVAL_WEIGHT * self.hit.score + COVERAGE_WEIGHT * span.said
        return span.confidence + around


def _title_before(article: Article, window: Range) -> str:
    """The title as it is read before a window; empty where the window begins with it.

    Opening words that stand for a title say nothing of what the text is about, and misled the
    reader on articles without one (benchmarks/README.md).
    """
    title = article.title.rstrip("…")
    opening = " ".join(article.text[: 2 * len(title)].split())
    own = any(heading.text == article.title for heading in article.headings)
    begins = article.text[slice(*window)].startswith(title[:20])
    return f"{title}. " if (own or not opening.startswith(title)) and not begins else ""


def _placed(
    question: str, article: Article, window: Range, reading: Reading
) -> tuple[Range, Range]:
    """Where in the article the words of a reading stand, and the sentence that bears them."""
    end = max(window[0] + reading.end, window[0] + 1)
    if not wants_time(question):
        end = name_end(article.text, window[0] + reading.start, end)
    words = article.text[window[0] + reading.start : end]
    end -= len(words) - len(without_kind(question, words))
    sentence = sentence_at(article, end - 1)
    # Words that reach back across the end of a sentence are cut there.
    return (min(max(window[0] + reading.start, sentence[0]), end - 1), end), sentence


def name_end(text: str, start: int, end: int) -> int:
    """The end of a span, moved to the end of the name that it breaks off: Nicolás -> Maduro."""
    words = text[start:end].split()
    if not words or not words[-1][:1].isupper() or not text[end - 1].isalpha():
        return end
    while following := NAME_GOES_ON.match(text, end):
        end = following.end()
    return end


def cut_windows(article: Article) -> list[Range]:
    """The stretches of whole sentences that the reader sees at a time.

    They depend on the article alone, so that passages which overlap share them.
    """
    windows: list[Range] = []
    first, sentences = 0, article.sentences
    while first < len(sentences):
        last = first
        while last + 1 < len(sentences) and sentences[last + 1][1] - sentences[first][0] <= WINDOW:
            last += 1
        windows.append((sentences[first][0], sentences[last][1]))
        first = last + 1
    return windows


def word_weights(question: str, index: Index) -> dict[str, float]:
    """The stems of a question, each with the inverse document frequency that BM25 gives it.

    "How tall" is no part of it: what is tall is "31 metres" where it is told.
    """
    total = index.manifest.chunks
    return {
        stem: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for stem in set(index.stems(subject(question)))
        for count in [index.count(stem)]
    }


def coverage(text: str, weights: Mapping[str, float], index: Index) -> float:
    """The share of the weight of a question's words that stand in a text, 0 to 1."""
    words = set(index.stems(text))
    total = sum(weights.values())
    return (
        sum(weight for stem, weight in weights.items() if stem in words) / total if total else 0.0
    )
