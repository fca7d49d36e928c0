"""The same value written differently is one value; different ones can contradict, or cannot."""

import unicodedata

import pytest

from rag.values import comparable, kind, months, numbers, same_value, units


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("3 billion", [3e9]),
        ("$3bn", [3e9]),
        ("3,000 million", [3e9]),
        ("2.5m", [2.5e6]),
        ("1 000 000", [1e6]),
        ("1\u202f000\u00a0000", [1e6]),
        ("two million", [2e6]),
        ("Twelve", [12]),
        ("twenty-one", [21]),
        ("8.9 metres", [8.9]),
        ("12th June 2023", [12, 2023]),
        ("June 12, 2023", [12, 2023]),
        ("June 12 2023", [12, 2023]),
        ("20 km", [20]),
        ("No. 4 and No. 31", [4, 31]),
        ("someone", []),
        ("", []),
    ],
)
def test_numbers_are_read_with_their_scale(value: str, found: list[float]) -> None:
    assert numbers(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("12 June", {6}),
        ("Sept. 3", {9}),
        ("March to May", {3, 5}),
        ("2023", set()),
        ("Junes", set()),
    ],
)
def test_months_are_read_by_any_name(value: str, found: set[int]) -> None:
    assert months(value) == found


@pytest.mark.parametrize(
    ("value", "sort"),
    [
        ("$3bn", "number"),
        ("June", "number"),
        ("twelve trams", "number"),
        ("Ebrahim Raisi", "name"),
        ("the Orrin Bridge", "name"),
        ("road salt", "words"),
        ("The president", "words"),
    ],
)
def test_a_value_is_a_number_a_name_or_words(value: str, sort: str) -> None:
    assert kind(value) == sort


SAME = [
    ("3 billion", "$3bn"),
    ("3 billion", "3,000 million"),
    ("$3bn", "3,000 million dollars"),
    ("two million", "2,000,000"),
    ("2.01 million", "2,010,000"),
    ("twenty-one", "21"),
    ("28%", "28 per cent"),
    ("June 12, 2023", "12 June 2023"),
    ("June 12 2023", "12 June 2023"),
    ("12 June", "12 June 2023"),
    ("June 12th", "12 June 2023"),
    ("12 June", "June 2023"),
    ("2019", "since May 2019"),
    ("June", "12 June 2023"),
    ("Raisi", "Ebrahim Raisi"),
    ("Mr. Raisi", "President Ebrahim Raisi"),
    ("the Orrin Bridge", "Orrin Bridge"),
    ("NJ", "New Jersey"),
    ("the U.K.", "the United Kingdom"),
    ("WHO", "World Health Organization"),
    ("Senator Schumer", "Chuck Schumer"),
    ("Venezuela", "Venezuelan"),
    ("José Ñandú", "Jose Nandu"),
    ("José Ñandú", unicodedata.normalize("NFD", "José Ñandú")),
]
DIFFERENT = [
    ("3 billion", "3 million"),
    ("$3bn", "$4bn"),
    ("2019", "2020"),
    ("12 June 2023", "13 June 2023"),
    ("12 June", "12 July"),
    ("June 2023", "June 2022"),
    ("June", "July"),
    ("Ebrahim Raisi", "Hassan Rouhani"),
    ("Castle Dray", "Lower Dray"),
    ("green", "brown"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_value_written_differently_is_the_same(one: str, other: str) -> None:
    assert same_value(one, other) is True
    assert same_value(other, one) is True


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_values_differ(one: str, other: str) -> None:
    assert same_value(one, other) is False
    assert same_value(other, one) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4.2 million euros", "4.8 million euros"),
        ("£1.86 million", "£2 million"),
        ("€4.2 million", "4.8 million euros"),
        ("28%", "30 per cent"),
        ("3 November 1874", "1878"),
        ("12 June", "13 June"),
        ("12 trams", "14 trams"),
        ("12 trams", "14"),
        ("1936", "1938"),
        ("Ebrahim Raisi", "Hassan Rouhani"),
        ("Guarda Civil de la Costa", "Paulina Voss"),
        ("green", "brown"),
        ("Hall & Oates", "Simon & Garfunkel"),
    ],
)
def test_values_of_one_kind_and_unit_can_contradict(one: str, other: str) -> None:
    assert comparable(one, other) is True
    assert comparable(other, one) is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2.1 million barrels", "$2 million"),
        ("94 metres", "94 feet"),
        ("680 metres", "54"),
        ("28%", "28"),
        ("June", "2019"),
        ("12 June", "2019"),
        ("Tehran", "1878"),
        ("of a light green", "brown with a little red"),
        ("August 1572", "5,000 to 30,000"),
        ("Felix Plasencia", "the Iranian president"),
    ],
)
def test_values_of_other_kinds_or_units_cannot_contradict(one: str, other: str) -> None:
    assert comparable(one, other) is False
    assert comparable(other, one) is False


def test_units_are_the_words_and_signs_beside_a_number() -> None:
    assert units("about 4.2 million euros") == {"euros"}
    assert units("£1.86 million") == {"pound"}
    assert units("12 June 2023") == set()
    assert units("3bn") == set()
