"""The index folder, and an index that was opened.

.rag/current -> builds/NAME        one atomic rename of this link makes a build current
.rag/builds/NAME/manifest.json     what made it; size, SHA-256 and time of every other file
                 articles.sqlite   texts, offsets of chunks, files that were left out
                 runs.npy          hashes that articles are compared by (see index.copies)
                 vectors.faiss     row i is chunk i
                 words/            BM25
                 plane.npz         where each chunk lies on the map of passages
                 changes/          the same for what came later, where there was much before
.rag/models/                       converted models, made again when missing

The files of a large index are not written again for each change: a later build has links to them,
and what changed beside them in changes/, whose tables say which articles before are gone.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from index.articles import CHANGES, RUNS, SELECT, Row, connect, read_row
from index.copies import Runs
from index.embed import load_embedder
from index.manifest import REBUILD, Manifest, check_files, current_build, read_manifest
from index.plane import Plane, read_plane
from index.recurring import REASON, Edge, folder_of
from index.types import (
    Article,
    Chunk,
    Embedder,
    IndexUnusable,
    LeftOut,
    Matrix,
    ModelUnusable,
    Range,
    Selection,
)
from index.vectors import Vectors
from index.words import Words, stems
from index.write import PLANE, VECTORS, WORDS


class Index:
    """An index that was opened: search it, match it, and get the articles behind it.

    Safe to use from several threads. It goes on working when a newer build becomes current.
    """

    def __init__(self, build: Path, manifest: Manifest, models: Path) -> None:
        self.build = build
        self.manifest = manifest
        self._models = models
        self._embedder: Embedder | None = None
        # The folders of its parts, and how many chunks belong to each.
        self._parts = [(build, manifest.base)]
        if (build / CHANGES).is_dir():
            self._parts.append((build / CHANGES, manifest.changes))
        try:
            self._articles = connect(build)
            gone = self._gone()
            self._vectors = Vectors([folder / VECTORS for folder, _ in self._parts], gone)
            self._words = Words(self._parts[-1][0] / WORDS, len(gone))
            last = self._articles.execute("SELECT max(id) FROM main.chunk").fetchone()[0]
        except (RuntimeError, MemoryError, ValueError, sqlite3.DatabaseError) as error:
            raise IndexUnusable(f"The index in {build} is damaged: {REBUILD}.") from error
        fit = (
            self._vectors.dimension == manifest.dimension
            and self._vectors.lengths == [chunks for _, chunks in self._parts]
            and len(self._words) == manifest.chunks
            and sum(self._vectors.lengths) - len(gone) == manifest.chunks
            and (-1 if last is None else last) == manifest.base - 1
        )
        if not fit:
            raise IndexUnusable(f"The parts of the index in {build} do not fit: {REBUILD}.")

    def _gone(self) -> list[int]:
        """The ids of chunks of the first part that count no more."""
        if len(self._parts) == 1:
            return []
        rows = self._articles.execute(
            "SELECT id FROM main.chunk WHERE file IN (SELECT file FROM changes.gone)"
        )
        return [id for (id,) in rows]

    @property
    def embedder(self) -> Embedder:
        """The model that made the vectors, loaded at first use. Raises ModelUnusable."""
        if self._embedder is None:
            embedder = load_embedder(self.manifest.model, self._models)
            if embedder.fingerprint != self.manifest.fingerprint:
                raise ModelUnusable(
                    f"The model {self.manifest.model} is not the one the index was made with: "
                    f"{REBUILD}."
                )
            self._embedder = embedder
        return self._embedder

    def search(
        self, question: Matrix, limit: int, only: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The chunks nearest to a question vector of shape (1, dimension): id and cosine."""
        if limit < 1 or not self.manifest.chunks or (only is not None and not len(only)):
            return []
        return self._vectors.search(question, limit, only)

    def match(
        self,
        text: str,
        limit: int,
        only: Sequence[int] | None = None,
        *,
        every_word: bool = False,
    ) -> list[tuple[int, float]]:
        """The chunks that share words with a text, or have them all: id and BM25 score, by score.

        The title of an article counts as words of each of its chunks.
        """
        if only is None:
            return self._words.match(text, limit, every_word=every_word)
        allowed = set(only)
        every = self._words.match(text, max(1, self.manifest.chunks), every_word=every_word)
        return [hit for hit in every if hit[0] in allowed][:limit]

    def count(self, stem: str) -> int:
        """In how many chunks a stem occurs; see `index.words.stems`."""
        return self._words.count(stem)

    def together(self, text: str) -> bool:
        """Whether the words of a text stand together; see `index.words.Words.together`."""
        return self._words.together(text)

    def stems(self, text: str) -> list[str]:
        """The words of a text as this index compares them."""
        return stems(text)

    def vectors(self, ids: Sequence[int]) -> Matrix:
        """The stored vectors of chunks, shape (len(ids), dimension)."""
        return self._vectors.rows(ids)

    def chunk(self, id: int) -> Chunk:
        """One chunk with its text. Raises LookupError where there is none of this id."""
        row = self._articles.execute(
            'SELECT file, start, "end" FROM chunk WHERE id = ?', (id,)
        ).fetchone()
        if row is None:
            raise LookupError(id)
        file, start, end = row
        # No join: where both tables are views, SQLite would copy all articles to make it.
        title, text = self._articles.execute(
            "SELECT title, substr(text, ?, ?) FROM article WHERE file = ?",
            (start + 1, end - start, file),
        ).fetchone()
        return Chunk(id, file, title, start, end, text)

    def files(self, only: str | Selection | None = None) -> list[str]:
        """The names of all articles, sorted, or of those that fit a pattern or a selection."""
        fits = (Selection((only,)) if isinstance(only, str) else only or Selection()).fits()
        rows = self._articles.execute("SELECT file, date FROM article ORDER BY file")
        return [file for file, date in rows if fits(file, date)]

    def chunk_ids(self, only: str | Selection | None = None) -> list[int]:
        """The ids of all chunks, or of those of the articles that fit a pattern or a selection."""
        if only is None:
            return [id for (id,) in self._articles.execute("SELECT id FROM chunk ORDER BY id")]
        rows = self._articles.execute(
            "SELECT id FROM chunk WHERE file IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(self.files(only)),),
        )
        return [id for (id,) in rows]

    @cached_property
    def plane(self) -> Plane:
        """Where each chunk lies on the map of passages. Raises IndexUnusable when damaged."""
        dimension = self.manifest.dimension
        parts = [read_plane(folder / PLANE, chunks, dimension) for folder, chunks in self._parts]
        points = np.concatenate([part.points for part in parts])
        return Plane(points, parts[0].mean, parts[0].axes)

    def article(self, file: str) -> Article | None:
        """An article by its name, or None."""
        row = self._articles.execute(SELECT + " WHERE file = ?", (file,)).fetchone()
        return read_row(row) if row else None

    def articles(self) -> Iterator[tuple[Article, str]]:
        """Every article with the SHA-256 of its file, sorted by name."""
        for row in self._articles.execute(SELECT + " ORDER BY file"):
            yield read_row(row), row[0]

    def summaries(self) -> Iterator[tuple[str, str, str, str, str, list[LeftOut], list[str]]]:
        """Of every article, sorted by name: file, title, author, date, text, left out, remarks.

        Far quicker than `articles`, since the sentences and headings are not read.
        """
        for *told, left_out, remarks in self._articles.execute(
            "SELECT file, title, author, date, text, left_out, remarks FROM article ORDER BY file"
        ):
            gaps = [LeftOut(**values) for values in json.loads(left_out)]
            file, title, author, date, text = told
            yield file, title, author, date, text, gaps, json.loads(remarks)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each article's file as it was indexed."""
        return dict(self._articles.execute("SELECT file, digest FROM article"))

    def indexed(self) -> dict[str, str]:
        """When each article was read last because it was new or had changed (ISO, UTC)."""
        return dict(self._articles.execute("SELECT file, indexed FROM article"))

    def stamps(self) -> dict[str, str]:
        """Size and times of each article's file when it was read; see `index.survey`."""
        return dict(self._articles.execute("SELECT file, stamp FROM article"))

    def dates(self) -> dict[str, str]:
        """The date of each article, empty where it has none."""
        return dict(self._articles.execute("SELECT file, date FROM article"))

    def edges(self, folders: Collection[str]) -> dict[str, tuple[list[Edge], list[Range]]]:
        """Of each article in some folders, its first and last lines, and those that recur."""
        rows = self._articles.execute(
            "SELECT file, edges, CASE WHEN left_out LIKE ? THEN left_out ELSE '[]' END "
            "FROM article",
            (f"%{REASON}%",),
        )
        return {
            file: (
                [(words, start, end) for words, start, end in json.loads(edges)],
                [(gap["start"], gap["end"]) for gap in json.loads(gaps) if gap["reason"] == REASON],
            )
            for file, edges, gaps in rows
            if folder_of(file) in folders
        }

    def sketches(self) -> dict[str, Runs]:
        """What each article is compared by; see `index.copies`."""
        # What is gone of the first part is not asked for, or comes again in the second.
        tables = ("main.article", "changes.article")[: len(self._parts)]
        return {
            file: runs[first : first + count]
            for table, (folder, _) in zip(tables, self._parts, strict=True)
            for runs in [np.asarray(np.load(folder / RUNS, mmap_mode="r", allow_pickle=False))]
            for file, first, count in self._articles.execute(
                f"SELECT file, first_run, runs FROM {table}"  # noqa: S608  # One of the two above.
            )
        }

    def near(self) -> set[tuple[str, str]]:
        """The pairs of articles that say much the same; see `index.copies`."""
        return set(self._articles.execute("SELECT file, other FROM near"))

    def parts(self) -> tuple[set[str], set[str]]:
        """The articles of the first part, gone or not, and those that came later.

        An article that was changed is in both.
        """
        first = {file for (file,) in self._articles.execute("SELECT file FROM main.article")}
        if len(self._parts) == 1:
            return first, set()
        came = self._articles.execute("SELECT file FROM changes.article")
        return first, {file for (file,) in came}

    @cached_property
    def originals(self) -> dict[str, str]:
        """For each article that is a copy of another one, the name of that one."""
        return dict(self._articles.execute("SELECT file, original FROM copy ORDER BY file"))

    def skipped(self) -> dict[str, tuple[str, str]]:
        """Each file that is not in the index: the reason, and the SHA-256 of what was seen."""
        rows = self._articles.execute("SELECT file, reason, digest FROM skipped ORDER BY file")
        return {file: (reason, digest) for file, reason, digest in rows}

    def first_chunks(self, files: Collection[str]) -> int:
        """How many chunks of the first part belong to some files, gone or not."""
        counted = self._articles.execute(
            "SELECT count(*) FROM main.chunk WHERE file IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(files)),),
        )
        return int(counted.fetchone()[0])

    def chunk_rows(self, files: Collection[str] | None = None) -> list[Row]:
        """Every chunk, or those of some files, in the order of the ids."""
        every = 'SELECT id, file, start, "end", key FROM chunk ORDER BY id'
        if files is None:
            return list(self._articles.execute(every))
        some = every.replace("ORDER", "WHERE file IN (SELECT value FROM json_each(?)) ORDER")
        return list(self._articles.execute(some, (json.dumps(sorted(files)),)))

    def close(self) -> None:
        """Let go of the files."""
        self._articles.close()


def open_index(folder: Path | str = ".rag") -> Index:
    """Open the current build of an index folder, after checking that every file is as it was.

    Raises IndexUnusable when there is none, or it is damaged, or of another version.
    """
    root = Path(folder)
    while True:
        build = current_build(root)
        try:
            manifest = read_manifest(build)
            check_files(build, manifest)
            return Index(build, manifest, root / "models")
        except (IndexUnusable, sqlite3.OperationalError):
            # A build that was replaced and removed while it was being opened: take the newer one.
            if current_build(root) == build:
                raise
