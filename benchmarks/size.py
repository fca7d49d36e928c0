"""Vector search against size: what exact search and lists cost at each.

    python benchmarks/size.py --index .quality/warm/.rag --sizes 10000 100000 1000000

Vectors are made from those of an index: two real ones mixed, with noise, so that they cluster as
text does. Questions are made alike. Recall is against exact search in single precision.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from index import open_index
from index.types import Matrix
from index.vectors import EXACT, LISTS, Vectors, write_vectors
from ui.evaluation import print_table

NOISE = 0.35  # Length of the noise, against 1 for the mixed vector.
MIXED = 0.3  # Share of the second vector, at most.
QUESTIONS = 100
BEST = 10


def like(real: Matrix, count: int, chance: np.random.Generator) -> Matrix:
    """Unit vectors like real ones, shape (count, dimension)."""
    made = np.empty((count, real.shape[1]), np.float32)
    for first in range(0, count, 50_000):
        rows = min(50_000, count - first)
        one, two = chance.integers(0, len(real), (2, rows))
        share = chance.random((rows, 1), np.float32) * MIXED
        noise = chance.standard_normal((rows, real.shape[1]), np.float32)
        noise *= NOISE / np.sqrt(real.shape[1])
        made[first : first + rows] = real[one] * (1 - share) + real[two] * share + noise
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def resident() -> float:
    """Megabytes of this process in memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measured(vectors: Matrix, questions: Matrix, path: Path, kind: str) -> tuple[str, ...]:
    """A row of the table for these vectors, kept in this way."""
    exact = np.argpartition(-(questions @ vectors.T), BEST, axis=1)[:, :BEST]
    started = time.perf_counter()
    write_vectors(path, vectors, kind)
    built = time.perf_counter() - started
    before = resident()
    started = time.perf_counter()
    index = Vectors([path])
    opened = time.perf_counter() - started
    memory = resident() - before
    taken, found = [], []
    for question in questions:
        started = time.perf_counter()
        hits = index.search(question[None], 50)
        taken.append(1000 * (time.perf_counter() - started))
        found.append([row for row, _ in hits[:BEST]])
    pairs = zip(found, exact, strict=True)
    recall = np.mean([len(set(one) & set(other)) / BEST for one, other in pairs])
    return (
        f"{len(vectors):,}",
        kind,
        f"{built:.2f}",
        f"{opened:.2f}",
        f"{np.median(taken):.2f}",
        f"{np.percentile(taken, 95):.2f}",
        f"{recall:.3f}",
        f"{memory:.0f}",
        f"{path.stat().st_size / 1e6:.0f}",
    )


def main() -> None:
    """Print a line a size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", type=Path, default=Path(".rag"), help="where vectors come from")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    chosen = parser.parse_args()
    index = open_index(chosen.index)
    real = index.vectors(index.chunk_ids())
    chance = np.random.default_rng(1)
    questions = like(real, QUESTIONS, chance)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in chosen.sizes:
            vectors = like(real, size, chance)
            rows += [
                measured(vectors, questions, Path(folder) / kind, kind) for kind in (EXACT, LISTS)
            ]
    print_table(
        (
            "passages",
            "kept as",
            "write, s",
            "open, s",
            "median, ms",
            "95th, ms",
            f"recall@{BEST}",
            "memory, MB",
            "disk, MB",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
