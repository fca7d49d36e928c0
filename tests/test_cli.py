"""The contract of the command line: JSON, exit codes, one line on stderr, nothing lost."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, open_index
from tests.conftest import ROOT, write_articles
from ui.cli import main

CITATION = {
    "number",
    "id",
    "file",
    "title",
    "start",
    "end",
    "lines",
    "page",
    "heading",
    "quote",
} | {
    "date",
    "author",
    "copies",
}
ANSWER = {
    "id", "question", "searched_for", "answered", "mode", "answer", "short_answer", "citations",
    "conflict", "unsupported", "nearest", "seconds", "model", "note",
}  # fmt: skip
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(sample_index: Path, capsys: Capture) -> Callable[..., tuple[int, str, str]]:
    """Run a command on the sample index; its exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main([*arguments, "--index", str(sample_index)])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return code, *capsys.readouterr()

    return call


Run = Callable[..., tuple[int, str, str]]


def test_ask_prints_the_answer_with_its_citation(run: Run) -> None:
    code, out, err = run("ask", "How tall is the lighthouse on Gannet Rock?")
    assert (code, err) == (0, "")
    assert out.startswith("17 metres\n")
    assert "[1]" in out and "two-lights-walk.html#c" in out
    assert "\x1b" not in out, "no colours in a pipe"


def test_ask_json_is_one_object_of_the_contract(run: Run, sample: Index) -> None:
    code, out, _ = run("ask", "--json", "How tall is the lighthouse on Gannet Rock?")
    answer = json.loads(out)
    assert code == 0 and set(answer) == ANSWER and out.count("\n") == 1
    assert answer["answered"] is True and answer["mode"] == "extractive"
    for citation in answer["citations"]:
        assert set(citation) == CITATION
        article = sample.article(citation["file"])
        assert article is not None
        assert article.text[citation["start"] : citation["end"]] == citation["quote"]


def test_what_the_articles_do_not_say_is_exit_code_1(run: Run) -> None:
    code, out, err = run("ask", "--json", "Who won the 2022 World Cup in Qatar?")
    answer = json.loads(out)
    assert (code, err, answer["answered"], answer["citations"]) == (1, "", False, [])
    assert answer["nearest"] and set(answer["nearest"][0]) == CITATION


def test_sources_that_disagree_are_both_shown(run: Run) -> None:
    code, out, _ = run("ask", "--json", "When was the Skerrow Point lighthouse first lit?")
    answer = json.loads(out)
    assert code == 0
    assert [one["value"] for one in answer["conflict"]] == ["1878", "3 November 1874"]
    assert {citation["file"] for citation in answer["citations"]} == {
        "two-lights-walk.html",
        "skerrow-light.md",
    }


