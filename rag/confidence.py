"""Whether the articles answer a question at all: one decision, with measured error rates."""

import re

from index import Index
from rag.extract import Finding
from rag.kinds import fits
from rag.rewrite import FUNCTION_WORDS, WORD

POSSESSIVE = re.compile(r"['’]s$")


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


def absent_words(question: str, index: Index) -> list[str]:
    """The words of a question that stand in no article, without those that only ask."""
    words = [POSSESSIVE.sub("", match.group()) for match in WORD.finditer(question)]
    return [
        word
        for word in dict.fromkeys(words)
        if word.casefold() not in FUNCTION_WORDS and _is_absent(word, index)
    ]


def unknown_names(question: str, index: Index) -> list[str]:
    """The names and numbers of a question that stand in no article."""
    absent = set(absent_words(question, index))
    words = [POSSESSIVE.sub("", match.group()) for match in WORD.finditer(question)]
    # A capital at the start is no sign of a name.
    return [
        word
        for position, word in enumerate(words)
        if word in absent and ((position and word[0].isupper()) or word[0].isdigit())
    ]


def _is_absent(word: str, index: Index) -> bool:
    stems = index.stems(word)
    return bool(stems) and not any(index.count(stem) for stem in stems)
