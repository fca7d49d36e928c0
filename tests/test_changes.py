"""What came after a large index was written lies beside it, and is one with it to whoever asks."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import index.draft as drafts
import index.survey as surveys
from index import Index, IndexUnusable, open_index
from index.articles import CHANGES
from index.build import Report
from index.current import roll_back
from index.types import Selection
from rag import ask
from tests.conftest import finish, write_articles
from ui.cli import main
from ui.status import describe, status_lines

Make = Callable[[dict[str, str]], Index]
Rebuild = Callable[..., Report]
TOWNS = "Orn Dray Skerrow Sorrel Gannet Velm".split()
NOTE = "The bridge of {0}\n\nThe bridge of {0} was built in {1} and has {2} arches.\n"


def notes() -> dict[str, str]:
    return {
        f"{town}.txt": NOTE.format(town, 1800 + 10 * number, number + 3)
        for number, town in enumerate(TOWNS)
    }


@pytest.fixture
def large(make_index: Make, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index of six notes, which is large when two passages are few."""
    monkeypatch.setattr(drafts, "MOST_CHANGES", 2)
    return make_index(notes())


def part_of(index: Index, file: str) -> str:
    (id, *_), *_ = index.chunk_rows([file])
    return "changes" if id >= index.manifest.base else "base"


def said(index: Index) -> dict[str, str]:
    return {file: found.text for file in index.files() if (found := index.article(file))}


def test_only_what_changed_is_written(large: Index, rebuild: Rebuild, tmp_path: Path) -> None:
    write_articles(tmp_path / "articles", {"Dray.txt": NOTE.format("Dray", 1999, 9)})
    report = rebuild()
    assert (report.changed, report.embedded, report.chunks) == (("Dray.txt",), 1, 6)
    now = open_index(tmp_path / ".rag")
    assert (part_of(now, "Dray.txt"), part_of(now, "Orn.txt")) == ("changes", "base")
    for name in ("vectors.faiss", "articles.sqlite"):
        assert (large.build / name).samefile(now.build / name)
    assert "passages" in "\n".join(status_lines(describe(tmp_path / ".rag")))
    assert describe(tmp_path / ".rag")["passages_changed"] == 1


