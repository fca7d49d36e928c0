"""Sources that give different values for the same thing."""

from collections.abc import Sequence

from index import Index
from rag.extract import Finding
from rag.kinds import echo, fits
from rag.rewrite import names
from rag.values import comparable, same_value, stems

LONGEST_VALUE = 8  # Words; more is a clause, and clauses differ without contradicting.
# Of the names and words of the question that the best finding has: the span of another bridge is no
# contradiction.
LEAST_NAMES = 0.5
LEAST_WORDS = 0.6
LEAST_CONFIDENCE = -6.0  # Of the reader in the other value; below it points at anything.


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
            and disagreement(best, finding, index) > 0
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
    """Whether another value is of the kind of the best one, and about the same thing."""
    return (
        other.confidence > LEAST_CONFIDENCE
        and comparable(other.words, best.words)
        and fits(question, other.words)
        and len(other.words.split()) <= LONGEST_VALUE
        and echo(question, other.words) < 1
        and shared_names(question, best, other) >= LEAST_NAMES
        and other.sentence_coverage >= LEAST_WORDS * best.sentence_coverage
    )


def disagreement(best: Finding, other: Finding, index: Index) -> float:
    """Log odds that another finding answers the same question about the same thing.

    A logistic regression on newspolluted, evotemp and ramdocs, whose sources contradict each other,
    against squad2_articles and our own articles, whose sources do not; the constant lets 4 in 100
    of those through (benchmarks/README.md).
    """
    one, two = index.vectors([best.hit.chunk.id, other.hit.chunk.id])
    return 0.27 * other.confidence + 1.75 * other.hit.score + 2.0 * float(one @ two) - 2.5


def shared_names(question: str, best: Finding, other: Finding) -> float:
    """The share of the question's names in the best passage that stand in another one too."""
    subject = stems(" ".join(names(question))) & stems(_passage(best))
    return len(subject & stems(_passage(other))) / len(subject) if subject else 1.0


def _passage(finding: Finding) -> str:
    return f"{finding.article.title} {finding.hit.chunk.text}"
