"""Quality on a question set: passages, answers, refusals, conflicts; a table with its peers.

    python benchmarks/quality.py ../shared/data/squad2_articles --questions 600
    python benchmarks/quality.py articles --set tests/data/questions.jsonl
    python benchmarks/quality.py ../shared/articles --set benchmarks/four_articles.jsonl

A folder with corpus.jsonl and queries.jsonl is written out as one .txt file a document first. The
index is kept in --work for the next run. Peers run on the very passages and vectors of the index:
`dense` is what a tutorial builds, `words` is BM25, `ranks` is reciprocal rank fusion, `sum` the
weighted sum; `footnote` is the sum, re-ranked by the reader.
"""

import argparse
import json
import random
import re
import string
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import Index, open_index
from index.build import build
from rag import ask
from rag.answer import replay
from rag.extract import find
from rag.reader import load_reader
from rag.retrieve import CANDIDATES, COSINE_WEIGHT, WORDS_WEIGHT, retrieve

Question = dict[str, Any]
ORDER = random.Random(7)  # noqa: S311  # Which questions, not which secrets.


def write_corpus(data: Path, folder: Path) -> dict[str, str]:
    """Write corpus.jsonl as .txt files; the file of each document id."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, line in enumerate((data / "corpus.jsonl").read_text("utf-8").split("\n")):
        if line:
            document = json.loads(line)
            name = re.sub(r"[^\w.,()-]+", "_", document["id"])[:80]
            taken = f"{name}.txt" in files.values()
            files[document["id"]] = f"{name}_{number}.txt" if taken else f"{name}.txt"
            (folder / files[document["id"]]).write_text(document["text"], "utf-8")
    return files


def normal(text: str) -> list[str]:
    """The words of an answer as SQuAD compares them."""
    bare = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(?:a|an|the)\b", " ", bare).split()


def overlap(given: str, wanted: str) -> float:
    """SQuAD's F1 of two short answers."""
    mine, theirs = normal(given), normal(wanted)
    same = sum((Counter(mine) & Counter(theirs)).values())
    return 2 * same / (len(mine) + len(theirs)) if same else 0.0


def rankings(question: str, index: Index) -> dict[str, list[int]]:
    """Chunk ids, best first, as each peer ranks them."""
    vector = index.embedder.question(question)
    dense = dict(index.search(vector, CANDIDATES))
    words = dict(index.match(question, CANDIDATES))
    every = list(dict.fromkeys([*dense, *words]))
    cosines = dict(zip(every, (index.vectors(every) @ vector[0]).tolist(), strict=True))
    places = [
        {id: place for place, id in enumerate(sorted(side, key=lambda id: -side[id]))}
        for side in (dense, words)
    ]
    best = max(words.values(), default=1.0)
    scores: dict[str, Callable[[int], float]] = {
        "dense": lambda id: cosines[id],
        "words": lambda id: words.get(id, 0.0),
        "ranks": lambda id: sum(1 / (60 + place[id]) for place in places if id in place),
        "sum": lambda id: COSINE_WEIGHT * cosines[id] + WORDS_WEIGHT * words.get(id, 0.0) / best,
    }
    return {name: sorted(every, key=lambda id: -score(id))[:10] for name, score in scores.items()}