def test_whoever_asks_sees_one_index(large: Index, rebuild: Rebuild, tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    write_articles(articles, {"Dray.txt": NOTE.format("Dray", 1999, 9)})
    rebuild()
    (articles / "Velm.txt").unlink()
    (articles / "Orn.txt").rename(articles / "moved.txt")
    report = rebuild()
    assert (report.removed, report.renamed) == (("Velm.txt",), (("Orn.txt", "moved.txt"),))
    assert report.embedded == 0
    grown = open_index(tmp_path / ".rag")
    assert grown.manifest.changes == 2
    whole = tmp_path / "whole"
    finish(articles, whole, full=True)
    fresh = open_index(whole)
    assert said(grown) == said(fresh)
    assert grown.files(Selection(("m*",))) == ["moved.txt"]
    assert len(grown.chunk_ids()) == grown.manifest.chunks == fresh.manifest.chunks == 5
    assert grown.plane.points.shape == (8, 2)
    for word in ("bridg", "velm", "1999", "1810"):
        assert grown.count(word) == fresh.count(word), word
    for name, together in (("bridge of Dray", True), ("bridge of Velm", False)):
        assert (grown.together(name), fresh.together(name)) == (together, together)
    for question in ("When was the bridge of Dray built?", "How many arches has that of Orn?"):
        vector = fresh.embedder.question(question)
        one = [(grown.chunk(id).file, round(score, 3)) for id, score in grown.search(vector, 9)]
        assert one == [
            (fresh.chunk(id).file, round(score, 3)) for id, score in fresh.search(vector, 9)
        ]
        assert {grown.chunk(id).file for id, _ in grown.match(question, 9)} == {
            fresh.chunk(id).file for id, _ in fresh.match(question, 9)
        }
        *_, answer = ask(question, grown)
        *_, expected = ask(question, fresh)
        assert (answer.text, answer.short_answer) == (expected.text, expected.short_answer)
    only = grown.chunk_ids("Dray.txt")
    assert [id for id, _ in grown.search(vector, 9, only)] == only
    assert np.allclose(grown.vectors(only), fresh.vectors(fresh.chunk_ids("Dray.txt")), atol=1e-3)
    with pytest.raises(LookupError):
        grown.chunk(large.chunk_ids("Velm.txt")[0])


def test_many_changes_are_written_into_one(large: Index, rebuild: Rebuild, tmp_path: Path) -> None:
    for number, town in enumerate(TOWNS[:3]):
        write_articles(tmp_path / "articles", {f"{town}.txt": NOTE.format(town, 1999, number)})
        rebuild()
    now = open_index(tmp_path / ".rag")
    assert not (now.build / CHANGES).exists()
    assert (now.manifest.base, now.manifest.changes) == (6, 0)
    assert "1999" in said(now)["Orn.txt"]


def test_a_copy_of_what_was_there_before_is_found(
    make_index: Make, rebuild: Rebuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_CHANGES", 5)
    report = " ".join(
        f"Ship {n} bore {n * 7} tons of salt under master {n * 13}." for n in range(20)
    )
    make_index({**notes(), "a.txt": report})
    write_articles(tmp_path / "articles", {"z.txt": f"From our correspondent.\n{report}"})
    rebuild()
    assert open_index(tmp_path / ".rag").originals == {"z.txt": "a.txt"}
    write_articles(tmp_path / "articles", {"more.txt": "Nothing of it was true."})
    rebuild()
    now = open_index(tmp_path / ".rag")
    assert (now.manifest.base > 5) and part_of(now, "z.txt") == "changes"
    assert now.originals == {"z.txt": "a.txt"}
    (tmp_path / "articles" / "a.txt").unlink()
    rebuild()
    assert open_index(tmp_path / ".rag").originals == {}


def test_going_back_and_forth(large: Index, rebuild: Rebuild, tmp_path: Path) -> None:
    write_articles(tmp_path / "articles", {"new.txt": "The pier of Dray burnt in 1987."})
    rebuild()
    roll_back(tmp_path / ".rag")
    assert "new.txt" not in open_index(tmp_path / ".rag").files()
    assert rebuild().new == ("new.txt",)
    for turn in range(3):  # Builds before are removed, and what they lent stays.
        write_articles(tmp_path / "articles", {"new.txt": f"The pier of Dray burnt in {turn}."})
        rebuild()
    *_, answer = ask("When was the bridge of Gannet built?", open_index(tmp_path / ".rag"))
    assert "1840" in answer.text


def test_a_damaged_part_is_noticed(large: Index, rebuild: Rebuild, tmp_path: Path) -> None:
    write_articles(tmp_path / "articles", {"new.txt": "The pier of Dray burnt in 1987."})
    rebuild()
    now = open_index(tmp_path / ".rag").build
    for path in [path for path in now.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        if path.name.startswith(".") or not content:
            continue
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(IndexUnusable, match="rag index"):
            open_index(tmp_path / ".rag")
        path.write_bytes(content)
    open_index(tmp_path / ".rag")


def test_where_files_cannot_have_two_names_they_are_copied(
    large: Index, rebuild: Rebuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: object) -> None:
        raise OSError("no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    write_articles(tmp_path / "articles", {"new.txt": "The pier of Dray burnt in 1987."})
    rebuild()
    now = open_index(tmp_path / ".rag")
    assert now.manifest.changes == 1
    assert not (large.build / "vectors.faiss").samefile(now.build / "vectors.faiss")


def test_a_touched_file_is_read_and_an_untouched_one_is_not(
    make_index: Make, rebuild: Rebuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_articles(tmp_path / "articles", notes())
    monkeypatch.setattr(surveys, "SETTLED", 0)  # As if the files were not quite new.
    make_index({})
    opened: list[str] = []
    read = surveys.read_bytes

    def note_and_read(path: Path) -> bytes:
        opened.append(path.name)
        return read(path)

    monkeypatch.setattr(surveys, "read_bytes", note_and_read)
    assert not rebuild().changed
    assert opened == []
    (tmp_path / "articles" / "Orn.txt").touch()
    assert not rebuild().changed
    assert opened == ["Orn.txt"]
    # As long, and as old by its own word: the time of the change of its entry tells.
    velm = tmp_path / "articles" / "Velm.txt"
    status = velm.stat()
    velm.write_text(velm.read_text().replace("1850", "1851"))
    os.utime(velm, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert rebuild().changed == ("Velm.txt",)


def test_a_file_that_is_quite_new_is_read_again(
    make_index: Make, tmp_path: Path, rebuild: Rebuild
) -> None:
    made = make_index(notes())
    assert set(made.stamps().values()) == {""}
    assert not rebuild().changed


def test_lists_find_what_exact_search_finds(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    exact = make_index(notes())
    assert exact.manifest.kind == "exact"
    assert rebuild(vectors="lists").embedded == 0
    lists = open_index(tmp_path / ".rag")
    assert (lists.manifest.kind, lists.manifest.wanted) == ("lists", "lists")
    vector = exact.embedder.question("When was the bridge of Velm built?")
    assert [id for id, _ in lists.search(vector, 6)] == [id for id, _ in exact.search(vector, 6)]
    only = lists.chunk_ids("Velm.txt")
    assert [id for id, _ in lists.search(vector, 6, only)] == only
    assert np.allclose(lists.vectors([3]), exact.vectors([3]), atol=0.01)
    # What was wanted once is wanted still, until the user says otherwise.
    write_articles(tmp_path / "articles", {"new.txt": "The pier of Dray burnt in 1987."})
    rebuild()
    assert open_index(tmp_path / ".rag").manifest.kind == "lists"
    rebuild(vectors="")
    assert open_index(tmp_path / ".rag").manifest.kind == "exact"


def test_the_command_line_decides_and_says_how_vectors_are_kept(
    make_index: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_index(notes())
    place = ["--index", str(tmp_path / ".rag")]
    for wanted, told in (("lists", "lists: "), ("auto", "exact: "), ("exact", "exact: ")):
        assert main(["index", str(tmp_path / "articles"), "--vectors", wanted, *place]) == 0
        capsys.readouterr()
        assert main(["status", *place]) == 0
        assert f"vectors  {told}" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["index", "--vectors", "some", *place])
