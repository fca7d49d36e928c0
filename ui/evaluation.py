"""What `rag eval` prints: measures, errors at every threshold, a comparison of two runs.

Question files that people's verdicts make (ui/feedback.py) say several things of one answer: the
last line of an `id` counts, and one with an empty `verdict` takes the others back.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.types import FootnoteError
from rag import open_index
from ui.commands import ANSWERED, chosen_llm, print_json, read_lines
from ui.terminal import clean

if TYPE_CHECKING:
    from rag.evaluate import Outcome

SELF_QUESTIONS = 100


def run_eval(chosen: argparse.Namespace) -> int:
    """Ask every question of a file, or questions made from the articles, and print the measures."""
    from rag.evaluate import area, compare, evaluate, self_questions, summary, thresholds

    if bool(chosen.file) == chosen.self:
        raise FootnoteError("Name a question file, or give --self: see `rag eval --help`.")
    before = read_run(chosen.compare) if chosen.compare else None
    index = open_index(chosen.index)
    questions = (
        self_questions(index, chosen.limit or SELF_QUESTIONS)
        if chosen.self
        else last_verdicts(read_lines(chosen.file))[: chosen.limit]
    )
    llm, rewrite = chosen_llm(chosen), bool(chosen.rewrite)
    outcomes = list(evaluate(questions, index, llm=llm, rewrite=rewrite))
    if not outcomes:
        raise FootnoteError(f"{chosen.file or 'The index'} holds no question that can be asked.")
    values = summary(outcomes)
    separation = area(outcomes)
    if separation is not None:
        values["area under the curve"] = separation
    changes = compare(before, outcomes) if before else {}
    if chosen.json:
        print_json(
            {
                "measures": values,
                "thresholds": thresholds(outcomes),
                "compared": {name: list(change) for name, change in changes.items()} or None,
                "questions": [asdict(one) for one in outcomes],
            }
        )
        return ANSWERED
    answerable = sum(one.answerable for one in outcomes)
    print(f"{len(outcomes)} questions, {answerable} of them with an answer\n")
    print_table(("measure", "value"), [(name, f"{value:.3f}") for name, value in values.items()])
    if separation is not None:
        print()
        rows = [tuple(f"{value:.3f}" for value in row.values()) for row in thresholds(outcomes)]
        print_table(("threshold", "false answers", "false refusals"), rows)
    if changes:
        print("\nAgainst the earlier run, on the same questions:\n")
        print_table(
            ("measure", "change", "95 % interval"),
            [
                (name, f"{change:+.3f}", f"{low:+.3f} to {high:+.3f}")
                for name, (change, low, high) in changes.items()
            ],
        )
    wrong = [one for one in outcomes if one.answerable and one.answered and not one.right]
    invented = [one for one in outcomes if not one.answerable and one.answered]
    if chosen.wrong:
        for label, listed in (("wrong", wrong), ("invented", invented)):
            for one in listed:
                print(
                    f"{label}: {clean(one.question)} -> {clean(' '.join(one.said.split()))[:160]}"
                )
    return ANSWERED


def last_verdicts(questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions; of those with a verdict the last one of an id, unless it was taken back."""
    last = {str(one.get("id")): one for one in questions if "verdict" in one}
    return [
        one
        for one in questions
        if "verdict" not in one or (one["verdict"] and one is last[str(one.get("id"))])
    ]


def read_run(file: Path) -> "list[Outcome]":
    """The outcomes that an earlier `rag eval --json` printed. Raises FootnoteError."""
    from rag.evaluate import Outcome

    try:
        values = json.loads(file.read_text("utf-8"))
        return [Outcome(**one) for one in values["questions"]]
    except (ValueError, KeyError, TypeError) as error:
        raise FootnoteError(f"{file} is not what `rag eval --json` printed.") from error


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A Markdown table with columns of even width."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
