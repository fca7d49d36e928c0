"""Phrases in quotes, words that must not stand there, file patterns, and misspelled words."""

from collections.abc import Callable

import pytest

from index import Index
from rag import ask, search
from rag.query import Query, parse

Make = Callable[[dict[str, str]], Index]
FILES = {
    "wall.txt": "The wall\n\nThe harbour wall of Skerrow was raised by Ada Firth in 2019. ERR_404.",
    "pier.txt": "The pier\n\nThe pier of Dray was closed in 1987. The wall of the harbour held.",
    "old/pier.txt": "An old pier\n\nThe pier of Castle Dray was built by Ada Firth in 1902 of oak",
    "ziel.txt": "Die Brücke\n\nDie alte Brücke über den Fluss wurde 1931 von Jörg Müller gebaut.",
    "phare.txt": "Le phare\n\nLe phare de Brévon fut élevé en 1874 par l’ingénieur Léonce Reynaud.",
    "pol.txt": "پل\n\nپل خواجو در اصفهان در سال ۱۶۵۰ ساخته شد و هنوز پابرجاست.",
}


@pytest.fixture
def index(make_index: Make) -> Index:
    return make_index(FILES)


def files(query: str, index: Index) -> list[str]:
    return [hit.chunk.file for hit in search(query, index)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who raised the wall?", Query("Who raised the wall?")),
        ('the "harbour wall"', Query('the "harbour wall"', ("harbour wall",))),
        ("„alte Brücke“", Query("„alte Brücke“", ("alte Brücke",))),
        ("pier -oak", Query("pier", (), ("oak",))),
        ("trade in 2021-2022 - and well-known", Query("trade in 2021-2022 - and well-known")),
        ("pier file:old/*", Query("pier", (), (), ("old/*",))),
        ('pier FILE:"a b.txt"', Query("pier", (), (), ("*a b.txt*",))),
        ('"-"', Query('"-"')),
        ("", Query("")),
    ],
)
def test_operators_are_taken_out_of_a_question(question: str, expected: Query) -> None:
    assert parse(question) == expected


def test_a_phrase_must_stand_as_it_is(index: Index) -> None:
    assert files('"harbour wall"', index) == ["wall.txt"]
    assert files('"HARBOUR  WALL"', index) == ["wall.txt"]
    assert files('"of the"', index) == ["pier.txt"]
    assert files('"wall harbour"', index) == []


def test_a_word_can_be_excluded(index: Index) -> None:
    assert {"pier.txt", "old/pier.txt"} <= set(files("pier", index))
    assert "old/pier.txt" not in files("pier -oak", index)


def test_a_search_can_keep_to_some_files(index: Index) -> None:
    assert files("pier file:old/*", index) == ["old/pier.txt"]
    assert set(files("harbour file:wall", index)) == {"wall.txt"}
    assert files("harbour file:nothing", index) == []


def test_a_question_that_quotes_what_no_article_says_is_still_asked(index: Index) -> None:
    *_, answer = ask('Who "raised" the harbour wall in "Skerrow town"?', index)
    assert answer.answered and answer.citations[0].file == "wall.txt"


@pytest.mark.parametrize(
    ("query", "file"),
    [
        ("Skerow", "wall.txt"),
        ("hrabour Skerrow", "wall.txt"),
        ("ERR_404", "wall.txt"),
        ("Jorg Muller", "ziel.txt"),
        ("Brücke Fluss", "ziel.txt"),
        ("phare de Brevon", "phare.txt"),
        ("ingenieur Reynaud", "phare.txt"),
        ("پل خواجو", "pol.txt"),
    ],
)
def test_exact_accented_and_misspelled_words_are_found(index: Index, query: str, file: str) -> None:
    assert files(query, index)[0] == file


def test_a_word_that_exists_is_never_taken_for_another(index: Index) -> None:
    best = index.match("Castle", 9)
    assert [index.chunk(id).file for id, _ in best] == ["old/pier.txt"]
    assert index.match("1988", 9) == []
