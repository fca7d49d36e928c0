"""Fit what weighs a span, when an answer is believed, and when two values disagree.

    python training/calibrate.py --data ../shared/data --work .quality

Prints constants for rag/extract.py, rag/confidence.py and rag/conflict.py; nothing is written. The
questions are about texts that the reader was not trained on: elsewhere it is surer than it should
be. --work holds the indexes that benchmarks/quality.py makes of each set.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import Index, open_index
from rag.confidence import ANSWERED, DOUBTS, TREATED, both, log_odds, signs
from rag.conflict import rivals
from rag.conflict import signs as conflict_signs
from rag.context import is_heading
from rag.evaluate import f1, holds
from rag.extract import COVERAGE_WEIGHT, HEADING, RETRIEVAL_WEIGHT, Finding, candidates, find
from rag.kinds import form, is_fact
from rag.query import parse
from rag.reader import load_reader
from rag.retrieve import retrieve_for_answer
from rag.spelling import corrected
from training.examples import questions, read_lines
from ui.evaluation import print_table

Floats = NDArray[np.float64]
Question = dict[str, Any]
TRIES = 500  # Of the random search over weights.
MOST_REFUSED = 0.05  # Of the questions of squad2_articles that have an answer.
MOST_FALSE = 0.04  # Conflicts among them.
SQUAD = "squad2_articles"


@dataclass(frozen=True, slots=True)
class Spans:
    """All spans of one question: features (n, 4), and how good each is, (n,) each."""

    question: str
    findings: list[Finding]
    features: Floats
    overlaps: Floats
    right: Floats

    def best(self, weights: Floats) -> int:
        """The place of the span that wins under these weights."""
        return int(np.argmax(self.features @ weights))


def files_of(evidence: Sequence[Any]) -> set[str]:
    """The files of what a question set names as evidence: documents, or places in them."""
    return {f"{one if isinstance(one, str) else one['doc']}.txt" for one in evidence}


def gather(question: Question, index: Index) -> Spans:
    """Read the best passages of a question and note what is known of every span."""
    text = corrected(question["question"], index)
    answers = question["answers"] + question.get("wrong_answers", [])
    evidence = [*question.get("evidence", []), *question.get("conflicting", [])]
    files = files_of(evidence)
    places = [one for one in evidence if isinstance(one, dict) and "start" in one and not answers]
    hits = retrieve_for_answer(parse(text), index)
    every = [one for found in candidates(text, hits, index, load_reader()) for one in found]
    features, overlaps, right = [], [], []
    for one in every:
        fixed = form(text, one.words) + HEADING * is_heading(one.article, one.sentence[0])
        features.append((one.confidence, one.hit.score, one.sentence_coverage, fixed))
        here = one.article.file in files
        start, end = one.sentence
        overlaps.append(max((f1(one.words, answer) for answer in answers), default=0.0) * here)
        quoted = any(
            one.article.file == f"{place['doc']}.txt"
            and start < place["end"]
            and place["start"] < end
            for place in places
        )
        right.append(float(quoted or (here and holds(one.article.text[start:end], answers))))
    return Spans(
        text, every, np.array(features).reshape(-1, 4), np.array(overlaps), np.array(right)
    )


def weights_by_search(sets: dict[str, list[Spans]], chance: random.Random) -> Floats:
    """The weights under which the best spans are best over all sets, by random search."""

    def value(weights: Floats) -> float:
        scores = []
        for spans in sets.values():
            best = [one.best(weights) for one in spans]
            overlap = np.mean([one.overlaps[n] for one, n in zip(spans, best, strict=True)])
            right = np.mean([one.right[n] for one, n in zip(spans, best, strict=True)])
            scores.append(0.7 * overlap + right)
        return float(np.mean(scores))

    found = np.array([1.0, RETRIEVAL_WEIGHT, COVERAGE_WEIGHT, 1.0])
    best = value(found)
    print(f"as it is: {best:.4f}")
    for number in range(TRIES):
        spread = 0.6 if number < TRIES / 2 else 0.2
        tried = found * np.array([1.0, *(np.exp(chance.gauss(0, spread)) for _ in range(2)), 1.0])
        reached = value(tried)
        if reached > best:
            found, best = tried, reached
    print(f"reader 1, retrieval {found[1]:.1f}, words {found[2]:.1f}: {best:.4f}")
    return found


def regression(rows: Floats, labels: Floats, weights: Floats, ridge: float = 1.0) -> Floats:
    """Weighted logistic regression by Newton's method; the last column of rows is 1, and free."""
    found = np.zeros(rows.shape[1])
    penalty = np.array([ridge] * (len(found) - 1) + [0.0])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-rows @ found))
        gradient = rows.T @ (weights * (labels - chance)) - penalty * found
        hessian = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows
        found = found + np.linalg.solve(hessian + np.diag(penalty), gradient)
    return found


