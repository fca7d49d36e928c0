"""Which build of an index folder is current, and that only one process makes another."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from index.manifest import check_files, current_build, flush, read_manifest
from index.types import BuildRunning, FootnoteError, IndexUnusable

BUILDS_KEPT = 2  # The current one, and the one before for whoever still reads it.


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of an index folder. Raises BuildRunning when another process has it."""
    owner = folder / "building"
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        process = owner.read_text() if owner.exists() else "unknown"
        raise BuildRunning(
            f"Another build of {folder} is running (process {process}): wait for it to end."
        ) from error
    except OSError as error:
        raise FootnoteError(
            f"No index can be kept in {folder} ({error.strerror}): name another with `--index`."
        ) from error
    try:
        owner.write_text(str(os.getpid()))
        # What builds that were killed left behind.
        for path in (folder / "builds").glob(".*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in folder.glob(".current.*"):
            path.unlink(missing_ok=True)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def make_current(folder: Path, name: str) -> None:
    """Point the link at a finished build, in one step, and remove builds nobody needs."""
    builds = folder / "builds"
    flush(builds)
    current = folder / "current"
    before = Path(os.readlink(current)).name if current.is_symlink() else ""
    link = folder / f".current.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("builds") / name)
    link.replace(current)
    flush(folder)
    others = sorted(path for path in builds.iterdir() if path.name not in {name, before})
    for path in others[: len(others) - (BUILDS_KEPT - 1 - bool(before))]:
        shutil.rmtree(path, ignore_errors=True)


def roll_back(folder: Path) -> str:
    """Make the build before the current one current again; returns when it was built.

    The build that was current is kept, so that rolling back twice changes nothing. Raises
    IndexUnusable when there is no other build, or it is damaged.
    """
    with only_one(folder):
        current = current_build(folder)
        others = [path for path in (folder / "builds").iterdir() if path.name != current.name]
        if not others:
            raise IndexUnusable(f"There is no earlier build in {folder} to go back to.")
        # Names begin with the time of the build.
        before = max(others, key=lambda path: path.name)
        manifest = read_manifest(before)
        check_files(before, manifest, every=True)
        make_current(folder, before.name)
        return manifest.created
