"""The library: what is indexed, what has changed, adding, removing, rebuilding."""

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import open_index
from index.build import Progress, build
from index.types import FootnoteError
from rag import ask
from ui.library import Library, passage_link
from ui.rebuilding import BROKEN, Rebuilding
from ui.render import read_link, token
from ui.status import describe
from ui.uploads import LARGEST_UPLOAD, clean_name, keep_upload, put_away

MILL = "# The mill\n\nDate: 2019-05-04\n\nThe mill at Dray was built in 1802.\n\nShare this\n"


@pytest.fixture
def place(tmp_path: Path, models: Path) -> tuple[Path, Path]:
    """A folder of two articles, and the folder of its index."""
    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    articles.mkdir()
    (articles / "mill.md").write_text(MILL)
    (articles / "kite.txt").write_text("The longest kite of Orn is 90 metres long.\n")
    shutil.copytree(models, folder / "models")
    for _ in build([articles], folder):
        pass
    return articles, folder


@pytest.fixture
def library(place: tuple[Path, Path]) -> Iterator[Library]:
    made = Library(place[1])
    yield made
    made.close()


def upload(folder: Path, content: bytes = b"Zorn flew in 1931.\n") -> Path:
    path = folder / f"sent-{time.monotonic_ns()}"
    path.write_bytes(content)
    return path


def finish(library: Library) -> dict:
    for _ in range(600):
        if not library.progress()["running"]:
            return library.progress()
        time.sleep(0.05)
    raise AssertionError("The build does not end.")


# --- The table --------------------------------------------------------------------------------


def test_the_table_says_what_rag_status_says(place, library) -> None:
    index = open_index(place[1])
    table = library.table(index)
    json.dumps(table)
    told = {file["file"]: file for file in describe(place[1])["files"]}
    assert {file["file"] for file in table["files"]} == set(told)
    for file in table["files"]:
        same = told[file["file"]]
        assert file["words"] == same["words"]
        assert file["passages"] == same["passages"]
        assert file["coverage"] == same["in_passages"]
        assert file["token"] == token(file["file"])
        assert not file["upload"]
    (mill,) = (file for file in table["files"] if file["file"] == "mill.md")
    assert mill["date"] == "2019-05-04"
    assert [reason for reason, share in mill["left_out"] if share > 0]
    assert (table["articles"], table["changeable"]) == (2, True)
    assert library.table(None)["files"] == []


def test_map_timeline_and_links_lead_to_passages(place, library) -> None:
    index = open_index(place[1])
    drawn = library.plane(index)
    assert drawn["shown"] == drawn["of"] == index.manifest.chunks
    for x, y, article, id in drawn["points"]:
        assert -1 <= x <= 1 and -1 <= y <= 1
        assert drawn["articles"][article]["token"] == token(index.chunk(id).file)
        target = read_link(passage_link(index, id))
        assert target.cited == (index.chunk(id).start, index.chunk(id).end)
    found = library.locate(index, "How long is the kite?", [0, 0, 1])
    assert len(found["passages"]) == 2 and len(found["question"]) == 2
    assert library.locate(index, " ", [])["question"] is None
    timeline = library.timeline(index)
    assert [one["file"] for one in timeline["articles"]] == ["mill.md"]
    assert timeline["undated"] == 1


# --- What has changed -------------------------------------------------------------------------


def fresh(folder: Path) -> Library:
    """Another look, with nothing remembered."""
    return Library(folder)


def test_changes_are_told_by_what_files_say(place) -> None:
    articles, folder = place
    none = {"new": [], "changed": [], "removed": [], "unreachable": ""}
    assert fresh(folder).changes() == none
    os.utime(articles / "mill.md")
    assert fresh(folder).changes() == none
    assert not fresh(folder).is_changed("mill.md")
    (articles / "mill.md").write_text(MILL.replace("1802", "1811"))  # As long as before.
    (articles / "new.md").write_text("A new one about kites.\n")
    (articles / "kite.txt").unlink()
    found = fresh(folder).changes()
    assert (found["new"], found["changed"], found["removed"]) == (
        ["new.md"], ["mill.md"], ["kite.txt"],
    )  # fmt: skip
    assert fresh(folder).is_changed("mill.md") and fresh(folder).is_changed("kite.txt")
    shutil.rmtree(articles)
    assert "There is no folder" in fresh(folder).changes()["unreachable"]


def test_a_file_is_read_again_only_when_it_may_have_changed(place, library, monkeypatch) -> None:
    read: list[str] = []
    digest = "ui.library.read_digest"
    monkeypatch.setattr(digest, lambda path: read.append(path.name) or "")
    library.changes()
    library._changes = None  # Five seconds later.
    library.changes()
    assert sorted(read) == ["kite.txt", "mill.md"]
    (place[0] / "mill.md").write_text(MILL + "More.\n")
    library._changes = None
    library.changes()
    assert sorted(read) == ["kite.txt", "mill.md", "mill.md"]


