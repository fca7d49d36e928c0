"""Fit what weighs a span against its passage, and when an answer is believed.

    python training/calibrate.py --data ../shared/data --index .quality/squad2_articles/.rag

Prints constants for rag/extract.py and rag/confidence.py, fitted on questions of squad2_articles
about articles that the reader was trained on and not, and of timeqa_human as questions whose topic
no article treats. Nothing is written.
"""

import argparse
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import Index, open_index
from rag.confidence import unknown_names
from rag.evaluate import f1, holds
from rag.extract import HEADING, Finding, candidates, is_heading
from rag.kinds import fits, form
from rag.reader import load_reader
from rag.retrieve import retrieve
from training.examples import questions, read_lines

Floats = NDArray[np.float64]
PASSAGES = 10
TRIES = 4000  # Of the random search over weights.
MOST_REFUSED = 0.05  # Of the questions that have an answer.


@dataclass(frozen=True, slots=True)
class Candidates:
    """All spans of one question: features (n, 5), and how good each is, (n,) each."""

    question: str
    findings: list[Finding]
    features: Floats
    overlaps: Floats
    right: Floats


def gather(question: str, answers: list[str], files: set[str], index: Index) -> Candidates:
    """Read the best passages of a question and note what is known of every span."""
    hits = retrieve(question, index, limit=PASSAGES)
    every = [one for found in candidates(question, hits, index, load_reader()) for one in found]
    features, overlaps, right = [], [], []
    for one in every:
        fixed = form(question, one.words) + HEADING * is_heading(one.article, one.sentence[0])
        features.append((one.confidence, one.hit.score, one.coverage, one.sentence_coverage, fixed))
        here = one.article.file in files
        overlaps.append(max((f1(one.words, answer) for answer in answers), default=0.0) * here)
        right.append(float(here and holds(one.article.text[slice(*one.sentence)], answers)))
    return Candidates(question, every, np.array(features), np.array(overlaps), np.array(right))


def weights_by_search(gathered: list[Candidates], chance: random.Random) -> tuple[Floats, str]:
    """The weights under which the best span overlaps most with the answers, by random search."""

    def value(weights: Floats) -> tuple[float, float, float]:
        best = [int(np.argmax(one.features @ weights)) for one in gathered]
        overlap = np.mean([one.overlaps[n] for one, n in zip(gathered, best, strict=True)])
        right = np.mean([one.right[n] for one, n in zip(gathered, best, strict=True)])
        return float(overlap + right), float(overlap), float(right)

    found = np.array([1.0, 30.0, 10.0, 8.0, 1.0])
    best = value(found)
    log = f"as before: F1 {best[1]:.3f}, right sentence {best[2]:.3f}"
    for number in range(TRIES):
        spread = 1.2 if number < TRIES / 2 else 0.3
        factors = [np.exp(chance.gauss(0, spread)) for _ in range(4)]
        tried = found * np.array([1.0, *factors])
        reached = value(tried)
        if reached > best:
            found, best = tried, reached
    return found, f"{log}; found: F1 {best[1]:.3f}, right sentence {best[2]:.3f}"


def regression(rows: Floats, labels: Floats, ridge: float = 1.0) -> Floats:
    """Logistic regression by Newton's method; the last column of rows is 1."""
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (labels - chance) - ridge * weights
        hessian = (rows * (chance * (1 - chance))[:, None]).T @ rows + ridge * np.eye(len(weights))
        weights = weights + np.linalg.solve(hessian, gradient)
    return weights


def main() -> None:
    """Gather, search, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True, help="an index of squad2_articles")
    parser.add_argument("--questions", type=int, default=250, help="how many of each kind")
    chosen = parser.parse_args()
    index = open_index(chosen.index)
    chance = random.Random(11)
    # Articles that the reader was not trained on: elsewhere it is surer than it should be.
    asked = list(questions(chosen.data, "squad2_articles", kept_out=True))
    answerable = [one for one in asked if one["answerable"]]
    look_alike = [one["question"] for one in asked if not one["answerable"]]
    elsewhere = [
        one["question"] for one in read_lines(chosen.data / "timeqa_human" / "queries.jsonl")
    ]

    def sample(values: list) -> list:
        return chance.sample(values, min(chosen.questions, len(values)))

    gathered = [
        gather(one["question"], one["answers"], {f"{one['evidence'][0]['doc']}.txt"}, index)
        for one in sample(answerable)
    ]
    weights, told = weights_by_search(gathered, chance)
    print(f"{len(gathered)} questions with an answer. {told}")
    print("weights of reader, retrieval, passage, sentence, form:", weights.round(1))
    without = {
        name: [gather(text, [], set(), index) for text in sample(texts)]
        for name, texts in (("look-alike", look_alike), ("elsewhere", elsewhere))
    }

    def row(one: Candidates) -> list[float]:
        best = one.findings[int(np.argmax(one.features @ weights))]
        return [
            best.confidence,
            best.hit.score,
            best.coverage,
            best.sentence_coverage,
            float(bool(unknown_names(one.question, index))),
            float(not fits(one.question, best.words)),
            1.0,
        ]

    known = [one for one in gathered if len(one.features)]
    rows = np.array([row(one) for one in known])
    kinds = {
        name: np.array([row(one) for one in found if len(one.features)])
        for name, found in without.items()
    }
    every = np.concatenate([rows, *kinds.values()])
    labels = np.concatenate([np.ones(len(rows)), np.zeros(len(every) - len(rows))])
    fitted = regression(every, labels)
    odds = rows @ fitted
    threshold = float(np.quantile(odds, MOST_REFUSED))
    fitted[-1] -= threshold
    names = "confidence, retrieval, coverage, sentence coverage, unknown names, misfit, constant"
    print(f"{names}: {fitted.round(2)}")
    for name, found in kinds.items():
        others = found @ fitted
        area = np.mean((odds - threshold)[:, None] > others[None, :])
        print(f"{name}: {np.mean(others <= 0):.3f} refused, area under the curve {area:.3f}")


if __name__ == "__main__":
    main()
