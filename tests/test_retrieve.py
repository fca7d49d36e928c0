"""Passages are found by meaning and by words, and asking stays light."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index
from rag.retrieve import COSINE_WEIGHT, WORDS_WEIGHT, retrieve

Make = Callable[[dict[str, str]], Index]
HEAVY = {"torch", "transformers", "sentence_transformers", "gradio", "scipy", "sklearn"}
ASK = """
import json, sys
from index import open_index
from rag.answer import ask
*_, answer = ask("Who designed the tower at Skerrow Point?", open_index(sys.argv[1]))
print(json.dumps([answer.short_answer, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_asking_imports_nothing_heavy(sample_index: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASK, str(sample_index)], capture_output=True, text=True, check=True
    )
    short, modules = json.loads(ran.stdout)
    assert short == "Edwin P. Lorne"
    assert HEAVY & set(modules) == set()
    assert "onnxruntime" in modules


@pytest.mark.parametrize(
    ("question", "file", "words"),
    [
        ("How many glass pieces does the lens have?", "skerrow-light.md", "1,008 pieces"),
        ("What stopped the steel from rusting through?", "orrin-bridge-repair.txt", "bearings"),
        ("PTFE", "orrin-bridge-repair.txt", "PTFE"),
        ("Kazachstania", "sourdough-study.md", "Kazachstania"),
        ("How do insects survive frost together?", "hive-winter.html", "bees"),
    ],
)
def test_meaning_and_words_both_find_the_passage(
    sample: Index, question: str, file: str, words: str
) -> None:
    best = retrieve(question, sample, limit=1)[0]
    assert best.chunk.file == file
    assert words in best.chunk.text


def test_hits_are_sorted_fused_and_true_to_the_article(sample: Index) -> None:
    hits = retrieve("How much did the repair of the Orrin Bridge cost?", sample, limit=12)
    assert len({hit.chunk.id for hit in hits}) == 12
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    most = max(hit.bm25 for hit in hits)
    for hit in hits:
        fused = COSINE_WEIGHT * hit.cosine + WORDS_WEIGHT * hit.bm25 / most
        assert hit.score == pytest.approx(fused)
        text = sample.article(hit.chunk.file).text
        assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text
    assert {hit.chunk.file for hit in hits[:2]} == {
        "orrin-bridge-repair.txt",
        "weir-footbridge.html",
    }


def test_the_same_question_gives_the_same_hits(sample: Index) -> None:
    assert retrieve("salt and steel", sample) == retrieve("salt and steel", sample)


def test_only_keeps_to_the_files_that_fit(sample: Index) -> None:
    hits = retrieve("How tall is the tower?", sample, limit=50, only="nature/*")
    assert {hit.chunk.file.split("/")[0] for hit in hits} == {"nature"}
    assert sorted({hit.chunk.file for hit in hits}) == [
        "nature/hollin-seed-bank.md",
        "nature/kalde-glacier.txt",
        "nature/ness-saltmarsh.html",
        "nature/wader-counts.txt",
    ]
    assert retrieve("How tall is the tower?", sample, only="nothing/*") == []


def test_a_word_that_only_one_of_many_passages_has_is_found(make_index: Make) -> None:
    files = {f"{n}.txt": f"Meeting {n}. The council spoke about roads.\n" for n in range(150)}
    files["odd.txt"] = "Meeting. The council spoke about roads and the QXV valve.\n"
    hits = retrieve("QXV", make_index(files), limit=3)
    assert hits[0].chunk.file == "odd.txt"
    assert hits[0].bm25 > 0
    assert [hit.bm25 for hit in hits[1:]] == [0, 0]


def test_the_limit_may_exceed_what_there_is(make_index: Make) -> None:
    index = make_index({"a.txt": "The ferry leaves at six."})
    assert [hit.chunk.file for hit in retrieve("ferry", index, limit=500)] == ["a.txt"]
    assert retrieve("ferry", index, limit=0) == []


@pytest.mark.parametrize(
    "question", ["Is this it?", "of and the", "?!", '"', "NOT", "zzzq:*", "🙂", "x" * 2000]
)
def test_a_question_of_no_words_still_has_nearest_passages(sample: Index, question: str) -> None:
    hits = retrieve(question, sample, limit=3)
    assert len(hits) == 3
    assert [hit.bm25 for hit in hits] == [0, 0, 0]
