"""Sources that differ are shown side by side; sources that agree are not."""

from collections.abc import Callable

import pytest

from index import Index
from rag.answer import DISAGREE, ask
from rag.conflict import rivals, signs
from rag.extract import Finding, find
from rag.reader import load_reader
from rag.retrieve import retrieve
from rag.types import Answer

Make = Callable[[dict[str, str]], Index]
MILL = (
    "The mill at Harrow Weir\n\nThe mill at Harrow Weir was built in {}. It ground rye for three "
    "parishes, and its wheel was of oak.\n"
)
OTHER = (
    "A walk along the Harrow\n\nIt is a mile from lock to weir. The mill at Harrow Weir was "
    "built in {}. Behind it stands an inn with a garden.\n"
)
BUILT = "When was the mill at Harrow Weir built?"


def last(question: str, index: Index) -> Answer:
    *_, answer = ask(question, index)
    return answer


def values(answer: Answer) -> dict[str, list[str]]:
    """Each value with the files that it is quoted from."""
    files = {citation.number: citation.file for citation in answer.citations}
    return {value.value: [files[n] for n in value.citations] for value in answer.conflict}


def test_two_years_for_one_event_are_both_shown(make_index: Make) -> None:
    answer = last(BUILT, make_index({"a.txt": MILL.format(1742), "b.txt": OTHER.format(1768)}))
    assert values(answer) == {"1742": ["a.txt"], "1768": ["b.txt"]}
    assert answer.answered
    assert answer.short_answer is None
    assert answer.paragraphs[0][0].text == DISAGREE
    assert answer.paragraphs[0][0].citations == ()
    said = {paragraph[0].text: paragraph[0].citations for paragraph in answer.paragraphs[1:]}
    assert said == {
        "The mill at Harrow Weir was built in 1742.": answer.conflict[
            [value.value for value in answer.conflict].index("1742")
        ].citations,
        "The mill at Harrow Weir was built in 1768.": answer.conflict[
            [value.value for value in answer.conflict].index("1768")
        ].citations,
    }


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How much did the repair of the Orrin Bridge cost?",
            {
                "4.2 million euros": ["orrin-bridge-repair.txt"],
                "4.8 million euros": ["weir-footbridge.html"],
            },
        ),
        (
            "When was Skerrow Point lighthouse first lit?",
            {"3 November 1874": ["skerrow-light.md"], "1878": ["two-lights-walk.html"]},
        ),
    ],
)
def test_what_the_sample_disagrees_about_is_shown(
    sample: Index, question: str, expected: dict[str, list[str]]
) -> None:
    answer = last(question, sample)
    assert values(answer) == expected
    for value in answer.conflict:
        citation = answer.citations[value.citations[0] - 1]
        article = sample.article(citation.file)
        assert article.text[slice(*citation.short)] == value.value
        assert article.text[citation.start : citation.end] == citation.quote
        assert value.value in citation.quote


def test_the_same_value_in_two_articles_is_no_conflict(make_index: Make) -> None:
    answer = last(BUILT, make_index({"a.txt": MILL.format(1742), "b.txt": OTHER.format(1742)}))
    assert (answer.conflict, answer.short_answer) == ((), "1742")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("June 12, 1742", "12 June 1742"),
        ("June 12 1742", "12 June 1742"),
        ("June 1742", "1742"),
        ("the summer of 1742", "1742"),
    ],
)
def test_the_same_date_written_differently_is_no_conflict(
    make_index: Make, one: str, other: str
) -> None:
    answer = last(BUILT, make_index({"a.txt": MILL.format(one), "b.txt": OTHER.format(other)}))
    assert answer.conflict == ()
    assert "1742" in answer.short_answer


def test_copies_of_a_text_are_no_conflict(make_index: Make) -> None:
    text = MILL.format(1742)
    answer = last(BUILT, make_index({"a.txt": text, "b.txt": text, "c/a.md": text}))
    assert (answer.conflict, answer.short_answer) == ((), "1742")


def test_a_copy_on_one_side_of_a_conflict_counts_once(make_index: Make) -> None:
    files = {
        "a.txt": MILL.format(1742),
        "b.txt": OTHER.format(1768),
        "copy.txt": OTHER.format(1768),
    }
    answer = last(BUILT, make_index(files))
    assert sorted(value.value for value in answer.conflict) == ["1742", "1768"]


