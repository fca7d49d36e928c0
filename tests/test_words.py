"""Words find what is said: accents and case do not matter, and a question is never a query."""

from pathlib import Path

import pytest

from index.words import Words, stems, write_words

TEXTS = [
    "The Château of Orrin was repainted.",
    "ERR_404: not found AND OR NOT",
    "the of and",
    "A ferry leaves the harbour. The ferry returns.",
    "A café by the harbour, painted blue",
    "La société du cafe\u0301",
]


def documents(texts: list[str]) -> list[tuple[int, str, str]]:
    return [(id, f"{id}.txt", text) for id, text in enumerate(texts)]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Words:
    folder = tmp_path_factory.mktemp("bm25") / "words"
    write_words(folder, documents(TEXTS))
    return Words(folder)


def found(words: Words, text: str) -> list[int]:
    return [id for id, _ in words.match(text, 10)]


@pytest.mark.parametrize("query", ["chateau", "CHÂTEAU", "cha\u0302teau", "château’s"])
def test_accents_case_and_endings_fold(words: Words, query: str) -> None:
    assert found(words, query) == [0]


@pytest.mark.parametrize("query", ["café", "cafe", "cafe\u0301", "CAFÉS"])
def test_composed_and_decomposed_accents_are_the_same(words: Words, query: str) -> None:
    assert sorted(found(words, query)) == [4, 5]


@pytest.mark.parametrize("query", ["the", "of and the", "AND", "NOT", "OR AND NOT"])
def test_stop_words_find_nothing(words: Words, query: str) -> None:
    assert words.match(query, 10) == []


@pytest.mark.parametrize("query", ["", "   ", "?!", '"', '""', "+-^~*\\", "()[]{}", "\n"])
def test_a_query_without_a_word_finds_nothing(words: Words, query: str) -> None:
    assert words.match(query, 10) == []


@pytest.mark.parametrize(
    "query",
    [
        "château AND zebra",
        "+zebra château",
        "-château",
        "NOT château",
        'say "château zebra"',
        "(château",
        "text:château",
        "id:château",
        "zebra^9 château~2",
        "[château TO zebra]",
        "château\\",
        "/château/",
    ],
)
def test_operators_and_quotes_in_a_query_are_text(words: Words, query: str) -> None:
    assert found(words, query) == [0]


def test_a_star_completes_no_word(words: Words) -> None:
    assert words.match("chat*", 10) == []


def test_what_shares_more_words_comes_first(words: Words) -> None:
    hits = words.match("ferry harbour", 10)
    assert [id for id, _ in hits] == [3, 4]
    assert hits[0][1] > hits[1][1] > 0
    assert words.match("ferry harbour", 1) == hits[:1]
    assert words.match("ferry harbour", 0) == []


def test_a_code_with_an_underscore_is_found_whole(words: Words) -> None:
    assert found(words, "What does ERR_404 mean?") == [1]


def test_equal_scores_come_in_the_order_of_the_chunks(tmp_path: Path) -> None:
    write_words(tmp_path / "words", documents(["same text here"] * 5))
    assert [id for id, _ in Words(tmp_path / "words").match("text", 5)] == [0, 1, 2, 3, 4]


def test_chunks_are_counted_by_stem(words: Words) -> None:
    assert stems("The Ferries of the Châteaux") == ["ferri", "chateaux"]
    assert (words.count("ferri"), words.count("harbour"), words.count("cafe")) == (1, 2, 2)
    assert (words.count("zebra"), words.count("the")) == (0, 0)
    assert len(words) == 6


def test_a_damaged_folder_is_a_value_error(tmp_path: Path) -> None:
    write_words(tmp_path / "words", documents(TEXTS))
    (tmp_path / "words" / "meta.json").write_text("{")
    with pytest.raises(ValueError, match=r"."):
        Words(tmp_path / "words")


@pytest.mark.parametrize(
    ("text", "together"),
    [
        ("Château of Orrin", True),
        ("Château at Orrin", True),  # Another stop word.
        ("château Orrin", False),
        ("Orrin of Château", False),
        ("ferry leaves", True),
        ("ferry harbour", False),
        ("cafe by the harbour", True),
        ("zebra crossing", False),
        ("zebra", True),  # It has no neighbour.
    ],
)
def test_words_stand_together_or_apart(words: Words, text: str, together: bool) -> None:
    assert words.together(text) is together
