"""Passages embedded a second, against sentence-transformers with its defaults, in turn.

    python benchmarks/embed.py --index .quality/squad2_articles/.rag --passages 400

The passages are those of an index, with their titles, as a build embeds them.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import open_index
from index.embed import default_model_files
from ui.evaluation import print_table

ORDER = random.Random(1)  # noqa: S311  # Which passages, not which secrets.


def main() -> None:
    """Embed the same passages with both, in turn; print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", type=Path, default=Path(".rag"))
    parser.add_argument("--passages", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
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
