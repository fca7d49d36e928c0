"""What kind of answer a question wants, and whether words can be one."""

import pytest

from rag.kinds import ECHO, MISFIT, PROPER_NAME, echo, fits, form, is_fact, without_kind


@pytest.mark.parametrize(
    "question",
    [
        "Who designed the tower?",
        "When was the bridge closed?",
        "How many trams were ordered?",
        "How much did the repair cost?",
        "How long is the span?",
        "What is the capital of Aldra?",
        "Where does Line 4 start?",
        "Which ship carried the condensate?",
    ],
)
def test_a_few_words_can_answer_a_fact(question: str) -> None:
    assert is_fact(question)


@pytest.mark.parametrize(
    "question",
    [
        "Why was the bridge closed?",
        "How does a swap work?",
        "How do bees keep warm?",
        "how is a starter revived?",
        "Explain the swap.",
        "Tell me about the lens",
        "Summarise the accord",
        "What happened in 2021?",
        "What do the articles say about oil?",
        "What is the difference between oak and apple ash?",
        "List the steps.",
        "What are the limits of barter?",
        "Which countries were visited, and what are known effects?",
        "What steps revive a starter?",
    ],
)
def test_an_explanation_or_a_list_is_no_fact(question: str) -> None:
    assert not is_fact(question)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("When was it lit?", "3 November 1874"),
        ("When was it lit?", "in June"),
        ("When does it leave?", "every Sunday morning"),
        ("What year was it lit?", "1874"),
        ("How many came?", "twelve"),
        ("How many came?", "hundreds of people"),
        ("How tall is it?", "31 metres"),
        ("How tall is it?", "three metres"),
        ("How tall is it?", "31"),
        ("How tall is it?", "about 31.5"),
        ("Who built it?", "Edwin P. Lorne"),
        ("Where is it?", "on the island"),
    ],
)
def test_words_that_can_answer_fit(question: str, words: str) -> None:
    assert fits(question, words) is True


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("When was it lit?", "pink granite"),
        ("What year was it lit?", "the tower"),
        ("How many came?", "the masons"),
        ("How tall is it?", "three"),
        ("How tall is it?", "very tall"),
        ("How far is it?", "Kilometre 14.5"),
        ("Who built it?", "an engineer"),
    ],
)
def test_words_that_cannot_answer_do_not_fit(question: str, words: str) -> None:
    assert fits(question, words) is False


def test_a_name_that_only_repeats_the_question_is_an_echo() -> None:
    question = "Which president met Nicolás Maduro?"
    assert echo(question, "Nicolás Maduro") == 1
    assert echo(question, "Maduro") == 1
    assert echo(question, "Nicolás Maduro and Hassan Rouhani") == 0.5
    assert echo(question, "Hassan Rouhani") == 0
    assert echo(question, "the president") == 0


def test_the_form_of_words_adds_up_to_what_they_deserve() -> None:
    assert form("Who met Nicolás Maduro?", "Hassan Rouhani") == PROPER_NAME
    assert form("Who met Nicolás Maduro?", "Nicolás Maduro") == ECHO + PROPER_NAME
    assert form("When did they meet?", "in a good mood") == MISFIT
    assert form("When did they meet?", "on 13 June") == 0
    assert form("Where did Maduro go?", "Tehran") == 0


@pytest.mark.parametrize(
    ("question", "words", "kept"),
    [
        ("How long is the kite?", "90 metres long", "90 metres"),
        ("How old was he?", "40 years old", "40 years"),
        ("How long is the kite?", "90 metres", "90 metres"),
        ("How often does it ring?", "very often", "very often"),
        ("How long is the kite?", "furlong", "furlong"),
        ("What was built?", "a shed 5 metres long", "a shed 5 metres long"),
    ],
)
def test_the_word_that_asks_is_no_part_of_the_answer(question: str, words: str, kept: str) -> None:
    assert without_kind(question, words) == kept
