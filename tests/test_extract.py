"""Which windows the reader sees, and what it makes of them."""

from collections.abc import Callable, Sequence

from index import Index
from rag.extract import UNREAD, WINDOWS_READ, candidates, find
from rag.reader import load_reader
from rag.retrieve import retrieve
from rag.types import Reading

Make = Callable[[dict[str, str]], Index]


class Listening:
    """A reader that remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def read(self, question: str, passages: Sequence[str]) -> list[list[Reading]]:
        self.shown = list(passages)
        return load_reader().read(question, passages)


def long_article(name: str, count: int) -> str:
    sentences = (f"The mill of {name} ground {n} sacks of barley in the {n}th week of the year." * 2
                 for n in range(1, count))  # fmt: skip
    return f"The mill of {name}\n\n" + "\n\n".join(sentences) + "\n"


def test_only_the_promising_windows_are_read_and_one_of_each_article(make_index: Make) -> None:
    files = {f"{name}.txt": long_article(name, 40) for name in ("Dray", "Vik", "Corrach")}
    index = make_index(files)
    question = "How many sacks of barley did the mill of Dray grind?"
    hits = retrieve(question, index)
    reader = Listening()
    findings = find(question, hits, index, reader)
    assert len(reader.shown) == WINDOWS_READ
    assert len(findings) == len(hits)
    found = {finding.hit.chunk.file for finding in findings}
    read = {one.hit.chunk.file for one in findings if one.confidence != UNREAD}
    assert read == found


def test_what_was_not_read_never_comes_first(make_index: Make) -> None:
    index = make_index({"Dray.txt": long_article("Dray", 200)})
    question = "How many sacks of barley did the mill of Dray grind?"
    findings = find(question, retrieve(question, index), index, load_reader())
    confidences = [finding.confidence for finding in findings]
    assert confidences[0] > UNREAD


def test_the_title_says_what_a_window_is_about(make_index: Make) -> None:
    bridge = (
        "The Orrin Bridge\n\nTraffic is moving across it again after the repair, which cost four "
        "million euros and lasted for fourteen months in all. The mayor of the town, who had been "
        "waiting for this day ever since she was elected, drove across it first, in a borrowed car "
        "from before the war, and waved to whoever had come to see it.\n\n"
        "The steel arch was built in 1936 and has a span of 94 metres.\n"
    )
    index = make_index({"bridge.txt": bridge})
    question = "What is the span of the Orrin Bridge?"
    reader = Listening()
    best = find(question, retrieve(question, index), index, reader)[0]
    assert best.words.startswith("94 metres")
    assert any(text.startswith("The Orrin Bridge. The mayor") for text in reader.shown)
    assert best.article.text[slice(*best.span)] == best.words


def test_opening_words_are_no_title(make_index: Make) -> None:
    text = "Barley was ground here for many years, and then no longer, as the miller died. " * 8
    index = make_index({"001.txt": text + "The mill burned down in 1874."})
    question = "When did the mill burn down?"
    reader = Listening()
    spans = candidates(question, retrieve(question, index), index, reader)
    assert any(spans)
    assert not any(shown.startswith("Barley was ground here for") and ". The" in shown[:90]
                   for shown in reader.shown)  # fmt: skip