def test_batch_answers_each_line_with_its_id(run: Run, tmp_path: Path) -> None:
    tall = "How tall is the lighthouse on Gannet Rock?"
    lines = [
        {"id": "a", "question": tall},
        {"id": 2, "question": "When was it put up?", "history": ["", tall]},
        {"id": None, "question": ""},
        {"id": "d", "question": "x" * 100_000},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\ufeff" + "\n".join(json.dumps(line) for line in lines) + "\n\n", "utf-8")
    code, out, _ = run("ask", "--batch", str(file))
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [answer["id"] for answer in answers] == ["a", 2, None, "d"]
    assert "Gannet Rock" in answers[1]["searched_for"]
    assert all(set(answer) >= ANSWER for answer in answers)
    assert "100,000 characters" in answers[3]["error"] and answers[3]["answered"] is False


def test_search_lists_passages_best_first(run: Run) -> None:
    code, out, _ = run("search", "--json", "--top-k", "3", "lighthouse on Gannet Rock")
    found = json.loads(out)
    assert code == 0 and set(found) == {"id", "query", "hits"}
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert found["hits"][0]["file"] == "two-lights-walk.html"
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_only_keeps_to_the_files_that_fit(run: Run) -> None:
    _, out, _ = run("search", "--json", "--only", "nature/*", "lighthouse on Gannet Rock")
    assert {hit["file"].split("/")[0] for hit in json.loads(out)["hits"]} == {"nature"}
    code, out, _ = run("ask", "--json", "--only", "nothing/*", "How tall is the lighthouse?")
    assert code == 1 and json.loads(out)["nearest"] == []


def test_show_prints_what_a_citation_means(run: Run) -> None:
    _, out, _ = run("ask", "--json", "How tall is the lighthouse on Gannet Rock?")
    for citation in json.loads(out)["citations"]:
        code, shown, _ = run("show", citation["id"])
        assert code == 0 and citation["quote"] in shown
    code, shown, _ = run("show", "skerrow-light.md#L3")
    assert code == 0 and "first lit on 3 November 1874" in shown and shown.count("\n") == 1
    assert run("show", "skerrow-light.md")[1].startswith("# Skerrow Point")


@pytest.mark.parametrize(
    "id",
    ["nowhere.md", "skerrow-light.md#L999", "skerrow-light.md#c9-99999999", "#", "../etc/passwd"],
)
def test_an_unknown_citation_is_one_clear_line(run: Run, id: str) -> None:
    code, out, err = run("show", id)
    assert (code, out) == (2, "") and err.startswith("rag: ") and err.count("\n") == 1


def test_status_tells_what_is_indexed(run: Run) -> None:
    code, out, _ = run("status", "--json")
    status = json.loads(out)
    assert code == 0 and status["articles"] == len(status["files"]) == 22
    assert (status["new"], status["changed"], status["removed"]) == ([], [], [])
    assert any(
        gap["reason"] == "licence footer" for file in status["files"] for gap in file["left_out"]
    )
    assert "22 articles" in run("status")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", ""),
        ("ask", "   "),
        ("ask", "x" * 100_000),
        ("search", ""),
        ("ask", "--top-k", "0", "Who?"),
        ("ask", "--batch", "/nowhere.jsonl"),
        ("index", "/nowhere/at/all"),
        ("nonsense",),
        ("ask", "--nonsense"),
        ("ui", "--auth", "nopassword"),
        ("ui", "--port", "99999"),
        ("ui", "--port", "-5"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_wrong_input_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("rag: ") and err.count("\n") == 1 and len(err) < 300


def test_a_batch_file_that_is_no_json_names_the_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": 1, "question": "Who?"}\nnot json\n')
    code, out, err = run("ask", "--batch", str(file))
    assert (code, out) == (2, "") and "line 2" in err


def test_no_index_yet_says_which_command_makes_one(tmp_path: Path, capsys: Capture) -> None:
    for command in (["ask", "Who?"], ["search", "x"], ["status"], ["show", "a.md"], ["chat"]):
        assert main([*command, "--index", str(tmp_path / ".rag")]) == 2
        assert "run `rag index`" in capsys.readouterr().err


def test_index_reports_what_changed(
    make_index: Callable[[dict[str, str]], Index], tmp_path: Path, capsys: Capture
) -> None:
    make_index({"a.txt": "The wall was raised in 2019."})
    folder = ["--index", str(tmp_path / ".rag")]
    write_articles(tmp_path / "articles", {"b.txt": "The pier was closed in 1987.", "c.txt": ""})
    assert main(["index", *folder]) == 0, "without a path: the folder of the last time"
    out = capsys.readouterr().out
    assert "1 new, 0 changed, 0 removed" in out and "c.txt: empty file" in out
    assert main(["index", str(tmp_path / "articles"), "--json", *folder]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["new"], report["embedded"]) == ([], 0)
    assert report["left_out"] == {"c.txt": "empty file"}
    assert open_index(tmp_path / ".rag").files() == ["a.txt", "b.txt"]


def test_an_empty_folder_is_an_error_that_keeps_the_old_index(
    make_index: Callable[[dict[str, str]], Index], tmp_path: Path, capsys: Capture
) -> None:
    make_index({"a.txt": "The wall was raised in 2019."})
    (tmp_path / "empty").mkdir()
    assert main(["index", str(tmp_path / "empty"), "--index", str(tmp_path / ".rag")]) == 2
    assert "There is no article in" in capsys.readouterr().err
    assert open_index(tmp_path / ".rag").files() == ["a.txt"]


def test_chat_answers_follow_ups_until_the_end_of_input(sample_index: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "chat", "--index", str(sample_index)],
        input="How tall is the lighthouse on Gannet Rock?\nWhen was it put up?\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "17 metres" in done.stdout and "1902" in done.stdout
    assert "searched for: When was the lighthouse on Gannet Rock put up?" in done.stdout or (
        "searched for:" in done.stdout and "Gannet Rock" in done.stdout
    )


def test_a_reader_that_stops_reading_the_pipe_is_no_error(sample_index: Path) -> None:
    command = f"{sys.executable} -m ui.cli status --json --index {sample_index} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=True)  # noqa: S602
    assert done.stdout == "{" and done.stderr == ""


def test_control_characters_in_an_article_cannot_drive_the_terminal(
    make_index: Callable[[dict[str, str]], Index], tmp_path: Path, capsys: Capture
) -> None:
    text = "The wall was raised to 12 metres \x1b[31min 2019\x07 by Ada Firth of Dray. It held. "
    make_index({"a.txt": f"The wall\n\n{text}{'Nobody had asked for it. ' * 9}\n"})
    assert main(["ask", "How tall is the wall?", "--index", str(tmp_path / ".rag")]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x07" not in out and "12 metres" in out


def test_help_documents_every_command_and_the_exit_codes(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    for command in ("index", "ask", "chat", "search", "show", "status", "eval", "ui"):
        assert f"    {command} " in out
    assert "0 answered, 1 not in the articles, 2 an error" in out


def test_an_index_cannot_be_kept_in_a_file(tmp_path: Path, capsys: Capture) -> None:
    write_articles(tmp_path, {"a.txt": "The wall was raised in 2019."})
    assert main(["index", str(tmp_path), "--index", str(tmp_path / "a.txt")]) == 2
    assert "name another with `--index`" in capsys.readouterr().err


def test_a_closed_stdout_is_no_error(sample_index: Path) -> None:
    command = f"{sys.executable} -m ui.cli ask --index {sample_index} 'How tall is it?' >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode in {0, 1}
    assert done.stderr == ""
