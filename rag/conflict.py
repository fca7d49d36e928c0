"""Sources that give different values for the same thing."""

from collections.abc import Sequence

from index import Index
from rag.extract import Finding
from rag.kinds import echo, fits
from rag.rewrite import names
from rag.values import comparable, same_value, stems

LONGEST_VALUE = 8  # Words; more is a clause, and clauses differ without contradicting.
# A sentence that shares less of the question's words than this, compared with the best one, is
# about something else.
LEAST_SHARED = 0.6


def find_conflict(question: str, findings: Sequence[Finding], index: Index) -> list[Finding]:
    """The findings that disagree, one a value, best first; empty when sources agree.

    Each value comes from another article than the values before it, from a passage with every
    name of the question that the best one has: the span of another bridge is no contradiction.
    Copies of a text have the same value and count once.
    """
    best = findings[0]
    if not fits(question, best.words) or len(best.words.split()) > LONGEST_VALUE:
        return []
    values = [best]
    subject = stems(" ".join(names(question))) & stems(_passage(best))
    for finding in findings[1:]:
        known = any(
            finding.article.file == value.article.file
            or same_value(finding.words, value.words)
            # Who names both values is not contradicted by who names one.
            or finding.words.casefold() in value.hit.chunk.text.casefold()
            or value.words.casefold() in finding.hit.chunk.text.casefold()
            for value in values
        )
        if (
            not known
            and comparable(finding.words, best.words)
            and fits(question, finding.words)
            and len(finding.words.split()) <= LONGEST_VALUE
            and echo(question, finding.words) < 1
            and subject <= stems(_passage(finding))
            and finding.sentence_coverage >= LEAST_SHARED * best.sentence_coverage
            and disagreement(best, finding, index) > 0
        ):
            values.append(finding)
    return values if len(values) > 1 else []


def _passage(finding: Finding) -> str:
    return f"{finding.article.title} {finding.hit.chunk.text}"


def disagreement(best: Finding, other: Finding, index: Index) -> float:
    """Log odds that another finding answers the same question about the same thing.

    A logistic regression on newspolluted and evotemp, whose sources contradict each other, against
    squad2_articles and our own articles, whose sources do not (benchmarks/README.md).
    """
    one, two = index.vectors([best.hit.chunk.id, other.hit.chunk.id])
    return 0.25 * other.confidence + 3.9 * other.hit.score + 4.4 * float(one @ two) - 5.4