def fit_both(every: dict[str, Floats], ridge: float = 1.0) -> Floats:
    """The rows TREATED and ANSWERED of rag.confidence, shape (2, signs), DOUBTS being given.

    `every` has the signs of each kind of question, shape (questions, signs); those of SQUAD have an
    answer. Each other kind counts alike, however many questions it has. What is 0 in the weights
    stays 0. Begun with the weights that are there: there is more than one minimum.
    """
    rows = np.concatenate(list(every.values()))
    labels = np.concatenate(
        [np.full(len(found), float(name == SQUAD)) for name, found in every.items()]
    )
    weights = np.concatenate(
        [
            np.full(len(found), (600 if name == SQUAD else 180) / len(found))
            for name, found in every.items()
        ]
    )
    start = torch.tensor([TREATED, ANSWERED], dtype=torch.float64)
    free = start != 0
    known, wanted, counts = (torch.from_numpy(values) for values in (rows, labels, weights))
    doubts = known @ torch.tensor([*DOUBTS[:-1], 0.0], dtype=torch.float64)
    moved = torch.zeros_like(start, requires_grad=True)
    optimizer = torch.optim.LBFGS([moved], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        found = start + moved * free
        treated, answered = (known @ found.T).unbind(1)
        reached = doubts - torch.logaddexp(
            torch.logaddexp(-treated, -answered), -treated - answered
        )
        lost = torch.nn.functional.binary_cross_entropy_with_logits(
            reached, wanted, counts, reduction="sum"
        )
        total: torch.Tensor = lost + ridge / 2 * (found[:, :-1] ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)
    return np.asarray((start + moved * free).detach())


def confidence(
    answerable: list[Spans], without: dict[str, list[Spans]], weights: Floats, index: Index
) -> None:
    """Print the weights of rag.confidence, and the errors they leave.

    In the table also those on each half of the questions with what was fitted on the other.
    """

    def row(one: Spans) -> list[float]:
        best = one.findings[one.best(weights)]
        return list(signs(one.question, [best, *one.findings], index))

    every = {
        name: np.array([row(one) for one in spans if one.findings])
        for name, spans in {SQUAD: answerable, **without}.items()
    }
    fitted = fit_both(every)
    threshold = float(np.quantile(odds(every[SQUAD], fitted), MOST_REFUSED))
    print("confidence.TREATED =", fitted[0].round(2).tolist())
    print("confidence.ANSWERED =", fitted[1].round(2).tolist())
    print("the constant of confidence.DOUBTS =", round(-threshold, 2))
    halves = [{name: rows[half::2] for name, rows in every.items()} for half in (0, 1)]
    whole = refused(fitted, every)
    apart = [refused(fit_both(one), other) for one, other in (halves, halves[::-1])]
    table = [
        (
            name,
            f"{whole[name]:.3f}",
            f"{np.mean([half[name] for half in apart]):.3f}",
            f"{np.mean(odds(every[SQUAD], fitted)[:, None] > odds(rows, fitted)[None, :]):.3f}",
        )
        for name, rows in every.items()
        if name != SQUAD
    ]
    head = ("questions without an answer", "refused", "fitted on the other half", "area")
    print_table(head, table)


def odds(rows: Floats, fitted: Floats) -> Floats:
    """The log odds of rag.confidence under these rows of weights, its constant left out."""
    both_hold = [both(float(one @ fitted[0]), float(one @ fitted[1])) for one in rows]
    return both_hold + rows @ np.array([*DOUBTS[:-1], 0.0])


def refused(fitted: Floats, every: dict[str, Floats]) -> dict[str, float]:
    """The share of each kind that is refused where MOST_REFUSED of the answerable ones are."""
    threshold = np.quantile(odds(every[SQUAD], fitted), MOST_REFUSED)
    return {name: float(np.mean(odds(rows, fitted) <= threshold)) for name, rows in every.items()}


def disputes(question: Question, index: Index) -> list[tuple[list[float], bool]]:
    """Every finding that may contradict the best one, as rag.conflict sees it, and whether it does.

    It does where one of both is of an article that gives the answer and the other of one that is
    known to say otherwise.
    """
    text = corrected(question["question"], index)
    hits = retrieve_for_answer(parse(text), index)
    findings = find(text, hits, index, load_reader())
    if not findings or not is_fact(text) or log_odds(text, findings, index) <= 0:
        return []
    right, wrong = files_of(question["evidence"]), files_of(question.get("conflicting", []))
    best = findings[0].article.file
    against = wrong if best in right else right if best in wrong else set()
    return [
        (list(conflict_signs(text, one, findings, index)), one.article.file in against)
        for one in rivals(text, findings, index)
    ]


def conflict(sets: dict[str, list[list[tuple[list[float], bool]]]]) -> None:
    """Print the weights of rag.conflict, and how often a conflict is shown."""
    # Each set counts alike, however many questions it has.
    rows, labels, weights = zip(
        *(
            (row, float(contradicts), 100 / len(asked))
            for asked in sets.values()
            for found in asked
            for row, contradicts in found
        ),
        strict=True,
    )
    fitted = regression(np.array(rows), np.array(labels), np.array(weights))

    def highest(found: list[tuple[list[float], bool]]) -> float:
        return max((float(np.dot(row, fitted)) for row, _ in found), default=-99.0)

    fitted[-1] -= float(np.quantile([highest(found) for found in sets[SQUAD]], 1 - MOST_FALSE))
    print("conflict.WEIGHTS =", fitted.round(2).tolist())
    shown = [
        (name, f"{np.mean([highest(found) > 0 for found in asked]):.3f}")
        for name, asked in sets.items()
    ]
    print_table(("set", "conflicts shown"), shown)


def main() -> None:
    """Gather, search, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path(".quality"))
    parser.add_argument("--questions", type=int, default=300, help="how many of each set")
    chosen = parser.parse_args()
    chance = random.Random(3)

    def sample(values: Sequence[Question]) -> list[Question]:
        return chance.sample(list(values), min(chosen.questions, len(values)))

    def of(name: str, keep: Callable[[Question], bool] = lambda one: True) -> list[Question]:
        return sample(
            [one for one in read_lines(chosen.data / name / "queries.jsonl") if keep(one)]
        )

    indexes = {
        name: open_index(chosen.work / name / ".rag")
        for name in (SQUAD, "ramdocs", "newspolluted", "evotemp", "chroma_chunking")
    }
    kept_out = list(questions(chosen.data, SQUAD, kept_out=True))
    asked = {name: of(name) for name in indexes if name != SQUAD}
    asked[SQUAD] = sample([one for one in kept_out if one["answerable"]])
    sets = {
        name: [one for question in asked[name] if (one := gather(question, index)).findings]
        for name, index in indexes.items()
    }
    weights = weights_by_search(sets, chance)
    squad = indexes[SQUAD]
    nothing = {
        "look-alikes": sample([one for one in kept_out if not one["answerable"]]),
        "timeqa_human": of("timeqa_human"),
        "newspolluted": of("newspolluted"),
        "ramdocs": of("ramdocs"),
    }
    without = {
        name: [gather({"question": one["question"], "answers": []}, squad) for one in found]
        for name, found in nothing.items()
    }
    confidence(sets[SQUAD], without, weights, squad)
    ours = Path(__file__).parent.parent / "tests" / "data" / "questions.jsonl"
    facts = [json.loads(line) for line in ours.read_text("utf-8").split("\n") if line]
    pairs = {
        name: [disputes(one, indexes[name]) for one in asked[name]]
        for name in (SQUAD, "newspolluted", "evotemp")
    }
    disputed = of("ramdocs", lambda one: bool(one["conflicting"]))
    pairs["ramdocs"] = [disputes(one, indexes["ramdocs"]) for one in disputed]
    if (chosen.work / "articles" / ".rag").exists():
        index = open_index(chosen.work / "articles" / ".rag")
        agreed = [one for one in facts if one["answerable"] and one["type"] == "fact"]
        pairs["articles"] = [disputes(one, index) for one in agreed]
    conflict(pairs)


if __name__ == "__main__":
    main()
