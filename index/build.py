"""The story of indexing, read top to bottom: find, read, cut, embed what is new, write, verify.

A build goes to a folder of its own and becomes current by one rename, so whoever is asking is
never disturbed, and a build that dies leaves the old index answering.
"""

import hashlib
import secrets
import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from index import store
from index.chunk import CHUNKING, chunk_ranges
from index.copies import compare
from index.current import make_current, only_one
from index.embed import DEFAULT_MODEL, load_embedder
from index.manifest import write_manifest
from index.plane import write_plane
from index.read import READER_VERSION, find_files, read_article, read_bytes
from index.recurring import leave_out_recurring
from index.types import (
    Article,
    Embedder,
    IndexUnusable,
    Matrix,
    NothingToIndex,
    Range,
    Unreadable,
)
from index.words import Words

EMBEDDED_AT_ONCE = 32  # Passages between two signs of progress.
TIMED = 4 * EMBEDDED_AT_ONCE  # Passages after which the time for the others is estimated.
PROBES = 20  # Chunks that must find themselves before a build becomes current.


@dataclass(frozen=True, slots=True)
class Report:
    """What a build found: names of files by what happened to them.

    `renamed` are pairs of the name before and the name now; they are neither new nor removed.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    skipped: dict[str, str]
    articles: int
    chunks: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: `done` of `total` in a stage, at which file; the last has the report.

    `note` is a sentence for the user: why everything is embedded again, and how long that takes.
    """

    stage: str
    done: int
    total: int
    file: str = ""
    note: str = ""
    report: Report | None = None


def build(
    sources: Sequence[Path], folder: Path, *, model: str | None = None, full: bool = False
) -> Generator[Progress]:
    """Bring the index in `folder` up to date with `sources`, telling how far it is.

    The sources are the whole of what is to be indexed. Without `model` the one of the index is
    kept. With `full` nothing of an old index is used again. Raises FootnoteError subclasses; then
    the old index stays as it was.
    """
    found = find_files(sources)
    if not found.files:
        names = ", ".join(str(source) for source in sources)
        raise NothingToIndex(
            f"There is no article in {names}: put texts, web pages, PDF or Word files there."
        )
    with only_one(folder):
        old = None if full else _open_old(folder)
        model = model or (old.manifest.model if old else DEFAULT_MODEL)

        # 1) Read what is new or changed; the rest comes from the old index.
        old_digests = old.digests() if old else {}
        old_skipped = old.skipped() if old else {}
        readers_changed = old is not None and old.manifest.readers != READER_VERSION
        articles: dict[str, tuple[Article, str]] = {}
        skipped = {file: (reason, "") for file, reason in found.passed_over.items()}
        for done, (file, path) in enumerate(found.files.items()):
            yield Progress("reading", done, len(found.files), file)
            digest = ""
            try:
                content = read_bytes(path)
                digest = hashlib.sha256(content).hexdigest()
                known = old.article(file) if old and old_digests.get(file) == digest else None
                if known is None or readers_changed:
                    known = read_article(file, content)
                articles[file] = known, digest
            except Unreadable as reason:
                skipped[file] = str(reason), digest
        yield Progress("reading", len(found.files), len(found.files))
        if not articles:
            listed = "; ".join(f"{file}: {reason}" for file, (reason, _) in skipped.items())
            raise NothingToIndex(f"None of the files can be indexed ({listed[:300]}).")
        # What recurs, and what is a copy, the whole of the articles says.
        altered = leave_out_recurring([article for article, _ in articles.values()])
        for article in altered:
            articles[article.file] = article, articles[article.file][1]
        new, changed, removed, renamed = _changes(articles, old_digests)
        reasons = {file: reason for file, (reason, _) in sorted(skipped.items())}

        # 2) Nothing to do, and nothing is done.
        named = tuple(str(source.absolute()) for source in sources)
        if old and not (new or changed or removed or renamed or altered or readers_changed):
            made_alike = (old.manifest.model, old.manifest.chunking) == (model, CHUNKING)
            if made_alike and skipped == old_skipped and old.manifest.sources == named:
                report = Report((), (), (), (), reasons, len(articles), old.manifest.chunks, 0)
                old.close()
                yield Progress("done", 1, 1, report=report)
                return

        # 3) Cut, and embed the passages that the old index does not hold.
        yield Progress("loading the model", 0, 1)
        embedder = load_embedder(model, folder / "models")
        cut_again = {article.file for article in altered}
        rows, texts = _cut(articles, None if readers_changed else old, cut_again)
        vectors, known_rows = _known_vectors(old, embedder, rows)
        wanted = [row for row in range(len(rows)) if row not in known_rows]
        anew = _why_anew(folder, old, model, embedder)
        yield Progress("embedding", 0, len(wanted), note=anew)
        started = perf_counter()
        for first in range(0, len(wanted), EMBEDDED_AT_ONCE):
            note = _time_left(started, first, len(wanted)) if first == TIMED and anew else ""
            yield Progress("embedding", first, len(wanted), note=note)
            batch = wanted[first : first + EMBEDDED_AT_ONCE]
            vectors[batch] = embedder.passages([texts[row] for row in batch])
        yield Progress("embedding", len(wanted), len(wanted))

        # 4) Write beside the old build, verify, make it current.
        yield Progress("writing", 0, 1)
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        unfinished = folder / "builds" / f".{name}"
        try:
            stale = {*new, *changed, *cut_again}
            before = old.sketches() if old and not readers_changed else {}
            compared = compare(
                [article for article, _ in articles.values()],
                {file: sketch for file, sketch in before.items() if file not in stale},
            )
            now = datetime.now(UTC).isoformat(timespec="seconds")
            read_before = old.indexed() if old else {}
            indexed = {
                file: now if file in (*new, *changed) else read_before.get(file, now)
                for file in articles
            }
            with store.writing(folder):
                unfinished.mkdir(parents=True)
                path, every = unfinished / store.ARTICLES, articles.values()
                store.write_articles(path, every, rows, skipped, *compared, indexed)
                store.write_vectors(unfinished / store.VECTORS, vectors)
                Words.write(unfinished / store.WORDS, texts)
                write_plane(unfinished / store.PLANE, vectors)
                manifest = write_manifest(
                    unfinished,
                    model=model,
                    fingerprint=embedder.fingerprint,
                    dimension=embedder.dimension,
                    chunking=CHUNKING,
                    readers=READER_VERSION,
                    sources=named,
                    created=now,
                    articles=len(articles),
                    chunks=len(rows),
                    skipped=len(skipped),
                )
            verify(store.Index(unfinished, manifest, folder / "models"))
            unfinished.rename(folder / "builds" / name)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        make_current(folder, name)
        if old:
            old.close()
        counts = (len(articles), len(rows), len(wanted))
        report = Report(new, changed, removed, renamed, reasons, *counts)
        yield Progress("done", 1, 1, report=report)


