"""What is there, and what of it an index holds already: only what is new or changed is read.

A file whose size and times are those it had when it was indexed is not opened. Where they differ,
its SHA-256 decides.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns

from index.read import READER_VERSION, Found, read_article, read_bytes
from index.recurring import Edge, edges, find_recurring, folder_of, leave_out
from index.store import Index
from index.types import Article, Unreadable

SETTLED = 2_000_000_000  # Nanoseconds; a file may change again within one tick of its clock.


@dataclass(slots=True)
class Survey:
    """What was found: the SHA-256 and the stamp of every file that can be an article, by name.

    `fresh` are the articles that are to be cut anew: those of files that are new or changed, and
    those in which other lines recur now than before. `edges` are the first and last lines of those.
    """

    digests: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, tuple[str, str]] = field(default_factory=dict)
    fresh: dict[str, Article] = field(default_factory=dict)
    edges: dict[str, list[Edge]] = field(default_factory=dict)

    def knows(self, *files: str) -> bool:
        """Whether these files are there, and as the index has them."""
        return all(file in self.digests and file not in self.fresh for file in files)


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of files by what happened to them; `renamed` are pairs, before and now."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.removed or self.renamed)


def survey(seen: Survey, found: Found, old: Index | None) -> Iterator[tuple[int, str]]:
    """Look at every file, telling its number and name, and note in `seen` what is there.

    Nothing of an index whose articles were read in another way is taken for known.
    """
    if old and old.manifest.readers != READER_VERSION:
        old = None
    seen.skipped |= {file: (reason, "") for file, reason in found.passed_over.items()}
    digests, stamps = (old.digests(), old.stamps()) if old else ({}, {})
    for number, (file, path) in enumerate(found.files.items()):
        yield number, file
        digest = ""
        try:
            stamp = _stamp(path)
            if stamp and stamp == stamps.get(file):
                digest = digests[file]
            else:
                content = read_bytes(path)
                digest = hashlib.sha256(content).hexdigest()
                if digests.get(file) != digest:
                    seen.fresh[file] = read_article(file, content)
            seen.digests[file], seen.stamps[file] = digest, stamp
        except Unreadable as reason:
            seen.skipped[file] = str(reason), digest
    _leave_out_recurring(seen, old, digests)


def _leave_out_recurring(seen: Survey, old: Index | None, before: Mapping[str, str]) -> None:
    """Leave out the lines that recur, in every folder that has changed."""
    seen.edges = {file: edges(article) for file, article in seen.fresh.items()}
    touched = {folder_of(file) for file in (*seen.fresh, *(before.keys() - seen.digests.keys()))}
    stored = old.edges(touched) if old and touched else {}
    known = {file: found for file, found in stored.items() if seen.knows(file)}
    lines = {**{file: found for file, (found, _) in known.items()}, **seen.edges}
    for file, recurring in find_recurring(lines).items():
        if file in seen.fresh:
            seen.fresh[file] = leave_out(seen.fresh[file], recurring)
        elif old and recurring != known[file][1]:
            article = old.article(file)
            altered = leave_out(article, recurring) if article else None
            if altered and altered is not article:
                seen.fresh[file], seen.edges[file] = altered, known[file][0]


def _stamp(path: Path) -> str:
    """Size and times of a file, or nothing where it is so new that it may change unnoticed."""
    try:
        status = path.stat()
    except OSError:
        return ""  # Reading it says why.
    if time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < SETTLED:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def changes(digests: Mapping[str, str], before: Mapping[str, str]) -> Changes:
    """Which files are new, changed, removed, and renamed: the same bytes under another name.

    Both are the SHA-256 of files by name, of those there are now and of those there were.
    """
    gone: dict[str, list[str]] = {}
    for file in sorted(before.keys() - digests.keys(), reverse=True):
        gone.setdefault(before[file], []).append(file)
    new, changed, renamed = [], [], []
    for file, digest in digests.items():
        if file in before:
            if before[file] != digest:
                changed.append(file)
        elif gone.get(digest):
            renamed.append((gone[digest].pop(), file))
        else:
            new.append(file)
    removed = sorted(file for files in gone.values() for file in files)
    return Changes(tuple(new), tuple(changed), tuple(removed), tuple(renamed))
