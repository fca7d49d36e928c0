"""Whether the articles answer a question at all: one decision, with measured error rates."""

import re
from collections.abc import Sequence

import numpy as np

from index import Index
from rag.extract import Finding
from rag.kinds import fits, subject
from rag.query import parse, plain
from rag.rewrite import FUNCTION_WORDS, WORD, names
from rag.values import stems

POSSESSIVE = re.compile(r"['’]s$")
END_MARKS = " .,;:!?…"


# How much each sign that `signs` gives speaks for an answer. A logistic regression on questions of
# squad2_articles about articles that the reader was not trained on, against look-alikes without an
# answer, and questions of other sets whose topic these articles do not treat
# (training/calibrate.py); the constant refuses 5 in 100 that have an answer (benchmarks/README.md).
# Unknown names and misfits weigh more than was fitted, 1.8 and 0: there are few of them in SQuAD,
# and a wrong answer about somebody whom no article mentions costs more trust than a refusal.
WEIGHTS = (0.23, 2.0, 2.6, 1.5, 0.4, 1.2, -3.5, -2.0, -2.6)


def signs(question: str, findings: Sequence[Finding], index: Index) -> tuple[float, ...]:
    """What is known of the best finding, first in `findings`, as an answer to a question.

    The reader's logit; its passage's cosine, and the highest of all passages; the share of the
    question's words in the passage, and in the sentence; the share of its names in the sentence;
    whether a name or number of the question stands in no article, or a phrase of it in no passage;
    whether the words cannot be an answer by their form; 1.
    """
    best = findings[0]
    return (
        best.confidence,
        best.hit.cosine,
        max(finding.hit.cosine for finding in findings),
        best.coverage,
        best.sentence_coverage,
        _named(question, best),
        float(bool(unknown_names(question, index) or unknown_phrases(question, findings))),
        float(not fits(question, best.words)),
        1.0,
    )


def log_odds(question: str, findings: Sequence[Finding], index: Index) -> float:
    """Log odds that the best of the findings answers the question."""
    return float(np.dot(WEIGHTS, signs(question, findings, index)))


def _named(question: str, best: Finding) -> float:
    """The share of the question's names that stand in the sentence or the title; 1 without any."""
    wanted = stems(" ".join(names(question)))
    text = best.article.text[slice(*best.sentence)]
    return len(wanted & stems(f"{best.article.title} {text}")) / len(wanted) if wanted else 1.0


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


def unknown_phrases(question: str, findings: Sequence[Finding]) -> list[str]:
    """The phrases in quotes that stand in none of the passages as they are.

    Where a phrase stands anywhere, only passages that have it are retrieved. The mark that ends a
    question, which some set inside the quotes, is no part of it.
    """
    phrases = [phrase.rstrip(END_MARKS) for phrase in parse(question).phrases]
    texts = [plain(f"{one.article.title} {one.hit.chunk.text}") for one in findings]
    return [phrase for phrase in phrases if not any(plain(phrase) in text for text in texts)]


def _is_absent(word: str, index: Index) -> bool:
    stems = index.stems(word)
    return bool(stems) and not any(index.count(stem) for stem in stems)
