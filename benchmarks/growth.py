"""What an index costs against its size: build, open, ask, change a file, memory, disk.

    python benchmarks/growth.py --index .quality/warm/.rag --plot docs/growth.svg

Articles are made of made-up words, as frequent as words are (Zipf), 28 passages a file. Their
vectors are prepared: mixtures of those of --index with noise, as in size.py; only up to --embedded
passages are texts embedded too, and above the time is extrapolated from there. Every size is
built, asked and changed in processes of its own, all that they write is below --work.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import index.build as builds
from benchmarks.size import like, resident
from index import Index, open_index
from index.embed import DEFAULT_MODEL, load_embedder
from index.types import Embedder, Matrix
from rag import ask
from rag.retrieve import retrieve
from ui.evaluation import print_table

SYLLABLES = "ba ke lo mi nu ra se ti vo da fe gu hi jo la me no pu ri so ta ve wa xi yo za".split()
VOCABULARY = 150_000
SENTENCES, LENGTH, PASSAGES = 140, 16, 28  # Of an article; words of a sentence; what comes of it.
QUESTIONS, WORDS = 60, 7
BEST = 10
WARM_UP = 5
Made = dict[str, Any]


class Prepared:
    """An embedder whose vectors are there already; the questions are vectors like them."""

    def __init__(self, real: Embedder, vectors: Matrix, questions: Matrix) -> None:
        self.name, self.fingerprint = real.name, real.fingerprint
        self.dimension = real.dimension
        self._vectors, self._questions = vectors, questions
        self._next, self._asked = 0, 0

    def passages(self, texts: Sequence[str]) -> Matrix:
        """The next vectors, whatever the texts."""
        rows = (self._next + np.arange(len(texts))) % len(self._vectors)
        self._next += len(texts)
        return self._vectors[rows]

    def question(self, text: str) -> Matrix:
        """The next question's vector, shape (1, dimension)."""
        self._asked += 1
        return self._questions[[(self._asked - 1) % len(self._questions)]]


def sentences(chance: np.random.Generator, words: np.ndarray) -> Iterator[str]:
    """Sentences of made-up words, without end."""
    shares = 1 / (np.arange(VOCABULARY) + 2.7)
    bounds = np.cumsum(shares / shares.sum())
    while True:
        drawn = words[np.searchsorted(bounds, chance.random(LENGTH * 4096)) % VOCABULARY]
        for row in drawn.reshape(-1, LENGTH).tolist():
            yield f"{' '.join(row).capitalize()}."


def vocabulary(chance: np.random.Generator) -> np.ndarray:
    """Made-up words, the frequent ones short."""
    lengths = np.clip(1 + np.log10(np.arange(VOCABULARY) + 1), 1, 5).astype(int)
    return np.array(["".join(chance.choice(SYLLABLES, length)) for length in lengths])