def test_each_article_says_when_it_was_read_last(place) -> None:
    articles, folder = place
    before = open_index(folder).indexed()
    time.sleep(1.1)  # Told to the second.
    (articles / "mill.md").write_text(MILL.replace("1802", "1811"))
    (articles / "kite.txt").rename(articles / "kites.txt")
    for _ in build([articles], folder):
        pass
    after = open_index(folder).indexed()
    assert after["mill.md"] > before["mill.md"]
    table = Library(folder).table(open_index(folder))
    assert {file["file"]: file["indexed"] for file in table["files"]} == after


# --- Adding and removing ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/x.md", "x.md"),
        ("C:\\users\\ann\\x.md", "x.md"),
        ("a\x00b\n.md", "ab.md"),
        ("...hidden.md", "hidden.md"),
        ("CON.md", "_CON.md"),
        ("a<b>:|?*.txt", "a_b_____.txt"),
        ("evil\u202efdp.md", "evilfdp.md"),
        ("  Größe   Ω.PDF ", "Größe Ω.PDF"),
    ],
)
def test_names_are_made_harmless(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


def test_long_names_are_cut_and_other_formats_refused() -> None:
    assert len(clean_name("ß" * 300 + ".md").encode()) < 255
    for name in ("x.exe", "x", "", ".md", None, 7, "x.md/", "x.md.sh"):
        with pytest.raises(FootnoteError, match="add one of txt"):
            clean_name(name)


def test_an_upload_is_kept_whole_and_nothing_is_written_over(place, library, tmp_path) -> None:
    articles = place[0]
    assert library.add("zorn.txt", upload(tmp_path, b"one\n")) == "uploads/zorn.txt"
    assert library.add("zorn.txt", upload(tmp_path, b"two\n")) == "uploads/zorn (2).txt"
    assert library.add("../zorn.txt", upload(tmp_path, b"one\n")) == "uploads/zorn.txt"
    kept = {path.name: path.read_bytes() for path in (articles / "uploads").iterdir()}
    assert kept == {"zorn.txt": b"one\n", "zorn (2).txt": b"two\n"}
    assert not list(tmp_path.glob("sent-*"))


def test_uploads_of_one_name_at_once_are_all_kept(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    sent = [upload(tmp_path, f"text {number}\n".encode()) for number in range(12)]
    threads = [
        threading.Thread(target=keep_upload, args=(folder, "same.md", path)) for path in sent
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = sorted(path.read_text() for path in folder.iterdir())
    assert texts == sorted(f"text {number}\n" for number in range(12))


def test_what_is_too_large_or_a_link_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LARGEST_UPLOAD + 1)
    with pytest.raises(FootnoteError, match="50 MB"):
        keep_upload(tmp_path / "uploads", "a.md", large)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "link").symlink_to(secret)
    with pytest.raises(FootnoteError, match="whole"):
        keep_upload(tmp_path / "uploads", "a.md", tmp_path / "link")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FootnoteError, match="link"):
        keep_upload(tmp_path / "linked", "a.md", upload(tmp_path))
    assert secret.read_text() == "secret" and not list((tmp_path / "elsewhere").iterdir())


def test_only_uploads_are_removed_and_kept_aside(place, library, tmp_path) -> None:
    articles, folder = place
    file = library.add("zorn.txt", upload(tmp_path))
    library.remove(file)
    assert not (articles / file).exists()
    assert (folder / "removed" / "zorn.txt").read_bytes() == b"Zorn flew in 1931.\n"
    library.remove(library.add("zorn.txt", upload(tmp_path, b"other\n")))
    assert (folder / "removed" / "zorn (2).txt").read_bytes() == b"other\n"
    for other in (
        "mill.md",
        "uploads/../mill.md",
        "uploads/",
        "/etc/passwd",
        "uploads/a/b.md",
        "uploads/\0.md",
        "",
    ):
        with pytest.raises(FootnoteError, match="delete it in its folder"):
            library.remove(other)
    with pytest.raises(FootnoteError, match="no longer there"):
        library.remove("uploads/gone.md")
    assert (articles / "mill.md").read_text() == MILL


def test_a_link_among_the_uploads_goes_and_not_what_it_leads_to(tmp_path: Path) -> None:
    target = tmp_path / "target.md"
    target.write_text("stays")
    (tmp_path / "link.md").symlink_to(target)
    put_away(tmp_path / "link.md", tmp_path / "removed")
    assert target.read_text() == "stays" and not (tmp_path / "link.md").is_symlink()


