"""Quality on a question set: passages, answers, refusals, conflicts; a table with its peers.

    python benchmarks/quality.py ../shared/data/squad2_articles --kept-out
    python benchmarks/quality.py articles --set tests/data/questions.jsonl
    python benchmarks/quality.py ../shared/articles --set benchmarks/four_articles.jsonl

A folder with corpus.jsonl and queries.jsonl is written out as one .txt file a document first. The
index is kept in --work for the next run. Peers run on the very passages and vectors of the index:
`dense` is what a tutorial builds, `words` is BM25, `ranks` is reciprocal rank fusion, `sum` the
weighted sum; `footnote` is the sum, re-ranked by the reader.
"""

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import Index, open_index
from index.build import build
from rag.evaluate import area, evaluate, holds, summary, thresholds
from rag.retrieve import CANDIDATES, COSINE_WEIGHT, WORDS_WEIGHT
from training.examples import questions as kept_out
from ui.evaluation import print_table

Question = dict[str, Any]
ORDER = random.Random(7)  # noqa: S311  # Which questions, not which secrets.


def write_corpus(data: Path, folder: Path) -> dict[str, str]:
    """Write corpus.jsonl as .txt files; the file of each document id."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, line in enumerate((data / "corpus.jsonl").read_text("utf-8").split("\n")):
        if line:
            document = json.loads(line)
            name = re.sub(r"[^\w.,()-]+", "_", document["id"])[:80]
            taken = f"{name}.txt" in files.values()
            files[document["id"]] = f"{name}_{number}.txt" if taken else f"{name}.txt"
            (folder / files[document["id"]]).write_text(document["text"], "utf-8")
    return files


def rankings(question: str, index: Index) -> dict[str, list[int]]:
    """Chunk ids, best first, as each peer ranks them."""
    vector = index.embedder.question(question)
    dense = dict(index.search(vector, CANDIDATES))
    words = dict(index.match(question, CANDIDATES))
    every = list(dict.fromkeys([*dense, *words]))
    cosines = dict(zip(every, (index.vectors(every) @ vector[0]).tolist(), strict=True))
    places = [
        {id: place for place, id in enumerate(sorted(side, key=lambda id: -side[id]))}
        for side in (dense, words)
    ]
    best = max(words.values(), default=1.0)
    scores: dict[str, Callable[[int], float]] = {
        "dense": lambda id: cosines[id],
        "words": lambda id: words.get(id, 0.0),
        "ranks": lambda id: sum(1 / (60 + place[id]) for place in places if id in place),
        "sum": lambda id: COSINE_WEIGHT * cosines[id] + WORDS_WEIGHT * words.get(id, 0.0) / best,
    }
    return {name: sorted(every, key=lambda id: -score(id))[:10] for name, score in scores.items()}


def peers(questions: list[Question], index: Index, files: dict[str, str]) -> None:
    """Print where each peer ranks the first passage of the right file that holds the answer."""
    found: dict[str, list[list[bool]]] = {}
    for question in questions:
        if not question["answerable"] or question.get("history"):
            continue
        documents = [
            one if isinstance(one, str) else one["doc"] for one in question.get("evidence", [])
        ]
        wanted = {files.get(document, document) for document in documents}
        for name, ids in rankings(question["question"], index).items():
            chunks = [index.chunk(id) for id in ids]
            held = [
                chunk.file in wanted and holds(chunk.text, question["answers"]) for chunk in chunks
            ]
            found.setdefault(name, []).append(held)
    rows = [
        (name, *(f"{np.mean([any(row[:count]) for row in rows]):.3f}" for count in (1, 5, 10)))
        for name, rows in found.items()
    ]
    print_table(("passages", "answer in the first", "first 5", "first 10"), rows)


def main() -> None:
    """Read the flags, build the index if there is none, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="a folder of articles, or one with corpus.jsonl")
    parser.add_argument("--set", type=Path, help="question file (default: DATA/queries.jsonl)")
    parser.add_argument("--questions", type=int, default=10**9, help="how many of each kind")
    parser.add_argument("--work", type=Path, default=Path(".quality"))
    parser.add_argument(
        "--kept-out", action="store_true", help="only texts that the reader was not trained on"
    )
    parser.add_argument("--wrong", action="store_true", help="list the wrong answers too")
    parser.add_argument("--save", type=Path, help="keep the outcomes, for `rag eval --compare`")
    chosen = parser.parse_args()
    files: dict[str, str] = {}
    articles, folder = chosen.data, chosen.work / chosen.data.resolve().name
    if (chosen.data / "corpus.jsonl").exists():
        articles = folder / "articles"
        files = write_corpus(chosen.data, articles)
    for step in build([articles], folder / ".rag"):
        if step.report:
            print(f"{step.report.articles} articles, {step.report.chunks} passages\n")
    if chosen.kept_out:
        every = list(kept_out(chosen.data.resolve().parent, chosen.data.name, kept_out=True))
    else:
        lines = (chosen.set or chosen.data / "queries.jsonl").read_text("utf-8").split("\n")
        every = [json.loads(line) for line in lines if line]
    ORDER.shuffle(every)
    kept = Counter[bool]()
    questions = []
    for question in every:
        kept[question["answerable"]] += 1
        if kept[question["answerable"]] <= chosen.questions:
            questions.append(question)
    index = open_index(folder / ".rag")
    peers(questions, index, files)
    outcomes = list(evaluate(questions, index, files))
    values = summary(outcomes)
    separation = area(outcomes)
    if separation is not None:
        values["area under the curve"] = separation
    print()
    print_table(("footnote", "value"), [(name, f"{value:.3f}") for name, value in values.items()])
    median, slow = np.percentile([one.seconds for one in outcomes], [50, 95]) * 1000
    print(f"\none answer: median {median:.0f} ms, 95th percentile {slow:.0f} ms\n")
    print_table(
        ("threshold", "false answers", "false refusals"),
        [tuple(f"{value:.3f}" for value in row.values()) for row in thresholds(outcomes)],
    )
    for one in outcomes:
        if chosen.wrong and one.answered and not one.right:
            print(
                f"{'wrong' if one.answerable else 'invented'}: {one.question} -> {one.said[:110]!r}"
            )
    if chosen.save:
        chosen.save.write_text(
            json.dumps({"questions": [asdict(one) for one in outcomes]}), "utf-8"
        )


if __name__ == "__main__":
    main()
