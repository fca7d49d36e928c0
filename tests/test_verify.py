"""A sentence is believed where a sentence of a passage bears it, number by number."""

from collections.abc import Callable

import pytest

from index import Index
from rag.extract import Finding, find
from rag.markers import Draft
from rag.reader import load_reader
from rag.retrieve import retrieve
from rag.verify import Passages, contradictions

Make = Callable[[dict[str, str]], Index]
SENTENCE = "On 12 June 2023 Ada Firth sold 44 of her 60 boats to Bruno Keel for 3 million euros."


@pytest.mark.parametrize(
    ("claim", "borne"),
    [
        ("Ada Firth sold 44 boats to Bruno Keel.", True),
        ("In June 2023, Firth sold boats for €3m.", True),
        ("Bruno Keel bought forty-four boats from Ada Firth.", True),
        ("The boats were sold to Keel for 3,000,000 euros.", True),
        ("Ada Firth sold 45 boats to Bruno Keel.", False),
        ("Ada Firth sold 60 boats to Bruno Keel for 44 euros.", False),
        ("In July 2023 Ada Firth sold 44 boats.", False),
        ("Ada Firth sold 44 boats to Clara Moss.", False),
        ("Bruno Keel sold 44 boats to Ada Firth.", True),  # Behind "to" a name may stand anywhere.
        ("Ada Firth did not sell 44 boats.", False),
        ("Ada Firth spoke of “the finest boats in the world”.", False),
    ],
)
def test_what_contradicts_is_named(claim: str, borne: bool) -> None:
    assert (not contradictions(claim, SENTENCE, SENTENCE)) == borne


def test_names_that_change_places_are_seen() -> None:
    told = "Raisi praised Maduro in Caracas."
    assert contradictions("Maduro praised Raisi in Caracas.", told, told) == ["order of names"]
    assert not contradictions("In Caracas, Raisi praised Maduro.", told, told)
    assert not contradictions("Maduro was praised by Raisi.", told, told)


ARTICLES = {
    "mill.txt": "The mill at Harrow Weir\n\nThe mill at Harrow Weir was built in 1742. It ground "
    "rye for three parishes. A fire destroyed its roof in 1803.\n",
    "pier.txt": "The pier of Dray\n\nThe pier of Dray was opened in 1871. It is 300 metres long.\n",
}


def passages(index: Index, question: str) -> tuple[list[Finding], Passages]:
    findings = find(question, retrieve(question, index), index, load_reader())
    return findings, Passages(findings, index)


def test_a_sentence_gets_the_place_that_bears_it(make_index: Make) -> None:
    index = make_index(ARTICLES)
    findings, checked = passages(index, "When was the mill at Harrow Weir built?")
    number = {finding.article.file: n for n, finding in enumerate(findings, 1)}

    def quoted(text: str, *numbers: int) -> str | None:
        place = checked.support(Draft(text, numbers))
        return checked.words(place) if place else None

    built = "The mill at Harrow Weir was built in 1742."
    mill, pier = number["mill.txt"], number["pier.txt"]
    assert quoted("Harrow Weir's mill dates from 1742.", mill) == built
    assert quoted("Harrow Weir's mill dates from 1742.", pier) == built  # The wrong number.
    assert quoted("Harrow Weir's mill dates from 1742.", 99) == built  # No such passage.
    assert quoted("Harrow Weir's mill dates from 1742.") == built  # None at all.
    assert quoted("The mill at Harrow Weir was built in 1743.", mill) is None
    # Which pier, only the sentence before it says.
    both = "The pier of Dray was opened in 1871. It is 300 metres long."
    assert quoted("The pier of Dray is 300 metres long.", mill) == both
    assert quoted("Its roof burned down in 1803.", mill) == "A fire destroyed its roof in 1803."
    assert quoted("The miller married a fiddler from the south.", mill) is None
    assert quoted("Penguins are flightless birds.", mill) is None


def test_without_passages_nothing_is_borne(make_index: Make) -> None:
    assert Passages([], make_index(ARTICLES)).support(Draft("It was built.", ())) is None
