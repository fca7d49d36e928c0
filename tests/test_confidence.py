"""What the articles do not answer is refused, and what they answer is not."""

from collections.abc import Callable

import pytest

from index import Index
from rag.answer import NEAREST, NOT_FOUND, ask
from rag.confidence import log_odds, scattered_names, signs, unknown_names, unknown_phrases
from rag.extract import find
from rag.query import parse
from rag.reader import load_reader
from rag.retrieve import retrieve, retrieve_for_answer

QUESTIONS = [
    ("How many trams were ordered?", "Twelve"),
    ("When was the Weir Footbridge opened?", "30 September 2023"),
    ("How many steps does the fish ladder at Corrach have?", "44"),
    ("Who led the sourdough study?", "Noor Visser"),
]


@pytest.mark.parametrize(("question", "words"), QUESTIONS)
def test_what_stands_in_the_articles_is_answered(sample: Index, question: str, words: str) -> None:
    *_, answer = ask(question, sample)
    assert answer.answered
    assert words in answer.short_answer


@pytest.mark.parametrize(
    "question",
    [
        "Who is Zorblatt?",
        "How many teeth does Zorblatt have?",
        "When was the Zorblatt Point lighthouse first lit?",
        "What is Zorblatt's job at the chess club?",
        "What is the capital of Mongolia?",
        "How do I bake a Quiche Lorraine?",
        "asdf qwer zxcv",
        "?",
        "Is this it?",
    ],
)
def test_what_does_not_stand_there_is_refused(sample: Index, question: str) -> None:
    [answer] = ask(question, sample)
    assert not answer.answered
    assert answer.text.startswith(NOT_FOUND)
    assert (answer.citations, answer.conflict, answer.short_answer) == ((), (), None)
    assert 1 <= len(answer.nearest) <= NEAREST
    assert [near.number for near in answer.nearest] == [*range(1, len(answer.nearest) + 1)]
    for near in answer.nearest:
        assert sample.article(near.file).text[near.start : near.end] == near.quote


def test_nothing_to_read_is_refused_with_nothing_near(sample: Index) -> None:
    [answer] = ask("Who designed the lighthouse?", sample, only="nothing/*")
    assert (answer.answered, answer.text, answer.nearest) == (False, NOT_FOUND, ())


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("When did Zorblatt visit Skerrow Point in 1743?", ["Zorblatt", "1743"]),
        ("Who is Zorblatt-Maduro?", []),
        ("Zorblatt is who?", []),
        ("What did Nicolas MADURO say in Tehran?", []),
        ("What is Raisi's plan?", []),
        ("Is The Who in Tehran?", []),
        ("what is a zorblatt?", []),
    ],
)
def test_unknown_names_are_those_in_no_article(
    sample: Index, question: str, unknown: list[str]
) -> None:
    assert unknown_names(question, sample) == unknown


def test_an_unknown_name_makes_an_answer_less_likely(sample: Index) -> None:
    known = "Who designed the lighthouse at Skerrow Point?"
    findings = find(known, retrieve(known, sample), sample, load_reader())
    assert log_odds(known, findings, sample) > 0
    doubt = log_odds(known, findings, sample) - log_odds(
        known.replace("Skerrow", "Zorblatt"), findings, sample
    )
    assert doubt > 3.5


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ('Who wrote about the "two lights" of Skerrow?', []),
        ("Who designed the “lighthouse at Skerrow Point?”", []),
        ('Who designed the "lighthouse of glass"?', ["lighthouse of glass"]),
        ("Who designed the lighthouse at Skerrow Point?", []),
    ],
)
def test_unknown_phrases_are_those_in_no_passage(
    sample: Index, question: str, unknown: list[str]
) -> None:
    hits = retrieve_for_answer(parse(question), sample)
    assert unknown_phrases(question, find(question, hits, sample, load_reader())) == unknown


