"""What is indexed, what has changed since, and changing it. Knows no Gradio.

One `Library` serves every page that is open: what it finds out is kept for as long as it holds.
"""

import re
from collections import Counter
from collections.abc import Sequence
from os import stat_result
from pathlib import Path
from threading import Lock
from time import monotonic

import numpy as np

from index import Index
from index.articles import read_digests
from index.manifest import current_build, read_manifest
from index.read import common_folder
from index.types import FootnoteError, IndexUnusable, Range
from rag.answer import LONGEST_QUESTION, whole_characters
from ui.indexing import find_sources
from ui.rebuilding import Rebuilding
from ui.render import Data, fingerprint, token
from ui.status import changes, letters, read_digest
from ui.uploads import LARGEST_UPLOAD, REMOVED, UPLOADS, keep_upload, put_away

__all__ = ["LARGEST_UPLOAD", "Library", "passage_link"]

FRESH = 5.0  # Seconds for which what was found on the disk holds: every open page asks.
DRAWN = 6_000  # Points of the map; more make a cloud and a slow page.
SEED = 1
NOT_CHANGEABLE = (
    "This library can be changed only on the machine it is on, since the page is open to others "
    "without a password: start it with `--auth USER:PASSWORD` to change it from elsewhere."
)


class Library:
    """The articles behind an index folder.

    `changeable` says whether pages may add, remove and rebuild; `sources` is what is indexed where
    there is no index yet, the folder ./articles unless it is given.
    """

    def __init__(
        self, folder: Path, *, changeable: bool = True, sources: Sequence[Path] = ()
    ) -> None:
        self.changeable = changeable
        self._folder = folder
        self._given = tuple(sources)
        self._rebuilding = Rebuilding(folder)
        self._lock = Lock()
        self._table: tuple[Path, Data] | None = None
        self._plane: tuple[Path, Data] | None = None
        self._changes: tuple[float, Path | None, Data] | None = None
        self._digests: dict[Path, tuple[tuple[int, int], str]] = {}

    # --- What is there ------------------------------------------------------------------------

    def table(self, index: Index | None) -> Data:
        """A row an article, and the files that are not indexed with the reason."""
        if index is None:
            nothing: Data = {"articles": 0, "passages": 0, "built": "", "model": ""}
            return {**nothing, "files": [], "skipped": [], "changeable": self.changeable}
        with self._lock:
            if self._table is None or self._table[0] != index.build:
                self._table = (index.build, _table(index, self._uploads_prefix()))
            return {**self._table[1], "changeable": self.changeable}

    def changes(self) -> Data:
        """Which files are new, changed or removed since the build, under those names."""
        with self._lock:
            build = self._build()
            known = self._changes
            if known and known[1] == build and monotonic() - known[0] < FRESH:
                return known[2]
            found = self._look(build)
            self._changes = (monotonic(), build, found)
            return found

    def is_changed(self, file: str) -> bool:
        """Whether a file says something else than when it was indexed, or is gone."""
        build = self._build()
        if build is None:
            return False
        indexed, _ = read_digests(build)
        path = self._root() / file
        if not path.is_file():
            # A name with undecodable bytes is no path: only the whole list knows.
            found = self.changes()
            return file in found["changed"] or file in found["removed"]
        return self._digest(path) != indexed.get(file)

    def _look(self, build: Path | None) -> Data:
        if build is None:
            return {"new": [], "changed": [], "removed": [], "unreachable": ""}
        indexed, skipped = read_digests(build)
        found = changes(self._sources(), indexed, skipped, self._digest)
        return {"unreachable": "", **found}

    def _digest(self, path: Path) -> str:
        """The SHA-256 of a file, read again only where size or time of change differ."""
        try:
            seen = _stamp(path.stat())
        except OSError:
            return ""
        known = self._digests.get(path)
        if known and known[0] == seen:
            return known[1]
        digest = read_digest(path)
        self._digests[path] = (seen, digest)
        return digest

    # --- Changing it --------------------------------------------------------------------------

    def add(self, name: str, content: Path) -> str:
        """Move an uploaded file into the folder of uploads; returns its name in the index.

        Raises FootnoteError for a format that is not read, a file that is too large, and where
        nothing may be changed.
        """
        self._refuse_strangers()
        kept = keep_upload(self._uploads(), name, content)
        self._forget()
        return f"{self._uploads_prefix()}{kept.name}"

    def remove(self, file: str) -> None:
        """Move an uploaded file to the removed ones. Raises FootnoteError for any other file."""
        self._refuse_strangers()
        name = file.removeprefix(self._uploads_prefix())
        if name == file or re.search(r"[/\\\0]", name) or name in ("", ".", ".."):
            raise FootnoteError(
                f"“{file[:80]}” was not added here: delete it in its folder, then update the index."
            )
        put_away(self._uploads() / name, self._folder / REMOVED)
        self._forget()

    def rebuild(self) -> bool:
        """Begin to bring the index up to date; False when that is going on already."""
        self._refuse_strangers()
        self._forget()
        return self._rebuilding.start(self._sources())

    def progress(self) -> Data:
        """How far the build is, or how the last one ended."""
        return self._rebuilding.progress()

    def waiting(self) -> str:
        """The name of the folder that a first build would index; empty where it is not there."""
        sources = self._sources() if self.changeable else []
        there = bool(sources) and all(source.exists() for source in sources)
        return ", ".join(source.name for source in sources) if there else ""

    def cancel(self) -> None:
        """End the build after the step it is in; the index stays as it was."""
        self._rebuilding.cancel()

    def close(self) -> None:
        """End a build that runs."""
        self._rebuilding.close()

    def _refuse_strangers(self) -> None:
        if not self.changeable:
            raise FootnoteError(NOT_CHANGEABLE)

    def _forget(self) -> None:
        with self._lock:
            self._changes = None

    def _build(self) -> Path | None:
        try:
            return current_build(self._folder)
        except IndexUnusable:
            return None

    def _sources(self) -> list[Path]:
        """What is indexed: what was the last time, also where it is gone, else what was given."""
        build = self._build()
        if build is not None:
            try:
                return [Path(source) for source in read_manifest(build).sources]
            except IndexUnusable:
                pass  # Of another version: everything is built anew.
        return find_sources(self._given, self._folder)

    def _root(self) -> Path:
        """The folder that names of files are relative to."""
        return common_folder(self._sources())

    def _uploads(self) -> Path:
        """The folder of uploads, in the first indexed folder. Raises FootnoteError without one."""
        for source in self._sources():
            if source.is_dir() or not source.exists():
                return source.absolute() / UPLOADS
        raise FootnoteError(
            "Only single files are indexed, so there is no folder to add to: run `rag index` with "
            "a folder."
        )

    def _uploads_prefix(self) -> str:
        try:
            return self._uploads().relative_to(self._root()).as_posix() + "/"
        except (FootnoteError, ValueError):
            return "\0"  # No name begins so.

    # --- Looking at it ------------------------------------------------------------------------

    def plane(self, index: Index) -> Data:
        """The map: its articles, and points as [x, y, number of the article, id of the chunk].

        Of many passages every article has as many drawn as the others, as far as it has them.
        """
        with self._lock:
            if self._plane is None or self._plane[0] != index.build:
                self._plane = (index.build, _plane(index))
            return self._plane[1]

    def locate(self, index: Index, question: str, ids: Sequence[int]) -> Data:
        """Where a question lies on the map, and where chunks do."""
        question = whole_characters(question[:LONGEST_QUESTION]).strip()
        place = index.plane.place(index.embedder.question(question)) if question else None
        points = index.plane.points[list(dict.fromkeys(ids))].round(3).tolist() if ids else []
        return {"question": place, "passages": points}

    def timeline(self, index: Index) -> Data:
        """The articles that have a date, oldest first, and how many have none."""
        articles = [
            {"date": date, "title": title, "token": token(file), "file": file}
            for file, title, _, date, *_ in index.summaries()
        ]
        dated = sorted((one for one in articles if one["date"]), key=lambda one: one["date"])
        return {"articles": dated, "undated": len(articles) - len(dated)}


