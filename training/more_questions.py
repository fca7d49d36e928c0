r"""Other questions of SQuAD's training articles -> question sets to train on.

    python training/more_questions.py --articles ../shared/data/squad2_articles \
        --squad train-v2.0.json --sentences src-test.txt --asked tgt-test.txt --out more

--squad is a file in SQuAD's own format; the other two are pairs of a sentence and a question about
it (Du et al., 2017), lower-case and in tokens: the sentence is found again in its article, and the
words that answer are those that a reader prefers in it (self-training). Only articles of SQuAD's
training split are taken; its other articles are for measuring.
"""

import argparse
import collections
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from index.types import Range
from rag.reader import SpanReader
from training.examples import read_lines, read_spans

BRACKETS = re.compile(r"-[lr][rcs]b-")
SPACED = re.compile(r" (?=[?!.,;:%)]|['’]s\b|n't\b)|(?<=[($]) ")
LEAST_SCORE = -2.0  # Of the words taken for the answer; below, the reader is lost.


def from_squad(path: Path, known: dict[str, str]) -> tuple[list[Any], list[Any]]:
    """Documents and questions of a file in SQuAD's format, of articles that are known."""
    documents, questions = [], []
    for article in json.loads(path.read_text("utf-8"))["data"]:
        if article["title"] not in known:
            continue
        text = ""
        for paragraph in article["paragraphs"]:
            first, context = len(text), paragraph["context"]
            text += context + "\n\n"
            place = {"doc": article["title"], "start": first, "end": first + len(context)}
            for one in paragraph["qas"]:
                spans = [
                    (first + answer["answer_start"], first + answer["answer_start"] + len(words))
                    for answer in one["answers"]
                    for words in [answer["text"]]
                ]
                words = [answer["text"] for answer in one["answers"]]
                questions.append(question_of(one["question"], place, words, spans))
        documents.append({"id": article["title"], "title": article["title"], "text": text})
    return documents, questions


def from_sentences(
    sentences_file: Path, asked_file: Path, known: dict[str, str], reader: SpanReader
) -> tuple[list[Any], list[Any]]:
    """Documents and questions of pairs of a sentence and a question."""
    places = {
        name: [(character, at) for at, character in enumerate(text) if character.isalnum()]
        for name, text in known.items()
    }
    plain = {
        name: "".join(character for character, _ in found).lower() for name, found in places.items()
    }
    pairs = zip(
        sentences_file.read_text("utf-8").splitlines(),
        asked_file.read_text("utf-8").splitlines(),
        strict=True,
    )
    questions, name = [], next(iter(known))
    for sentence, asked in pairs:
        wanted = "".join(filter(str.isalnum, BRACKETS.sub("", sentence)))
        # Pairs of one article follow each other.
        found = [one for one in (name, *plain) if wanted in plain[one]]
        if not found or plain[found[0]].count(wanted) != 1:
            continue
        name = found[0]
        first = plain[name].index(wanted)
        start, end = places[name][first][1], places[name][first + len(wanted) - 1][1] + 1
        question = written(asked, known[name])
        span = _likely_answer(question, known[name], (start, end), reader)
        if span:
            place = {"doc": name, "start": start, "end": end}
            questions.append(question_of(question, place, [known[name][slice(*span)]], [span]))
    used = {one["evidence"][0]["doc"] for one in questions}
    return [{"id": one, "title": one, "text": known[one]} for one in sorted(used)], questions


def question_of(
    question: str, place: dict[str, Any], words: list[str], spans: Sequence[Range]
) -> dict[str, Any]:
    """A line of a question file; without spans, a question that its place does not answer."""
    found = {"question": question, "answerable": bool(spans), "answers": words}
    return found | {"answer_spans": spans, "evidence" if spans else "about": [place]}


def written(asked: str, text: str) -> str:
    """A question of lower-case tokens as a person writes it, names as the article has them."""
    counts = collections.Counter(re.findall(r"\w+", text))
    words = [
        word.capitalize() if counts[word.capitalize()] > counts[word] else word
        for word in BRACKETS.sub("", asked).split()
    ]
    question = SPACED.sub("", " ".join(words).replace("``", '"').replace("''", '"'))
    return question[:1].upper() + question[1:]


def _likely_answer(question: str, text: str, place: Range, reader: SpanReader) -> Range | None:
    """The words in a range that the reader takes for the answer, where it has an opinion."""
    first = max(0, place[0] - 400)
    near = text[first : place[1] + 400]
    within = place[0] - first, place[1] - first
    spans = read_spans(question, near, reader, within)
    score, (start, end) = max(spans, default=(-99.0, (0, 0)))
    return (first + start, first + end) if score > LEAST_SCORE else None


def write_set(folder: Path, documents: Sequence[Any], questions: Sequence[Any]) -> None:
    """Write a question set, and say how much it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in (("corpus", documents), ("queries", questions)):
        lines = (json.dumps(value, ensure_ascii=False) + "\n" for value in values)
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    print(f"{folder}: {len(documents)} articles, {len(questions)} questions")


def main() -> None:
    """Write both question sets."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=Path, required=True, help="the set squad2_articles")
    parser.add_argument("--squad", type=Path, required=True, help="a file in SQuAD's format")
    parser.add_argument("--sentences", type=Path, required=True, help="sentences, one a line")
    parser.add_argument("--asked", type=Path, required=True, help="a question about each")
    parser.add_argument("--reader", type=Path, default=Path("rag/reader.onnx"))
    parser.add_argument("--out", type=Path, required=True, help="the folder to write sets to")
    chosen = parser.parse_args()
    known = {
        one["id"]: one["text"]
        for one in read_lines(chosen.articles / "corpus.jsonl")
        if one["meta"]["split"] == "train"
    }
    whole = from_squad(chosen.squad, known)
    # Questions with answers that people marked are better than those without.
    others = {name: text for name, text in known.items() if name not in {d["id"] for d in whole[0]}}
    reader = SpanReader(chosen.reader)
    pairs = from_sentences(chosen.sentences, chosen.asked, others, reader)
    for name, (documents, questions) in (("squad_train", whole), ("squad_sentences", pairs)):
        write_set(chosen.out / name, documents, questions)


if __name__ == "__main__":
    main()
