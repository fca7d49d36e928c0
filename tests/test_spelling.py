"""A misspelled word is taken for the one near by that the articles have, and the page says so."""

from collections.abc import Callable

import pytest

from index import Index
from rag.answer import NOT_FOUND, ask
from rag.spelling import corrected, differ_by_a_letter

Make = Callable[[dict[str, str]], Index]


@pytest.mark.parametrize(
    ("question", "searched_for"),
    [
        ("Who is Felix Plasensia?", "Who is Felix Plasencia?"),
        ("What is Felix Plasensia's job?", "What is Felix Plasencia's job?"),
        ("Who drew the lightouse at Skerow Point?", "Who drew the lighthouse at Skerrow Point?"),
        ("What has Kaldebrene lost in 2018?", "What has Kaldebreen lost in 2018?"),
        ("Who is Plasensia? file:Plasensia*", "Who is Plasencia? file:Plasensia*"),
        # Nothing like it stands near what else is asked.
        ("Who is Zorblatt?", "Who is Zorblatt?"),
        # A word that the model has is meant as it is: "wars" is no "cars", "lost" no "cost".
        ("Which marriage did Maduro attend?", "Which marriage did Maduro attend?"),
        # Letters that spell themselves, words in quotes, words that must not stand there.
        ("Who is PLASENSIA?", "Who is PLASENSIA?"),
        ('Who is "Felix Plasensia"?', 'Who is "Felix Plasensia"?'),
        ("Who is Plasensia? -Tehran", "Who is Plasensia? -Tehran"),
        ("When did Maduro visit Tehran?", "When did Maduro visit Tehran?"),
    ],
)  # fmt: skip
def test_absent_words_are_spelled_as_the_articles_do(
    sample: Index, question: str, searched_for: str
) -> None:
    assert corrected(question, sample) == searched_for


def test_accents_are_those_of_the_article(make_index: Make) -> None:
    index = make_index({"a.txt": "Céloron's expedition of 1749 was 3,000 miles long.\n"})
    assert corrected("How long was Celeron's expedition?", index) == (
        "How long was Céloron's expedition?"
    )
    # What differs by an accent alone is found as it is.
    assert corrected("How long was Celoron's way?", index) == "How long was Celoron's way?"


def test_a_name_becomes_no_plain_word(make_index: Make) -> None:
    index = make_index({"a.txt": "The cable fibber of the harbour sank in 1922.\n"})
    assert corrected("When did the Fiber of the harbour sink?", index) == (
        "When did the Fiber of the harbour sink?"
    )
    assert corrected("When did the Fibbler of the harbour sink?", index) == (
        "When did the Fibbler of the harbour sink?"
    )
    assert corrected("When did the fibbler of the harbour sink?", index) == (
        "When did the fibber of the harbour sink?"
    )


def test_the_answer_says_what_was_searched_for(sample: Index) -> None:
    *_, answer = ask("Who designed the lighthouse at Skerow Point?", sample)
    assert answer.question == "Who designed the lighthouse at Skerow Point?"
    assert answer.searched_for == "Who designed the lighthouse at Skerrow Point?"
    assert answer.answered
    assert "Lorne" in (answer.short_answer or "")
    [refused] = ask("Who is Zorblatt?", sample)
    assert refused.text.startswith(NOT_FOUND)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("moncalm", "montcalm", True),
        ("montcalm", "moncalm", True),
        ("frensh", "french", True),
        ("framd", "frame", True),
        ("kaldebrene", "kaldebreen", True),
        ("goovernment", "government", True),
        ("montcalm", "montcalm", False),
        ("shirly", "surly", False),
        ("abcd", "badc", False),
        ("abc", "cba", False),
        ("abc", "abcde", False),
        ("a", "", True),
        ("", "", False),
    ],
)
def test_one_letter_is_all_the_difference(one: str, other: str, differ: bool) -> None:
    assert differ_by_a_letter(one, other) is differ
    assert differ_by_a_letter(other, one) is differ
