"""`rag index` on the command line: events, going back, and following a folder."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, open_index
from tests.conftest import write_articles
from ui.cli import main

WALL = "The wall\n\nThe harbour wall of Skerrow was raised by a metre in 2019.\n"
PIER = "The pier\n\nThe pier of Dray was closed in 1987 after a fire.\n"
PATIENCE = 60  # Seconds for what takes two.
Make = Callable[[dict[str, str]], Index]


def test_progress_is_a_line_an_event_and_the_report_one_object(
    make_index: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_index({"wall.txt": WALL})
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    assert main(["index", "--index", str(tmp_path / ".rag"), "--json"]) == 0
    out, errors = capsys.readouterr()
    assert json.loads(out)["new"] == ["pier.txt"]
    events = [json.loads(line) for line in errors.splitlines()]
    assert {"reading", "embedding", "writing", "done"} <= {event["stage"] for event in events}
    assert [event["file"] for event in events if event["file"]] == ["pier.txt", "wall.txt"]
    assert all(0 <= event["done"] <= event["total"] for event in events)


def test_renamed_files_are_told_apart_from_new_ones(
    make_index: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_index({"wall.txt": WALL})
    (tmp_path / "articles" / "wall.txt").rename(tmp_path / "articles" / "old.txt")
    assert main(["index", "--index", str(tmp_path / ".rag")]) == 0
    assert "0 new, 0 changed, 0 removed, 1 renamed" in capsys.readouterr().out


def test_rollback_answers_from_the_build_before(
    make_index: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_index({"wall.txt": WALL})
    folder = str(tmp_path / ".rag")
    assert main(["index", "--index", folder, "--rollback"]) == 2
    assert "no earlier build" in capsys.readouterr().err
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    assert main(["index", "--index", folder]) == 0
    assert main(["index", "--index", folder, "--rollback"]) == 0
    assert "answers again" in capsys.readouterr().out
    assert open_index(folder).files() == ["wall.txt"]


def test_watch_follows_the_folder_until_it_is_stopped(make_index: Make, tmp_path: Path) -> None:
    make_index({"wall.txt": WALL})
    folder = tmp_path / ".rag"
    watching = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "index", "--index", str(folder), "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whatever is started in the background of a script ignores Ctrl-C, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert watching.stdout is not None
    assert watching.stderr is not None
    while "Following" not in watching.stdout.readline():
        assert watching.poll() is None
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    assert watching.stdout.readline() == "1 new, 0 changed, 0 removed\n"
    assert open_index(folder).files() == ["pier.txt", "wall.txt"]
    watching.stdout.readline()
    for path in (tmp_path / "articles").iterdir():
        path.unlink()
    assert "There is no article" in watching.stderr.readline()
    assert open_index(folder).files() == ["pier.txt", "wall.txt"]
    watching.send_signal(signal.SIGINT)
    assert watching.wait(PATIENCE) == 0
    assert watching.stderr.read() == ""
    watching.stdout.close()
    watching.stderr.close()
