"""A rebuild after no change and after one, against a full build, on generated files.

    python benchmarks/rebuild.py --files 10000

Words are drawn from a short list, so that nothing is read from elsewhere; the passages are as long
as those of articles.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from index.build import Report, build
from ui.evaluation import print_table

WORDS = (
    "harbour lamp river bridge stone winter miller council ledger salt herring tower keeper island "
    "market wagon barley copper school engine canal orchard glacier valley letter captain garden"
).split()
PARAGRAPHS, SENTENCES, LENGTH = 3, 5, 10
FOLDERS = 100


def write_files(folder: Path, count: int) -> list[Path]:
    """Articles of about a thousand characters, a hundredth of them in each folder."""
    chance = random.Random(1)  # noqa: S311  # Which words, not which secrets.
    paths = []
    for number in range(count):
        paragraphs = [
            " ".join(
                f"{' '.join(chance.choices(WORDS, k=LENGTH)).capitalize()}."
                for _ in range(SENTENCES)
            )
            for _ in range(PARAGRAPHS)
        ]
        path = folder / f"{number % FOLDERS:02d}" / f"note-{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join([f"Note {number} on {chance.choice(WORDS)}", *paragraphs])
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths


def timed(source: Path, index: Path) -> tuple[float, Report]:
    """Seconds that a build takes in this process, and what it found."""
    started = time.perf_counter()
    *_, last = build([source], index)
    if last.report is None:
        raise AssertionError("A build that ends without a report raises.")
    return time.perf_counter() - started, last.report


def main() -> None:
    """Print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source, index = Path(name) / "articles", Path(name) / ".rag"
        paths = write_files(source, chosen.files)
        runs = [("full build", *timed(source, index)), ("no change", *timed(source, index))]
        with paths[len(paths) // 2].open("a", encoding="utf-8") as file:
            file.write("\n\nA line about a brass pump was added.\n")
        runs.append(("one file changed", *timed(source, index)))
        paths[1].rename(paths[1].with_name("renamed.txt"))
        runs.append(("one file renamed", *timed(source, index)))
    whole = runs[0][1]
    print_table(
        ("run", "seconds", "share of a full build", "passages embedded"),
        [
            (name, f"{seconds:.2f}", f"1/{whole / seconds:.0f}", str(report.embedded))
            for name, seconds, report in runs
        ],
    )
    print(f"{runs[0][2].articles} files, {runs[0][2].chunks} passages")


if __name__ == "__main__":
    main()
