"""Which articles are copies of another one, such as one agency text in three papers.

An article is compared by its runs of five words. A sketch keeps every fourth of their hashes, and
the share of one sketch that is in another estimates the share of the text (Broder, 1997, "On the
resemblance and containment of documents").
"""

import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from index.types import Article

Runs = NDArray[np.uint64]
"""Hashes of runs of words."""

RUN = 5  # Words.
SAMPLED = 4  # One hash of so many is kept in a sketch.
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads the bits of a product.
SHARED = 0.85  # Of the shorter text's runs, in the longer: a headline or a last line may differ.
LENGTH = 0.5  # Of the longer text, at least: a quotation is no copy.
LEAST_RUNS = 16  # In the sketch of the shorter text, about 70 words: forms are alike, not copied.
HEADLINE = 0.2  # Of a passage's words, at most.
COMMON = 100  # A run in more articles than this is a phrase of the house.
SIEVE_BITS = 20  # A million places: of a hundred thousand wanted hashes, a tenth pass by chance.
WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text, whatever their case, the marks between them and the line ends."""
    return WORD.findall(text.casefold())


def runs(found: Sequence[str]) -> Runs:
    """The hash of each run of words, in the order of the words."""
    hashes = np.array([zlib.crc32(word.encode()) for word in found], np.uint64)
    mixed: Runs = np.zeros(max(0, len(hashes) - RUN + 1), np.uint64)
    for position in range(len(mixed) and RUN):
        mixed = (mixed + hashes[position : position + len(mixed)] + np.uint64(1)) * MIX
        mixed ^= mixed >> np.uint64(29)
    return mixed


def sketch(article: Article) -> Runs:
    """A sample of the runs of an article, menus and the like aside: the same in every article."""
    text = " ".join(article.text[start:end] for start, end in article.kept())
    found = np.unique(runs(words(text)))
    sampled: Runs = found[found % np.uint64(SAMPLED) == 0]
    return sampled


class Said:
    """The words of one text and its copies that were met so far."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._runs: set[int] = set()

    def repeats(self, text: str) -> bool:
        """Whether a passage says nothing that was not said; a headline of its own is nothing.

        Another word or number in the midst of it, or at its end, is something: it may contradict.
        """
        found = words(text)
        known = [index for index, run in enumerate(runs(found).tolist()) if run in self._runs]
        if not known:
            return False
        covered = {index + place for index in known for place in range(RUN)}
        headline = found[: known[0]]
        return (
            len(covered) == len(found) - len(headline)
            and len(headline) <= HEADLINE * len(found)
            and all(word in self._words for word in headline if not word.isalpha())
        )

    def add(self, text: str) -> None:
        """Count a passage as said."""
        found = words(text)
        self._words.update(found)
        self._runs.update(runs(found).tolist())


def find_near(sketches: Mapping[str, Runs], fresh: Collection[str]) -> set[tuple[str, str]]:
    """The pairs of files that say much the same, sorted; only those with a file in `fresh`."""
    files = list(sketches)
    if not files or not fresh:
        return set()
    every = np.concatenate([sketches[file] for file in files])
    owners = np.repeat(
        np.arange(len(files), dtype=np.int32), [len(sketches[file]) for file in files]
    )
    if len(fresh) < len(files):
        wanted = np.concatenate([sketches[file] for file in fresh])
        asked = _among(every, wanted)
        every, owners = every[asked], owners[asked]
    order = np.argsort(every, kind="stable")
    every, owners = every[order], owners[order]
    starts = np.flatnonzero(np.r_[True, every[1:] != every[:-1]])[: len(every)]
    ends = np.r_[starts[1:], len(every)]
    shared: Counter[tuple[int, int]] = Counter()
    several = (ends - starts > 1) & (ends - starts <= COMMON)
    for start, end in zip(starts[several], ends[several], strict=True):
        shared.update(combinations(owners[start:end].tolist(), 2))
    near = set()
    for (one, other), count in shared.items():
        pair = files[one], files[other]
        few, many = sorted(len(sketches[file]) for file in pair)
        alike = few >= LEAST_RUNS and count >= SHARED * few and few >= LENGTH * many
        if alike and (pair[0] in fresh or pair[1] in fresh):
            near.add((min(pair), max(pair)))
    return near


def _among(every: Runs, wanted: Runs) -> NDArray[np.bool_]:
    """Which hashes are among those wanted, the many being looked through but once."""
    shift = np.uint64(64 - SIEVE_BITS)
    sieve = np.zeros(1 << SIEVE_BITS, np.bool_)
    sieve[wanted >> shift] = True
    among: NDArray[np.bool_] = sieve[every >> shift]
    among[among] = np.isin(every[among], wanted)
    return among


def find_copies(near: Iterable[tuple[str, str]], dates: Mapping[str, str]) -> dict[str, str]:
    """For each file that is a copy, the file it is a copy of: the oldest, by `dates`, is none."""
    others: dict[str, list[str]] = {}
    for one, other in sorted(near):
        others.setdefault(one, []).append(other)
        others.setdefault(other, []).append(one)
    original: dict[str, str] = {}
    for file in sorted(others, key=lambda file: (dates[file] or "9999", file)):
        if file not in original:
            original[file] = file
            for other in others[file]:
                original.setdefault(other, file)
    return {file: first for file, first in original.items() if file != first}
