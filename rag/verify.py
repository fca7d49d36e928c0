"""Whether a passage bears a sentence that a language model wrote, and where.

A sentence is borne by a sentence of a passage when they are about the same thing (their vectors and
their words say so), when every number, date, name and quotation of the one stands in or beside the
other, and when none of the two denies what the other says. What cannot be seen so is not claimed to
be checked: two roles exchanged in words that are otherwise the same are found only in plain cases.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from index import Article, Index
from index.types import Matrix, Range
from rag.context import LEANING, is_heading
from rag.extract import Finding, coverage, word_weights
from rag.markers import Draft
from rag.values import MONTHS, NUMBER, numbers, stems

LEAST_SUPPORT = 1.0  # Cosine and share of words together; see benchmarks/README.md.
LEAST_COSINE = 0.45
MISSING = 0.2  # What each number or name that stands only beside a sentence takes off.
NEAR = 1  # Sentences before and after the one that bears, whose names and numbers count too.
QUOTATION = re.compile(r"[“\"]([^”\"]{8,})[”\"]")
NAME = re.compile(r"[^\W\d_][^\W_]*(?:[’'-](?!s\b)[^\W_]+)*")
DENIAL = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot)\b|n['’]t\b",
    re.IGNORECASE,
)
PASSIVE = re.compile(r"\b(?:was|were|is|are|been|being|be)\b.*\bby\b", re.IGNORECASE)
MUTUAL = re.compile(r"\b(?:met|meet\w*|married|and|with|between|both|talk\w*)\b", re.IGNORECASE)
CLAUSE_END = re.compile(r"[.,;:()!?]")
FROM_TO = frozenset("from to".split())
DENIED = 2  # Words of weight that a "not" reaches.
COUNTED = 4  # Words after a number in which what it counts may stand: 44 of her 60 boats.
ORDINARY = frozenset(
    "a an the in on at of for to from by with as and or but if it its he she they we his her their "
    "this that these those there here when while after before since until because although though "
    "however according both all most some many no not one two three first second finally also "
    "then later i you yes what who which where why how another each every is are was were be been "
    "being am do does did have has had will would can could may might must should than more most "
    "less least such so any other too very just about around".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence of a passage: the number of the passage, counted from 1, and the range."""

    passage: int
    article: Article
    range: Range


class Passages:
    """The passages that a model was shown, sentence by sentence."""

    def __init__(self, findings: Sequence[Finding], index: Index) -> None:
        self._index = index
        self.places = [
            Place(number, finding.article, sentence)
            for number, finding in enumerate(findings, 1)
            for sentence in _inside(finding)
        ]

    @cached_property
    def _words(self) -> list[str]:
        return [self.words(place) for place in self.places]

    @cached_property
    def _vectors(self) -> Matrix:
        return self._index.embedder.passages(self._words)

    def words(self, place: Place) -> str:
        """A sentence as a person reads it."""
        return place.article.shown(*place.range)

    def beside(self, place: Place) -> str:
        """The title, the sentence, and its neighbours in the same article."""
        every = place.article.sentences
        at = every.index(place.range)
        near = every[max(0, at - NEAR) : at + NEAR + 1]
        heading = place.article.heading(place.range[0]) or ""
        shown = " ".join(place.article.shown(*one) for one in near)
        return f"{place.article.title} {heading} {shown}"

    def support(self, draft: Draft, before: str = "") -> Place | None:
        """The sentence that bears a draft: of a passage that it cites, or else of any other.

        `before` is what the draft follows, and what its "they" and "it" stand for.
        """
        if not self.places:
            return None
        said = [draft.text, *([f"{before} {draft.text}"] if LEANING.match(draft.text) else [])]
        cosines = np.max(self._vectors @ self._index.embedder.passages(said).T, axis=1)
        weights = word_weights(draft.text, self._index)
        scores = [
            float(cosine) + coverage(f"{place.article.title} {words}", weights, self._index)
            for cosine, place, words in zip(cosines, self.places, self._words, strict=True)
        ]
        # Of sentences that are as near, the one that says the very numbers and names.
        told = [
            score - MISSING * len(missing(draft.text, words))
            for score, words in zip(scores, self._words, strict=True)
        ]
        for cited in (True, False):
            order = [
                int(number)
                for number in np.argsort(-np.array(told), kind="stable")
                if (self.places[number].passage in draft.numbers) == cited
                and scores[number] >= LEAST_SUPPORT
                and cosines[number] >= LEAST_COSINE
            ]
            for number in order:
                place = self.places[number]
                if not contradictions(draft.text, self._words[number], self.beside(place)):
                    return self._widened(draft.text, place)
        return None

    def _widened(self, claim: str, place: Place) -> Place:
        """The place with the sentence beside it that has what is still missing, if one does."""
        wanting = missing(claim, self.words(place))
        article, every = place.article, place.article.sentences
        at = every.index(place.range)
        for other in (at - 1, at + 1):
            if wanting and 0 <= other < len(every) and not is_heading(article, every[other][0]):
                both = every[min(at, other)][0], every[max(at, other)][1]
                if any(gap.start < both[1] and gap.end > both[0] for gap in article.left_out):
                    continue
                if len(missing(claim, article.shown(*both))) < len(wanting):
                    return Place(place.passage, article, both)
        return place


def _inside(finding: Finding) -> Iterator[Range]:
    """The whole sentences of a passage, headings aside."""
    chunk = finding.hit.chunk
    for start, end in finding.article.sentences:
        if start < chunk.end and end > chunk.start and not is_heading(finding.article, start):
            yield start, end


