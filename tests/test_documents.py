"""What the documents say is what the program does."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from ui.cli import main, make_parser

README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_of_the_readme_prints_what_the_readme_says(
    sample_index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = re.search(r'\$ rag ask "([^"]+)"\n', README)
    assert question
    main(["ask", question[1], "--index", str(sample_index)])
    printed = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    after = README[question.end() :].split("\n\n    rag index")[0]
    shown = [line.strip() for line in after.splitlines() if line.strip()]
    # The README wraps long lines.
    assert " ".join(shown) == " ".join(printed)


def test_the_python_of_the_readme_runs(
    sample_index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    exec(code[1].replace('open_index(".rag")', f'open_index("{sample_index}")'), {})  # noqa: S102
    assert capsys.readouterr().out == "17 metres two-lights-walk.html\n"


def test_every_command_is_in_the_readme() -> None:
    commands = re.findall(r"^    rag (\w+) ", README, re.MULTILINE)
    expected = "index ask chat search show status eval doctor ui".split()
    # Commands come a second time, with their flags, where a language model is told of.
    assert commands[: len(expected)] == expected
    assert set(commands) == set(expected)
    for command in commands:
        make_parser().parse_args([command, *(["x"] if command == "show" else [])])


def test_every_file_of_the_rooms_is_in_contributing() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for room in ("index", "rag", "ui"):
        for path in (ROOT / room).iterdir():
            if path.suffix in {".py", ".js", ".css"} and path.name != "__init__.py":
                assert path.name in contributing, f"{room}/{path.name} is not explained"


def test_dependencies_have_reasons_and_exact_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    pinned = (ROOT / "constraints.txt").read_text("utf-8").lower().replace("_", "-")
    for dependency in project["project"]["dependencies"]:
        name = re.split(r"[<>=]", dependency)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", pinned, re.MULTILINE), name
    assert re.search(r"^torch==2\.13\.0$", pinned, re.MULTILINE)


def test_the_question_set_is_as_large_as_it_was_meant_to_be() -> None:
    import json

    lines = (ROOT / "tests" / "data" / "questions.jsonl").read_text("utf-8").split("\n")
    questions = [json.loads(line) for line in lines if line]
    assert len(questions) >= 60
    assert sum(not question["answerable"] for question in questions) >= 15
    assert sum(question["type"] == "conflict" for question in questions) >= 5
    assert sum(question["type"] == "followup" for question in questions) >= 8
    assert len(list((ROOT / "articles").rglob("*.*"))) >= 15
