"""The reader points at the words of a passage that answer, whatever the passage is."""

import unicodedata
from collections.abc import Callable

import numpy as np
import pytest

from index import Index
from rag.answer import LONGEST_QUESTION, ask
from rag.reader import LONGEST_ANSWER, SPANS, best_spans, load_reader

Make = Callable[[dict[str, str]], Index]
WHO = "Who keeps the light at Skerrow?"
KEEPER = "Torquil Baine keeps the light at Skerrow."


def test_no_passages_give_no_readings() -> None:
    assert load_reader().read(WHO, []) == []


@pytest.mark.parametrize("passage", ["", "   ", "\n\n", "\u200b"])
def test_an_empty_passage_has_no_spans(passage: str) -> None:
    assert load_reader().read(WHO, [passage]) == [[]]
    mixed = load_reader().read(WHO, [passage, KEEPER])
    assert mixed[0] == []
    assert KEEPER[slice(mixed[1][0].start, mixed[1][0].end)] == "Torquil Baine"


def test_an_empty_question_is_read_like_any_other() -> None:
    [spans] = load_reader().read("", [KEEPER])
    assert all(0 <= span.start < span.end <= len(KEEPER) for span in spans)


@pytest.mark.parametrize(
    ("question", "passage", "words"),
    [
        (WHO, KEEPER, "Torquil Baine"),
        (WHO, "🙂🎉🙂 The light at Skerrow is kept by Zoë Brontë-Müller.", "Zoë Brontë-Müller"),
        (WHO, "The light at Skerrow is kept by Zoe\u0308 A\u030angstro\u0308m.", "Zoë Ångström"),
        (
            "When was the château of Orrin painted?",
            "Près de l’église 🏰, the château of Orrin was painted in 1987 by José Ñandú.",
            "1987",
        ),
        (
            "How much did it cost?",
            "\n\n  𝒯𝒽𝑒 bridge — it cost\n4.2 million euros.",
            "4.2 million euros",
        ),
    ],
)
def test_spans_fall_on_the_characters_of_the_passage(
    question: str, passage: str, words: str
) -> None:
    best = load_reader().read(question, [passage])[0][0]
    assert unicodedata.normalize("NFC", passage[best.start : best.end]) == words


def test_spans_are_ordered_and_inside_the_passage() -> None:
    passage = KEEPER + " The ferry costs 7 pounds, and it leaves at six."
    [spans] = load_reader().read(WHO, [passage])
    assert len(spans) == SPANS
    assert [span.score for span in spans] == sorted((s.score for s in spans), reverse=True)
    assert all(0 <= span.start < span.end <= len(passage) for span in spans)
    assert len({(span.start, span.end) for span in spans}) == SPANS


def test_a_passage_that_answers_is_believed_and_another_is_not() -> None:
    answers, does_not = load_reader().read(WHO, [KEEPER, "Salt is hard on machines."])
    assert answers[0].score > 0 > does_not[0].score


def test_readings_come_in_the_order_of_their_passages() -> None:
    names = [f"{chr(65 + n)}nders Holm" for n in range(20)]
    passages = [
        f"{name} keeps the light at Skerrow." + " It rains a lot there." * (n * 7 % 5)
        for n, name in enumerate(names)
    ]
    readings = load_reader().read(WHO, passages)
    found = [
        passage[spans[0].start : spans[0].end]
        for passage, spans in zip(passages, readings, strict=True)
    ]
    assert found == names


def test_neighbours_in_a_batch_change_a_reading_little() -> None:
    reader = load_reader()
    [alone] = reader.read(WHO, [KEEPER])
    [beside, *_] = reader.read(WHO, [KEEPER, *["Salt is hard on machines. " * 20] * 3])
    assert (beside[0].start, beside[0].end) == (alone[0].start, alone[0].end)
    assert beside[0].score == pytest.approx(alone[0].score, abs=1)


def test_the_beginning_of_a_very_long_passage_is_not_lost() -> None:
    passage = KEEPER + " word" * 10_000
    [spans] = load_reader().read(WHO, [passage])
    assert passage[spans[0].start : spans[0].end] == "Torquil Baine"


def test_the_end_of_a_long_passage_is_read_too() -> None:
    passage = "It rains a lot on the island. " * 60 + KEEPER
    [spans] = load_reader().read(WHO, [passage])
    assert passage[spans[0].start : spans[0].end] == "Torquil Baine"


def test_the_end_of_a_long_sentence_is_read_too(make_index: Make) -> None:
    towns = ", ".join(f"a hut in valley {n} with {n + 3} beds" for n in range(26))
    text = f"The trust owns {towns}, and since 1987 the keeper of the Skerrow light is Osla Tveit."
    assert 800 < len(text) < 1000
    *_, answer = ask("Who is the keeper of the Skerrow light?", make_index({"huts.txt": text}))
    assert answer.short_answer == "Osla Tveit"


@pytest.mark.parametrize("length", [200, 600, LONGEST_QUESTION])
def test_a_question_of_any_allowed_length_is_read(length: int) -> None:
    question = ("Please tell me at last " * 200)[: length - len(WHO)] + WHO
    assert len(question) == length
    [spans] = load_reader().read(question, [KEEPER])
    assert all(0 <= span.start < span.end <= len(KEEPER) for span in spans)


def test_the_best_spans_of_known_logits() -> None:
    starts = np.array([0, 5, 1, 0], np.float32)
    ends = np.array([9, 0, 3, 2], np.float32)
    best = best_spans(starts, ends)
    # The end at 0 lies before the start at 1, so 5 + 9 is no span.
    assert best[:3] == [(0, 0, 9.0), (1, 2, 8.0), (1, 3, 7.0)]
    assert len(best) == SPANS
    assert all(first <= last for first, last, _ in best)


def test_no_span_is_longer_than_the_longest_answer() -> None:
    starts, ends = np.zeros((2, 100), np.float32)
    starts[0], ends[99], ends[LONGEST_ANSWER - 1] = 9, 9, 4
    best = best_spans(starts, ends)
    assert best[0] == (0, LONGEST_ANSWER - 1, 13.0)
    assert all(last - first < LONGEST_ANSWER for first, last, _ in best)
    assert best_spans(np.zeros(0, np.float32), np.zeros(0, np.float32)) == []


def test_the_best_spans_are_those_of_sorting_all_of_them() -> None:
    """Many equal sums included: of these, the first in the passage come first."""
    chance = np.random.default_rng(5)
    for pieces in (0, 1, 3, 40):
        starts, ends = chance.integers(0, 3, (2, pieces)).astype(np.float32)
        every = [
            (first, last, float(starts[first] + ends[last]))
            for first in range(pieces)
            for last in range(first, min(pieces, first + LONGEST_ANSWER))
        ]
        wanted = sorted(every, key=lambda span: (-span[2], span[:2]))[:SPANS]
        assert best_spans(starts, ends) == wanted
