"""Passages embedded a second, against sentence-transformers with its defaults, in turn.

    python benchmarks/embed.py --index .quality/squad2_articles/.rag --passages 400
    python benchmarks/embed.py --quality ../shared/data/timeqa_human --articles 150

The passages are those of an index, with their titles, as a build embeds them. With --quality, they
are those of some articles of a question set (corpus.jsonl and queries.jsonl), and what is printed
is how often the answer stands in the nearest ones, by our vectors and by the original model's.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.quality import write_corpus
from index import open_index
from index.chunk import chunk_ranges
from index.embed import DEFAULT_MODEL, FEWEST_SHARED, default_model_files, load_embedder
from index.read import read_article
from index.types import Matrix
from rag.evaluate import holds
from ui.evaluation import print_table

ORDER = random.Random(1)  # noqa: S311  # Which passages, not which secrets.


def quality(data: Path, count: int, models: Path) -> None:
    """Print how often the answer is in the nearest passages of `count` articles: ours, original."""
    passages, texts = [], []
    with tempfile.TemporaryDirectory() as folder:
        files = write_corpus(data, Path(folder))
        chosen = ORDER.sample(sorted(files.values()), min(count, len(files)))
        for file in chosen:
            article = read_article(file, (Path(folder) / file).read_bytes())
            for start, end in chunk_ranges(article):
                passages.append((file, article.shown(start, end)))
                texts.append(f"{article.title}\n{passages[-1][1]}")
    questions, wanted = [], []
    for line in filter(None, (data / "queries.jsonl").read_text("utf-8").split("\n")):
        question = json.loads(line)
        named = [one if isinstance(one, str) else one["doc"] for one in question["evidence"]]
        documents = {files.get(name, name) for name in named}.intersection(chosen)
        if question["answerable"] and not question.get("history") and documents:
            questions.append(question)
            wanted.append(documents)
    print(f"{len(chosen)} articles, {len(texts)} passages, {len(questions)} questions\n")
    peer = SentenceTransformer(str(default_model_files()), device="cpu")
    embedder = load_embedder(DEFAULT_MODEL, models)
    # In batches, as a build gives them, and too few for a GPU to be asked.
    batches = [texts[at : at + FEWEST_SHARED] for at in range(0, len(texts), FEWEST_SHARED)]
    ours = np.vstack([embedder.passages(batch) for batch in batches])
    ours_asked = np.vstack([embedder.question(question["question"]) for question in questions])
    exact: Matrix = peer.encode_document(texts, normalize_embeddings=True)
    exact_asked: Matrix = peer.encode_query(
        [question["question"] for question in questions], normalize_embeddings=True
    )
    held: dict[str, list[list[bool]]] = {}
    for name, rows, asked in (
        ("original for both", exact, exact_asked),
        ("int8 for both", ours, ours_asked),
        ("original for passages, int8 for questions", exact, ours_asked),
    ):
        held[name] = [
            [
                passages[id][0] in documents and holds(passages[id][1], question["answers"])
                for id in np.argsort(-(rows @ vector), kind="stable")[:10]
            ]
            for question, documents, vector in zip(questions, wanted, asked, strict=True)
        ]
    table = []
    for name, found in held.items():
        values = []
        for first in (1, 5, 10):
            pairs = [
                (any(one[:first]), any(other[:first]))
                for one, other in zip(found, held["original for both"], strict=True)
            ]
            gained, lost = pairs.count((True, False)), pairs.count((False, True))
            share = np.mean([one for one, _ in pairs])
            values.append(f"{share:.3f} (+{gained} -{lost})")
        table.append((name, *values))
    print_table(("vectors", "answer in the first", "first 5", "first 10"), table)
    print(f"\nmean cosine of a passage's two vectors: {np.mean((ours * exact).sum(axis=1)):.4f}")


def main() -> None:
    """Embed the same passages with both, in turn; print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", type=Path, default=Path(".rag"))
    parser.add_argument("--passages", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quality", type=Path, help="a folder with corpus.jsonl, queries.jsonl")
    parser.add_argument("--articles", type=int, default=150, help="how many of them, for --quality")
    parser.add_argument("--work", type=Path, default=Path(".quality"))
    chosen = parser.parse_args()
    if chosen.quality:
        quality(chosen.quality, chosen.articles, chosen.work / "models")
        return
    index = open_index(chosen.index)
    ids = ORDER.sample(range(index.manifest.chunks), min(chosen.passages, index.manifest.chunks))
    chunks = [index.chunk(id) for id in ids]
    texts = [f"{chunk.title}\n{chunk.text}" for chunk in chunks]
    peer = SentenceTransformer(str(default_model_files()), device="cpu")
    embedders: dict[str, Callable[[list[str]], Any]] = {
        "SentenceTransformer.encode": lambda texts: peer.encode(texts, normalize_embeddings=True),
        "footnote": index.embedder.passages,
    }
    taken: dict[str, list[float]] = {name: [] for name in embedders}
    vectors = {}
    for run in range(chosen.runs + 1):
        for name, embed in embedders.items():
            started = time.perf_counter()
            vectors[name] = embed(texts)
            if run:  # The first run warms up.
                taken[name].append(time.perf_counter() - started)
    exact = vectors["SentenceTransformer.encode"]
    slowest = float(np.median(taken["SentenceTransformer.encode"]))
    print_table(
        ("", "passages a second", "times the peer", "mean cosine to the peer's vector"),
        [
            (
                name,
                f"{len(texts) / np.median(all):.0f}",
                f"{slowest / np.median(all):.2f}",
                f"{np.mean((vectors[name] * exact).sum(axis=1)):.3f}",
            )
            for name, all in taken.items()
        ],
    )


if __name__ == "__main__":
    main()
