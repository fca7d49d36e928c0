"""Sources that give different values for the same thing."""

from collections.abc import Sequence

import numpy as np

from index import Index
from rag.extract import Finding
from rag.kinds import echo, fits
from rag.rewrite import names
from rag.values import comparable, same_value, stems

LONGEST_VALUE = 8  # Words; more is a clause, and clauses differ without contradicting.
COPIED = 0.6  # Of the words of the shorter passage: much the same text.
MOST_NAMES = 3  # More say no more.
LEAST_SAID = 0.01
# How much each sign that `signs` gives speaks for a contradiction. A logistic regression on
# newspolluted, evotemp and ramdocs, whose sources contradict each other, against squad2_articles
# and our own articles, whose sources do not (training/calibrate.py); the constant lets 4 or 5 in
# 100 of those through (benchmarks/README.md).
WEIGHTS = (0.2, 0.81, 0.4, 0.33, 0.61, -1.61)


def find_conflict(question: str, findings: Sequence[Finding], index: Index) -> list[Finding]:
    """The findings that disagree, one a value, best first; empty when sources agree.

    Each value comes from another article than the values before it. Copies of a text have the same
    value and count once.
    """
    best = findings[0]
    if not fits(question, best.words) or len(best.words.split()) > LONGEST_VALUE:
        return []
    values = [best]
    for finding in findings[1:]:
        if (
            all(may_differ(finding, value) for value in values)
            and may_contradict(question, best, finding)
            and disagreement(question, best, finding, index) > 0
        ):
            values.append(finding)
    return values if len(values) > 1 else []


def may_differ(one: Finding, other: Finding) -> bool:
    """Whether two findings are of different articles that give different values."""
    return not (
        one.article.file == other.article.file
        or same_value(one.words, other.words)
        # Who names both values is not contradicted by who names one.
        or one.words.casefold() in other.hit.chunk.text.casefold()
        or other.words.casefold() in one.hit.chunk.text.casefold()
    )


def may_contradict(question: str, best: Finding, other: Finding) -> bool:
    """Whether another value is of the kind of the best one, and may answer too."""
    return (
        comparable(other.words, best.words)
        and fits(question, other.words)
        and len(other.words.split()) <= LONGEST_VALUE
        and echo(question, other.words) < 1
        and _same_subject(question, best, other)
    )


def _same_subject(question: str, best: Finding, other: Finding) -> bool:
    """Whether two passages can be about one thing.

    "When was this edict declared?" may be about any; they must share a name of the question, or
    most of their words. Names are seen by their capitals, and a question without any is trusted.
    """
    if question[:1].islower() or shared_names(question, best, other):
        return True
    mine, theirs = stems(best.hit.chunk.text), stems(other.hit.chunk.text)
    return len(mine & theirs) >= COPIED * min(len(mine), len(theirs))


def signs(question: str, best: Finding, other: Finding, index: Index) -> tuple[float, ...]:
    """What is known of another finding as an answer to the same question about the same thing.

    The reader's logit; the passage's score; how near the two passages are; how many of the
    question's names stand in both, up to MOST_NAMES; the share of the question's words in its
    sentence, against that in the best one; 1.
    """
    one, two = index.vectors([best.hit.chunk.id, other.hit.chunk.id])
    said = other.sentence_coverage / max(best.sentence_coverage, LEAST_SAID)
    return (
        other.confidence,
        other.hit.score,
        float(one @ two),
        float(min(MOST_NAMES, shared_names(question, best, other))),
        min(1.0, said),
        1.0,
    )


def disagreement(question: str, best: Finding, other: Finding, index: Index) -> float:
    """Log odds that another finding contradicts the best one."""
    return float(np.dot(WEIGHTS, signs(question, best, other, index)))


def shared_names(question: str, best: Finding, other: Finding) -> int:
    """How many of the names in a question stand in both passages."""
    return len(stems(" ".join(names(question))) & stems(_passage(best)) & stems(_passage(other)))


def _passage(finding: Finding) -> str:
    return f"{finding.article.title} {finding.hit.chunk.text}"
