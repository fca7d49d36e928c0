"""A follow-up takes from the conversation what it lacks, and nothing else."""

import pytest

from rag.rewrite import names, stand_alone
from rag.types import Turn

LIGHT = Turn("Who designed the lighthouse at Skerrow Point?", short_answer="Edwin P. Lorne")
BRIDGE = Turn("When was the Orrin Bridge closed?", short_answer="6 March 2021")
STATION = Turn("What did the Corrach station deliver in 2014?")
LENS = Turn("What is a Fresnel lens?")


@pytest.mark.parametrize(
    ("question", "before", "searched"),
    [
        ("When was it first lit?", LIGHT, "When was Skerrow Point first lit?"),
        ("When was he born?", LIGHT, "When was Edwin P. Lorne born?"),
        ("What was his trade?", LIGHT, "What was Edwin P. Lorne’s trade?"),
        ("What is its span?", BRIDGE, "What is Orrin Bridge’s span?"),
        ("Why was this done?", BRIDGE, "Why was this done (Orrin Bridge)?"),
        ("When did he leave?", Turn("Who was Torquil Baine?"), "When did Torquil Baine leave?"),
        ("Is it IT?", BRIDGE, "Is Orrin Bridge IT?"),
    ],
)
def test_a_pronoun_gets_its_person_or_thing(question: str, before: Turn, searched: str) -> None:
    assert stand_alone(question, [before]) == searched


@pytest.mark.parametrize(
    ("question", "before", "searched"),
    [
        ("and in 2021?", STATION, "What did the Corrach station deliver in 2021?"),
        ("And 2022?", STATION, "What did the Corrach station deliver in 2022?"),
        (
            "and in 2021?",
            Turn("How much oil did Venezuela export?"),
            "How much oil did Venezuela export in 2021?",
        ),
        (
            "What about Caracas?",
            Turn("Who met the delegation in Tehran?"),
            "Who met the delegation in Caracas?",
        ),
        (
            "And Caracas?",
            Turn("Who met the delegation in Tehran?"),
            "Who met the delegation in Caracas?",
        ),
        ("What about the Weir Footbridge?", BRIDGE, "When was the Weir Footbridge closed?"),
        ("And who built the bridge?", LENS, "Who built the bridge?"),
    ],
)
def test_a_fragment_is_put_into_the_question_before(
    question: str, before: Turn, searched: str
) -> None:
    assert stand_alone(question, [before]) == searched


@pytest.mark.parametrize(
    ("question", "searched"),
    [
        ("Why?", "Why: When was the Orrin Bridge closed?"),
        ("why", "why: When was the Orrin Bridge closed?"),
        ("Why not?", "Why not: When was the Orrin Bridge closed?"),
        ("Really?", "Really: When was the Orrin Bridge closed?"),
        ("tell me more", "When was the Orrin Bridge closed?"),
        ("Tell me more about it.", "When was the Orrin Bridge closed?"),
        ("Can you explain that?", "When was the Orrin Bridge closed?"),
        ("go on!", "When was the Orrin Bridge closed?"),
        ("?", "When was the Orrin Bridge closed?"),
    ],
)
def test_a_bare_word_asks_the_question_before_again(question: str, searched: str) -> None:
    assert stand_alone(question, [BRIDGE]) == searched


@pytest.mark.parametrize(
    "question",
    [
        "How many members does the Tarnwick Chess Club have?",
        "Who was the first keeper of the light?",
        "When did Line 4 open?",
        "Why did the bearings rust?",
        "What did the Iranian president say on Saturday?",
        "Does salt harm steel?",
    ],
)
def test_an_independent_question_is_untouched(question: str) -> None:
    assert stand_alone(question, [LENS, LIGHT]) == question


@pytest.mark.parametrize(
    "question",
    [
        "What did Nicolás Maduro say when he was in Tehran?",
        "Who built the Weir Footbridge and when did it open?",
        "What did Mr. Raisi want for his government?",
    ],
)
def test_a_name_earlier_in_the_question_keeps_its_pronoun(question: str) -> None:
    assert stand_alone(question, [BRIDGE, LIGHT]) == question


def test_without_a_conversation_only_spaces_change() -> None:
    assert stand_alone("  When was\n it  lit? ", []) == "When was it lit?"


def test_the_latest_turn_with_a_name_is_what_is_meant() -> None:
    assert stand_alone("Who built it?", [LIGHT, BRIDGE]) == "Who built Orrin Bridge?"
    assert stand_alone("Who built it?", [BRIDGE, LIGHT]) == "Who built Skerrow Point?"


def test_what_was_searched_for_counts_and_not_what_was_typed() -> None:
    before = Turn("How wide is it?", searched_for="How wide is the Weir Footbridge?")
    assert stand_alone("How long is it?", [BRIDGE, before]) == "How long is Weir Footbridge?"
    assert stand_alone("tell me more", [before]) == "How wide is the Weir Footbridge?"


@pytest.mark.parametrize(
    ("question", "searched"),
    [
        ("Where was he born?", "Where was Torquil Baine born?"),
        ("Did they tour in 1974?", "Did Torquil Baine tour in 1974?"),
        ("Did he keep anything else?", "Did Torquil Baine keep anything else?"),
        ("Is there anything else?", "Is there anything else (Torquil Baine)?"),
        ("Who else lived at the light?", "Who else lived at the light (Torquil Baine)?"),
        ("What happened during this time?", "What happened during this time (Torquil Baine)?"),
        (
            "What did Ada Firth say about this?",
            "What did Ada Firth say about this (Torquil Baine)?",
        ),
    ],
)
def test_the_full_name_is_what_people_go_on_talking_about(question: str, searched: str) -> None:
    turns = [Turn("Did Torquil Baine live at Skerrow?"), Turn("When did Baine leave?")]
    assert stand_alone(question, turns) == searched


def test_a_pronoun_in_a_fragment_is_not_searched_for() -> None:
    before = Turn("Who ran the trial?", short_answer="Leonie Hartgill")
    assert "Leonie Hartgill" in stand_alone("What about her?", [before])


def test_names_are_capitalised_phrases_in_order() -> None:
    assert names("When did Ebrahim Raisi call Nicolás Maduro's office on Line 4?") == [
        "Ebrahim Raisi",
        "Nicolás Maduro",
        "Line 4",
    ]
    assert names("What is a lens?") == []
    assert names("How many came in 2021?") == []
