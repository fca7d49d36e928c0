r"""Pairs of a question and its look-alike -> a question set to train on.

    python training/look_alikes.py --articles ../shared/data/squad2_articles --pairs QG --out more

The pairs are those of Zhu et al. (2019, "Learning to Ask Unanswerable Questions for Machine Reading
Comprehension"): questions of SQuAD 2.0's training half, in lower-case tokens, and for each one that
a person wrote to look like it and that its paragraph does not answer. Of the larger part the public
files give the numbers of the answering tokens and not the paragraph, so that it is found again: by
the words of both questions, by its neighbours (pairs of one paragraph follow each other), and by
the reader, which must see the answer of a share of a paragraph's questions where the numbers say.
Only articles of SQuAD's training split are taken; its other articles are for measuring.
"""

import argparse
import itertools
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parent.parent))

from index.types import Range
from rag.reader import SpanReader
from training.examples import read_lines, read_spans
from training.more_questions import question_of, write_set, written

TOKEN = re.compile(
    r"n't\b|'(?:s|re|ve|ll|m)\b|(?:(?!n't\b)\w)+(?:'(?!(?:s|re|ve|ll|m)\b)\w+)*|[^\w\s]"
)
CANDIDATES = 30  # Paragraphs that a pair may be about.
SHARED = 12.0  # Weight of the share of the questions' words that a paragraph has.
OTHER_PARAGRAPH, OTHER_ARTICLE = -0.5, -3.0
LEAST_SEEN = 0.5  # Share of a paragraph's questions whose answer the reader must see.
ABOUT = 150  # Characters on either side of what looks like the answer of a look-alike.
BLOCK = 500  # Pairs whose words are compared with all paragraphs at once.


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of an article and where in the article its tokens stand."""

    article: str
    tokens: tuple[str, ...]
    places: tuple[Range, ...]

    @property
    def range(self) -> Range:
        """Where in the article it stands."""
        return self.places[0][0], self.places[-1][1]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in tokens, and the numbers of its paragraph's tokens that (seem to) answer."""

    question: str
    first: int
    last: int


def tokens_of(text: str) -> list[tuple[str, Range]]:
    """The tokens of a text as the pairs have them, without accents, and where each stands."""
    plain, places = [], []
    for place, character in enumerate(text):
        for one in unicodedata.normalize("NFD", character.lower()):
            if unicodedata.category(one) != "Mn":
                plain.append(one)
                places.append(place)
    return [
        (found.group(), (places[found.start()], places[found.end() - 1] + 1))
        for found in TOKEN.finditer("".join(plain))
    ]


def paragraphs_of(articles: Sequence[dict[str, Any]]) -> list[Paragraph]:
    """The paragraphs of the articles, in their order."""
    made = []
    for article in articles:
        for start, end in article["meta"]["paragraphs"]:
            found = tokens_of(article["text"][start:end])
            made.append(
                Paragraph(
                    article["id"],
                    tuple(token for token, _ in found),
                    tuple((start + first, start + last) for _, (first, last) in found),
                )
            )
    return made


def read_pairs(folder: Path) -> list[tuple[Asked, Asked]]:
    """The pairs of a question and its look-alike; the test part is of SQuAD's other half."""
    pairs = []
    for part in ("train", "dev"):
        sides = []
        for kind in ("answerable", "unanswerable"):
            rows = (folder / f"{part}-{kind}-questions.txt").read_text("utf-8").splitlines()
            fields = [row.split("\t") for row in rows]
            sides.append([Asked(words, int(first), int(last)) for _, words, first, last in fields])
        pairs += zip(*sides, strict=True)
    return pairs


def places_of(pairs: Sequence[tuple[Asked, Asked]], paragraphs: Sequence[Paragraph]) -> list[int]:
    """The paragraph of each pair: the likeliest sequence (Viterbi, 1967)."""
    candidates, scores = _candidates(pairs, paragraphs)
    articles = np.array([one.article for one in paragraphs])[candidates]
    best, came_from = scores[0], []
    for now in range(1, len(pairs)):
        same = candidates[now - 1][:, None] == candidates[now][None, :]
        near = articles[now - 1][:, None] == articles[now][None, :]
        step = np.where(same, 0.0, np.where(near, OTHER_PARAGRAPH, OTHER_ARTICLE))
        reached = best[:, None] + step
        came_from.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + scores[now]
    chosen = [int(best.argmax())]
    for back in reversed(came_from):
        chosen.append(int(back[chosen[-1]]))
    return [int(candidates[n][one]) for n, one in enumerate(reversed(chosen))]


