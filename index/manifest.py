"""What made a build, and whether it is whole: the manifest of an index folder."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.types import IndexUnusable

FORMAT = 5  # Bump when anything in the folder changes its meaning.
MANIFEST = "manifest.json"
REBUILD = "run `rag index --full` to make it again"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a build, so that nothing is guessed when it is opened.

    `chunks` is how many there are; of the ids, `base` belong to the part that was made at once, and
    `changes` to what came later. `kind` says how the vectors of the base are kept, `wanted` how the
    user wants them kept, if in a certain way (see `index.vectors`). `files` has the size of each
    file, its SHA-256, and when it was written (nanoseconds).
    """

    format: int
    model: str
    fingerprint: str
    dimension: int
    chunking: str
    readers: int
    sources: tuple[str, ...]
    created: str
    articles: int
    chunks: int
    skipped: int
    base: int
    changes: int
    kind: str
    wanted: str
    files: dict[str, tuple[int, str, int]]


def current_build(folder: Path) -> Path:
    """The folder of the current build. Raises IndexUnusable when there is none."""
    link = folder / "current"
    try:
        build = folder / os.readlink(link)
    except OSError as error:
        raise IndexUnusable(
            f"There is no index in {folder} yet: run `rag index` with the folder of your articles."
        ) from error
    if not build.is_dir():
        raise IndexUnusable(f"The index in {folder} is incomplete: {REBUILD}.")
    return build


def read_manifest(build: Path) -> Manifest:
    """The manifest of a build. Raises IndexUnusable for another format or a damaged file."""
    try:
        values = json.loads((build / MANIFEST).read_text("utf-8"))
        made_by = values["format"]
        if made_by == FORMAT:
            values["sources"] = tuple(values["sources"])
            values["files"] = {name: tuple(pair) for name, pair in values["files"].items()}
            return Manifest(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexUnusable(f"The index in {build} is damaged: {REBUILD}.") from error
    raise IndexUnusable(
        f"The index was made by another version of Footnote (format {made_by}, this one reads "
        f"{FORMAT}): {REBUILD}."
    )


def check_files(build: Path, manifest: Manifest, *, every: bool = False) -> None:
    """Raise IndexUnusable unless every file is there and unchanged: faiss trusts what it maps.

    A file that has not been written to since the build is read only when `every` one is to be.
    """
    for name, (size, digest, written) in manifest.files.items():
        try:
            path = build / name
            status = path.stat()
            untouched = status.st_mtime_ns == written and not every
            if status.st_size == size and (untouched or file_digest(path) == digest):
                continue
        except OSError:
            pass
        raise IndexUnusable(f"The file {name} of the index is damaged or missing: {REBUILD}.")


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(build: Path, lent: Path | None = None, **values: Any) -> Manifest:
    """Write the manifest, last: with size and digest of every file, all forced to the disk.

    Files that are those of the build `lent` (links to them) have the digests they have there.
    """
    known: dict[tuple[int, int], tuple[int, str, int]] = {}
    if lent:
        for name, entry in read_manifest(lent).files.items():
            known[_place(lent / name)] = entry
    paths = sorted(path for path in build.rglob("*") if path.is_file())
    files = {
        path.relative_to(build).as_posix(): known.get(_place(path))
        or (path.stat().st_size, file_digest(path), path.stat().st_mtime_ns)
        for path in paths
        if not path.name.endswith(".lock")  # Tantivy's, empty, and gone when it likes.
    }
    manifest = Manifest(format=FORMAT, files=files, **values)
    (build / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    for path in [*paths, build / MANIFEST, *(p for p in build.rglob("*") if p.is_dir()), build]:
        flush(path)
    return manifest


def _place(path: Path) -> tuple[int, int]:
    """Where a file lies on the disk: the same for two names of one file."""
    status = path.stat()
    return status.st_dev, status.st_ino


def flush(path: Path) -> None:
    """Force a file or a folder's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