def measure(questions: list[Question], index: Index, files: dict[str, str]) -> None:
    """Print the tables."""
    found: dict[str, list[list[bool]]] = {}
    seconds: list[float] = []
    right, short, refused, conflicts = [], [], {True: [], False: []}, {True: [], False: []}
    wrong: list[str] = []
    for question in questions:
        text, answers = question["question"], question["answers"]
        documents = [
            one if isinstance(one, str) else one["doc"] for one in question.get("evidence", [])
        ]
        wanted = {files.get(document, document) for document in documents}
        history = replay([str(one) for one in question.get("history", [])], index)

        def holds(id: int, wanted: set[str] = wanted, answers: list[str] = answers) -> bool:
            chunk = index.chunk(id)
            body = " ".join(chunk.text.split()).lower()
            return chunk.file in wanted and any(answer.lower() in body for answer in answers)

        if question["answerable"] and not history:
            ranked = rankings(text, index)
            hits = retrieve(text, index)
            findings = find(text, hits, index, load_reader())
            ranked["footnote"] = [finding.hit.chunk.id for finding in findings]
            for name, ids in ranked.items():
                found.setdefault(name, []).append([holds(id) for id in ids])
        started = time.perf_counter()
        *_, answer = ask(text, index, history=history)
        seconds.append(time.perf_counter() - started)
        refused[question["answerable"]].append(not answer.answered)
        disputed = bool(question.get("conflicting")) or question.get("type") == "conflict"
        if question["answerable"]:
            conflicts[disputed].append(bool(answer.conflict))
            said = " ".join(answer.text.split()).lower()
            good = any(one.lower() in said for one in answers) and bool(
                wanted & {citation.file for citation in answer.citations}
            )
            right.append(good)
            short.append(max(overlap(answer.short_answer or "", one) for one in answers))
            if not good:
                wrong.append(f"  wrong    {text}  ->  {answer.text[:110]!r}")
        elif answer.answered:
            wrong.append(f"  invented {text}  ->  {answer.text[:110]!r}")
        if question["answerable"] and answer.conflict and not disputed:
            wrong.append(f"  conflict {text}  ->  {[one.value for one in answer.conflict]}")

    print("| passages | answer in the first | first 5 | first 10 |")
    print("|---|---|---|---|")
    for name, rows in found.items():
        shares = [float(np.mean([any(row[:count]) for row in rows])) for count in (1, 5, 10)]
        print(f"| {name} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")

    def share(values: list[bool] | list[float]) -> str:
        return f"{np.mean(values):.3f} of {len(values)}" if values else "-"

    print("\n| answers | |\n|---|---|")
    print(f"| right, from the right file | {share(right)} |")
    print(f"| F1 of the short answer, answerable questions | {share(short)} |")
    print(f"| false refusals | {share(refused[True])} |")
    print(f"| refused, of those without an answer | {share(refused[False])} |")
    print(f"| conflicts shown where sources disagree | {share(conflicts[True])} |")
    print(f"| conflicts shown where none is known | {share(conflicts[False])} |")
    median, slow = np.percentile(seconds, [50, 95]) * 1000
    print(f"| one answer, median and 95th percentile | {median:.0f} ms, {slow:.0f} ms |")
    print("\n".join(["", *wrong[:60]]))


def main() -> None:
    """Read the flags, build the index if there is none, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="a folder of articles, or one with corpus.jsonl")
    parser.add_argument("--set", type=Path, help="question file (default: DATA/queries.jsonl)")
    parser.add_argument("--questions", type=int, default=10**9, help="how many of each kind")
    parser.add_argument("--work", type=Path, default=Path(".quality"))
    chosen = parser.parse_args()
    files: dict[str, str] = {}
    articles, folder = chosen.data, chosen.work / chosen.data.resolve().name
    if (chosen.data / "corpus.jsonl").exists():
        articles = folder / "articles"
        files = write_corpus(chosen.data, articles)
    for step in build([articles], folder / ".rag"):
        if step.report:
            print(f"{step.report.articles} articles, {step.report.chunks} passages\n")
    lines = (chosen.set or chosen.data / "queries.jsonl").read_text("utf-8").split("\n")
    every = [json.loads(line) for line in lines if line]
    ORDER.shuffle(every)
    kept = Counter[bool]()
    questions = []
    for question in every:
        kept[question["answerable"]] += 1
        if kept[question["answerable"]] <= chosen.questions:
            questions.append(question)
    measure(questions, open_index(folder / ".rag"), files)


if __name__ == "__main__":
    main()
