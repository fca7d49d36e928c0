"""Whether the articles answer a question at all: one decision, with measured error rates."""

import re
from collections.abc import Sequence

import numpy as np

from index import Index
from rag.extract import Finding
from rag.kinds import fits, subject
from rag.query import parse, plain, straight
from rag.rewrite import FUNCTION_WORDS, YEAR, names, words_of
from rag.values import months, stems

OWNER = re.compile(r"['’]s?\s")
END_MARKS = " .,;:!?…"
THESE_DAYS = re.compile(
    r"\b(?:(?:this|last|past) (?:week|month)|yesterday|recently|in the coming)\b",
    re.IGNORECASE,
)


# How much each sign that `signs` gives speaks for what an answer needs: that the articles treat
# what is asked, and that these words answer it. The chances of both are multiplied, so that
# neither makes up for the other: look-alikes are about what the articles treat, and say so by all
# signs but the reader's. Fitted together, on questions of squad2_articles about articles that the
# reader was not trained on, against look-alikes without an answer, and questions of other sets
# whose topic these articles do not treat (training/calibrate.py).
TREATED = (0.32, 2.7, 3.0, 2.5, 2.0, 1.4, 0.0, -1.3, 0.0, -5.0)
ANSWERED = (0.23, 0.0, 0.0, -1.4, -1.5, 0.0, 0.0, 0.0, 0.0, 4.0)
# What is added to the log odds of both. Unknown names and misfits weigh more than was fitted, 2
# and 0: there are few of them in SQuAD, and a wrong answer about somebody whom no article mentions
# costs more trust than a refusal. The constant refuses 5 in 100 of those questions that have an
# answer (benchmarks/README.md).
DOUBTS = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -3.5, 0.0, -2.0, 0.5)


def signs(question: str, findings: Sequence[Finding], index: Index) -> tuple[float, ...]:
    """What is known of the best finding, first in `findings`, as an answer to a question.

    The reader's logit; its passage's cosine, and the highest of all passages; the share of the
    question's words in the passage, and in the sentence; the share of its names in the sentence;
    whether a name or number of the question stands in no article, or a phrase of it in no passage;
    whether the words of a name stand nowhere together; whether the words cannot be an answer by
    their form, or are of years ago where this week is asked about; 1.
    """
    best = findings[0]
    return (
        best.confidence,
        best.hit.cosine,
        max(finding.hit.cosine for finding in findings),
        best.coverage,
        best.sentence_coverage,
        _named(question, best),
        float(_is_about_unknown(question, findings, index)),
        float(bool(scattered_names(question, index))),
        float(not fits(question, best.words) or _is_past(question, best)),
        1.0,
    )


def log_odds(question: str, findings: Sequence[Finding], index: Index) -> float:
    """Log odds that the best of the findings answers the question, above the threshold."""
    known = signs(question, findings, index)
    return both(*parts(known)) + float(np.dot(DOUBTS, known))


def parts(known: Sequence[float]) -> tuple[float, float]:
    """The log odds that the articles treat a question, and that the words answer it."""
    return float(np.dot(TREATED, known)), float(np.dot(ANSWERED, known))


def both(one: float, other: float) -> float:
    """The log odds that two things hold of which each has these log odds."""
    return -float(np.logaddexp(np.logaddexp(-one, -other), -one - other))


def _named(question: str, best: Finding) -> float:
    """The share of the question's names that stand in the sentence or the title; 1 without any."""
    wanted = stems(" ".join(names(question)))
    text = best.article.text[slice(*best.sentence)]
    return len(wanted & stems(f"{best.article.title} {text}")) / len(wanted) if wanted else 1.0


def _is_about_unknown(question: str, findings: Sequence[Finding], index: Index) -> bool:
    """Whether a name stands in no article or a phrase in no passage.

    A passage about the Emirates knows who is Emirati.
    """
    best = findings[0]
    said = stems(f"{best.article.title} {best.hit.chunk.text}")
    unknown = [name for name in unknown_names(question, index) if not stems(name) <= said]
    return bool(unknown or unknown_phrases(question, findings))


def _is_past(question: str, best: Finding) -> bool:
    """Whether a question is about these days, and the sentence about years before.

    What is said of a year before the last one that its article knows is no news.
    """
    if not THESE_DAYS.search(question):
        return False
    article = best.article
    told = _years(article.text[slice(*best.sentence)])
    return bool(told) and max(told) < max(_years(f"{article.text} {article.date}")) - 1


def _years(text: str) -> list[int]:
    return [int(year) for year in YEAR.findall(text)]


def absent_words(question: str, index: Index) -> list[str]:
    """The words of a question that stand in no article, without those that only ask."""
    return [
        word
        for word in dict.fromkeys(words_of(subject(question)))
        if word.casefold() not in FUNCTION_WORDS and _is_absent(word, index)
    ]


def unknown_names(question: str, index: Index) -> list[str]:
    """The names and numbers of a question that stand in no article; a month is neither."""
    absent = set(absent_words(question, index))
    # A capital at the start is no sign of a name.
    return [
        word
        for position, word in enumerate(words_of(question))
        if word in absent
        and not months(word)
        and ((position and word[0].isupper()) or word[0].isdigit())
    ]


def scattered_names(question: str, index: Index) -> list[str]:
    """The names of several words in a question that stand in no article as they are.

    Dates, which can be written otherwise, are none; an owner and what is owned are two names.
    """
    scattered = []
    for name in names(question):
        first, _, rest = name.partition(" ")
        # A capital at the start of a sentence is no sign of a name.
        if first.casefold() in FUNCTION_WORDS or question.startswith(name):
            name = rest
        if not months(name) and not all(map(index.together, OWNER.split(name))):
            scattered.append(name)
    return scattered


def unknown_phrases(question: str, findings: Sequence[Finding]) -> list[str]:
    """The phrases in quotes that stand in none of the passages as they are.

    Where a phrase stands anywhere, only passages that have it are retrieved. The mark that ends a
    question, which some set inside the quotes, is no part of it. A title has capitals: the album
    "Talk Show" is in no passage about a talk show.
    """
    phrases = [phrase.rstrip(END_MARKS) for phrase in parse(question).phrases]
    texts = [straight(f"{one.article.title} {one.hit.chunk.text}") for one in findings]
    return [phrase for phrase in phrases if not any(_says(text, phrase) for text in texts)]


def _says(text: str, phrase: str) -> bool:
    words = phrase.split()
    if words[0][0].isupper() and all(word[0].isupper() or word in FUNCTION_WORDS for word in words):
        return straight(phrase) in text or straight(phrase).upper() in text
    return plain(phrase) in text.casefold()


def _is_absent(word: str, index: Index) -> bool:
    stems = index.stems(word)
    return bool(stems) and not any(index.count(stem) for stem in stems)
