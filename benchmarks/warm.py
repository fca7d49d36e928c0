"""An answer in a running process: how long it takes, and where the time goes.

    python benchmarks/warm.py ../shared/data/squad2_articles ../shared/data/timeqa_human

Each folder has corpus.jsonl and queries.jsonl; their articles are indexed together and kept in
--work for the next run. Every part is timed without the parts that it calls.
"""

import argparse
import functools
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import rag.answer
import rag.extract
import rag.retrieve
from benchmarks.quality import write_corpus
from index import Index, open_index
from index.build import build
from rag import ask
from rag.reader import load_reader
from rag.retrieve import retrieve
from ui.evaluation import print_table

ORDER = random.Random(3)  # noqa: S311  # Which questions, not which secrets.
WARM_UP = 10  # Questions before the clock starts.


class Clock:
    """Seconds spent in named functions, each without what it calls of the others."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = [0.0]

    def watch(self, name: str, holder: Any, attribute: str) -> None:
        """Time a function of a module or an object under a name, from now on."""
        function: Callable[..., Any] = getattr(holder, attribute)

        @functools.wraps(function)
        def timed(*values: Any, **options: Any) -> Any:
            started = time.perf_counter()
            self._inner.append(0.0)
            try:
                return function(*values, **options)
            finally:
                whole = time.perf_counter() - started
                self.seconds[name] = self.seconds.get(name, 0.0) + whole - self._inner.pop()
                self._inner[-1] += whole

        setattr(holder, attribute, timed)


def watched(index: Index) -> Clock:
    """A clock on all parts of an answer."""
    clock = Clock()
    clock.watch("question to vector", index.embedder, "question")
    clock.watch("vectors of sentences", index.embedder, "passages")
    clock.watch("vectors", index, "search")
    clock.watch("vectors", index, "vectors")
    clock.watch("words", index, "match")
    clock.watch("words", index, "count")
    clock.watch("passages and articles from SQLite", index, "chunk")
    clock.watch("passages and articles from SQLite", index, "article")
    clock.watch("retrieval, the rest", rag.answer, "retrieve")
    clock.watch("reader", load_reader(), "read")
    clock.watch("windows and spans", rag.answer, "find")
    clock.watch("whether to answer", rag.answer, "log_odds")
    clock.watch("whether sources disagree", rag.answer, "find_conflict")
    clock.watch("which sentences", rag.answer, "compose")
    return clock


def main() -> None:
    """Build the index if it is not there, ask, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, nargs="+", help="folders with corpus and queries.jsonl")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--work", type=Path, default=Path(".quality/warm"))
    chosen = parser.parse_args()
    questions = []
    for data in chosen.data:
        write_corpus(data, chosen.work / "articles" / data.name)
        lines = (data / "queries.jsonl").read_text("utf-8").split("\n")
        questions += [json.loads(line)["question"] for line in lines if line]
    for _ in build([chosen.work / "articles"], chosen.work / ".rag"):
        pass
    index = open_index(chosen.work / ".rag")
    questions = ORDER.sample(questions, min(len(questions), chosen.questions + WARM_UP))
    for question in questions[:WARM_UP]:
        *_, _ = ask(question, index)
    answers, retrievals = [], []
    for question in questions[WARM_UP:]:
        started = time.perf_counter()
        *_, _ = ask(question, index)
        answers.append(time.perf_counter() - started)
        started = time.perf_counter()
        retrieve(question, index)
        retrievals.append(time.perf_counter() - started)
    print(f"{index.manifest.articles} articles, {index.manifest.chunks} passages\n")
    print_table(
        ("", "median, ms", "95th percentile, ms"),
        [
            (name, *(f"{1000 * value:.1f}" for value in np.percentile(taken, [50, 95])))
            for name, taken in (("answer", answers), ("retrieval alone", retrievals))
        ],
    )
    clock = watched(index)
    started = time.perf_counter()
    for question in questions[WARM_UP:]:
        *_, _ = ask(question, index)
    whole = time.perf_counter() - started
    parts = sorted(clock.seconds.items(), key=lambda part: -part[1])
    parts.append(("all else", whole - sum(clock.seconds.values())))
    print()
    print_table(
        ("part", "ms an answer (mean)", "share"),
        [
            (name, f"{1000 * one / len(answers):.1f}", f"{one / whole:.0%}")
            for name, one in [*parts, ("all", whole)]
        ],
    )


if __name__ == "__main__":
    main()
