"""The measures are what they say, on outcomes that are known and on the sample corpus."""

import json
from pathlib import Path

import pytest

from index import Index
from rag.evaluate import (
    Outcome,
    area,
    compare,
    evaluate,
    f1,
    self_questions,
    summary,
    thresholds,
)
from tests.conftest import ROOT
from ui.cli import main

TALL = {
    "id": "tall",
    "question": "How tall is the lighthouse on Gannet Rock?",
    "answers": ["17 metres"],
    "evidence": [{"doc": "two-lights-walk.html"}],
    "answerable": True,
}
CUP = {"id": "cup", "question": "Who won the 2022 World Cup?", "answers": [], "answerable": False}


def outcome(id: str, *, answerable: bool, confidence: float, rank: int = 1) -> Outcome:
    return Outcome(
        id=id,
        question=id,
        answerable=answerable,
        answered=confidence > 0,
        confidence=confidence,
        right=answerable and confidence > 0,
        exact=0.0,
        f1=0.5,
        file_rank=rank,
        passage_rank=rank,
        conflict=False,
        disputed=False,
        seconds=0.1,
        said="",
    )


KNOWN = [
    outcome("a", answerable=True, confidence=2, rank=1),
    outcome("b", answerable=True, confidence=1, rank=4),
    outcome("c", answerable=True, confidence=-1, rank=0),
    outcome("d", answerable=False, confidence=0.5),
    outcome("e", answerable=False, confidence=-2),
]


def test_the_measures_of_known_outcomes() -> None:
    values = summary(KNOWN)
    assert values["answer in first passage"] == pytest.approx(1 / 3)
    assert values["answer in first 5 passages"] == pytest.approx(2 / 3)
    assert values["mean reciprocal rank"] == pytest.approx((1 + 1 / 4) / 3)
    assert values["false refusals"] == pytest.approx(1 / 3)
    assert values["false answers"] == pytest.approx(1 / 2)
    assert values["right answer from the right file"] == pytest.approx(2 / 3)
    assert area(KNOWN) == pytest.approx(5 / 6)


def test_errors_trade_against_each_other_over_the_thresholds() -> None:
    rows = thresholds(KNOWN)
    assert [row["threshold"] for row in rows] == sorted(row["threshold"] for row in rows)
    answers = [row["false answers"] for row in rows]
    refusals = [row["false refusals"] for row in rows]
    assert answers == sorted(answers, reverse=True) and refusals == sorted(refusals)
    default = next(row for row in rows if row["threshold"] == 0)
    assert (default["false answers"], default["false refusals"]) == (0.5, pytest.approx(1 / 3))


def test_a_comparison_pairs_the_questions_of_both_runs() -> None:
    better = [outcome(one.id, answerable=one.answerable, confidence=3) for one in KNOWN[:3]]
    change, low, high = compare(KNOWN, better)["answer in first passage"]
    assert change == pytest.approx(2 / 3) and 0 <= low <= change <= high <= 1
    assert compare(KNOWN, KNOWN)["short answer, F1"] == (0, 0, 0)


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [("17 metres", "17 metres", 1), ("the 17 metres", "17", 2 / 3), ("", "17", 0), ("x", "y", 0)],
)
def test_f1_counts_words_as_squad_does(given: str, wanted: str, expected: float) -> None:
    assert f1(given, wanted) == pytest.approx(expected)


def test_questions_are_asked_and_judged(sample: Index) -> None:
    tall, cup = evaluate([TALL, CUP, {"question": ""}], sample)
    assert tall.right and tall.answered and tall.exact == tall.f1 == 1
    assert tall.file_rank == tall.passage_rank == 1
    assert not cup.answered and cup.confidence < 0 and cup.passage_rank == 0


def test_an_answer_from_the_wrong_file_is_not_right(sample: Index) -> None:
    (elsewhere,) = evaluate([{**TALL, "evidence": [{"doc": "chess-club.txt"}]}], sample)
    assert not elsewhere.right and elsewhere.answered


def test_an_index_can_be_measured_without_a_question_file(sample: Index) -> None:
    questions = self_questions(sample, 24)
    assert questions == self_questions(sample, 24), "the same questions every time"
    outcomes = list(evaluate(questions, sample))
    values = summary(outcomes)
    assert values["answer in first 5 passages"] > 0.8
    absent = [one for one in outcomes if one.id.startswith("absent")]
    assert len(absent) == 6 and sum(one.answered for one in absent) <= 1


def test_eval_prints_tables_and_json_and_compares(
    sample_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in (TALL, CUP)))
    folder = ["--index", str(sample_index)]
    assert main(["eval", str(file), "--json", *folder]) == 0
    run = capsys.readouterr().out
    printed = json.loads(run)
    assert printed["measures"]["right answer from the right file"] == 1
    assert [one["id"] for one in printed["questions"]] == ["tall", "cup"]
    (tmp_path / "before.json").write_text(run)
    assert main(["eval", str(file), "--compare", str(tmp_path / "before.json"), *folder]) == 0
    out = capsys.readouterr().out
    assert "2 questions, 1 of them with an answer" in out and "false refusals" in out
    assert "+0.000 to +0.000" in out


@pytest.mark.parametrize("arguments", [[], ["--self", "FILE"], ["FILE", "--compare", "FILE"]])
def test_eval_says_what_it_wants(
    sample_index: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    file = str(ROOT / "tests" / "data" / "questions.jsonl")
    named = [file if one == "FILE" else one for one in arguments]
    assert main(["eval", *named, "--index", str(sample_index)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
