"""What each step of finding and reading adds, on one question set and one index.

    python benchmarks/ablation.py ../shared/data/squad2_articles --questions 150

Uses the index that benchmarks/quality.py left in --work, and questions about texts that the reader
was not trained on. Passages: words, vectors of bare passages,
vectors with the title before the passage, both fused, re-ranked by the reader. Answers, from the
same ten passages: the sentence with most words of the question, the reader's logit alone, then with
what the program adds to it.
"""

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.quality import rankings
from index import Index, open_index
from rag.context import is_heading
from rag.evaluate import f1, holds
from rag.extract import (
    COVERAGE_WEIGHT,
    HEADING,
    RETRIEVAL_WEIGHT,
    Finding,
    candidates,
)
from rag.kinds import form
from rag.reader import load_reader
from rag.retrieve import retrieve
from training.examples import questions as kept_out
from ui.evaluation import print_table

Question = dict[str, Any]
AT_ONCE = 256  # Passages embedded between two signs of life.


def bare_vectors(index: Index, kept: Path) -> np.ndarray:
    """A vector for every passage without its title, shape (chunks, dimension), kept for later."""
    if kept.exists():
        return np.load(kept)
    rows = index.manifest.chunks
    vectors = np.zeros((rows, index.manifest.dimension), np.float32)
    for first in range(0, rows, AT_ONCE):
        batch = range(first, min(first + AT_ONCE, rows))
        vectors[batch.start : batch.stop] = index.embedder.passages(
            [index.chunk(id).text for id in batch]
        )
        print(f"\r{batch.stop} of {rows} passages without title", end="", file=sys.stderr)
    np.save(kept, vectors)
    return vectors


def steps(question: str) -> dict[str, Callable[[Finding], float]]:
    """How a span is scored, more and more as the program does it."""

    def shape(one: Finding) -> float:
        return form(question, one.words) + HEADING * is_heading(one.article, one.sentence[0])

    def retrieval(one: Finding) -> float:
        return one.confidence + RETRIEVAL_WEIGHT * one.hit.score

    def words(one: Finding) -> float:
        return retrieval(one) + COVERAGE_WEIGHT * one.sentence_coverage

    return {
        "most words, no reader": lambda one: one.sentence_coverage + one.hit.score / 1000,
        "reader alone": lambda one: one.confidence,
        "+ retrieval": retrieval,
        "+ words": words,
        "+ form of the words": lambda one: words(one) + shape(one),
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--work", type=Path, default=Path(".quality"))
    chosen = parser.parse_args()
    folder = chosen.work / chosen.data.resolve().name
    index = open_index(folder / ".rag")
    bare = bare_vectors(index, folder / "bare.npy")
    # The reader remembers what it was trained on.
    every = kept_out(chosen.data.resolve().parent, chosen.data.name, kept_out=True)
    asked = [one for one in every if one["answerable"]]
    random.Random(7).shuffle(asked)  # noqa: S311  # Which questions, not which secrets.
    places: dict[str, list[Sequence[bool]]] = {}
    answers: dict[str, list[tuple[float, bool]]] = {}
    for question in asked[: chosen.questions]:
        text, wanted = question["question"], question["answers"]
        files = {f"{one['doc']}.txt" for one in question["evidence"]}

        def found(ids: Sequence[int], wanted: Any = wanted, files: Any = files) -> Sequence[bool]:
            chunks = [index.chunk(id) for id in ids]
            return [chunk.file in files and holds(chunk.text, wanted) for chunk in chunks]

        ranked = rankings(text, index)
        cosines = bare @ index.embedder.question(text)[0]
        hits = retrieve(text, index)
        spans = [one for group in candidates(text, hits, index, load_reader()) for one in group]
        best: dict[int, float] = {}
        for one in spans:
            best[one.hit.chunk.id] = max(one.score, best.get(one.hit.chunk.id, -np.inf))
        for name, ids in {
            "words (BM25)": ranked["words"],
            "vectors": [int(id) for id in np.argsort(-cosines)[:10]],
            "vectors, title before the passage": ranked["dense"],
            "words and vectors, ranks fused": ranked["ranks"],
            "words and vectors, scores added": ranked["sum"],
            "... re-ranked by the reader": sorted(best, key=lambda id: -best[id]),
        }.items():
            places.setdefault(name, []).append(found(ids))
        for name, score in steps(text).items():
            one = max(spans, key=score)
            here = one.article.file in files
            overlap = max(f1(one.words, answer) for answer in wanted) * here
            right = here and holds(one.article.text[slice(*one.sentence)], wanted)
            answers.setdefault(name, []).append((overlap, right))
    rows = [
        (name, *(f"{np.mean([any(row[:count]) for row in rows]):.3f}" for count in (1, 5, 10)))
        for name, rows in places.items()
    ]
    print_table(("passages", "answer in the first", "first 5", "first 10"), rows)
    print()
    rows = [
        (name, *(f"{value:.3f}" for value in np.mean(np.array(found, float), axis=0)))
        for name, found in answers.items()
    ]
    print_table(("answer", "F1 of the words", "right sentence"), rows)


if __name__ == "__main__":
    main()
