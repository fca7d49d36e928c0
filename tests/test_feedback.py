"""Verdicts are kept as questions, each a whole line, and `rag eval` measures by them."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from index import Index
from index.types import FootnoteError
from rag import ask
from rag.evaluate import evaluate, summary
from rag.types import Answer, Citation, Sentence, Value
from tests.conftest import ROOT
from ui.cli import main
from ui.conversations import Exchange, new_id
from ui.evaluation import last_verdicts
from ui.feedback import REASONS, record

TALL = "How tall is the lighthouse on Gannet Rock?"
CITATION = Citation(1, "a.md#L1", "a.md", "A", 0, 9, (1, 1), None, None, "It has **152\nsteps**.")
ANSWER = Answer(
    "How many?",
    "How many steps?",
    answered=True,
    short_answer="152\nsteps",
    paragraphs=((Sentence("It has 152 steps.", (1,)),),),
    citations=(CITATION,),
)
REFUSAL = Answer(
    "Moon?", "Moon?", answered=False, paragraphs=((Sentence("Not said."),),), nearest=(CITATION,)
)
CONFLICT = replace(
    ANSWER,
    short_answer=None,
    paragraphs=((Sentence("Your sources disagree."),), (Sentence("It has 152.", (1,)),)),
    conflict=(Value("152", (1,)), Value("150", (1,))),
)


def exchange(answer: Answer = ANSWER) -> Exchange:
    return Exchange(new_id(), answer.question, answer.searched_for, answer.as_json(), "", {}, "")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def recorded(folder: Path, answer: Answer, verdict: str) -> dict[str, object]:
    path = folder / "feedback.jsonl"
    record(path, exchange(answer), verdict)
    return lines(path)[-1]


def test_a_right_answer_becomes_a_question_with_its_answer(tmp_path: Path) -> None:
    kept = exchange()
    record(tmp_path / "new" / "feedback.jsonl", kept, "right")
    (line,) = lines(tmp_path / "new" / "feedback.jsonl")
    assert str(line.pop("at")).endswith("+00:00")
    assert line == {
        "id": kept.id,
        "question": "How many steps?",
        "answers": ["152 steps"],
        "evidence": [{"doc": "a.md", "text": "It has **152\nsteps**."}],
        "answerable": True,
        "conflicting": False,
        "verdict": "right",
        "said": "It has 152 steps. [1]",
    }


@pytest.mark.parametrize(
    ("answer", "verdict", "answerable", "answers", "wrong"),
    [
        (replace(ANSWER, short_answer=None), "right", True, ["It has 152 steps."], None),
        (CONFLICT, "right", True, ["152", "150"], None),
        (REFUSAL, "right", False, [], None),
        (ANSWER, "refuse", False, [], None),
        (ANSWER, "wrong", True, [], ["152 steps"]),
        (replace(ANSWER, short_answer=None), "source", True, [], ["It has 152 steps."]),
        (CONFLICT, "wrong", True, [], ["Your sources disagree."]),
        (REFUSAL, "missing", True, [], []),
        (replace(ANSWER, searched_for=""), "missing", True, [], ["152 steps"]),
    ],
)
def test_what_a_verdict_says_of_the_answer(
    tmp_path: Path,
    answer: Answer,
    verdict: str,
    answerable: bool,
    answers: list[str],
    wrong: list[str] | None,
) -> None:
    line = recorded(tmp_path, answer, verdict)
    assert line["question"] == answer.searched_for or line["question"] == answer.question
    assert (line["answerable"], line["answers"]) == (answerable, answers)
    assert line.get("wrong") == wrong
    assert bool(line["evidence"]) == bool(answers), "what was cited for a wrong answer is none"


def test_only_known_verdicts_are_kept(tmp_path: Path) -> None:
    assert set(REASONS) == {"right", "wrong", "source", "missing", "refuse"}
    for verdict in ("Right", "\n", "right\n", "\ud800"):
        with pytest.raises(FootnoteError, match="one of: right, wrong"):
            record(tmp_path / "feedback.jsonl", exchange(), verdict)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ['"}\n{"id": 1}', "half \ud800 NUL \x00", "a\u2028\u2029\x85\r\nb", "<script>", "日本"]
)
def test_hostile_text_stays_in_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "feedback.jsonl"
    hostile = replace(
        ANSWER,
        question=text,
        searched_for=text,
        short_answer=None,
        paragraphs=((Sentence(text, (1,)),),),
        citations=(replace(CITATION, file=text, quote=text),),
    )
    record(path, exchange(hostile), "right")
    record(path, exchange(hostile), "wrong")
    right, wrong = lines(path)
    assert right["question"] == wrong["question"] == text
    assert right["evidence"] == [{"doc": text, "text": text}]
    assert right["answers"] == wrong["wrong"] == [" ".join(text.split())]


WRITER = """
import sys
from pathlib import Path
from tests.test_feedback import exchange, record
for _ in range(100):
    record(Path(sys.argv[1]), exchange(), "right")
