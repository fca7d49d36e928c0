"""Whether the articles answer a question at all: one decision, with measured error rates."""

import re

from index import Index
from rag.extract import Finding
from rag.kinds import fits, subject
from rag.rewrite import FUNCTION_WORDS, WORD

POSSESSIVE = re.compile(r"['’]s$")


def log_odds(question: str, best: Finding, index: Index) -> float:
    """Log odds that a finding answers the question.

    A logistic regression on questions of squad2_articles about articles that the reader was not
    trained on, against look-alikes without an answer, and questions of other sets whose topic these
    articles do not treat (training/calibrate.py); the constant refuses 5 in 100 that have an answer
    (benchmarks/README.md). Unknown names and misfits weigh more than was fitted, 1.8 and .8: there
    are few of them in SQuAD, and a wrong answer about somebody whom no article mentions costs more
    trust than a refusal.
    """
    return (
        0.10 * best.confidence
        + 4.7 * best.hit.cosine
        + 1.75 * best.coverage
        + 1.75 * best.sentence_coverage
        - 3.5 * bool(unknown_names(question, index))
        - 2.0 * (not fits(question, best.words))
        - 2.80
    )


def absent_words(question: str, index: Index) -> list[str]:
    """The words of a question that stand in no article, without those that only ask."""
    words = [POSSESSIVE.sub("", match.group()) for match in WORD.finditer(subject(question))]
    return [
        word
        for word in dict.fromkeys(words)
        if word.casefold() not in FUNCTION_WORDS and _is_absent(word, index)
    ]


def unknown_names(question: str, index: Index) -> list[str]:
    """The names and numbers of a question that stand in no article, however misspelled."""
    absent = {
        word
        for word in absent_words(question, index)
        if not any(index.resembles(stem) for stem in index.stems(word))
    }
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
