"""A build of the index in the background, while questions go on being answered. Knows no Gradio."""

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event, Lock, Thread, main_thread
from typing import Any

from index.build import Progress, Report, build
from index.types import FootnoteError

IDLE: dict[str, Any] = {
    "running": False,
    "stage": "",
    "done": 0,
    "total": 0,
    "file": "",
    "note": "",
    "error": "",
    "report": None,
}
CANCELLED = "cancelled"  # The stage of a build that was ended before it was done.
BROKEN = "The build ended with an error that is no fault of yours: see the terminal of the server."

Build = Callable[[Sequence[Path], Path], Generator[Progress, None, None]]


class Rebuilding:
    """Runs one build of an index folder at a time, and tells how far it is."""

    def __init__(self, folder: Path, steps: Build = build) -> None:
        self._folder = folder
        self._steps = steps
        self._lock = Lock()
        self._thread = Thread()
        self._stop = Event()
        self._closed = False
        self._progress = IDLE

    def start(self, sources: Sequence[Path]) -> bool:
        """Begin a build of `sources`; False when one is running, or after `close`."""
        with self._lock:
            if self._progress["running"] or self._closed:
                return False
            self._stop.clear()
            self._progress = {**IDLE, "running": True, "stage": "starting"}
            # No daemon: a thread inside onnxruntime that is killed aborts the whole process.
            self._thread = Thread(target=self._run, args=(tuple(sources),), name="rebuild")
            self._thread.start()
            return True

    def progress(self) -> dict[str, Any]:
        """How far the build is, or how the last one ended."""
        return self._progress

    def cancel(self) -> None:
        """End the build after the step it is in; the old index stays."""
        self._stop.set()

    def close(self) -> None:
        """End the build and wait for that; none begins afterwards."""
        with self._lock:
            self._closed = True
            self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self, sources: Sequence[Path]) -> None:
        ended: dict[str, Any] = {"stage": CANCELLED}
        try:
            # Closing the steps before they are done removes what is unfinished.
            with closing(self._steps(sources, self._folder)) as steps:
                for step in steps:
                    self._tell(step)
                    if step.report:
                        ended = {"report": _counts(step.report)}
                    # A server that was stopped waits for this thread, which nobody else ends.
                    elif self._stop.is_set() or not main_thread().is_alive():
                        break
        except FootnoteError as error:
            ended = {"error": str(error)}
        except Exception:  # noqa: BLE001  # A thread's error is told nowhere else.
            traceback.print_exc()
            ended = {"error": BROKEN}
        self._progress = {**self._progress, **ended, "running": False}

    def _tell(self, step: Progress) -> None:
        told = {"stage": step.stage, "done": step.done, "total": step.total, "file": step.file}
        # A note is given once, and holds until the build ends.
        self._progress = {**self._progress, **told, "note": step.note or self._progress["note"]}


def _counts(report: Report) -> dict[str, Any]:
    return {
        "new": len(report.new),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "renamed": len(report.renamed),
        "left_out": report.skipped,
    }
