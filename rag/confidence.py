"""Whether the articles answer a question at all: one decision, with measured error rates."""

import re
from collections.abc import Sequence

from index import Index
from rag.extract import Finding
from rag.kinds import fits
from rag.rewrite import WORD

POSSESSIVE = re.compile(r"['’]s$")


def believed(question: str, findings: Sequence[Finding], index: Index) -> bool:
    """Whether the best finding is an answer and not merely the nearest thing."""
    return log_odds(question, findings[0], index) > 0


def log_odds(question: str, best: Finding, index: Index) -> float:
    """Log odds that a finding answers the question.

    A logistic regression on the questions of squad2_articles with and without an answer, and on
    those of timeqa_human, which these articles do not answer. The constant refuses 5 in 100 that
    have an answer and 9 in 10 whose topic is in no article (benchmarks/README.md).
    """
    return (
        0.11 * best.confidence
        + 5.2 * best.hit.score
        + 1.2 * best.coverage
        - 2.2 * bool(unknown_names(question, index))
        - 1.5 * (not fits(question, best.words))
        - 3.4
    )


def unknown_names(question: str, index: Index) -> list[str]:
    """The names and numbers of a question that stand in no article."""
    unknown = []
    for position, match in enumerate(WORD.finditer(question)):
        word = POSSESSIVE.sub("", match.group())
        # A capital at the start is no sign of a name.
        if (position and word[0].isupper()) or word[0].isdigit():
            stems = index.stems(word)
            if stems and not any(index.count(stem) for stem in stems):
                unknown.append(word)
    return unknown
