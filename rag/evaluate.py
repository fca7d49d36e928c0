"""How good the answers are on a question file: passages, answers, refusals, conflicts.

A question file holds JSON lines `{"id", "question", "history", "answers", "evidence": [{"doc"}],
"answerable"}`; `doc` is the file an answer stands in. Answers are compared as SQuAD does it
(Rajpurkar et al., 2016).

Where only what is wrong is known, as people say it of answers (ui/feedback.py), it stands under
`wrong`: such a question counts as right when it is answered and says none of that again, and is
left out of the measures that compare with an answer or a passage.
"""

import random
import re
import string
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from index import Index
from rag.answer import QuestionUnusable, ask, replay, search
from rag.markers import drafts
from rag.prompt import REFUSAL
from rag.types import LLM, Answer, Message

Question = Mapping[str, Any]
PASSAGES = 10  # Ranks that are looked at.
RESAMPLES = 2000  # Of the bootstrap (Efron, 1979) for the interval of a difference.
THRESHOLDS = 25  # Rows of the table of errors.
SELF_WORDS = 6  # Of a sentence, in a query made from it.
SELF_LENGTH = 12  # Words; a shorter sentence says too little to be found again.
TYPOS = 3  # Every third query gets a letter exchanged.
ABSENT = 4  # To so many queries comes one about something that is in no article.
PROBES = (
    "Who founded the {} Institute?", "When was the {} treaty signed?", "How tall is Mount {}?",
    "Where was {} born?", "What is the capital of {}?",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question. Ranks count from 1; 0 means not among the first ten."""

    id: str
    question: str
    answerable: bool
    answered: bool
    confidence: float
    right: bool  # An answer stands in the text, and its file is cited.
    exact: float
    f1: float
    file_rank: int
    passage_rank: int
    conflict: bool
    disputed: bool
    seconds: float
    said: str
    written: int = 0  # Sentences that a language model wrote, and how many of them
    cited: int = 0  # cite a passage,
    borne: int = 0  # are borne by one, cited or not,
    cited_and_borne: int = 0  # and both.
    refused: bool = False  # By the model.
    tokens: int = 0
    known: bool = True  # Whether the question file says what is right, not only what is wrong.


class Recorder:
    """A language model that keeps what it wrote last."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.name, self.context = llm.name, llm.context
        self.wrote = ""

    def count(self, text: str) -> int:
        """The tokens of a text."""
        return self._llm.count(text)

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """What the model writes, in pieces."""
        self.wrote = ""
        with closing(self._llm.stream(messages)) as pieces:
            for piece in pieces:
                self.wrote += piece
                yield piece

    def measured(self, answer: Answer) -> dict[str, int | bool]:
        """What there is to say of the last text, and of the answer that was made of it."""
        every = [one for part in drafts(self.wrote, ended=True) for one in part]
        borne = [
            one for one in every if answer.mode == "llm" and one.text not in answer.unsupported
        ]
        return {
            "written": len(every),
            "cited": sum(bool(one.numbers) for one in every),
            "borne": len(borne),
            "cited_and_borne": sum(bool(one.numbers) for one in borne),
            "refused": REFUSAL.rstrip(".") in self.wrote,
            "tokens": self._llm.count(self.wrote) if self.wrote else 0,
        }


def evaluate(
    questions: Sequence[Question],
    index: Index,
    files: Mapping[str, str] | None = None,
    llm: LLM | None = None,
    rewrite: bool = False,
) -> Iterator[Outcome]:
    """Ask every question; `files` maps the documents of the question file to indexed files."""
    recorder = Recorder(llm) if llm else None
    for number, question in enumerate(questions, 1):
        text = str(question.get("question", ""))
        answers = [str(one) for one in question.get("answers") or ()]
        documents = [
            str(one.get("doc", "")) if isinstance(one, dict) else str(one)
            for one in question.get("evidence") or ()
        ]
        wanted = {(files or {}).get(document, document) for document in documents}
        answerable = bool(question.get("answerable", answers))
        wrong = [str(one) for one in question.get("wrong") or ()]
        known = bool(answers) or "wrong" not in question
        try:
            history = replay([str(one) for one in question.get("history") or ()], index)
            started = time.perf_counter()
            if recorder:
                recorder.wrote = ""
            *_, answer = ask(text, index, history=history, llm=recorder, rewrite=rewrite)
        except QuestionUnusable:
            continue
        seconds = time.perf_counter() - started
        file_rank, passage_rank = (
            _ranks(answer.searched_for, answers, wanted, index) if answerable else (0, 0)
        )
        short = answer.short_answer or ""
        yield Outcome(
            id=str(question.get("id", number)),
            question=text,
            answerable=answerable,
            answered=answer.answered,
            confidence=answer.confidence,
            right=answerable
            and (_is_right(answer, answers, wanted) if known else answer.answered)
            and not _says(answer, wrong),
            exact=max((float(normal(short) == normal(one)) for one in answers), default=0.0),
            f1=max((f1(short, one) for one in answers), default=0.0),
            file_rank=file_rank,
            passage_rank=passage_rank,
            conflict=bool(answer.conflict),
            disputed=bool(question.get("conflicting")) or question.get("type") == "conflict",
            seconds=seconds,
            said=answer.text,
            known=known,
            **(recorder.measured(answer) if recorder else {}),  # type: ignore[arg-type]
        )


def _is_right(answer: Answer, answers: Sequence[str], wanted: set[str]) -> bool:
    said = " ".join(answer.text.split()).casefold()
    cited = {citation.file for citation in answer.citations}
    return any(one.casefold() in said for one in answers) and bool(not wanted or wanted & cited)


def _says(answer: Answer, values: Sequence[str]) -> bool:
    """Whether an answer says one of the values, in whole words: "17" is not said by "1917"."""
    sentences = " ".join(one.text for paragraph in answer.paragraphs for one in paragraph)
    said = [f" {' '.join(normal(text))} " for text in (answer.short_answer or "", sentences)]
    sought = [f" {' '.join(normal(value))} " for value in values if normal(value)]
    return any(value in text for value in sought for text in said)


def _ranks(query: str, answers: Sequence[str], wanted: set[str], index: Index) -> tuple[int, int]:
    """The rank of the right file, and of the first passage of it that holds an answer."""
    file_rank = passage_rank = 0
    for rank, hit in enumerate(search(query, index, limit=PASSAGES), 1):
        if wanted and hit.chunk.file not in wanted:
            continue
        file_rank = file_rank or rank
        if holds(hit.chunk.text, answers):
            return file_rank, rank
    return file_rank, passage_rank


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers stands in a text, whatever the case and the spaces."""
    body = " ".join(text.split()).casefold()
    return any(" ".join(answer.split()).casefold() in body for answer in answers)


def normal(text: str) -> list[str]:
    """The words of an answer as SQuAD compares them."""
    bare = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(?:a|an|the)\b", " ", bare).split()


def f1(given: str, wanted: str) -> float:
    """SQuAD's F1 of the words of two short answers, 0 to 1."""
    mine, theirs = normal(given), normal(wanted)
    same = sum((Counter(mine) & Counter(theirs)).values())
    return 2 * same / (len(mine) + len(theirs)) if same else 0.0


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Every measure by its name; shares are 0 to 1, times are seconds."""
    return {name: float(np.mean(values)) for name, values in measures(outcomes).items() if values}


def measures(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """The values behind each measure, one a question that it is about."""
    asked = [one for one in outcomes if one.answerable]
    without = [one for one in outcomes if not one.answerable]
    agreed = [one for one in asked if not one.disputed]
    known = [one for one in asked if one.known]
    values: dict[str, list[float]] = {
        "right article first": [float(one.file_rank == 1) for one in known],
        "right article in first 5": [float(0 < one.file_rank <= 5) for one in known],
        "answer in first passage": [float(one.passage_rank == 1) for one in known],
        "answer in first 5 passages": [float(0 < one.passage_rank <= 5) for one in known],
        "answer in first 10 passages": [float(one.passage_rank > 0) for one in known],
        "mean reciprocal rank": [1 / one.passage_rank if one.passage_rank else 0 for one in known],
        "right answer from the right file": [float(one.right) for one in asked],
        "short answer, exact": [one.exact for one in known],
        "short answer, F1": [one.f1 for one in known],
        "false refusals": [float(not one.answered) for one in asked],
        "false answers": [float(one.answered) for one in without],
        "conflicts shown where sources disagree": [
            float(one.conflict) for one in asked if one.disputed
        ],
        "conflicts shown where none is known": [float(one.conflict) for one in agreed],
        "seconds": [one.seconds for one in outcomes],
    }
    wrote = [one for one in outcomes if one.written]
    if wrote:
        values |= {
            "written sentences that cite": [one.cited / one.written for one in wrote],
            "written sentences that cite and are borne": [
                one.cited_and_borne / one.written for one in wrote
            ],
            "written sentences that nothing bears, marked": [
                1 - one.borne / one.written for one in wrote
            ],
            "refused by the model": [float(one.refused) for one in wrote],
            "tokens written": [float(one.tokens) for one in wrote],
        }
    return values


def area(outcomes: Sequence[Outcome]) -> float | None:
    """The share of pairs in which the answerable question is the more confident one (AUC)."""
    with_answer = np.array([one.confidence for one in outcomes if one.answerable])
    without = np.array([one.confidence for one in outcomes if not one.answerable])
    if not len(with_answer) or not len(without):
        return None
    above = with_answer[:, None] > without[None, :]
    ties = with_answer[:, None] == without[None, :]
    return float(np.mean(above + 0.5 * ties))


def thresholds(outcomes: Sequence[Outcome]) -> list[dict[str, float]]:
    """False answers and false refusals at every threshold of the confidence; 0 is the default."""
    with_answer = np.array([one.confidence for one in outcomes if one.answerable])
    without = np.array([one.confidence for one in outcomes if not one.answerable])
    every = np.concatenate([with_answer, without])
    if not len(every):
        return []
    places = {0.0, *np.quantile(every, np.linspace(0, 1, THRESHOLDS)).round(2).tolist()}
    return [
        {
            "threshold": place,
            "false answers": float(np.mean(without > place)) if len(without) else 0.0,
            "false refusals": float(np.mean(with_answer <= place)) if len(with_answer) else 0.0,
        }
        for place in sorted(places)
    ]


def compare(
    before: Sequence[Outcome], after: Sequence[Outcome]
) -> dict[str, tuple[float, float, float]]:
    """For each measure the mean difference on the questions of both runs, and its 95 % interval.

    The interval is a bootstrap over questions, each kept with its pair.
    """
    earlier = {one.id: one for one in before}
    later = [one for one in after if one.id in earlier]
    paired = [earlier[one.id] for one in later]
    chance = np.random.default_rng(7)
    differences = {}
    for (name, old), new in zip(measures(paired).items(), measures(later).values(), strict=True):
        if not new or len(new) != len(old):
            continue
        change = np.array(new) - np.array(old)
        drawn = chance.integers(0, len(change), (RESAMPLES, len(change)))
        low, high = np.quantile(change[drawn].mean(axis=1), [0.025, 0.975])
        differences[name] = (float(change.mean()), float(low), float(high))
    return differences


def self_questions(index: Index, count: int, seed: int = 7) -> list[Question]:
    """Questions made from the articles themselves, for a folder that nobody wrote questions for.

    The rarer words of a sentence must find it again, every third time with a letter wrong; a
    question about a made-up name must be refused.
    """
    chance = random.Random(seed)  # noqa: S311  # Which sentences, not which secrets.
    sentences = [
        (article.file, article.shown(start, end), article.text[start:end])
        for article, _ in index.articles()
        for start, end in article.sentences
        if len(article.text[start:end].split()) >= SELF_LENGTH
    ]
    questions: list[Question] = []
    for number, (file, shown, text) in enumerate(
        chance.sample(sentences, min(count, len(sentences)))
    ):
        words = [word for word in re.findall(r"[^\W_]+", shown) if index.stems(word)]
        rare = sorted(set(words), key=lambda word: (index.count(index.stems(word)[0]), word))
        kept = [word for word in words if word in rare[:SELF_WORDS]]
        if number % TYPOS == 0:
            kept = _with_typo(kept, chance)
        found = {"id": f"self-{number}", "question": " ".join(kept), "answers": [text]}
        questions.append({**found, "evidence": [{"doc": file}], "answerable": True})
        if number % ABSENT == 0:
            name = "".join(chance.choice(["zo", "vra", "qui", "xel", "mib", "tru"]) for _ in "abc")
            probe = chance.choice(PROBES).format(name.capitalize())
            questions.append({"id": f"absent-{number}", "question": probe, "answerable": False})
    return questions


def _with_typo(words: list[str], chance: random.Random) -> list[str]:
    long = [place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return words
    place = chance.choice(long)
    cut = chance.randrange(1, len(words[place]) - 1)
    letters = words[place]
    swapped = letters[:cut] + letters[cut + 1] + letters[cut] + letters[cut + 2 :]
    return [*words[:place], swapped, *words[place + 1 :]]
