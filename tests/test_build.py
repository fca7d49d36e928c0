"""A rebuild does only what is needed, loses nothing, and never disturbs who is asking."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, IndexUnusable, open_index
from index.build import Report, build
from index.current import roll_back
from index.manifest import MANIFEST
from index.types import BuildRunning, NothingToIndex
from rag import ask
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
    assert (report.new, report.removed, report.embedded) == ((), (), 0)
    assert report.renamed == (("wall.txt", "renamed.txt"),)
    assert open_index(tmp_path / ".rag").files() == ["renamed.txt"]


def test_copies_that_go_and_come_are_each_told(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index({"a.txt": WALL, "b.txt": WALL, "c.txt": WALL, "pier.txt": PIER})
    for name in "abc":
        (tmp_path / "articles" / f"{name}.txt").unlink()
    write_articles(tmp_path / "articles", {"d.txt": WALL, "e.txt": WALL, "f.txt": "A new note."})
    report = rebuild()
    assert (report.new, report.changed, report.removed) == (("f.txt",), (), ("c.txt",))
    assert report.renamed == (("a.txt", "d.txt"), ("b.txt", "e.txt"))


def test_going_back_makes_the_build_before_answer(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index({"wall.txt": WALL})
    with pytest.raises(IndexUnusable, match="no earlier build"):
        roll_back(tmp_path / ".rag")
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    rebuild()
    roll_back(tmp_path / ".rag")
    assert open_index(tmp_path / ".rag").files() == ["wall.txt"]
    roll_back(tmp_path / ".rag")
    assert open_index(tmp_path / ".rag").files() == ["pier.txt", "wall.txt"]
    assert rebuild().new == ()


def test_a_damaged_build_is_not_gone_back_to(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    index = make_index({"wall.txt": WALL})
    write_articles(tmp_path / "articles", {"pier.txt": PIER})
    rebuild()
    (index.build / "vectors.faiss").write_bytes(b"")
    with pytest.raises(IndexUnusable, match="damaged"):
        roll_back(tmp_path / ".rag")
    assert open_index(tmp_path / ".rag").files() == ["pier.txt", "wall.txt"]


def test_why_everything_is_embedded_again_is_said(make_index: Make, tmp_path: Path) -> None:
    index = make_index({"wall.txt": WALL})
    manifest = index.build / MANIFEST
    values = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**values, "chunking": "of another kind"}))
    steps = list(build([tmp_path / "articles"], tmp_path / ".rag"))
    assert [step.note for step in steps if step.note] == [
        "What is cut otherwise now is embedded anew: passages are made in another way."
    ]


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


KILLS = 100
# Forks a build for every line it reads: importing what a build needs takes longer than the build.
FORKING = """
import os, sys
from pathlib import Path
import langchain_text_splitters, index.build, index.embed, index.read_text
for _ in sys.stdin:
    child = os.fork()
    if not child:
        list(index.build.build([Path(sys.argv[1])], Path(sys.argv[2])))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def test_a_build_killed_at_any_moment_leaves_the_old_index_answering(
    make_index: Make, tmp_path: Path
) -> None:
    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    make_index({"wall.txt": WALL})
    chance = random.Random(7)  # noqa: S311  # When to kill, not which secret.
    builder = subprocess.Popen(
        [sys.executable, "-c", FORKING, str(articles), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert builder.stdin is not None
    assert builder.stdout is not None
    finished = 0
    longest = 0.2  # Seconds that a build takes, as far as was seen.
    for turn in range(KILLS):
        write_articles(articles, {"pier.txt": f"{PIER} Note {turn}."})
        builder.stdin.write("\n")
        builder.stdin.flush()
        child = int(builder.stdout.readline())
        started = time.perf_counter()
        time.sleep(chance.uniform(0, longest))
        with contextlib.suppress(ProcessLookupError):  # It had ended.
            os.kill(child, signal.SIGKILL)
        assert builder.stdout.readline() == "ended\n"
        index = open_index(folder)
        assert "wall.txt" in index.files()
        *_, answer = ask("How long is the harbour wall?", index)
        assert answer.answered
        pier = index.article("pier.txt")
        if pier and f"Note {turn}." in pier.text:
            finished += 1
            longest = max(0.05, time.perf_counter() - started - 0.1)
        else:
            longest *= 1.1
        index.close()
    builder.stdin.close()
    builder.wait()
    builder.stdout.close()
    assert 0 < finished < KILLS, "all were killed too early, or too late"
    assert finish(articles, folder).articles == 2
    assert not [name for name in files_in(folder / "builds") if name.startswith(".")]
    assert len(files_in(folder / "builds")) <= 2
    assert files_in(folder) == {"builds", "current", "lock", "models"}


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
