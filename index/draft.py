"""What a build has to write: which articles, cut into which chunks, with which vectors so far.

A small index is written whole. Of a large one only what came after its first part is.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from index.articles import Entry, Row, Whole
from index.chunk import CHUNKING, chunk_ranges
from index.copies import find_copies, find_near, sketch
from index.recurring import folder_of
from index.store import Index
from index.survey import Survey
from index.types import Article, Embedder, HalfMatrix, Range
from index.vectors import AT_ONCE, kind_for

MOST_CHANGES = 20_000  # Passages; a smaller index, or one with more changes, is written whole.


@dataclass(frozen=True, slots=True)
class Draft:
    """Articles with their chunks, and the text of each chunk as it is embedded.

    They are all there are; or, where there is `onto`, what is to lie beside the first part of that
    index, of which the files `gone` count no more. Ids go on from those of that part.
    """

    onto: Index | None
    gone: tuple[str, ...]
    articles: Sequence[Article]
    rows: Sequence[Row]
    texts: Sequence[str]


def draft(seen: Survey, old: Index | None, embedder: Embedder, wanted: str) -> Draft:
    """Cut what has to be written; `wanted` is how the vectors are to be kept."""
    if old and _can_grow(old, embedder, wanted):
        first_part, came = old.parts()
        files = [file for file in seen.digests if file in came or file in seen.fresh]
        gone = tuple(sorted(first_part - (seen.digests.keys() - set(files))))
        made = _cut(seen, old, files, onto=old, gone=gone)
        if len(made.rows) <= MOST_CHANGES:
            return made
    return _cut(seen, old, list(seen.digests))


def _can_grow(old: Index, embedder: Embedder, wanted: str) -> bool:
    """Whether the first part of an index is worth keeping, and still what it would be now."""
    manifest = old.manifest
    return (
        manifest.base > MOST_CHANGES
        and manifest.fingerprint == embedder.fingerprint
        and manifest.chunking == CHUNKING
        and manifest.kind == kind_for(manifest.base, wanted)
    )


def _cut(
    seen: Survey,
    old: Index | None,
    files: Sequence[str],
    *,
    onto: Index | None = None,
    gone: tuple[str, ...] = (),
) -> Draft:
    """The chunks of files; an article that is not fresh is cut where the old index cut it."""
    kept = [file for file in files if file not in seen.fresh]
    before: dict[str, list[Range]] = {}
    if old and old.manifest.chunking == CHUNKING:
        for _, file, start, end, _ in old.chunk_rows(kept if onto else None):
            before.setdefault(file, []).append((start, end))
    articles: list[Article] = []
    rows: list[Row] = []
    texts: list[str] = []
    first = onto.manifest.base if onto else 0
    for file in files:
        article = seen.fresh.get(file) or (old.article(file) if old else None)
        if article is None:
            raise AssertionError(f"{file} is neither read nor in the old index.")
        articles.append(article)
        known = None if file in seen.fresh else before.get(file)
        for start, end in known or chunk_ranges(article):
            # The title says what the passage is about where the passage does not.
            text = f"{article.title}\n{article.shown(start, end)}"
            key = hashlib.sha256(text.encode()).hexdigest()[:32]
            rows.append((first + len(rows), file, start, end, key))
            texts.append(text)
    return Draft(onto, gone, articles, rows, texts)


def known_vectors(
    made: Draft, old: Index | None, embedder: Embedder
) -> tuple[HalfMatrix, list[int]]:
    """A matrix with a row a chunk, and the numbers of the rows that the old index could not fill.

    Rows are keyed by the embedded text, so a renamed file or a moved paragraph costs nothing.
    """
    vectors = np.zeros((len(made.rows), embedder.dimension), np.float16)
    if old is None or old.manifest.fingerprint != embedder.fingerprint:
        return vectors, list(range(len(made.rows)))
    # Where little is written, little is looked through: what the same files had, and those gone.
    files = {article.file for article in made.articles} | set(made.gone) if made.onto else None
    place = {key: id for id, _, _, _, key in old.chunk_rows(files)}
    known = [(row, place[key]) for row, (*_, key) in enumerate(made.rows) if key in place]
    for first in range(0, len(known), AT_ONCE):
        some = known[first : first + AT_ONCE]
        vectors[[row for row, _ in some]] = old.vectors([id for _, id in some])
    return vectors, [row for row, (*_, key) in enumerate(made.rows) if key not in place]


def entries(
    made: Draft, seen: Survey, old: Index | None, new: Collection[str], now: str
) -> list[Entry]:
    """The articles as they are kept; `new` are the files that were read at the time `now`."""
    kept = {folder_of(one.file) for one in made.articles if one.file not in seen.fresh}
    edges = {file: found for file, (found, _) in old.edges(kept).items()} if old and kept else {}
    sketches = old.sketches() if old and kept else {}
    indexed = old.indexed() if old else {}
    return [
        Entry(
            article,
            digest=seen.digests[file],
            stamp=seen.stamps[file],
            indexed=now if file in new else indexed.get(file, now),
            edges=seen.edges[file] if file in seen.fresh else edges[file],
            runs=sketch(article) if file in seen.fresh else sketches[file],
        )
        for article in made.articles
        for file in [article.file]
    ]


def compare(written: Sequence[Entry], seen: Survey, old: Index | None) -> Whole:
    """What all articles together say: which are near each other, and which are copies."""
    sketches = {
        **(old.sketches() if old else {}),
        **{entry.article.file: entry.runs for entry in written},
    }
    near = {pair for pair in (old.near() if old else ()) if seen.knows(*pair)}
    near |= find_near({file: sketches[file] for file in seen.digests}, seen.fresh.keys())
    dates = {
        **(old.dates() if old else {}),
        **{entry.article.file: entry.article.date for entry in written},
    }
    return Whole(near, find_copies(near, dates), seen.skipped)
