"""Passages -> findings: where in each the answering words stand, and which passage answers best."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from index import Article, Index
from index.types import Range
from rag.kinds import form, wants_time
from rag.types import Hit, Reader, Reading

# The reader sees whole sentences of about this many characters at a time: it was trained on short
# passages, and pointed at the right words half as often again as in whole chunks. Windows that
# overlap by a sentence cost a third more time and gained nothing (benchmarks/README.md).
WINDOW = 300
# What counts beside the reader's logit: the retrieval score (about 0 to 1), and the share of the
# question's words, weighted by rarity, in the passage and in the very sentence.
RETRIEVAL_WEIGHT = 30.0
PASSAGE_COVERAGE_WEIGHT = 10.0
SENTENCE_COVERAGE_WEIGHT = 8.0

HEADING = -4.0  # A heading names what the text below it says.
# A sentence that begins so leans on the one before it.
LEANING = re.compile(
    r"^[\"“'‘(]*(?:he|she|it|they|him|her|his|its|their|this|these|those|that|such|both|also"
    r"|there|however|moreover|furthermore|therefore|instead|nevertheless|but|and|so|then|another"
    r"|others|the (?:two|latter|former|same|move|deal|vessel|exchange|decision|results?))\b",
    re.IGNORECASE,
)

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
    score: float  # All three together, what findings are ranked by.

    @property
    def words(self) -> str:
        """The answering words as a person sees them."""
        return self.article.shown(*self.span)


def find(question: str, hits: Sequence[Hit], index: Index, reader: Reader) -> list[Finding]:
    """Read every passage; the findings, one a passage, best first."""
    best = [max(found, key=_order) for found in candidates(question, hits, index, reader) if found]
    return sorted(best, key=_order, reverse=True)


def _order(finding: Finding) -> tuple[float, int, int]:
    # Equal scores in the order of the text, so that the same question gives the same answer.
    return finding.score, -finding.hit.chunk.id, -finding.span[0]


def candidates(
    question: str, hits: Sequence[Hit], index: Index, reader: Reader
) -> Iterator[list[Finding]]:
    """For each passage, in the same order, all words that the reader points at."""
    articles = {file: index.article(file) for file in {hit.chunk.file for hit in hits}}
    weights = word_weights(question, index)
    cut = {file: cut_windows(article) for file, article in articles.items() if article}
    windows = [
        [
            (start, end)
            for start, end in cut.get(hit.chunk.file, ())
            if start < hit.chunk.end and end > hit.chunk.start
        ]
        for hit in hits
    ]
    # Overlapping passages share windows; each is read once.
    places = list(
        dict.fromkeys(
            (hit.chunk.file, window)
            for hit, inside in zip(hits, windows, strict=True)
            for window in inside
        )
    )
    texts = [articles[file].text[a:b] for file, (a, b) in places]  # type: ignore[union-attr]
    readings = dict(zip(places, reader.read(question, texts), strict=True))
    for hit, inside in zip(hits, windows, strict=True):
        article = articles[hit.chunk.file]
        if article is None:
            continue
        about = f"{article.title} "
        covered = coverage(about + hit.chunk.text, weights, index)
        shares: dict[Range, float] = {}
        found = []
        for window in inside:
            for reading in readings[hit.chunk.file, window]:
                span, sentence = _placed(question, article, window, reading)
                if sentence not in shares:
                    # "It is 17 metres tall" is about what the sentence before it names.
                    start = (leans_on(article, sentence) or sentence)[0]
                    text = about + article.text[start : sentence[1]]
                    shares[sentence] = coverage(text, weights, index)
                said = shares[sentence]
                score = (
                    reading.score
                    + RETRIEVAL_WEIGHT * hit.score
                    + PASSAGE_COVERAGE_WEIGHT * covered
                    + SENTENCE_COVERAGE_WEIGHT * said
                    + form(question, article.shown(*span))
                    + HEADING * is_heading(article, sentence[0])
                )
                found.append(
                    Finding(hit, article, span, sentence, reading.score, covered, said, score)
                )
        yield found


def _placed(
    question: str, article: Article, window: Range, reading: Reading
) -> tuple[Range, Range]:
    """Where in the article the words of a reading stand, and the sentence that bears them."""
    end = max(window[0] + reading.end, window[0] + 1)
    if not wants_time(question):
        end = name_end(article.text, window[0] + reading.start, end)
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
    """The stems of a question, each with the inverse document frequency that BM25 gives it."""
    total = index.manifest.chunks
    return {
        stem: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for stem in set(index.stems(question))
        for count in [index.count(stem)]
    }


def coverage(text: str, weights: Mapping[str, float], index: Index) -> float:
    """The share of the weight of a question's words that stand in a text, 0 to 1."""
    words = set(index.stems(text))
    total = sum(weights.values())
    return (
        sum(weight for stem, weight in weights.items() if stem in words) / total if total else 0.0
    )


def sentence_at(article: Article, position: int) -> Range:
    """The sentence that a position is in, or the one before it."""
    place = bisect_right(article.sentences, position, key=lambda sentence: sentence[0])
    return article.sentences[max(0, place - 1)]


def leans_on(article: Article, sentence: Range) -> Range | None:
    """The sentence before, if this one cannot be understood without it."""
    if not LEANING.match(article.shown(*sentence)):
        return None
    place = bisect_left(article.sentences, (sentence[0], 0))
    if place == 0:
        return None
    before = article.sentences[place - 1]
    # Never across a paragraph: what stands there is about something else.
    if "\n\n" in article.text[before[1] : sentence[0]] or is_heading(article, before[0]):
        return None
    return before


def is_heading(article: Article, start: int) -> bool:
    """Whether a sentence is a heading."""
    return any(heading.start <= start < heading.end for heading in article.headings)
