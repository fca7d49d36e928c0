"""How many planted faults are caught in answers that a language model might have written.

    python benchmarks/written_answers.py articles

tests/data/written.jsonl holds 60 answers about the sample corpus, written by us: wrong numbers,
names exchanged, wrong citations, invented sentences, and sentences that are right in other words. A
fault is caught when the sentence is marked, a wrong citation when it is mended or marked.
"""

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from index import Index, open_index
from index.build import build
from rag.extract import find
from rag.markers import Draft
from rag.reader import load_reader
from rag.retrieve import retrieve
from rag.verify import Passages
from ui.commands import read_lines
from ui.evaluation import print_table

WRITTEN = Path(__file__).parent.parent / "tests" / "data" / "written.jsonl"
RIGHT = "right"


def judge(asked: dict[str, Any], index: Index) -> list[tuple[str, bool, str]]:
    """For each sentence of an answer: its fault, whether all is well with it now, its text."""
    findings = find(asked["question"], retrieve(asked["question"], index), index, load_reader())
    passages = Passages(findings, index)
    judged, before = [], asked["question"]
    for one in asked["written"]:
        numbers = [n for n, found in enumerate(findings, 1) if found.article.file == one["file"]]
        draft = Draft(one["text"], tuple(numbers[:1] or [len(findings) + 1]))
        place = passages.support(draft, before)
        before = draft.text
        if one["fault"] is None:
            well = place is not None
        else:
            mended = one["fault"] == "citation" and place is not None
            well = place is None or (mended and place.article.file != one["file"])
        judged.append((one["fault"] or RIGHT, well, one["text"]))
    return judged


def main() -> None:
    """Print a line a fault."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("articles", type=Path)
    parser.add_argument("--show", action="store_true", help="list what was judged wrongly")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for _ in build([chosen.articles], Path(name) / ".rag"):
            pass
        index = open_index(Path(name) / ".rag")
        found: dict[str, list[bool]] = defaultdict(list)
        for asked in read_lines(str(WRITTEN)):
            for fault, well, text in judge(asked, index):
                found[fault].append(well)
                if chosen.show and not well:
                    print(f"{fault}: {text}")
    right = found.pop(RIGHT)
    rows = [
        (fault, str(len(well)), f"{sum(well) / len(well):.2f}") for fault, well in found.items()
    ]
    every = [well for wells in found.values() for well in wells]
    rows.append(("all faults", str(len(every)), f"{sum(every) / len(every):.2f}"))
    print_table(("planted", "sentences", "caught"), rows)
    print(f"\n{len(right)} right sentences, {1 - sum(right) / len(right):.2f} wrongly marked")


if __name__ == "__main__":
    main()