def contradictions(claim: str, sentence: str, around: str) -> list[str]:
    """What in a claim a sentence does not bear, by name; `around` is its title and neighbours."""
    return [
        *missing(claim, around),
        *(["number beside other words"] if _misplaced_number(claim, sentence) else []),
        *(["denial"] if _denies(claim, sentence) else []),
        *(["another subject"] if _other_subject(claim, sentence) else []),
        *(["order of names"] if _names_turned_round(claim, sentence) else []),
    ]


def missing(claim: str, text: str) -> list[str]:
    """The numbers, months, names and quotations of a claim that do not stand in a text."""
    return [
        *(f"number {number:g}" for number in _missing_numbers(claim, text)),
        *(f"name {name}" for name in _missing_names(claim, text)),
        *(f"quotation {words}" for words in _missing_quotations(claim, text)),
    ]


def _missing_numbers(claim: str, around: str) -> list[float]:
    there = numbers(around)
    missing = [number for number in numbers(claim) if number not in there]
    words = {word.casefold() for word in NAME.findall(around)}
    months = [
        MONTHS[word.casefold()]
        for word in NAME.findall(claim)
        if word.casefold() in MONTHS and word.casefold() != "may" and word[0].isupper()
    ]
    there_months = {MONTHS[word] for word in words if word in MONTHS}
    # "One of them" counts nothing.
    return [n for n in missing if n > 1] + [float(m) for m in months if m not in there_months]


def _missing_names(claim: str, around: str) -> list[str]:
    there = stems(around)
    return [name for name in _names(claim) if not stems(name) <= there]


def _names(text: str) -> list[str]:
    """The capitalised words of a sentence; its first one only where it is no ordinary word."""
    found = []
    for number, match in enumerate(NAME.finditer(text)):
        word = match.group()
        if not word[0].isupper() or word.casefold() in ORDINARY or word.casefold() in MONTHS:
            continue
        if number or any(letter.isupper() for letter in word[1:]):
            found.append(word)
    return found


def _missing_quotations(claim: str, around: str) -> list[str]:
    there = " ".join(NAME.findall(around.casefold()))
    quoted = (" ".join(NAME.findall(words.casefold())) for words in QUOTATION.findall(claim))
    return [words for words in quoted if words not in there]


def _misplaced_number(claim: str, sentence: str) -> bool:
    """Whether a number of a claim stands where the sentence has another: 12 steps, of 44 steps."""
    theirs = list(_placed_numbers(sentence, COUNTED))
    for number, beside in _placed_numbers(claim, 1):
        same = [other for other, others in theirs if others & beside]
        if same and number not in same:
            return True
    return False


def _placed_numbers(text: str, following: int) -> Iterator[tuple[float, set[tuple[str, str]]]]:
    """Each number with "from" or "to" before it, and the words after it up to a comma."""
    for match in NUMBER.finditer(text):
        before = NAME.findall(text[: match.start()])[-1:]
        after = NAME.findall(CLAUSE_END.split(text[match.end() :])[0])[:following]
        beside = {("before", word) for word in before if word in FROM_TO}
        beside |= {
            ("after", word.casefold()[:5]) for word in after if word.casefold() not in ORDINARY
        }
        for number in numbers(match.group()):
            yield number, beside


def _denied(text: str) -> set[str]:
    """The first words of weight behind each "not", "no" or "never" of a text."""
    found: set[str] = set()
    for match in DENIAL.finditer(text):
        following = [word.casefold() for word in NAME.findall(text[match.end() :])]
        found.update([word[:5] for word in following if word not in ORDINARY][:DENIED])
    return found


def _denies(claim: str, sentence: str) -> bool:
    """Whether one of two sentences denies what the other says."""
    mine, theirs = _denied(claim), _denied(sentence)
    return bool((mine - theirs) & _stems(sentence) or (theirs - mine) & _stems(claim))


def _stems(text: str) -> set[str]:
    return {word.casefold()[:5] for word in NAME.findall(text)}


def _other_subject(claim: str, sentence: str) -> bool:
    """Whether both begin with a word of weight, and each knows only its own: oak ash, apple ash."""
    first = [next(iter(NAME.findall(text)), "").casefold() for text in (claim, sentence)]
    if any(not word or word in ORDINARY or word in MONTHS for word in first):
        return False
    return first[0][:5] not in _stems(sentence) and first[1][:5] not in _stems(claim)


def _names_turned_round(claim: str, sentence: str) -> bool:
    """Whether two names change places around the same words: who visited whom."""
    if MUTUAL.search(claim) or PASSIVE.search(claim) or PASSIVE.search(sentence):
        return False
    mine = [name for name in dict.fromkeys(_acting(claim)) if name in set(_acting(sentence))]
    theirs = [name for name in dict.fromkeys(_acting(sentence)) if name in mine]
    return len(mine) > 1 and mine != theirs


def _acting(text: str) -> list[str]:
    """The names of a sentence without those behind a preposition, which may stand anywhere."""
    found: list[tuple[str, str]] = []
    before, end = "", -1
    for match in NAME.finditer(text):
        word = match.group()
        named = word[0].isupper() and word.casefold() not in ORDINARY
        if named and found and text[end : match.start()] == " " and end > 0:
            found[-1] = (found[-1][0], word)  # Known by its last word: Ada Firth.
        elif named:
            found.append((before, word))
        end = match.end() if named else -1
        before = word.casefold()
    return [word[:5].casefold() for before, word in found if before not in ORDINARY or not before]
