"""Questions that keep to some articles: by the names of files, and by dates."""

import glob
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index
from index.types import FootnoteError, Selection
from rag import ask, search

Make = Callable[..., Path]
FILES = {
    "news/mill.txt": "Mill for sale\n\nDate: 2019-05-04\n\nThe mill at Dray was built in 1811.\n",
    "news/[old]*?.txt": "The ferry\n\nDate: 1950\n\nThe ferry at Orn sank with all its salt.\n",
    "mill.md": "# The mill\n\nThe mill at Dray was built in 1802 by a miller from Orn.\n",
}


@pytest.fixture
def index(make_index: Make) -> Index:
    made: Index = make_index(FILES)
    return made


@pytest.mark.parametrize(
    ("selection", "files"),
    [
        (Selection(), sorted(FILES)),
        (Selection(("news/*",)), ["news/[old]*?.txt", "news/mill.txt"]),
        (Selection(("*.md", "news/m*")), ["mill.md", "news/mill.txt"]),
        (Selection((glob.escape("news/[old]*?.txt"),)), ["news/[old]*?.txt"]),
        (Selection(("news/[old]*?.txt",)), []),  # As a pattern it means o, l or d.
        (Selection((glob.escape("mill.md"), "nothing*")), ["mill.md"]),
        (Selection(since="2019"), ["news/mill.txt"]),
        (Selection(since="2019-05-05"), []),
        (Selection(until="2019-05-04"), ["news/[old]*?.txt", "news/mill.txt"]),
        (Selection(since="1950-06", until="1950-07"), ["news/[old]*?.txt"]),
        (Selection(("*.md",), since="1900"), []),
    ],
)
def test_files_fit_by_name_and_date(index: Index, selection: Selection, files: list[str]) -> None:
    assert index.files(selection) == files
    found = {index.chunk(id).file for id in index.chunk_ids(selection)}
    assert sorted(found) == files


@pytest.mark.parametrize("date", ["2020-13", "20", "2020-02-32", "yesterday", "2020-1"])
def test_what_is_no_date_is_refused(date: str) -> None:
    with pytest.raises(FootnoteError, match="2020-05"):
        Selection(since=date)


def test_answers_searches_and_talk_keep_to_the_selection(index: Index) -> None:
    question = "When was the mill at Dray built?"
    *_, both = ask(question, index)
    assert both.conflict
    *_, one = ask(question, index, only=Selection(("news/*",)))
    assert one.short_answer == "1811" and not one.conflict
    *_, none = ask(question, index, only=Selection(("nothing/*",)))
    assert not none.answered and not none.nearest
    only = Selection(since="2019")
    assert {hit.chunk.file for hit in search("mill Dray", index, only=only)} == {"news/mill.txt"}
    *_, listed = ask("Which articles do you have?", index, only=only)
    assert {citation.file for citation in listed.citations} == {"news/mill.txt"}
    *_, hello = ask("hello", index, only=only)
    assert "3 articles" not in hello.text
