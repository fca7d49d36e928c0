"""The nouns of indexing: what is read, what is cut, and what can go wrong on the way.

Every position is a half-open range of characters (Unicode code points) in `Article.text`.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
"""Vectors as rows: shape (n, dimension), every row of length 1."""

HalfMatrix = NDArray[np.float16]
"""The same in half the memory, as an exact index keeps them; what many are held in at once."""

Range = tuple[int, int]
"""A half-open range of characters: start, end."""

ISO_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
ESCAPED = re.compile(r"\[([*?[])\]")  # What `glob.escape` makes of a mark in a name.


class FootnoteError(Exception):
    """Something the user can mend; the message is one sentence that says how."""


class IndexUnusable(FootnoteError):
    """There is no index to answer from, or it cannot be trusted."""


class NothingToIndex(FootnoteError):
    """The given paths hold no article that could be read."""


class BuildRunning(FootnoteError):
    """Another process is building this index."""


class ModelUnusable(FootnoteError):
    """The embedding model is missing, damaged, or not the one the index was made with."""


class Unreadable(FootnoteError):
    """One file could not be read; the message is the reason that is listed for it."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A range of an article's text that is kept out of the chunks, and why."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an article: where its line starts and ends, and its words without marks."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """One file as text, with what is needed to point into it.

    `file` is its path relative to the indexed folder and its identity. `numbered` says whether the
    lines of `text` are the lines of the file. `markup` are the marks a reader of the rendered
    article would not see (Markdown emphasis, link targets). `sentences` cover everything that is
    not left out, in order. `date` is in ISO form as far as it is known, such as 2023-06; it and
    `author` are empty where the article does not say. `pages` is where each page begins; `remarks`
    are what a user should know about the reading, such as a page without text.
    """

    file: str
    title: str
    text: str
    numbered: bool
    headings: tuple[Heading, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    markup: tuple[Range, ...] = ()
    sentences: tuple[Range, ...] = ()
    date: str = ""
    author: str = ""
    pages: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()

    def page(self, position: int) -> int | None:
        """The page (counted from 1) that a position is on; None where there are none."""
        return max(1, bisect_right(self.pages, position)) if self.pages else None

    def lines(self, start: int, end: int) -> Range | None:
        """First and last line (counted from 1) of a range; None where lines mean nothing.

        Where there are pages, they are counted on the page, and a range over two pages has none.
        """
        page = self.page(start)
        if page is not None:
            if self.page(max(start, end - 1)) != page:
                return None
            above = self.text[self.pages[page - 1] : start].split("\n")
            first = sum(1 for line in above[:-1] if line) + 1
            return first, first + len(re.findall(r"\n+", self.text[start:end].strip()))
        if not self.numbered:
            return None
        first = self.text.count("\n", 0, start) + 1
        return first, first + self.text.count("\n", start, max(start, end - 1))

    def kept(self) -> list[Range]:
        """The stretches of text between what is left out, empty ones aside."""
        ranges, position = [], 0
        for gap in self.left_out:
            ranges.append((position, gap.start))
            position = gap.end
        ranges.append((position, len(self.text)))
        return [(start, end) for start, end in ranges if self.text[start:end].strip()]

    def heading(self, position: int) -> str | None:
        """The words of the nearest heading at or above a position."""
        above = bisect_right([heading.start for heading in self.headings], position)
        return self.headings[above - 1].text if above else None

    def shown(self, start: int, end: int) -> str:
        """The words of a range as a person sees them: no marks, single spaces."""
        pieces, position = [], start
        for left, right in self.markup:
            if right > start and left < end:
                pieces.append(self.text[position : max(left, position)])
                position = max(position, right)
        pieces.append(self.text[position:end])
        return " ".join("".join(pieces).split())


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of an article, the unit that is embedded: `article.text[start:end] == text`."""

    id: int
    file: str
    title: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which articles a question keeps to: by the names of their files, and by their dates.

    A file fits when its name fits any of `patterns` like news/*.md, or when there are none; an
    exact name is given through `glob.escape`. `since` and `until` are dates such as 2020, 2020-05
    or 2020-05-01, both included; with either, articles without a date are out. Two dates are
    compared as far as both are known: an article of 2020 may be of May, so it fits until 2020-05
    and since 2020-05. Raises FootnoteError for a date of another form.
    """

    patterns: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        for date in (self.since, self.until):
            if date and not ISO_DATE.fullmatch(date):
                raise FootnoteError(
                    f"“{date[:20]}” is no date: write it as 2020, 2020-05 or 2020-05-01."
                )

    def fits(self) -> Callable[[str, str], bool]:
        """A function that tells of a file's name and its article's date whether they fit."""
        # Exact names, of which there may be a thousand, are looked up; the rest is one expression.
        names = {ESCAPED.sub(r"\1", one) for one in self.patterns if not _is_glob(one)}
        globs = [translate(one) for one in self.patterns if _is_glob(one)]
        matches = re.compile("|".join(globs)).match if globs else None

        def fit(file: str, date: str) -> bool:
            if self.patterns and file not in names and not (matches and matches(file)):
                return False
            if not (self.since or self.until):
                return True
            after = min(len(date), len(self.since))
            before = min(len(date), len(self.until))
            in_time = self.since[:after] <= date[:after] and date[:before] <= self.until[:before]
            return bool(date) and in_time

        return fit


def _is_glob(pattern: str) -> bool:
    return any(mark in ESCAPED.sub("", pattern) for mark in "*?[")


class Embedder(Protocol):
    """Turns text into vectors. `name` and `fingerprint` say which model it is."""

    name: str
    fingerprint: str
    dimension: int

    def passages(self, texts: Sequence[str]) -> Matrix:
        """Embed passages; row i belongs to text i."""
        ...

    def question(self, text: str) -> Matrix:
        """Embed one question; shape (1, dimension)."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a word is whole in the model's vocabulary, as common words and names are."""
        ...
