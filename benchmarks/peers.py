"""Footnote beside what else people build, on the same articles and questions, in one run.

    python benchmarks/peers.py ../shared/data/squad2_articles --peers-python PYTHON

Each peer is set up as its own documents say, and runs in processes of its own, one that builds and
one that asks: `tutorial` cuts with RecursiveCharacterTextSplitter (1000 characters, 200 overlap),
embeds with SentenceTransformer, and searches a flat FAISS index; `bm25s` searches the same chunks
by words; `txtai` has its content and hybrid options on and the same model folder. PYTHON is one
that has txtai, bm25s and PyStemmer; without it these two are left out. All use the same weights.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FIRST = 5  # Passages that are looked at.
Search = Callable[[str], list[str]]


def chunks(articles: Path) -> list[str]:
    """The chunks of a folder, as the tutorials cut them."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    texts = [path.read_text("utf-8") for path in sorted(articles.glob("*.txt"))]
    return [chunk for text in texts for chunk in splitter.split_text(text)]


# --- The peers: build an index in a folder, and open it for searching ---------------------------


def build_tutorial(articles: Path, folder: Path, model: str) -> None:
    """Vectors of sentence-transformers in a flat FAISS index."""
    import faiss
    from sentence_transformers import SentenceTransformer

    texts = chunks(articles)
    vectors = SentenceTransformer(model).encode(texts, normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "vectors"))
    (folder / "texts.json").write_text(json.dumps(texts))


def open_tutorial(folder: Path, model: str) -> Search:
    """The same, opened."""
    import faiss
    from sentence_transformers import SentenceTransformer

    embedder = SentenceTransformer(model)
    index = faiss.read_index(str(folder / "vectors"))
    texts = json.loads((folder / "texts.json").read_text())

    def search(question: str) -> list[str]:
        _, found = index.search(embedder.encode([question], normalize_embeddings=True), FIRST)
        return [texts[place] for place in found[0]]

    return search


def build_bm25s(articles: Path, folder: Path, model: str) -> None:
    """Words alone, stemmed, without stop words."""
    import bm25s
    import Stemmer

    texts = json.loads((articles / "chunks.json").read_text())
    retriever = bm25s.BM25()
    tokens = bm25s.tokenize(texts, "en", stemmer=Stemmer.Stemmer("english"), show_progress=False)
    retriever.index(tokens, show_progress=False)
    retriever.save(folder, corpus=texts)


def open_bm25s(folder: Path, model: str) -> Search:
    """The same, opened by memory map."""
    import bm25s
    import Stemmer

    retriever = bm25s.BM25.load(folder, load_corpus=True, mmap=True)
    stemmer = Stemmer.Stemmer("english")

    def search(question: str) -> list[str]:
        tokens = bm25s.tokenize(question, "en", stemmer=stemmer, show_progress=False)
        found, _ = retriever.retrieve(tokens, k=FIRST, show_progress=False)
        return [one["text"] for one in found[0]]

    return search


def build_txtai(articles: Path, folder: Path, model: str) -> None:
    """Vectors and words, with the texts kept."""
    from txtai import Embeddings

    embeddings = Embeddings(path=model, content=True, hybrid=True)
    embeddings.index(json.loads((articles / "chunks.json").read_text()))
    embeddings.save(str(folder / "index"))


def open_txtai(folder: Path, model: str) -> Search:
    """The same, opened."""
    from txtai import Embeddings

    embeddings = Embeddings()
    embeddings.load(str(folder / "index"))
    return lambda question: [one["text"] for one in embeddings.search(question, FIRST)]


def build_footnote(articles: Path, folder: Path, model: str) -> None:
    """`rag index`."""
    sys.path.insert(0, str(ROOT))
    from index.build import build

    for _ in build([articles], folder):
        pass


def open_footnote(folder: Path, model: str) -> Search:
    """`rag search`: passages that the reader has put in order."""
    sys.path.insert(0, str(ROOT))
    from rag import open_index, search

    index = open_index(folder)
    return lambda question: [hit.chunk.text for hit in search(question, index, limit=FIRST)]


# --- One process --------------------------------------------------------------------------------


