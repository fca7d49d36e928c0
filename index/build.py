"""The story of indexing, read top to bottom: find, read, cut, embed what is new, write, verify.

A build goes to a folder of its own and becomes current by one rename, so whoever is asking is
never disturbed, and a build that dies leaves the old index answering.
"""

import secrets
import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from index.chunk import CHUNKING
from index.current import make_current, only_one
from index.draft import compare, draft, entries, known_vectors
from index.embed import DEFAULT_MODEL, load_embedder, passages_at_once
from index.manifest import write_manifest
from index.read import READER_VERSION, find_files
from index.store import Index, open_index
from index.survey import Survey, changes, survey
from index.types import Embedder, IndexUnusable, NothingToIndex
from index.vectors import kind_for
from index.write import Part, write_base, write_changes, writing

TIMED = 128  # Passages after which the time for the others is estimated.
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
    sources: Sequence[Path],
    folder: Path,
    *,
    model: str | None = None,
    full: bool = False,
    vectors: str | None = None,
) -> Generator[Progress]:
    """Bring the index in `folder` up to date with `sources`, telling how far it is.

    The sources are the whole of what is to be indexed. Without `model` the one of the index is
    kept, and so is the way in which vectors are kept (see `index.vectors`; "" is by their number)
    without `vectors`. With `full` nothing of an old index is used again. Raises FootnoteError
    subclasses; then the old index stays as it was.
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
        wanted = (old.manifest.wanted if old else "") if vectors is None else vectors

        # 1) Read what is new or changed; the rest the old index knows.
        seen = Survey()
        for number, file in survey(seen, found, old):
            yield Progress("reading", number, len(found.files), file)
        yield Progress("reading", len(found.files), len(found.files))
        if not seen.digests:
            listed = "; ".join(f"{file}: {reason}" for file, (reason, _) in seen.skipped.items())
            raise NothingToIndex(f"None of the files can be indexed ({listed[:300]}).")
        change = changes(seen.digests, old.digests() if old else {})
        reasons = {file: reason for file, (reason, _) in sorted(seen.skipped.items())}
        told = (change.new, change.changed, change.removed, change.renamed, reasons)

        # 2) Nothing to do, and nothing is done.
        named = tuple(str(source.absolute()) for source in sources)
        if old and not change and not seen.fresh:
            made_by = (old.manifest.model, old.manifest.chunking, old.manifest.wanted)
            same = made_by == (model, CHUNKING, wanted) and old.manifest.sources == named
            if same and seen.skipped == old.skipped():
                report = Report(*told, len(seen.digests), old.manifest.chunks, 0)
                old.close()
                yield Progress("done", 1, 1, report=report)
                return

        # 3) Cut what has to be written, and embed the passages that the old index does not hold.
        yield Progress("loading the model", 0, 1)
        embedder = load_embedder(model, folder / "models")
        made = draft(seen, old, embedder, wanted)
        matrix, missing = known_vectors(made, old, embedder)
        anew = _why_anew(folder, old, model, embedder)
        yield Progress("embedding", 0, len(missing), note=anew)
        started = perf_counter()
        at_once = passages_at_once(len(missing))
        for first in range(0, len(missing), at_once):
            time_is_known = anew and first >= TIMED > first - at_once
            note = _time_left(started, first, len(missing)) if time_is_known else ""
            yield Progress("embedding", first, len(missing), note=note)
            batch = missing[first : first + at_once]
            matrix[batch] = embedder.passages([made.texts[row] for row in batch])
        yield Progress("embedding", len(missing), len(missing))

        # 4) Write beside the old build, verify, make it current.
        yield Progress("writing", 0, 1)
        moment = datetime.now(UTC)
        name = f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        unfinished = folder / "builds" / f".{name}"
        now = moment.isoformat(timespec="seconds")
        written = entries(made, seen, old, {*change.new, *change.changed}, now)
        whole = compare(written, seen, old)
        part = Part(written, made.rows, made.texts, matrix)
        onto = made.onto
        kind = onto.manifest.kind if onto else kind_for(len(made.rows), wanted)
        chunks = len(made.rows)
        try:
            with writing(folder):
                unfinished.mkdir(parents=True)
                if onto:
                    chunks += onto.manifest.base - onto.first_chunks(made.gone)
                    write_changes(
                        unfinished, part, whole, base=onto.build, gone=made.gone, on=onto.plane
                    )
                else:
                    write_base(unfinished, part, whole, kind)
                manifest = write_manifest(
                    unfinished,
                    lent=onto.build if onto else None,
                    model=model,
                    fingerprint=embedder.fingerprint,
                    dimension=embedder.dimension,
                    chunking=CHUNKING,
                    readers=READER_VERSION,
                    sources=named,
                    created=now,
                    articles=len(seen.digests),
                    chunks=chunks,
                    skipped=len(seen.skipped),
                    base=onto.manifest.base if onto else chunks,
                    changes=len(made.rows) if onto else 0,
                    kind=kind,
                    wanted=wanted,
                )
            verify(Index(unfinished, manifest, folder / "models"), part)
            unfinished.rename(folder / "builds" / name)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        make_current(folder, name)
        if old:
            old.close()
        report = Report(*told, len(seen.digests), chunks, len(missing))
        yield Progress("done", 1, 1, report=report)


def verify(index: Index, part: Part) -> None:
    """Raise IndexUnusable unless what was written is there, and sampled chunks find themselves."""
    lengths = {entry.article.file: len(entry.article.text) for entry in part.entries}
    rows = index.chunk_rows(lengths)
    if rows != list(part.rows):
        raise IndexUnusable("The new index does not hold its passages; the old one stays.")
    for _, file, start, end, _ in rows:
        if not 0 <= start < end <= lengths[file]:
            raise IndexUnusable(f"The new index points outside {file}; the old one stays.")
    for id, *_ in rows[:: max(1, len(rows) // PROBES)]:
        vector = index.vectors([id])
        best = index.search(vector, 1)
        # Copies of a passage have the same vector; any of them may come first.
        if not best or best[0][1] < float(vector[0] @ vector[0]) - 1e-3:
            raise IndexUnusable("The new index does not find its own passages; the old one stays.")
    index.close()


def _open_old(folder: Path) -> Index | None:
    """The index that is there, or None when there is none that can be used again."""
    try:
        return open_index(folder)
    except IndexUnusable:
        return None


def _why_anew(folder: Path, old: Index | None, model: str, embedder: Embedder) -> str:
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
