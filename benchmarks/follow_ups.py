"""Follow-ups: how many content words of the human rewrite are in what is searched for.

    python benchmarks/follow_ups.py ../shared/data/rewrite_canard

Beside it the question as it was asked. `topic` begins each conversation with the topic that its
people were given; `answers` also gives the answers they got, which the program cannot know.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from rag.rewrite import WORD, stand_alone
from rag.types import Turn
from ui.evaluation import print_table

# A list of its own: the program's may change, and the measure must not.
STOP_WORDS = frozenset(
    "a an the this that these those is are was were be been being am do does did has have had will "
    "would can could may might should must of in on at to for from by with about into over after "
    "before and or but if so not no what which who whom whose when where why how many much there "
    "he she it they him her his hers its their them we us you i me my any other else".split()
)


def content(text: str) -> set[str]:
    """The content words of a question, in lower case, without possessive endings."""
    words = (word.casefold().removesuffix("'s").removesuffix("’s") for word in WORD.findall(text))
    return {word for word in words if word not in STOP_WORDS}


def recall(said: str, wanted: str) -> float:
    """The share of the content words of one text that stand in another."""
    words = content(wanted)
    return len(words & content(said)) / len(words) if words else 1.0


def main() -> None:
    """Print the recall with and without what the conversation is about."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--show", type=int, default=0, help="print so many of the worst")
    chosen = parser.parse_args()
    lines = (chosen.data / "queries.jsonl").read_text("utf-8").split("\n")
    rows: dict[str, list[tuple[float, float, bool, str]]] = {"": [], "topic": [], "answers": []}
    for question in (json.loads(line) for line in lines if line):
        said = [text for _, text in question["history"]]
        for name, results in rows.items():
            turns = [Turn(question["topic"])] if name else []
            for place in range(0, len(said), 2):
                answer = said[place + 1] if name == "answers" and place + 1 < len(said) else None
                turns.append(Turn(said[place], stand_alone(said[place], turns), answer))
            searched_for = stand_alone(question["question"], turns)
            results.append(
                (
                    recall(searched_for, question["rewrite"]),
                    recall(question["question"], question["rewrite"]),
                    searched_for == question["question"],
                    f"{question['question']} -> {searched_for} | {question['rewrite']}",
                )
            )
    print_table(
        ("history", "as asked", "searched for", "left as it was"),
        [
            (
                name or "questions",
                *(f"{np.mean([row[n] for row in results]):.3f}" for n in (1, 0, 2)),
            )
            for name, results in rows.items()
        ],
    )
    for row in sorted(rows["topic"])[:: max(1, len(lines) // (chosen.show or 1))][: chosen.show]:
        print(f"{row[0]:.2f} {row[3]}")


if __name__ == "__main__":
    main()
