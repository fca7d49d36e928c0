"""What belongs to a sentence: the one it leans on, its list, its heading."""

import pytest

from index.read import read_article
from index.types import Article, Range
from rag.context import is_item, leans_on, list_around, quoted

TEXT = """# Bread

Why it began. Both bakers were poor. Bring along:

1. flour, and
2. salt. Coarse salt is best;
3. water

- a loose item

  1911 was a cold year.
"""
BREAD = read_article("bread.md", TEXT.encode())


def words(article: Article, *ranges: Range | None) -> list[str | None]:
    return [article.shown(*one) if one else None for one in ranges]


def sentence(start: str) -> Range:
    return next(one for one in BREAD.sentences if BREAD.shown(*one).startswith(start))


@pytest.mark.parametrize("within", ["Bring along:", "1. flour", "2. salt", "Coarse", "3. water"])
def test_a_list_is_found_from_any_of_its_sentences(within: str) -> None:
    lead, items = list_around(BREAD, sentence(within))
    assert words(BREAD, lead) == ["Bring along:"]
    assert words(BREAD, *items)[:4] == [
        "1. flour, and",
        "2. salt.",
        "Coarse salt is best;",
        "3. water",
    ]


@pytest.mark.parametrize("outside", ["Bread", "Why it", "Both", "1911"])
def test_what_is_no_list_has_none(outside: str) -> None:
    assert list_around(BREAD, sentence(outside)) == (None, [])


def test_an_item_leans_on_what_leads_to_it_and_a_run_in_heading_bears_nothing() -> None:
    assert words(BREAD, leans_on(BREAD, sentence("2. salt"))) == ["Bring along:"]
    assert leans_on(BREAD, sentence("Both bakers")) is None


def test_what_joins_items_is_not_quoted() -> None:
    assert words(BREAD, quoted(BREAD, sentence("1. flour"))) == ["1. flour"]
    assert words(BREAD, quoted(BREAD, sentence("3. water"))) == ["3. water"]
    assert words(BREAD, quoted(BREAD, sentence("Both"))) == ["Both bakers were poor."]


def test_a_numbered_heading_is_no_item() -> None:
    article = read_article("a.md", b"# 1. Flour\n\nFlour is milled from grain.\n")
    assert not any(is_item(article, one) for one in article.sentences)