def test_strangers_change_nothing(place, tmp_path) -> None:
    library = Library(place[1], changeable=False)
    for act in (
        lambda: library.add("x.md", upload(tmp_path)),
        lambda: library.remove("uploads/x.md"),
        library.rebuild,
    ):
        with pytest.raises(FootnoteError, match="--auth"):
            act()
    assert not (place[0] / "uploads").exists()


# --- Rebuilding -------------------------------------------------------------------------------


def test_a_rebuild_takes_what_was_added_while_questions_are_answered(
    place, library, tmp_path
) -> None:
    folder = place[1]
    before = open_index(folder)
    library.add("zorn.txt", upload(tmp_path, b"The Zorn zeppelin flew in 1931 over Kalde.\n"))
    assert library.rebuild()
    asked = 0
    while library.progress()["running"]:
        *_, answer = ask("How long is the longest kite of Orn?", open_index(folder))
        assert answer.short_answer == "90 metres"
        asked += 1
    ended = finish(library)
    assert asked and ended["error"] == "" and ended["report"]["new"] == 1
    *_, answer = ask("When did the Zorn zeppelin fly?", open_index(folder))
    assert answer.short_answer == "1931"
    assert before.files() == ["kite.txt", "mill.md"]
    assert [file["upload"] for file in library.table(open_index(folder))["files"]] == [
        False, False, True,
    ]  # fmt: skip
    assert library.changes()["new"] == []


def test_a_cancelled_build_leaves_the_old_index_and_nothing_else(place, library) -> None:
    articles, folder = place
    for number in range(300):
        (articles / f"{number}.md").write_text(f"Article {number} tells of the village {number}.\n")
    builds = sorted(path.name for path in (folder / "builds").iterdir())
    assert library.rebuild()
    assert not library.rebuild()  # One at a time.
    while library.progress()["stage"] != "embedding" and library.progress()["running"]:
        time.sleep(0.01)
    library.cancel()
    ended = finish(library)
    assert ended["report"] is None and ended["error"] == ""
    assert sorted(path.name for path in (folder / "builds").iterdir()) == builds
    assert open_index(folder).files() == ["kite.txt", "mill.md"]


def test_a_build_that_fails_says_why(place, library) -> None:
    shutil.rmtree(place[0])
    assert library.rebuild()
    assert "There is no folder" in finish(library)["error"]
    assert open_index(place[1]).files() == ["kite.txt", "mill.md"]


def test_an_error_of_ours_is_told_as_one(tmp_path: Path, capsys) -> None:
    def breaks(sources: object, folder: object) -> Iterator[Progress]:
        yield Progress("reading", 0, 1)
        raise ValueError("x")

    rebuilding = Rebuilding(tmp_path, breaks)
    assert rebuilding.start([tmp_path])
    rebuilding.close()
    assert rebuilding.progress()["error"] == BROKEN
    assert "ValueError: x" in capsys.readouterr().err
    assert not rebuilding.start([tmp_path])  # Closed for good.


def test_the_first_build_indexes_what_is_named(tmp_path: Path, models: Path) -> None:
    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    library = Library(folder, sources=[articles])
    assert library.waiting() == ""
    assert library.changes() == {"new": [], "changed": [], "removed": [], "unreachable": ""}
    shutil.copytree(models, folder / "models")
    assert library.add("kite.txt", upload(tmp_path, b"A kite is 90 metres long.\n")) == (
        "uploads/kite.txt"
    )
    assert library.waiting() == "articles"
    library.rebuild()
    assert finish(library)["report"]["new"] == 1
    assert open_index(folder).files() == ["uploads/kite.txt"]
    library.close()


def test_the_shares_are_those_of_the_status(sample_index: Path) -> None:
    rows = Library(sample_index).table(open_index(sample_index))["files"]
    for row, told in zip(rows, describe(sample_index)["files"], strict=True):
        assert row["coverage"] == pytest.approx(told["in_passages"], abs=2e-4)
        assert (row["words"], row["passages"]) == (told["words"], told["passages"])
        left_out = sum(share for _, share in row["left_out"])
        assert left_out == pytest.approx(told["left_out_share"], abs=1e-3)
    assert any(row["left_out"] for row in rows)


def test_of_many_passages_every_article_has_some_drawn(
    sample_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(sample_index)
    monkeypatch.setattr("ui.library.DRAWN", 30)
    told = Library(sample_index).plane(index)
    assert (told["shown"], told["of"], len(told["points"])) == (30, index.manifest.chunks, 30)
    assert len(told["articles"]) == index.manifest.articles == 22
    for _, _, article, id in told["points"]:
        assert told["articles"][article]["token"] == token(index.chunk(id).file)
    assert told == Library(sample_index).plane(index)
