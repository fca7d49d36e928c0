"""Findings -> the sentences of an answer, verbatim, in an order that reads well."""

import re
from collections.abc import Sequence

from index import Index
from rag.extract import Finding, coverage, is_heading, leans_on, word_weights
from rag.kinds import is_fact

LONGEST_SHORT_ANSWER = 10  # Words; more is a clause, and the sentence says it better.


def short_answer(question: str, best: Finding) -> str | None:
    """The answering words by themselves, where they are a name, number, date or quantity."""
    words = best.words.strip(" \t\n,;:.\"“”'‘’()")
    if not is_fact(question) or not words or len(words.split()) > LONGEST_SHORT_ANSWER:
        return None
    return words


RUN = 3  # Sentences that explain, one after the other as the article has them.
PASSAGES_FOR_RUNS = 5
LEAST_WORDS = 4  # A shorter sentence is a heading that runs into the text.
COVERAGE_WEIGHT = 0.25  # Against the cosine of a run to the question.
CAUSE_WEIGHT = 0.05
CAUSE = re.compile(r"\b(?:because|since|so that|therefore|due to|thanks to|in order to)\b", re.I)
Chosen = tuple[Finding, int, int]
"""A sentence of an answer: the finding it came from, and its range in that article."""


def compose(question: str, findings: Sequence[Finding], index: Index) -> list[Chosen]:
    """The one to four sentences that answer best, as they follow each other in the article."""
    best = findings[0]
    if is_fact(question):
        before = leans_on(best.article, best.sentence)
        lead = (best, *best.sentence)
        return [(best, *before), lead] if before else [lead]
    run = _best_run(question, findings, index)
    before = leans_on(run[0][0].article, run[0][1:])
    return ([(run[0][0], *before)] if before else []) + run


def _best_run(question: str, findings: Sequence[Finding], index: Index) -> list[Chosen]:
    """The consecutive sentences that are most about what is asked."""
    runs: dict[tuple[str, int], list[Chosen]] = {}
    for finding in findings[:PASSAGES_FOR_RUNS]:
        chunk, article = finding.hit.chunk, finding.article
        # Sentences up to the next heading belong together.
        part: list[Chosen] = []
        for start, end in [*article.sentences, (len(article.text), len(article.text))]:
            if start < chunk.end and end > chunk.start and not is_heading(article, start):
                if len(article.text[start:end].split()) >= LEAST_WORDS:
                    part.append((finding, start, end))
            elif part:
                for first in range(max(1, len(part) - RUN + 1)):
                    runs.setdefault((article.file, part[first][1]), part[first : first + RUN])
                part = []
    if not runs:
        return [(findings[0], *findings[0].sentence)]
    # The title stands before the sentences, as it did before the passage when it was embedded.
    texts = [
        f"{run[0][0].article.title}\n{run[0][0].article.shown(run[0][1], run[-1][2])}"
        for run in runs.values()
    ]
    cosines = index.embedder.passages(texts) @ index.embedder.question(question)[0]
    weights = word_weights(question, index)
    why = question.casefold().startswith("why")
    scores = [
        float(cosine)
        + COVERAGE_WEIGHT * coverage(text, weights, index)
        + CAUSE_WEIGHT * (why and CAUSE.search(text) is not None)
        for cosine, text in zip(cosines, texts, strict=True)
    ]
    return list(runs.values())[scores.index(max(scores))]
