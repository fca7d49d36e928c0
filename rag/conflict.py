"""Sources that give different values for the same thing."""

from collections.abc import Sequence

import numpy as np

from index import Index
from rag.confidence import log_odds, parts
from rag.confidence import signs as confidence_signs
from rag.extract import Finding
from rag.kinds import echo, fits
from rag.rewrite import names
from rag.values import comparable, same_value, stems

LONGEST_VALUE = 8  # Words; more is a clause, and clauses differ without contradicting.
MOST_WITNESSES = 2  # More say no more.
# How much each sign that `signs` gives speaks for a contradiction. A logistic regression on
# newspolluted, evotemp and ramdocs, whose sources contradict each other, against squad2_articles
# and our own articles, whose sources do not (training/calibrate.py); the constant lets 4 or 5 in
# 100 of those through (benchmarks/README.md).
WEIGHTS = (0.13, 0.38, 0.94, 0.49, 1.65, 0.22, -2.41)


def find_conflict(question: str, findings: Sequence[Finding], index: Index) -> list[Finding]:
    """The findings that disagree, one a value, best first; empty when sources agree.

    Each value comes from another article than the values before it. Copies of a text have the same
    value and count once.
    """
    values = [findings[0]]
    for rival in rivals(question, findings, index):
        if (
            all(may_differ(rival, value) for value in values)
            and disagreement(question, rival, findings, index) > 0
        ):
            values.append(rival)
    return values if len(values) > 1 else []


def rivals(question: str, findings: Sequence[Finding], index: Index) -> list[Finding]:
    """The findings whose values may contradict that of the first.

    Each would be believed if it were the first. An article that says elsewhere what the first says
    is on its side.
    """
    best = findings[0]
    if not fits(question, best.words) or len(best.words.split()) > LONGEST_VALUE:
        return []
    agreeing = _files(best, findings)
    return [
        one
        for one in findings[1:]
        if one.article.file not in agreeing
        and may_differ(one, best)
        and may_contradict(question, best, one)
        and log_odds(question, [one, *findings], index) > 0
    ]


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
        any(comparable(one, two) for one in _spellings(other) for two in _spellings(best))
        and fits(question, other.words)
        and len(other.words.split()) <= LONGEST_VALUE
        and echo(question, other.words) < 1
        and _shared_names(question, best, other) > 0
    )


def _spellings(finding: Finding) -> list[str]:
    """The words as they stand, and in lower case where a sentence begins with them.

    "Mustard" at the start of one is no name, and may contradict "mayonnaise".
    """
    words = finding.words
    begins = finding.span[0] == finding.sentence[0]
    return [words, words[:1].lower() + words[1:]] if begins else [words]


def _shared_names(question: str, best: Finding, other: Finding) -> float:
    """The share of a question's names in the best passage that the other has too; 1 without any.

    At 0 they are about two things, however alike: reports and data sheets differ in a name only.
    Names are seen by their capitals.
    """
    named = stems(" ".join(names(question))) & stems(_passage(best))
    return len(named & stems(_passage(other))) / len(named) if named else 1.0


def _alike(best: Finding, other: Finding) -> float:
    """The share of the words of the shorter passage that stand in the longer one, 0 to 1."""
    mine, theirs = stems(best.hit.chunk.text), stems(other.hit.chunk.text)
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def signs(
    question: str, other: Finding, findings: Sequence[Finding], index: Index
) -> tuple[float, ...]:
    """What is known of another finding as an answer to the same question about the same thing.

    As if nothing better had been found, the log odds that its article treats the question, and that
    it answers; the passage's score; how near it is to the passage of the best finding, the first of
    all; the share of the shorter passage's words in the longer; how many other articles give the
    best value, up to MOST_WITNESSES, since what several treat is where they can differ; 1.
    """
    best = findings[0]
    one, two = index.vectors([best.hit.chunk.id, other.hit.chunk.id])
    return (
        *parts(confidence_signs(question, [other, *findings], index)),
        other.hit.score,
        float(one @ two),
        _alike(best, other),
        float(min(MOST_WITNESSES, len(_files(best, findings) - {best.article.file}))),
        1.0,
    )


def disagreement(question: str, other: Finding, findings: Sequence[Finding], index: Index) -> float:
    """Log odds that another finding contradicts the best one, first in `findings`."""
    return float(np.dot(WEIGHTS, signs(question, other, findings, index)))


def _files(finding: Finding, findings: Sequence[Finding]) -> set[str]:
    """The articles that give the value of a finding."""
    return {
        one.article.file
        for one in findings
        if same_value(one.words, finding.words) and comparable(one.words, finding.words)
    }


def _passage(finding: Finding) -> str:
    return f"{finding.article.title} {finding.hit.chunk.text}"