def _candidates(
    pairs: Sequence[tuple[Asked, Asked]], paragraphs: Sequence[Paragraph]
) -> tuple[np.ndarray, np.ndarray]:
    """Paragraphs by the words they share with each pair, and their scores, (pairs, CANDIDATES)."""
    words: dict[str, int] = {}
    sets = [sorted({words.setdefault(one, len(words)) for one in p.tokens}) for p in paragraphs]
    rows = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    columns = np.concatenate(sets)
    shape = (len(sets), len(words))
    has = sparse.csr_matrix((np.ones(len(columns), np.float32), (rows, columns)), shape)
    weight = np.log(len(sets) / np.asarray(has.sum(axis=0)).ravel())
    lengths = np.array([len(one.tokens) for one in paragraphs])
    numbers, scores = [], []
    for first in range(0, len(pairs), BLOCK):
        block = pairs[first : first + BLOCK]
        asked = sparse.lil_matrix((len(block), len(words)), dtype=np.float32)
        for row, (one, other) in enumerate(block):
            for word in {*one.question.split(), *other.question.split()} & words.keys():
                asked[row, words[word]] = weight[words[word]]
        shared = (has @ asked.tocsr().T).toarray().T
        shared /= np.maximum(np.asarray(asked.sum(axis=1)), 1e-6)
        last = np.array([max(one.last, other.last) for one, other in block])
        shared[lengths[None, :] <= last[:, None]] = -1.0
        top = np.argpartition(-shared, CANDIDATES, axis=1)[:, :CANDIDATES]
        numbers.append(top)
        scores.append(SHARED * np.take_along_axis(shared, top, axis=1))
    return np.concatenate(numbers), np.concatenate(scores)


def is_seen(
    question: str, text: str, paragraph: Paragraph, span: Range, reader: SpanReader
) -> bool:
    """Whether the reader's best span of a paragraph touches a span."""
    start, end = paragraph.range
    spans = read_spans(question, text[start:end], reader)
    _, (first, last) = max(spans, default=(0.0, (0, 0)))
    return start + first < span[1] and start + last > span[0]


def questions_of(
    pairs: Sequence[tuple[Asked, Asked]],
    places: Sequence[int],
    paragraphs: Sequence[Paragraph],
    texts: dict[str, str],
    reader: SpanReader,
) -> list[dict[str, Any]]:
    """Both questions of the pairs whose paragraph was found; the others are left out."""
    made: list[dict[str, Any]] = []
    for place, together in itertools.groupby(range(len(pairs)), key=lambda n: places[n]):
        paragraph, numbers = paragraphs[place], list(together)
        text = texts[paragraph.article]
        found, seen = [], 0
        for number in numbers:
            answerable, other = pairs[number]
            span, plausible = (
                (paragraph.places[one.first][0], paragraph.places[one.last][1])
                for one in (answerable, other)
            )
            question = written(answerable.question, text)
            seen += is_seen(question, text, paragraph, span, reader)
            start, end = paragraph.range
            where = {"doc": paragraph.article, "start": start, "end": end}
            near = where | {
                "start": max(start, plausible[0] - ABOUT),
                "end": min(end, plausible[1] + ABOUT),
            }
            found.append(question_of(question, where, [text[slice(*span)]], [span]))
            found.append(question_of(written(other.question, text), near, [], []))
        if seen >= LEAST_SEEN * len(numbers):
            made += found
    return made


def main() -> None:
    """Find the paragraphs again and write the question set `squad_pairs`."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=Path, required=True, help="the set squad2_articles")
    parser.add_argument("--pairs", type=Path, required=True, help="the folder QG of the pairs")
    parser.add_argument("--reader", type=Path, default=Path("rag/reader.onnx"))
    parser.add_argument("--out", type=Path, required=True, help="the folder to write the set to")
    chosen = parser.parse_args()
    articles = [
        one
        for one in read_lines(chosen.articles / "corpus.jsonl")
        if one["meta"]["split"] == "train"
    ]
    texts = {one["id"]: one["text"] for one in articles}
    paragraphs = paragraphs_of(articles)
    pairs = read_pairs(chosen.pairs)
    places = places_of(pairs, paragraphs)
    made = questions_of(pairs, places, paragraphs, texts, SpanReader(chosen.reader))
    used = sorted({(one.get("evidence") or one["about"])[0]["doc"] for one in made})
    documents = [{"id": one, "title": one, "text": texts[one]} for one in used]
    write_set(chosen.out / "squad_pairs", documents, made)
    print(f"{len(made) // 2} of {len(pairs)} pairs were found again")


if __name__ == "__main__":
    main()
