"""Question sets -> groups of windows to learn from: the one that answers, and ones that do not.

Windows are cut as the program cuts them when it asks, so that the reader is trained on what it
will see. Negatives are what it will have to tell apart: windows beside the answer, windows that
the embedding model ranks high and that hold none of the answers, questions that were written to
look answerable, and questions in which a name or a number was exchanged, a word turned round or
the verb denied.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.embed import DEFAULT_MODEL, load_embedder
from index.sentences import sentences
from index.types import Article, Embedder, Range
from rag.extract import cut_windows
from rag.types import Reader

NEGATIVES = 2  # Beside the window that answers.
NEAREST = 10  # Windows that the embedding ranks high, among which negatives are drawn.
# Share of answerable questions that come a second time, with a name or a number exchanged, a word
# turned into its opposite, or the verb denied.
EXCHANGED = 0.5
DENIED = 0.2  # Share of the last among these, where others are possible.
NEIGHBOURS = 0.6  # Share of the names put in that are of the same article.
TITLED = 0.6  # Share of the questions whose windows are read after their articles' titles.
MISLEADING = 5  # Windows that a reader likes best, among which negatives are drawn.
STRANGERS = 0.3  # Share of negatives from another text where texts are about look-alike things.
NAME = r"\b(?:[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*|\d[\d,.]*\d|\d)\b"
EXCHANGEABLE = re.compile(rf"(?<!^){NAME}")
OPPOSITES = (
    "first last|largest smallest|biggest smallest|highest lowest|most least|more fewer"
    "|before after|increase decrease|increased decreased|rise fall|rose fell|win lose|won lost"
    "|begin end|began ended|start stop|started stopped|early late|earlier later|earliest latest"
    "|oldest youngest|older younger|old new|north south|northern southern|east west"
    "|eastern western|upper lower|high low|higher lower|long short|longest shortest|best worst"
    "|better worse|good bad|strong weak|allowed forbidden|allow forbid|support oppose"
    "|supported opposed|accepted rejected|inside outside|above below|major minor|many few"
    "|always never|same different|open closed|near far|common rare|buy sell|bought sold"
    "|give take|gave took|built destroyed|founded dissolved|joined left|arrived left"
    "|enter leave|entered left|male female|men women|positive negative|public private|rich poor"
    "|easy hard|easier harder|modern ancient|winter summer"
)
OPPOSITE = {
    one: other
    for pair in OPPOSITES.split("|")
    for first, second in [pair.split()]
    for one, other in ((first, second), (second, first))
}
OPPOSABLE = re.compile(rf"\b(?:{'|'.join(OPPOSITE)})\b")
# Reviews and posts ask "is it loud?": another review may well answer that too.
ABOUT_THEIR_TEXT = ("squadshifts_amazon", "squadshifts_reddit")
DENIABLE = re.compile(r"\b(did|was|were|is|are|does|do|can|could|would|will) (?=\w)")
# Of SQuAD's training articles, which no one measures on; see squad.py. In the second, each question
# is followed by one that a person wrote to look like it.
TRAIN, PAIRS = "squad_train", "squad_pairs"
KEPT_OUT_ARTICLES = frozenset(
    "Normans Huguenot French_and_Indian_War".split()
)  # Of squad2_articles; of the other sets, every tenth text.


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of text; `answers` are the ranges in it that answer, none in a negative."""

    text: str
    answers: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A question with the windows that compete for it; at most the first one answers."""

    question: str
    windows: tuple[Window, ...]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def is_kept_out(name: str, document: str) -> bool:
    """Whether a document is for validation only."""
    if name in (TRAIN, PAIRS):
        return False
    if name == "squad2_articles":
        return document in KEPT_OUT_ARTICLES
    return hashlib.sha256(document.encode()).digest()[0] % 10 == 0


def subject(question: dict[str, Any]) -> dict[str, Any] | None:
    """The document and range that a question was written about."""
    found = (question.get("evidence") or question.get("about") or [None])[0]
    return found if isinstance(found, dict) and "start" in found else None


def questions(data: Path, name: str, *, kept_out: bool) -> Iterator[dict[str, Any]]:
    """The questions of a set that may be learned from, or those that may not."""
    for question in read_lines(data / name / "queries.jsonl"):
        about = subject(question)
        if about and is_kept_out(name, about["doc"]) == kept_out:
            yield question


def draw(
    data: Sequence[Path],
    shares: dict[str, float],
    seed: int,
    *,
    reader: Reader | None = None,
    thin: bool = False,
) -> list[Group]:
    """The groups of a share of each question set, in an order drawn with the seed.

    2.0 goes through a set twice. Thin groups have a second window at most, and that in one of two:
    what a large model learns from or marks is costly.
    """
    chance = random.Random(seed)
    embedder = load_embedder(DEFAULT_MODEL, Path(".rag") / "models")
    every: list[Group] = []
    for name, share in shares.items():
        folder = next((folder for folder in data if (folder / name).is_dir()), None)
        if not folder:
            raise SystemExit(f"No folder given with --data has the question set {name}.")
        times = [1.0] * int(share) + [share % 1] * (share % 1 > 0)
        made = [
            Group(group.question, group.windows[: chance.randint(1, 2)]) if thin else group
            for part in times
            for group in groups(folder, name, embedder, chance, share=part, reader=reader)
        ]
        answerable = sum(bool(group.windows[0].answers) for group in made)
        windows = sum(len(group.windows) for group in made)
        print(f"{name}: {len(made)} groups, {answerable} answerable, {windows} windows", flush=True)
        every += made
    return chance.sample(every, len(every))


def groups(
    data: Path,
    name: str,
    embedder: Embedder,
    chance: random.Random,
    *,
    share: float = 1.0,
    reader: Reader | None = None,
) -> list[Group]:
    """The groups of a share of a question set; negatives and what is exchanged are drawn.

    With a reader, negatives are drawn among the windows in which it finds the best answers.
    """
    documents = {one["id"]: one["text"] for one in read_lines(data / name / "corpus.jsonl")}
    asked = list(questions(data, name, kept_out=False))
    asked = chance.sample(asked, round(len(asked) * share))
    wanted = {about["doc"] for one in asked if (about := subject(one))}
    # Articles nobody asks about only add to the time of embedding.
    places = [(doc, one) for doc in sorted(wanted) for one in windows_of(documents[doc])]
    vectors = embedder.passages([documents[doc][start:end] for doc, (start, end) in places])
    of_document: dict[str, list[int]] = {}
    for number, (doc, _) in enumerate(places):
        of_document.setdefault(doc, []).append(number)
    names = sorted({found.group() for one in asked for found in _names(one["question"])})
    names_of: dict[str, list[str]] = {}
    made = []
    for one in asked:
        about, spans = subject(one), one.get("answer_spans") or []
        if about is None:
            continue
        cosines = vectors @ embedder.question(one["question"])[0]
        answers = [answer.lower() for answer in one["answers"] if len(answer) > 1]

        def rank(
            numbers: Sequence[int], cosines: Any = cosines, answers: list[str] = answers
        ) -> list[int]:
            """Windows that hold no answer, the nearest first."""
            silent = [
                number
                for number in numbers
                if not any(answer in _text(documents, places[number]).lower() for answer in answers)
            ]
            return sorted(silent, key=lambda number: -cosines[number])

        beside = rank([n for n in of_document[about["doc"]] if _near(places[n][1], about)])
        nearest = [int(number) for number in np.argsort(-cosines)[: NEAREST * 2]]
        strangers = rank(nearest)[:NEAREST]
        if name in ABOUT_THEIR_TEXT:
            pool = _beside_or_strange(beside, strangers, chance)
        else:
            pool = list(dict.fromkeys([*beside[:1], *strangers]))
            if reader and one["answerable"]:
                texts = [_text(documents, places[number]) for number in pool]
                pool = _misleading(one["question"], pool, texts, reader)
            # Pairs are many, and the look-alike is the harder negative.
            pool = chance.sample(pool, min(1 if name == PAIRS else NEGATIVES, len(pool)))
        titled = name not in ABOUT_THEIR_TEXT and chance.random() < TITLED

        def window(number: int, *answers: Range, titled: bool = titled) -> Window:
            """A window as it is read, behind the title of its article or alone."""
            doc, _ = places[number]
            title = doc.replace("_", " ") + ". " if titled else ""
            moved = tuple((start + len(title), end + len(title)) for start, end in answers)
            return Window(title + _text(documents, places[number]), moved)

        others = tuple(map(window, pool))
        if not one["answerable"]:
            # What it was written about looks most like an answer.
            made.append(Group(one["question"], tuple(map(window, beside[: NEGATIVES + 1]))))
            continue
        number, inside = _answering(places, of_document[about["doc"]], spans)
        if not inside:
            continue
        best = window(number, *inside)
        made.append(Group(one["question"], (best, *others)))
        if name == PAIRS:
            continue
        near = names_of.setdefault(about["doc"], _names_in(documents[about["doc"]]))
        drawn = [] if name in ABOUT_THEIR_TEXT else _drawn(near, names, chance)
        question = _look_alike(one["question"], best.text, drawn, chance)
        if question and chance.random() < EXCHANGED:
            made.append(Group(question, (Window(best.text), *others[:1])))
    return [group for group in made if group.windows]


def _drawn(near: list[str], names: list[str], chance: random.Random) -> list[str]:
    """The names that may be put in: those of the article, or of all questions."""
    return near if near and chance.random() < NEIGHBOURS else names


def _beside_or_strange(
    beside: Sequence[int], strangers: Sequence[int], chance: random.Random
) -> list[int]:
    """Windows of the same review or post, and now and then one of another."""
    if strangers and (len(beside) < NEGATIVES or chance.random() < STRANGERS):
        return [*beside[: NEGATIVES - 1], chance.choice(strangers)]
    return list(beside[:NEGATIVES])


def _misleading(
    question: str, numbers: Sequence[int], texts: Sequence[str], reader: Reader
) -> list[int]:
    """The windows, none of which answers, in which a reader sees the best answers."""
    readings = reader.read(question, texts)
    scores = [found[0].score if found else -99.0 for found in readings]
    order = sorted(range(len(numbers)), key=lambda place: -scores[place])
    return [numbers[place] for place in order[:MISLEADING]]


def windows_of(text: str) -> list[Range]:
    """The windows that the program reads a text in."""
    return cut_windows(Article("", "", text, numbered=False, sentences=sentences(text)))


def read_spans(
    question: str, text: str, reader: Reader, within: Range | None = None
) -> list[tuple[float, Range]]:
    """All spans that a reader points at in a text, each with its score.

    With `within`, only windows that touch this range are read, and spans in it given.
    """
    first, last = within or (0, len(text))
    windows = [(start, end) for start, end in windows_of(text) if start < last and end > first]
    readings = reader.read(question, [text[slice(*one)] for one in windows])
    return [
        (one.score, (start + one.start, start + one.end))
        for (start, _), found in zip(windows, readings, strict=True)
        for one in found
        if first <= start + one.start and start + one.end <= last
    ]


def _text(documents: dict[str, str], place: tuple[str, Range]) -> str:
    doc, (start, end) = place
    return documents[doc][start:end]


def _near(window: Range, about: dict[str, Any]) -> bool:
    return window[0] < int(about["end"]) and window[1] > int(about["start"])


def _answering(
    places: Sequence[tuple[str, Range]], numbers: Sequence[int], spans: Sequence[Range]
) -> tuple[int, tuple[Range, ...]]:
    """The window with most of the answers that people gave, and where in it they stand."""
    best: tuple[int, tuple[Range, ...]] = (-1, ())
    for number in numbers:
        start, end = places[number][1]
        inside = tuple((a - start, b - start) for a, b in spans if start <= a < b <= end)
        if len(inside) > len(best[1]):
            best = (number, inside)
    return best


def _names_in(text: str) -> list[str]:
    """The names and numbers of an article, those at the start of a sentence left out."""
    return sorted({match.group() for match in re.finditer(rf"(?<=[a-z,] ){NAME}", text)})


def _names(question: str) -> list[re.Match[str]]:
    return list(EXCHANGEABLE.finditer(question))


def _look_alike(
    question: str, text: str, names: Sequence[str], chance: random.Random
) -> str | None:
    """A question like this one that the text does not answer, where one can be made."""
    changed = [_turn_round(question, chance), _exchange(question, text, names, chance)]
    possible = [one for one in changed if one]
    if possible and chance.random() >= DENIED:
        return chance.choice(possible)
    return _deny(question)


def _exchange(question: str, text: str, names: Sequence[str], chance: random.Random) -> str | None:
    """The question about somebody else or another year: the same text no longer answers it."""
    found = [match for match in _names(question) if match.group() in text]
    if not found or not names:
        return None
    match = chance.choice(found)
    number = match.group()[0].isdigit()
    for _ in range(20):
        other = chance.choice(names)
        alike = other[0].isdigit() == number and (not number or len(other) == len(match.group()))
        if alike and other not in text and other not in question:
            return question[: match.start()] + other + question[match.end() :]
    return None


def _turn_round(question: str, chance: random.Random) -> str | None:
    """The question with a word turned into its opposite: what it asks now stands nowhere."""
    found = list(OPPOSABLE.finditer(question))
    if not found:
        return None
    match = chance.choice(found)
    return question[: match.start()] + OPPOSITE[match.group()] + question[match.end() :]


def _deny(question: str) -> str | None:
    """The question about what was not so."""
    found = DENIABLE.search(question)
    if not found:
        return None
    denied = {"can": "can't", "will": "won't"}.get(found[1], f"{found[1]}n't")
    return question[: found.start()] + denied + question[found.end() - 1 :]