def write_files(folder: Path, passages: int) -> int:
    """Write articles with about so many passages; returns how many files they are."""
    chance = np.random.default_rng(5)
    told = sentences(chance, vocabulary(chance))
    files = max(1, passages // PASSAGES)
    for number in range(files):
        path = folder / f"{number % 100:02d}" / f"note-{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        said = [next(told) for _ in range(SENTENCES)]
        paragraphs = [" ".join(said[first : first + 5]) for first in range(0, SENTENCES, 5)]
        path.write_text("\n\n".join([f"Note {number}", *paragraphs]), "utf-8")
    return files


def run_build(articles: Path, folder: Path, embedder: Embedder) -> tuple[float, float]:
    """Seconds of a build in this process, and the megabytes it took at most."""
    builds.load_embedder = lambda name, models: embedder
    before = resident()
    started = time.perf_counter()
    for _ in builds.build([articles], folder):
        pass
    return time.perf_counter() - started, peak() - before


def peak() -> float:
    """The most megabytes that this process had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def asked(folder: Path, embedder: Embedder) -> Made:
    """Seconds to open, milliseconds of retrieval and of whole answers, megabytes."""
    before = resident()
    started = time.perf_counter()
    index = open_index(folder)
    opened = time.perf_counter() - started
    index._embedder = embedder
    chance = np.random.default_rng(9)
    ids = chance.choice(index.chunk_ids(), QUESTIONS)
    questions = [
        " ".join(chance.choice(index.chunk(int(id)).text.split(), WORDS)).replace(".", "") + "?"
        for id in ids
    ]
    times: dict[str, list[float]] = {"search": [], "words": [], "retrieve": [], "ask": []}
    for number, question in enumerate(questions):
        vector = embedder.question(question)
        marks = [time.perf_counter()]
        index.search(vector, 50)
        marks.append(time.perf_counter())
        index.match(question, 50)
        marks.append(time.perf_counter())
        retrieve(question, index)
        marks.append(time.perf_counter())
        list(ask(question, index))
        marks.append(time.perf_counter())
        if number >= WARM_UP:
            for name, first, last in zip(times, marks, marks[1:], strict=False):
                times[name].append(1000 * (last - first))
    build = index.build
    disk = sum(path.stat().st_size for path in build.rglob("*") if path.is_file())
    return {
        "open": opened,
        "memory": resident() - before,
        "disk": disk / 1e6,
        "kind": index.manifest.kind,
        **{name: (np.median(found), np.percentile(found, 95)) for name, found in times.items()},
    }


def recall(index: Index, vectors: Matrix, questions: Matrix) -> float:
    """The share of the ten nearest passages that the search finds, by the vectors as prepared."""
    best = np.full((len(questions), BEST), -1.0, np.float32)
    nearest = np.zeros((len(questions), BEST), np.int64)
    for first in range(0, index.manifest.chunks, 50_000):
        some = np.arange(first, min(first + 50_000, index.manifest.chunks))
        scores = np.hstack([best, questions @ vectors[some].T])
        candidates = np.hstack([nearest, np.tile(some, (len(questions), 1))])
        order = np.argsort(-scores, axis=1)[:, :BEST]
        best = np.take_along_axis(scores, order, 1)
        nearest = np.take_along_axis(candidates, order, 1)
    found = [{id for id, _ in index.search(question[None], BEST)} for question in questions]
    return float(
        np.mean(
            [len(set(one) & two) / BEST for one, two in zip(nearest.tolist(), found, strict=True)]
        )
    )


def measure(size: int, source: Path, work: Path, embedded: int) -> Made:
    """All figures of one size; each step runs in a process of its own."""
    articles, folder = work / f"articles-{size}", work / f"index-{size}"
    made: Made = {"files": write_files(articles, size)}
    steps = {
        "build": _build,
        "ask": _ask,
        "recall": _recall,
        "same": _build,
        "change": _change,
        "ask_again": _ask,
    }
    if size <= embedded:
        steps = {"embedded": _embedded, **steps}
    for name, step in steps.items():
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            made[name] = pool.apply(step, (size, source, articles, folder))
        print(f"{size:,} passages, {name}: {made[name]}", file=sys.stderr)
    shutil.rmtree(articles)
    shutil.rmtree(folder)
    return made


def _prepared(size: int, source: Path) -> Prepared:
    index = open_index(source)
    real = index.vectors(index.chunk_ids())
    vectors = like(real, size + size // 10, np.random.default_rng(1))
    return Prepared(index.embedder, vectors, like(real, QUESTIONS, np.random.default_rng(2)))


def _build(size: int, source: Path, articles: Path, folder: Path) -> Made:
    embedder = _prepared(size, source)
    seconds, memory = run_build(articles, folder, embedder)
    ready = open_index(folder)
    return {"seconds": seconds, "peak": memory, "passages": ready.manifest.chunks}


def _embedded(size: int, source: Path, articles: Path, folder: Path) -> Made:
    """The same from texts alone, in a folder of its own."""
    aside = folder.with_name(f"{folder.name}-text")
    seconds, memory = run_build(articles, aside, load_embedder(DEFAULT_MODEL, source / "models"))
    shutil.rmtree(aside)
    return {"seconds": seconds, "peak": memory}


def _change(size: int, source: Path, articles: Path, folder: Path) -> Made:
    changed = articles / "00" / "note-0.txt"
    changed.write_text(changed.read_text("utf-8") + "\n\nThe keeper of Skerrow came in 1931.\n")
    real = load_embedder(DEFAULT_MODEL, source / "models")
    seconds, memory = run_build(articles, folder, real)
    return {"seconds": seconds, "peak": memory, "changes": open_index(folder).manifest.changes}


def _ask(size: int, source: Path, articles: Path, folder: Path) -> Made:
    return asked(folder, _prepared(1, source))


def _recall(size: int, source: Path, articles: Path, folder: Path) -> float:
    made = _prepared(size, source)
    return recall(open_index(folder), made._vectors, made._questions)


def rows(results: dict[int, Made]) -> Iterator[tuple[str, ...]]:
    """The table."""
    for size, made in results.items():
        first, again = made["ask"], made["ask_again"]
        yield (
            f"{size:,}",
            first["kind"],
            f"{made['build']['seconds']:.1f}",
            f"{made['build']['peak'] / 1000:.1f}",
            f"{first['open']:.3f}",
            *(f"{first[name][0]:.1f} / {first[name][1]:.1f}" for name in ("search", "words")),
            *(f"{first[name][0]:.0f} / {first[name][1]:.0f}" for name in ("retrieve", "ask")),
            f"{again['ask'][0] / first['ask'][0]:.2f}",
            f"{made['recall']:.3f}",
            f"{first['memory']:.0f}",
            f"{first['disk']:.0f}",
            f"{made['same']['seconds']:.2f}",
            f"{made['change']['seconds']:.2f}",
        )


def draw(results: dict[int, Made], path: Path) -> None:
    """Six small plots, both axes by powers of ten: what grows with the size is a straight line."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "footnote"
    import matplotlib.pyplot as plt

    sizes = list(results)
    lines = {
        "build without embedding, s": [made["build"]["seconds"] for made in results.values()],
        "one file changed, s": [made["change"]["seconds"] for made in results.values()],
        "open, ms": [1000 * made["ask"]["open"] for made in results.values()],
        "passages found, ms": [made["ask"]["retrieve"][0] for made in results.values()],
        "memory, MB": [made["ask"]["memory"] for made in results.values()],
        "disk, MB": [made["ask"]["disk"] for made in results.values()],
    }
    figure, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
    for place, (title, values) in zip(axes.flat, lines.items(), strict=True):
        place.loglog(sizes, np.maximum(values, 1e-2), marker="o", color="#8a3b12")
        # Whole powers of ten, so that what hardly grows looks flat.
        place.set_ylim(10 ** np.floor(np.log10(min(values))), 10 ** np.ceil(np.log10(max(values))))
        place.set_title(title, fontsize=10)
        place.grid(alpha=0.3)
    figure.supxlabel("passages", fontsize=10)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Print a line a size, and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", type=Path, default=Path(".rag"), help="where vectors come from")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--embedded", type=int, default=1_000, help="embed texts up to this size")
    parser.add_argument("--work", type=Path, help="folder for what is built (default: temporary)")
    parser.add_argument("--plot", type=Path, help="SVG file; needs matplotlib")
    parser.add_argument("--results", type=Path, help="JSON file of earlier sizes, added to")
    chosen = parser.parse_args()
    results: dict[int, Made] = {}
    if chosen.results and chosen.results.exists():
        results = {int(size): made for size, made in json.loads(chosen.results.read_text()).items()}
    with tempfile.TemporaryDirectory(dir=chosen.work) as name:
        for size in chosen.sizes:
            results[size] = measure(size, chosen.index, Path(name), chosen.embedded)
            if chosen.results:
                chosen.results.write_text(json.dumps(results, default=float))
    results = dict(sorted(results.items()))
    print_table(
        (
            "passages",
            "vectors",
            "build, s",
            "peak, GB",
            "open, s",
            "vectors, ms",
            "words, ms",
            "passages found, ms",
            "answer, ms",
            "after a change",
            f"recall@{BEST}",
            "memory, MB",
            "disk, MB",
            "no change, s",
            "a file changed, s",
        ),
        list(rows(results)),
    )
    for size, made in results.items():
        if "embedded" in made:
            print(f"{size:,} from text: {made['embedded']['seconds']:.0f} s")
    if chosen.plot:
        draw(results, chosen.plot)


if __name__ == "__main__":
    main()
