"""A full disk and a power cut: the old index answers, and nothing is left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, open_index
from index.build import TIMED, build
from index.embed import FEWEST_SHARED
from index.manifest import MANIFEST
from tests.conftest import write_articles

Make = Callable[[dict[str, str]], Index]
NOTE = "Note {0}\n\nThe keeper of lamp {0} wrote down {0} ships on the night of the storm.\n"
# No file may grow beyond so many bytes: what a full disk does, at each kind of file in turn.
LIMITED = (
    "import resource, sys; from ui.cli import main; "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2); "
    "sys.exit(main(sys.argv[2:]))"
)


@pytest.mark.parametrize("room", [2_000, 30_000, 90_000])
def test_a_full_disk_is_a_sentence_and_the_old_index_answers(
    make_index: Make, tmp_path: Path, room: int
) -> None:
    make_index({"a.txt": NOTE.format(1)})
    before = sorted(path.name for path in (tmp_path / ".rag" / "builds").iterdir())
    more = {f"{number}.txt": NOTE.format(number) for number in range(2, 120)}
    write_articles(tmp_path / "articles", more)
    paths = [str(tmp_path / "articles"), "--index", str(tmp_path / ".rag")]
    command = [sys.executable, "-c", LIMITED, str(room), "index", *paths]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    assert "make room there" in run.stderr
    assert sorted(path.name for path in (tmp_path / ".rag" / "builds").iterdir()) == before
    assert open_index(tmp_path / ".rag").files() == ["a.txt"]
    *_, last = build([tmp_path / "articles"], tmp_path / ".rag")
    assert last.report
    assert last.report.articles == 119


def test_all_is_on_the_disk_before_it_becomes_current(
    make_index: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_index({"a.txt": NOTE.format(1)})
    write_articles(tmp_path / "articles", {"b.txt": NOTE.format(2)})
    flushed: list[str] = []
    sync = os.fsync

    def note_and_sync(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    replace = Path.replace

    def note_and_replace(self: Path, target: Path) -> Path:
        flushed.append(f"current -> {self.readlink().name}" if self.is_symlink() else str(self))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_and_sync)
    monkeypatch.setattr(Path, "replace", note_and_replace)
    *_, _ = build([tmp_path / "articles"], tmp_path / ".rag")
    new = Path(os.readlink(tmp_path / ".rag" / "current")).name
    switched = flushed.index(f"current -> {new}")
    before = [Path(path) for path in flushed[:switched]]
    index = open_index(tmp_path / ".rag")
    inside = {f"builds/.{new}/{name}" for name in (*index.manifest.files, MANIFEST)}
    told = {path.relative_to(tmp_path / ".rag").as_posix() for path in before}
    assert inside <= told
    assert {f"builds/.{new}", "builds"} <= told
    assert before[-1].name == "builds"  # The name of the new build, last of all.
    assert str(tmp_path / ".rag") in flushed[switched:]  # And the link after it was set.


def test_embedding_anew_says_why_and_how_long_it_takes(make_index: Make, tmp_path: Path) -> None:
    index = make_index({f"{n}.txt": NOTE.format(n) for n in range(TIMED + FEWEST_SHARED)})
    manifest = index.build / MANIFEST
    values = {**json.loads(manifest.read_text()), "fingerprint": "of other weights"}
    manifest.write_text(json.dumps(values))
    write_articles(tmp_path / "articles", {"new.txt": "The lamp was put out."})
    steps = list(build([tmp_path / "articles"], tmp_path / ".rag"))
    why, how_long = [step.note for step in steps if step.note]
    assert why == "Everything is embedded anew: all-MiniLM-L6-v2 has other weights than before."
    assert how_long == "161 passages are embedded; that takes less than a minute."