def test_different_subjects_are_no_conflict(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": MILL.format(1742),
            "b.txt": MILL.replace("Harrow Weir", "Tolland Bridge").format(1768),
            "c.txt": "The inn\n\nThe inn at Harrow Weir was opened in 1803. It has nine rooms.\n",
        }
    )
    answer = last(BUILT, index)
    assert (answer.conflict, answer.short_answer) == ((), "1742")
    other = last("When was the mill at Tolland Bridge built?", index)
    assert (other.conflict, other.short_answer) == ((), "1768")


SPHERE = "Which city lit up the largest sphere on earth?"


def test_a_question_without_a_name_can_be_disputed(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": "City lights\n\nLas Vegas lit up the largest sphere on earth on Tuesday.\n",
            "b.txt": "Big lights\n\nDubai lit up the largest sphere on earth on Tuesday night.\n",
        }
    )
    assert set(values(last(SPHERE, index))) == {"Las Vegas", "Dubai"}


def test_a_capital_at_the_start_of_a_sentence_makes_no_name(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": "Sweets\n\nMustard is the new flavour of Skittles, says the maker.\n",
            "b.txt": "Candy\n\nThe new flavour of Skittles is mayonnaise, says the maker.\n",
        }
    )
    answer = last("Which flavour do the new Skittles have?", index)
    assert set(values(answer)) == {"Mustard", "mayonnaise"}


def findings_of(question: str, index: Index) -> list[Finding]:
    return find(question, retrieve(question, index), index, load_reader())


def test_witnesses_are_the_other_articles_that_give_the_best_value(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": MILL.format(1742),
            "b.txt": OTHER.format(1768),
            "c.txt": "The Harrow in spring\n\nThe mill at Harrow Weir was built in 1768.\n",
        }
    )
    found = findings_of(BUILT, index)
    witnesses = 1 if found[0].words == "1768" else 0
    said = {
        rival.words: signs(BUILT, rival, found, index)[-2] for rival in rivals(BUILT, found, index)
    }
    assert said == dict.fromkeys({"1742", "1768"} - {found[0].words}, witnesses)


def test_an_article_that_agrees_elsewhere_is_no_rival(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": MILL.format(1768),
            "b.txt": OTHER.format(1742) + "\n" + "It is a long walk and a fine one. " * 40
            + "\n\nThe mill at Harrow Weir was built in 1768, as the stone says.\n",
        }
    )  # fmt: skip
    found = findings_of(BUILT, index)
    assert found[0].words == "1768"
    assert rivals(BUILT, found, index) == []
    assert last(BUILT, index).conflict == ()


def test_an_article_that_names_something_else_is_no_rival(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": MILL.format(1742),
            "b.txt": "Tolland Bridge\n\nThe mill at Tolland was built in 1768. It ground oats.\n",
        }
    )
    assert rivals(BUILT, findings_of(BUILT, index), index) == []


def test_one_article_does_not_contradict_itself(make_index: Make) -> None:
    text = MILL.format(1742) + "\nThe mill at Harrow Weir was built in 1768, says the sign.\n"
    answer = last(BUILT, make_index({"a.txt": text}))
    assert answer.conflict == ()
    assert answer.short_answer in {"1742", "1768"}


def test_amounts_in_other_units_are_no_conflict(make_index: Make) -> None:
    index = make_index(
        {
            "a.txt": "The new weir\n\nThe weir at Harrow cost £2 million.\n",
            "b.txt": "Harrow news\n\nThe weir at Harrow cost 40,000 hours of work.\n",
        }
    )
    assert last("How much did the weir at Harrow cost?", index).conflict == ()


def test_why_is_never_a_conflict(sample: Index) -> None:
    answer = last("Why was the Orrin Bridge closed?", sample)
    assert answer.answered
    assert answer.conflict == ()


def test_a_value_that_would_be_refused_as_the_answer_contradicts_nothing(sample: Index) -> None:
    question = "Which Iranian president did Nicolás Maduro meet in June 2023?"
    found = findings_of(question, sample)
    # A minister, in a passage about the same talks.
    assert "Felix Plasencia" in {one.words for one in found}
    assert {value.value for value in last(question, sample).conflict} == {
        "Ebrahim Raisi",
        "Hassan Rouhani",
    }
