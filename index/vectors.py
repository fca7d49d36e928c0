"""Vectors on disk, and the search among them. The only file that knows faiss.

Up to `EXACT_UP_TO` passages all are compared, in half precision. Above, they lie in lists around
centres of their own, in eight bits a number, and a question is compared with the lists that are
nearest to it (inverted file; Jégou, Douze and Schmid, 2011, "Product quantization for nearest
neighbor search"). Both are memory-mapped: what is not looked at is not read.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np

from index.types import HalfMatrix, Matrix

EXACT, LISTS = "exact", "lists"
EXACT_UP_TO = 200_000  # Passages: five milliseconds on one core; see benchmarks/README.md.
LISTS_PER_ROOT = 4  # Lists, as a multiple of the root of the passages.
PROBED = 64  # Lists that a question is compared with.
LEARNT_FROM = 40  # Vectors a list that its centre is found from, and how often they are gone over.
PASSES = 8
AT_ONCE = 50_000  # Vectors that are turned into single precision together.


def kind_for(passages: int, wanted: str = "") -> str:
    """How so many passages are kept, unless something else is wanted: `EXACT` or `LISTS`."""
    return wanted or (EXACT if passages <= EXACT_UP_TO else LISTS)


def write_vectors(path: Path, vectors: HalfMatrix | Matrix, kind: str = EXACT) -> None:
    """Write unit vectors of shape (n, dimension) for search by inner product."""
    count, dimension = vectors.shape
    metric = faiss.METRIC_INNER_PRODUCT
    index: faiss.Index
    if kind == EXACT or not count:
        index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, metric)
    else:
        lists = max(1, min(int(LISTS_PER_ROOT * count**0.5), count // LEARNT_FROM))
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, metric
        )
        faiss.omp_set_num_threads(os.cpu_count() or 1)  # A search may have left it at one.
        index.cp.niter, index.cp.max_points_per_centroid = PASSES, LEARNT_FROM
        learnt = np.random.default_rng(0).choice(
            count, min(count, lists * LEARNT_FROM), replace=False
        )
        index.train(vectors[np.sort(learnt)].astype(np.float32))
    for first in range(0, count, AT_ONCE):
        index.add(vectors[first : first + AT_ONCE].astype(np.float32))
    faiss.write_index(index, str(path))


class Vectors:
    """The vectors of one file or of two: a row's number goes on from the first to the second.

    Rows of the first that are `gone` are found no more. Safe to use from several threads.
    """

    def __init__(self, paths: Sequence[Path], gone: Sequence[int] = ()) -> None:
        """Open files that `write_vectors` made; raises RuntimeError for any other file."""
        # Never of a file that was not checked: faiss trusts what it maps.
        self._parts = [faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC) for path in paths]
        self.dimension: int = self._parts[0].d
        self.lengths: list[int] = [part.ntotal for part in self._parts]
        for part in self._parts:
            if isinstance(part, faiss.IndexIVF):
                part.make_direct_map()
        self._there = _all_but(gone, self.lengths[0])

    def search(
        self, question: Matrix, limit: int, only: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The rows nearest to a vector of shape (1, dimension): number and cosine, best first."""
        # One question keeps one core busy; others would only be waited for. Of this thread alone.
        faiss.omp_set_num_threads(1)
        found: list[tuple[int, float]] = []
        first = 0
        for part, length in zip(self._parts, self.lengths, strict=True):
            chosen = self._there if not first else None
            if only is not None:
                here = np.asarray(only, np.int64) - first
                here = here[(here >= 0) & (here < length)]
                chosen = faiss.IDSelectorBatch(here)
            options = _options(part, chosen, everywhere=only is not None)
            if length:
                scores, rows = part.search(question, min(limit, length), params=options)
                found += [
                    (first + int(row), float(score))
                    for row, score in zip(rows[0], scores[0], strict=True)
                    if row >= 0
                ]
            first += length
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def rows(self, numbers: Sequence[int]) -> Matrix:
        """The vectors of rows, shape (len(numbers), dimension)."""
        wanted = np.asarray(numbers, np.int64)
        vectors = np.zeros((len(wanted), self.dimension), np.float32)
        first = 0
        for part, length in zip(self._parts, self.lengths, strict=True):
            here = np.flatnonzero((wanted >= first) & (wanted < first + length))
            if len(here):
                vectors[here] = part.reconstruct_batch(wanted[here] - first)
            first += length
        return vectors


def _all_but(gone: Sequence[int], length: int) -> faiss.IDSelector | None:
    if not len(gone):
        return None
    bits = np.zeros(length, np.uint8)
    bits[np.asarray(gone, np.int64)] = 1
    packed = np.packbits(bits, bitorder="little")
    return faiss.IDSelectorNot(faiss.IDSelectorBitmap(packed))  # type: ignore[call-arg, arg-type]


def _options(
    part: faiss.Index, chosen: faiss.IDSelector | None, *, everywhere: bool
) -> faiss.SearchParameters | None:
    """How to search a part: where a few rows are chosen, `everywhere`, so that all are found."""
    if isinstance(part, faiss.IndexIVF):
        probed = part.nlist if everywhere else min(PROBED, part.nlist)
        return faiss.SearchParametersIVF(nprobe=probed, sel=chosen)  # type: ignore[call-arg]
    return faiss.SearchParameters(sel=chosen) if chosen else None  # type: ignore[call-arg]