def _changes(
    articles: dict[str, tuple[Article, str]], before: dict[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Which files are new, changed, removed, and renamed: the same bytes under another name."""
    gone: dict[str, list[str]] = {}
    for file in sorted(before.keys() - articles.keys(), reverse=True):
        gone.setdefault(before[file], []).append(file)
    new, changed, renamed = [], [], []
    for file, (_, digest) in articles.items():
        if file in before:
            if before[file] != digest:
                changed.append(file)
        elif gone.get(digest):
            renamed.append((gone[digest].pop(), file))
        else:
            new.append(file)
    removed = sorted(file for files in gone.values() for file in files)
    return tuple(new), tuple(changed), tuple(removed), tuple(renamed)


def _cut(
    articles: dict[str, tuple[Article, str]], old: store.Index | None, again: set[str]
) -> tuple[list[tuple[int, str, int, int, str]], list[str]]:
    """The passages of all articles as rows, and their texts as they are embedded.

    What has not changed is cut where the old index cut it, but for the files in `again`.
    """
    before: dict[str, list[Range]] = {}
    digests = old.digests() if old and old.manifest.chunking == CHUNKING else {}
    digests = {file: digest for file, digest in digests.items() if file not in again}
    if old and digests:
        for _, file, start, end, _ in old.chunk_rows():
            before.setdefault(file, []).append((start, end))
    rows: list[tuple[int, str, int, int, str]] = []
    texts: list[str] = []
    for article, digest in articles.values():
        known = before.get(article.file) if digests.get(article.file) == digest else None
        for start, end in known or chunk_ranges(article):
            # The title says what the passage is about where the passage does not.
            text = f"{article.title}\n{article.shown(start, end)}"
            key = hashlib.sha256(text.encode()).hexdigest()[:32]
            rows.append((len(rows), article.file, start, end, key))
            texts.append(text)
    return rows, texts


def verify(index: store.Index) -> None:
    """Raise IndexUnusable unless offsets hold and sampled chunks find themselves."""
    rows = index.chunk_rows()
    lengths = index.lengths()
    for _, file, start, end, _ in rows:
        if not 0 <= start < end <= lengths[file]:
            raise IndexUnusable(f"The new index points outside {file}; the old one stays.")
    for id in range(0, len(rows), max(1, len(rows) // PROBES)):
        vector = index.vectors([id])
        best = index.search(vector, 1)
        # Copies of a passage have the same vector; any of them may come first.
        if not best or best[0][1] < float(vector[0] @ vector[0]) - 1e-3:
            raise IndexUnusable("The new index does not find its own passages; the old one stays.")
    index.close()


def _open_old(folder: Path) -> store.Index | None:
    """The index that is there, or None when there is none that can be used again."""
    try:
        return store.open_index(folder)
    except IndexUnusable:
        return None


def _why_anew(folder: Path, old: store.Index | None, model: str, embedder: Embedder) -> str:
    """Why an index that is there cannot lend its vectors; empty when it can, or there is none."""
    if old is None:
        there = (folder / "current").is_symlink()
        return "Everything is embedded anew: the index is not to be used again." * there
    if old.manifest.model != model:
        return f"Everything is embedded anew: the index was made with {old.manifest.model}."
    if old.manifest.fingerprint != embedder.fingerprint:
        return f"Everything is embedded anew: {model} has other weights than before."
    if old.manifest.chunking != CHUNKING:
        return "What is cut otherwise now is embedded anew: passages are made in another way."
    return ""


def _time_left(started: float, done: int, total: int) -> str:
    """How long the passages that are left will take at the pace so far."""
    seconds = (perf_counter() - started) / done * (total - done)
    minutes = round(seconds / 60)
    told = "less than a minute" if minutes < 1 else f"about {minutes} min"
    return f"{total:,} passages are embedded; that takes {told}."


def _known_vectors(
    old: store.Index | None, embedder: Embedder, rows: Sequence[tuple[int, str, int, int, str]]
) -> tuple[Matrix, set[int]]:
    """A matrix with a row a chunk, and which rows the old index could fill: same text, same model.

    Rows are keyed by the embedded text, so a renamed file or a moved paragraph costs nothing.
    """
    vectors = np.zeros((len(rows), embedder.dimension), np.float32)
    if old is None or old.manifest.fingerprint != embedder.fingerprint:
        return vectors, set()
    place = {key: id for id, _, _, _, key in old.chunk_rows()}
    known = [(row, place[key]) for row, _, _, _, key in rows if key in place]
    vectors[[row for row, _ in known]] = old.vectors([id for _, id in known])
    return vectors, {row for row, _ in known}