def test_a_title_in_quotes_that_no_article_has_is_refused(sample: Index) -> None:
    question = "Who designed the {} at Skerrow Point?"
    *_, known = ask(question.format('"lighthouse"'), sample)
    [unknown] = ask(question.format('"lighthouse of glass"'), sample)
    assert (known.answered, unknown.answered) == (True, False)
    assert unknown.text == f"{NOT_FOUND} None of them contains “lighthouse of glass”."
    [shut_out] = ask('Who painted the "two lights" of Mongolia? -Skerrow -ferry -Aldra', sample)
    assert "two lights" not in shut_out.text.lower()


@pytest.mark.parametrize(
    ("question", "scattered"),
    [
        ("Who designed the lighthouse at Skerrow Point?", []),
        ("Who designed the lighthouse at Lorne Skerrow?", ["Lorne Skerrow"]),
        ("Who designed the Skerrow Bridge?", ["Skerrow Bridge"]),
        ("What did Raisi say on Monday?", []),
        # Dates are written in many ways.
        ("What happened in Tehran in June 1874?", []),
        ("It is late. Which Raisi is meant? And who is Which Maduro?", []),
        ("Lighthouse Skerrow Point was built by whom?", []),
        ("Who designed Lorne's Skerrow Point?", []),
        ("Who designed the R.S.P. Bridge?", []),
    ],
)
def test_scattered_names_are_those_whose_words_stand_nowhere_together(
    sample: Index, question: str, scattered: list[str]
) -> None:
    assert scattered_names(question, sample) == scattered


def test_a_scattered_name_makes_an_answer_less_likely_and_is_told(sample: Index) -> None:
    known = "Who designed the lighthouse at Skerrow Point?"
    findings = find(known, retrieve(known, sample), sample, load_reader())
    scattered = log_odds(known.replace("Point", "Bridge"), findings, sample)
    assert scattered < log_odds(known, findings, sample)
    [refused] = ask("When was the Harbour Chess School of Caracas founded?", sample)
    assert "None of them contains “Harbour Chess School”" in refused.text


def test_a_title_in_quotes_is_no_plain_word(make_index: Callable[[dict[str, str]], Index]) -> None:
    index = make_index(
        {
            "a.txt": "Late in the evening comes a talk show with Ida Moor.\n",
            "b.txt": "THE LIGHT SHIP\n\nThe album Light Ship is by Ada Firth.\n",
            "c.txt": "By the sea\n\nIda Moor sings of it.\n",
        }
    )

    def unknown(question: str) -> list[str]:
        hits = retrieve_for_answer(parse(question), index)
        return unknown_phrases(question, find(question, hits, index, load_reader()))

    assert unknown('Who made the album "Talk Show"?') == ["Talk Show"]
    assert unknown('Who hosts the "talk show" in the evening?') == []
    assert unknown('Who made the album "Light Ship"?') == []
    assert unknown('Who made "The Light Ship"?') == []
    assert unknown('Who sings "by the" sea?') == []


def test_news_of_this_week_is_not_of_years_ago(
    make_index: Callable[[dict[str, str]], Index],
) -> None:
    text = "The strike\n\nIn {} the dockers of Orn ended their strike. Work began again in 2023.\n"
    question = "Who ended their strike {}?"

    def misfit(year: int, when: str) -> float:
        index = make_index({"a.txt": text.format(year)})
        asked = question.format(when)
        return signs(asked, find(asked, retrieve(asked, index), index, load_reader()), index)[-2]

    assert (misfit(1998, "this week"), misfit(1998, "in Orn"), misfit(2023, "this week")) == (
        1,
        0,
        0,
    )


def test_a_people_is_known_where_its_country_is(sample: Index) -> None:
    question = "Who is the Emirati national security adviser that Raisi received?"
    assert unknown_names(question, sample) == ["Emirati"]
    *_, answer = ask(question, sample)
    assert "Tahnoon bin Zayed" in (answer.short_answer or "")