def work(name: str, articles: Path, folder: Path, model: str) -> None:
    """Build where there is nothing, else ask; print what it took as JSON."""
    started = time.perf_counter()
    if not (folder / "built").exists():
        globals()[f"build_{name}"](articles, folder, model)
        (folder / "built").touch()
        print(json.dumps({"build": time.perf_counter() - started}))
        return
    questions = json.loads((articles / "questions.json").read_text())
    search: Search = globals()[f"open_{name}"](folder, model)
    search(questions[0]["question"])
    first = time.perf_counter() - started
    seconds, ranks = [], []
    for question in questions:
        began = time.perf_counter()
        found = search(question["question"])
        seconds.append(time.perf_counter() - began)
        held = [any(holds(text, answer) for answer in question["answers"]) for text in found]
        ranks.append(held.index(True) + 1 if True in held else 0)
    print(json.dumps({"first": first, "seconds": seconds, "ranks": ranks}))


def holds(text: str, answer: str) -> bool:
    """Whether an answer stands in a text, whatever the case and the spaces."""
    return " ".join(answer.split()).casefold() in " ".join(text.split()).casefold()


# --- All of them --------------------------------------------------------------------------------


def run(python: str, name: str, articles: Path, folder: Path, model: str) -> dict[str, Any]:
    """What one process printed last."""
    command = [python, __file__, "--work", name, str(articles), str(folder), model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()[-600:]}")
    printed: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return printed


def prepare(data: Path, folder: Path, articles: int, questions: int) -> None:
    """Write so many articles, those with questions first, and questions about them."""
    asked = [json.loads(line) for line in (data / "queries.jsonl").open(encoding="utf-8")]
    asked = [one for one in asked if one.get("answerable", True) and one["answers"]]
    documents = {
        one["id"]: one["text"]
        for one in map(json.loads, (data / "corpus.jsonl").open(encoding="utf-8"))
    }
    wanted = dict.fromkeys(one["evidence"][0]["doc"] for one in asked)
    chosen = list(dict.fromkeys([*wanted, *documents]))[:articles]
    for number, id in enumerate(chosen):
        (folder / f"{number:04d}.txt").write_text(documents[id], "utf-8")
    kept = [one for one in asked if one["evidence"][0]["doc"] in set(chosen)]
    step = max(1, len(kept) // questions)
    told = [{"question": one["question"], "answers": one["answers"]} for one in kept[::step]]
    (folder / "questions.json").write_text(json.dumps(told[:questions]))
    (folder / "chunks.json").write_text(json.dumps(chunks(folder)))


def main() -> None:
    """Prepare, run every peer, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--peers-python", help="a Python that has txtai, bm25s and PyStemmer")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from index.embed import DEFAULT_MODEL, default_model_files, load_embedder

    model = str(default_model_files())
    peers = {"footnote": sys.executable, "tutorial": sys.executable}
    if chosen.peers_python:
        peers |= {"bm25s": chosen.peers_python, "txtai": chosen.peers_python}
    print("| | build, s | start to first passages, s | a question, ms | in the first | first 5 |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        articles = Path(temporary) / "articles"
        articles.mkdir()
        prepare(chosen.data, articles, chosen.articles, chosen.questions)
        for name, python in peers.items():
            folder = Path(temporary) / name
            folder.mkdir()
            if name == "footnote":  # Once a machine, and not again for another build.
                began = time.perf_counter()
                load_embedder(DEFAULT_MODEL, folder / "models")
                converted = time.perf_counter() - began
            built = run(python, name, articles, folder, model)
            asked = run(python, name, articles, folder, model)
            median = statistics.median(asked["seconds"]) * 1000
            ranks = asked["ranks"]
            print(
                f"| {name} | {built['build']:.1f} | {asked['first']:.2f} | {median:.1f} "
                f"| {sum(rank == 1 for rank in ranks) / len(ranks):.3f} "
                f"| {sum(rank > 0 for rank in ranks) / len(ranks):.3f} |",
                flush=True,
            )
        print(f"\nThe model was converted before footnote's build, in {converted:.1f} s.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5])
    else:
        main()
