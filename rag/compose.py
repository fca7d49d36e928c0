"""Findings -> the sentences of an answer, verbatim, in an order that reads well."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index import Index
from index.types import Range
from rag.context import is_heading, is_item, is_run_in, leans_on, list_around, quoted
from rag.extract import Finding, coverage, word_weights
from rag.kinds import is_fact, wants_comparison, wants_several

LONGEST_SHORT_ANSWER = 10  # Words; more is a clause, and the sentence says it better.


def short_answer(question: str, best: Finding) -> str | None:
    """The answering words by themselves, where they are a name, number, date or quantity."""
    words = best.words.strip(" \t\n,;:.\"“”'‘’()")
    if not is_fact(question) or not words or len(words.split()) > LONGEST_SHORT_ANSWER:
        return None
    return words


RUN = 3  # Sentences that explain, one after the other as the article has them.
PASSAGES_FOR_RUNS = 5
RUNS_EMBEDDED = 16  # Those with most of the question's words: embedding all cost .1 s.
COVERAGE_WEIGHT = 0.25  # Against the cosine of a run to the question.
CAUSE_WEIGHT = 0.05
CAUSE = re.compile(r"\b(?:because|since|so that|therefore|due to|thanks to|in order to)\b", re.I)
# Another article adds to an explanation when it says this share more of what was asked.
LEAST_ADDED = 0.25
LEAST_LIKE = 0.6  # Share of the best run's score that it must reach too.
SECOND_RUN = 2  # Sentences of that other article.
Chosen = tuple[Finding, int, int]
"""A sentence of an answer: the finding it came from, and its range in that article."""


@dataclass(frozen=True, slots=True)
class Run:
    """Sentences of a passage that follow each other, a list as a whole."""

    finding: Finding
    sentences: tuple[Range, ...]
    text: str  # With the title before it, as a passage is embedded.


def compose(question: str, findings: Sequence[Finding], index: Index) -> list[Chosen]:
    """The sentences that answer best, as they follow each other in each article.

    One with what it leans on for a fact; a whole list where several things are asked for; a few
    sentences for an explanation, from a second article too where the first leaves something out.
    """
    best = findings[0]
    if not is_fact(question):
        return [one for run in _best_runs(question, findings, index) for one in _stood(run)]
    _, items = list_around(best.article, best.sentence) if wants_several(question) else (None, [])
    return _stood(Run(best, tuple(items or [best.sentence]), ""))


def _stood(run: Run) -> list[Chosen]:
    """The sentences of a run as they are quoted, after the one that they lean on."""
    article = run.finding.article
    before = leans_on(article, run.sentences[0])
    whole = [*([before] if before else []), *run.sentences]
    return [(run.finding, *quoted(article, sentence)) for sentence in whole]


def _best_runs(question: str, findings: Sequence[Finding], index: Index) -> list[Run]:
    """The run that is most about what is asked, and one that adds what it leaves out."""
    runs = list(_runs(findings[:PASSAGES_FOR_RUNS]))
    if wants_comparison(question):
        # A list that names two things does not compare them.
        runs = [run for run in runs if not is_item(run.finding.article, run.sentences[-1])] or runs
    if not runs:
        return [Run(findings[0], (findings[0].sentence,), "")]
    weights = word_weights(question, index)
    why = question.casefold().startswith("why")
    said = [
        COVERAGE_WEIGHT * coverage(run.text, weights, index)
        + CAUSE_WEIGHT * (why and CAUSE.search(run.text) is not None)
        for run in runs
    ]
    promising = sorted(range(len(runs)), key=lambda place: -said[place])[:RUNS_EMBEDDED]
    asked = index.embedder.question(question)[0]
    cosines = index.embedder.passages([runs[place].text for place in promising]) @ asked
    ranked = sorted(
        (
            (float(cosine) + said[place], runs[place])
            for cosine, place in zip(cosines, promising, strict=True)
        ),
        key=lambda scored: -scored[0],
    )
    highest, best = ranked[0]
    covered = coverage(best.text, weights, index)
    for score, other in ranked:
        if other.finding.article.file == best.finding.article.file or score < LEAST_LIKE * highest:
            continue
        added = coverage(f"{best.text} {other.text}", weights, index) - covered
        if wants_comparison(question) or added >= LEAST_ADDED:
            return [best, Run(other.finding, other.sentences[:SECOND_RUN], other.text)]
    return [best]


def _runs(findings: Sequence[Finding]) -> Iterator[Run]:
    """Every run of sentences in the passages, each once."""
    seen: set[tuple[str, Range]] = set()
    for finding in findings:
        article = finding.article
        for part in _parts(finding):
            for first in range(max(1, len(part) - RUN + 1)):
                sentences: list[Range] = []
                for unit in part[first:]:
                    sentences += unit
                    if len(sentences) >= RUN:
                        break
                if (article.file, sentences[0]) not in seen:
                    seen.add((article.file, sentences[0]))
                    text = article.shown(sentences[0][0], sentences[-1][1])
                    yield Run(finding, tuple(sentences), f"{article.title}\n{text}")


def _parts(finding: Finding) -> Iterator[list[list[Range]]]:
    """The sentences of a passage from one heading to the next, those of a list held together."""
    chunk, article = finding.hit.chunk, finding.article
    part: list[list[Range]] = []
    listed: set[Range] = set()
    for sentence in (*article.sentences, (len(article.text), len(article.text))):
        start, end = sentence
        if sentence in listed:
            continue
        if start < chunk.end and end > chunk.start and not is_heading(article, start):
            lead, items = list_around(article, sentence)
            unit = [*([lead] if lead else []), *items] or [sentence]
            listed.update(unit)
            # The lead-in was a sentence of its own until its list came into sight.
            if part and part[-1] == [lead]:
                part.pop()
            if items or not is_run_in(article, sentence):
                part.append(unit)
        elif part:
            yield part
            part = []
