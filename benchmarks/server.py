"""The browser chat as a server: how soon it answers, its memory, and twenty who ask at once.

    python benchmarks/server.py --index .rag

Starts `rag ui`, asks through its public `ask` as gradio_client does, and stops it. Memory is what
the system counts as resident (Linux).
"""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client

sys.path.insert(0, str(Path(__file__).parent.parent))

from index.manifest import current_build, read_manifest
from ui.evaluation import print_table

ROOT = Path(__file__).parent.parent
QUESTION = "What is told of the year {}?"
ALONE = 7


def resident(process: int) -> float:
    """Megabytes of a process in memory."""
    lines = Path(f"/proc/{process}/status").read_text().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


def main() -> None:
    """Start the server, ask, stop it, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--index", type=Path, default=Path(".rag"))
    parser.add_argument("--askers", type=int, default=20)
    parser.add_argument("--port", type=int, default=7971)
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "ui.cli", "ui", "--index", str(chosen.index.absolute())]
    started = time.perf_counter()
    server = subprocess.Popen(  # noqa: S603
        [*command, "--port", str(chosen.port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in server.stdout or ():
            if " at http" in line:
                break
        listening = time.perf_counter() - started
        client = Client(f"http://127.0.0.1:{chosen.port}", verbose=False)

        def ask(year: int) -> float:
            asked = time.perf_counter()
            client.predict(QUESTION.format(year), api_name="/ask")
            return time.perf_counter() - asked

        ask(1900)
        first = time.perf_counter() - started
        alone = sorted(ask(1901 + number) for number in range(ALONE))[ALONE // 2]
        begun = time.perf_counter()
        with ThreadPoolExecutor(chosen.askers) as pool:
            waits = list(pool.map(ask, range(1950, 1950 + chosen.askers)))
        whole = time.perf_counter() - begun
        memory = resident(server.pid)
    finally:
        server.terminate()
        server.wait()
    rows = [
        ("started to listening, s", f"{listening:.2f}"),
        ("started to the first answer, s", f"{first:.2f}"),
        ("one asker, median, s", f"{alone:.3f}"),
        (f"{chosen.askers} askers at once, longest wait, s", f"{max(waits):.2f}"),
        ("longest wait / one asker's", f"{max(waits) / alone:.1f}"),
        ("answers a second", f"{chosen.askers / whole:.1f}"),
        ("memory, MB", f"{memory:.0f}"),
    ]
    print_table(("", "value"), rows)
    print(f"{read_manifest(current_build(chosen.index)).chunks} passages")


if __name__ == "__main__":
    main()
