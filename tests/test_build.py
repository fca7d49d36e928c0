"""A rebuild does only what is needed, loses nothing, and never disturbs who is asking."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, IndexUnusable, open_index
from index.build import Report, build
from index.manifest import MANIFEST
from index.types import BuildRunning, NothingToIndex
from tests.conftest import finish, write_articles

WALL = (
    "The wall\n\nThe harbour wall of Skerrow was raised by a metre in 2019. It cost two million.\n"
)
PIER = "The pier\n\nThe pier of Dray was closed in 1987 after a fire. Nobody was hurt.\n"
Make = Callable[[dict[str, str]], Index]
Rebuild = Callable[..., Report]


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_second_run_does_nothing(make_index: Make, rebuild: Rebuild, tmp_path: Path) -> None:
    make_index({"wall.txt": WALL})
    before = os.readlink(tmp_path / ".rag" / "current")
    report = rebuild()
    assert (report.new, report.changed, report.removed, report.embedded) == ((), (), (), 0)
    assert os.readlink(tmp_path / ".rag" / "current") == before


def test_only_what_changed_is_embedded_again(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index({"wall.txt": WALL, "pier.txt": PIER, "old.txt": "An old note about nothing much."})
    articles = tmp_path / "articles"
    write_articles(articles, {"wall.txt": WALL.replace("metre", "foot"), "new.txt": "A new note."})
    (articles / "old.txt").unlink()
    report = rebuild()
    assert (report.new, report.changed, report.removed) == (
        ("new.txt",),
        ("wall.txt",),
        ("old.txt",),
    )
    assert report.embedded == 2
    index = open_index(tmp_path / ".rag")
    text = " ".join(index.chunk(row[0]).text for row in index.chunk_rows())
    assert "foot" in text and "metre" not in text and "old note" not in text
    assert index.match("old nothing", 5) == []


def test_a_renamed_file_costs_no_embedding(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index({"wall.txt": WALL})
    (tmp_path / "articles" / "wall.txt").rename(tmp_path / "articles" / "renamed.txt")
    report = rebuild()
    assert (report.new, report.removed, report.embedded) == (("renamed.txt",), ("wall.txt",), 0)


def test_full_embeds_everything_again(make_index: Make, rebuild: Rebuild) -> None:
    make_index({"wall.txt": WALL, "pier.txt": PIER})
    assert rebuild(full=True).embedded == 2


def test_a_bad_file_is_listed_and_does_not_stop_the_rest(make_index: Make, tmp_path: Path) -> None:
    index = make_index({"wall.txt": WALL, "empty.txt": "", "photo.txt": "\x00\x01\x02" * 99})
    assert index.files() == ["wall.txt"]
    assert {file: reason for file, (reason, _) in index.skipped().items()} == {
        "empty.txt": "empty file",
        "photo.txt": "binary data, not text",
    }


@pytest.mark.parametrize("content", [None, "", "\x00\x01"])
def test_nothing_to_index_leaves_the_old_index(
    make_index: Make, rebuild: Rebuild, tmp_path: Path, content: str | None
) -> None:
    make_index({"wall.txt": WALL})
    (tmp_path / "articles" / "wall.txt").unlink()
    if content is not None:
        write_articles(tmp_path / "articles", {"a.txt": content})
    with pytest.raises(NothingToIndex):
        rebuild()
    assert open_index(tmp_path / ".rag").files() == ["wall.txt"]


def test_two_builds_at_once_the_second_names_the_first(make_index: Make, tmp_path: Path) -> None:
    make_index({"wall.txt": WALL})
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    running = build([tmp_path / "articles"], tmp_path / ".rag")
    next(running)
    code = (
        "import sys; from pathlib import Path; from index.build import build\n"
        "from index.types import BuildRunning\n"
        "try: list(build([Path(sys.argv[1])], Path(sys.argv[2])))\n"
        "except BuildRunning as error: print(error)"
    )
    second = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "articles"), str(tmp_path / ".rag")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"process {os.getpid()}" in second.stdout
    running.close()
    assert finish(tmp_path / "articles", tmp_path / ".rag").new == ("pier.txt",)


def test_a_build_can_be_stopped_and_leaves_nothing_behind(make_index: Make, tmp_path: Path) -> None:
    make_index({"wall.txt": WALL})
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    for step in build([tmp_path / "articles"], tmp_path / ".rag"):
        if step.stage == "embedding":
            break
    assert open_index(tmp_path / ".rag").files() == ["wall.txt"]
    assert finish(tmp_path / "articles", tmp_path / ".rag").new == ("pier.txt",)
    assert files_in(tmp_path / ".rag") == {"builds", "current", "lock", "models"}


def test_a_killed_build_leaves_the_old_index_answering(make_index: Make, tmp_path: Path) -> None:
    make_index({"wall.txt": WALL})
    code = (
        "import sys; from pathlib import Path; from index.build import build\n"
        "for step in build([Path(sys.argv[1])], Path(sys.argv[2]), full=True):\n"
        "    print(step.stage, flush=True)"
    )
    for moment in range(6):
        write_articles(tmp_path / "articles", {f"{moment}.txt": PIER + str(moment)})
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "articles"), str(tmp_path / ".rag")],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert "wall.txt" in open_index(tmp_path / ".rag").files()
    report = finish(tmp_path / "articles", tmp_path / ".rag")
    assert report.articles == 7
    assert not [name for name in files_in(tmp_path / ".rag" / "builds") if name.startswith(".")]
    assert len(files_in(tmp_path / ".rag" / "builds")) <= 2


def test_an_open_index_outlives_newer_builds(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    index = make_index({"wall.txt": WALL})
    for turn in range(3):
        write_articles(tmp_path / "articles", {"pier.txt": PIER + str(turn)})
        rebuild()
    hit = index.search(index.embedder.question("harbour wall"), 1)[0]
    assert "harbour wall" in index.chunk(hit[0]).text
    assert index.match("harbour", 5)
    assert len(files_in(tmp_path / ".rag" / "builds")) == 2


def test_an_index_of_another_version_says_what_to_do(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    index = make_index({"wall.txt": WALL})
    manifest = index.build / MANIFEST
    values = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**values, "format": 99}))
    with pytest.raises(IndexUnusable, match=r"another version.*rag index --full"):
        open_index(tmp_path / ".rag")
    assert rebuild().embedded == 1
    assert open_index(tmp_path / ".rag").files() == ["wall.txt"]


def test_every_damaged_file_is_noticed(make_index: Make, tmp_path: Path) -> None:
    index = make_index({"wall.txt": WALL})
    for path in [path for path in index.build.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        if path.name.startswith(".") or not content:
            continue
        for damaged in (content[:-1], content[:-2] + bytes([content[-2] ^ 1]) + content[-1:], b""):
            path.write_bytes(damaged)
            with pytest.raises(IndexUnusable, match="rag index"):
                open_index(tmp_path / ".rag")
        path.write_bytes(content)
    open_index(tmp_path / ".rag")


def test_no_index_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable, match="run `rag index`"):
        open_index(tmp_path)


def test_a_lock_nobody_holds_is_no_obstacle(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index({"wall.txt": WALL})
    (tmp_path / ".rag" / "building").write_text("99999999")
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    assert rebuild().new == ("pier.txt",)
    assert BuildRunning  # Named here so that the import in the child process is checked too.