def _plane(index: Index) -> Data:
    files = {id: file for id, file, _, _, _ in index.chunk_rows()}
    ids = list(files)
    # In turns: a passage of every article, then a second one of those that have it, and so on.
    had: Counter[str] = Counter()
    turns: list[tuple[int, int, int]] = []
    for place in np.random.default_rng(SEED).permutation(len(ids)).tolist():
        id = ids[place]
        turns.append((had[files[id]], len(turns), id))
        had[files[id]] += 1
    drawn = sorted(id for _, _, id in sorted(turns)[:DRAWN])
    numbers = {file: number for number, file in enumerate(dict.fromkeys(files[i] for i in drawn))}
    titles = {file: title for file, title, *_ in index.summaries() if file in numbers}
    places = index.plane.points[drawn].round(3).tolist()
    return {
        "articles": [{"title": titles[file], "token": token(file)} for file in numbers],
        "points": [
            [*place, numbers[files[id]], id] for id, place in zip(drawn, places, strict=True)
        ],
        "shown": len(drawn),
        "of": len(files),
    }


def passage_link(index: Index, id: int) -> str:
    """The link that opens an article at a chunk."""
    chunk = index.chunk(id)
    return f"#src-{token(chunk.file)}-{chunk.start}-{chunk.end}-{fingerprint(chunk.text)}"


def _table(index: Index, uploads: str) -> Data:
    passages: dict[str, list[Range]] = {}
    for _, file, start, end, _ in index.chunk_rows():
        passages.setdefault(file, []).append((start, end))
    files, indexed = [], index.indexed()
    for file, title, author, date, text, gaps, remarks in index.summaries():
        ranges = passages.get(file, [])
        words = text.split()
        written = sum(map(len, words)) or 1
        shares: Counter[str] = Counter()
        for gap in gaps:
            shares[gap.reason] += letters(text, [(gap.start, gap.end)])
        files.append(
            {
                "file": file,
                "title": title,
                "author": author,
                "date": date,
                "indexed": indexed[file],
                "words": len(words),
                "passages": len(ranges),
                "coverage": round(1 - letters(text, _outside(ranges, len(text))) / written, 4),
                "left_out": [
                    [reason, round(count / written, 4)] for reason, count in shares.items()
                ],
                "remarks": remarks,
                "copy_of": index.originals.get(file),
                "token": token(file),
                "upload": file.startswith(uploads) and "/" not in file[len(uploads) :],
            }
        )
    skipped = [{"file": file, "reason": reason} for file, (reason, _) in index.skipped().items()]
    manifest = index.manifest
    return {
        "articles": manifest.articles,
        "passages": manifest.chunks,
        "built": manifest.created,
        "model": manifest.model,
        "files": files,
        "skipped": skipped,
    }


def _outside(ranges: Sequence[Range], length: int) -> list[Range]:
    """What is in none of the ranges: far less of a text, so that it is read more quickly."""
    outside, position = [], 0
    for start, end in sorted(ranges):
        outside.append((position, start))
        position = max(position, end)
    return [*outside, (position, length)]


def _stamp(status: stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