"""


def test_many_at_once_each_write_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    other = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT)
    kept = [exchange(replace(ANSWER, question="x" * 1900)) for _ in range(200)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda one: record(path, one, "wrong"), kept))
    assert other.wait(60) == 0
    written = lines(path)
    assert len(written) == 300
    assert {one["id"] for one in written if one["verdict"] == "wrong"} == {one.id for one in kept}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_is_on_the_disk_before_anybody_is_thanked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feedback.jsonl"
    forced = []
    monkeypatch.setattr(os, "fsync", lambda file: forced.append(os.fstat(file).st_size))
    record(path, exchange(), "right")
    assert forced == [path.stat().st_size]


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_bytes(b'{"id": 1, "question": "Wh')
    record(path, exchange(), "right")
    cut, whole = path.read_text().splitlines()
    assert cut.endswith("Wh") and json.loads(whole)["verdict"] == "right"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_what_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").symlink_to("/dev/full")
    for path in (tmp_path, tmp_path / "file" / "feedback.jsonl", tmp_path / "full"):
        with pytest.raises(FootnoteError, match="cannot be written") as caught:
            record(path, exchange(), "right")
        assert str(path) in str(caught.value)


def test_a_disk_that_fills_up_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource
    import signal

    path = tmp_path / "feedback.jsonl"
    record(path, exchange(), "right")
    before = path.read_bytes()
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(FootnoteError, match="cannot be written"):
            record(path, exchange(), "wrong")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before


def test_the_last_verdict_counts_and_can_be_taken_back() -> None:
    plain = {"id": "a", "question": "no verdict"}
    first, last = {"id": "a", "verdict": "right"}, {"id": "a", "verdict": "wrong"}
    taken, back = {"id": "b", "verdict": "right"}, {"id": "b", "verdict": ""}
    again = {"id": "b", "verdict": "refuse"}
    assert last_verdicts([plain, plain, first, taken, last, back]) == [plain, plain, last]
    assert last_verdicts([taken, back, again]) == [again]


def test_wrong_is_said_again_or_not(sample: Index) -> None:
    said_again = {"question": TALL, "answerable": True, "answers": []}
    outcomes = list(
        evaluate(
            [
                {**said_again, "id": "again", "wrong": ["17 Metres"]},
                {**said_again, "id": "better", "wrong": ["170 metres", "7 metres", "..."]},
                {**said_again, "id": "found", "wrong": []},
                {**said_again, "id": "known", "answers": ["17 metres"], "wrong": ["the 17 metres"]},
                {
                    "id": "refused",
                    "question": "Who won the 2022 World Cup?",
                    "answerable": True,
                    "answers": [],
                    "wrong": [],
                },
                {**said_again, "id": "ordinary"},
            ],
            sample,
        )
    )
    right = {one.id: one.right for one in outcomes}
    assert right == {
        "again": False,
        "better": True,
        "found": True,
        "known": False,
        "refused": False,
        "ordinary": False,
    }
    assert [one.id for one in outcomes if one.known] == ["known", "ordinary"]
    values = summary(outcomes)
    assert values["right answer from the right file"] == pytest.approx(2 / 6)
    assert values["answer in first passage"] == values["short answer, exact"] == 1 / 2


def test_eval_measures_by_what_people_said(
    sample: Index, sample_index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "feedback.jsonl"
    kept = {}
    for question in (TALL, "Who won the 2022 World Cup?", "How do I make an ash glaze?"):
        *_, answer = ask(question, sample)
        kept[question] = exchange(answer)
    tall, cup, glaze = kept.values()
    for one, verdict in (
        (tall, "wrong"),
        (tall, "right"),
        (cup, "right"),
        (glaze, "right"),
        (glaze, "source"),
        (glaze, ""),
    ):
        record(path, one, verdict)
    assert main(["eval", str(path), "--json", "--index", str(sample_index)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in printed["questions"]] == [tall.id, cup.id]
    assert printed["measures"]["right answer from the right file"] == 1
    assert printed["measures"]["false answers"] == 0
    record(path, glaze, "right")
    record(path, tall, "wrong")
    assert main(["eval", str(path), "--wrong", "--index", str(sample_index)]) == 0
    out = capsys.readouterr().out
    assert "3 questions, 2 of them with an answer" in out
    assert f"wrong: {TALL}" in out and "wrong: How do I" not in out
    path.write_text(json.dumps({"id": 1, "question": TALL, "verdict": ""}))
    assert main(["eval", str(path), "--index", str(sample_index)]) == 2
    assert os.linesep in capsys.readouterr().err
