"""A question in a new process, against the import that a tutorial's script begins with.

    python benchmarks/cold.py --articles 500

The commands run in turn, so that a busy machine slows all of them alike. `rag ask` starts Python,
opens the index, loads both models and answers; the peer only runs its import statement.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.rebuild import write_files
from index.build import build
from ui.evaluation import print_table

ROOT = Path(__file__).parent.parent
QUESTION = "Who keeps the harbour lamp?"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long a command takes as a whole process."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - started


def main() -> None:
    """Build an index, run every command in turn, print a line a command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--runs", type=int, default=9)
    chosen = parser.parse_args()
    # Python keeps its bytecode, as it does unless told not to.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    rag = [sys.executable, "-m", "ui.cli"]
    with tempfile.TemporaryDirectory() as name:
        index = Path(name) / ".rag"
        write_files(Path(name) / "articles", chosen.articles)
        *_, last = build([Path(name) / "articles"], index)
        commands = {
            "import sentence_transformers": [sys.executable, "-c", "import sentence_transformers"],
            "rag ask": [*rag, "ask", QUESTION, "--index", str(index)],
            "rag search": [*rag, "search", QUESTION, "--index", str(index)],
            "rag --help": [*rag, "--help"],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(chosen.runs + 1):
            for name, command in commands.items():
                one = seconds(command, environment)
                if run:  # The first run fills the caches of the disk.
                    taken[name].append(one)
    peer = float(np.median(taken["import sentence_transformers"]))
    print_table(
        ("command", "median, s", "slowest, s", "times faster than the import"),
        [
            (name, f"{np.median(all):.3f}", f"{max(all):.3f}", f"{peer / np.median(all):.1f}")
            for name, all in taken.items()
        ],
    )
    if last.report:
        print(f"{last.report.articles} articles, {last.report.chunks} passages")


if __name__ == "__main__":
    main()
