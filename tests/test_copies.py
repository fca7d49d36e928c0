"""One text in three papers is one witness; a number that was changed makes it two."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, open_index
from index.build import Report
from index.copies import Said, find_copies, find_near, sketch
from index.types import Article
from rag import ask
from rag.retrieve import retrieve
from ui.render import markdown
from ui.status import describe
from ui.terminal import answer_pieces

Make = Callable[[dict[str, str]], Index]
Rebuild = Callable[..., Report]
AGENCY = (
    "The ferry between Dray and the island of Sorrel ran aground on a sandbank on Tuesday morning. "
    "All 214 passengers were taken off by two lifeboats, and nobody was hurt. The harbour master, "
    "Ines Calloway, said that a buoy had drifted in the storm of the weekend and that the pilot "
    "had steered by it in good faith. The company that owns the ferry has hired a tug from the "
    "mainland, which is to pull it free at the next spring tide. Until then a fishing boat carries "
    "the post and whoever does not fear a wet hour at sea."
)
PAPERS = {
    "a.txt": f"Ferry aground off Sorrel\n\n{AGENCY}\n",
    "b.txt": f"214 saved from stranded ferry\n\nFrom our correspondent.\n\n{AGENCY}\n",
    "c.txt": f"{AGENCY.upper()}\n",
    "d.txt": "The lamp of Sorrel\n\nThe lamp on the island of Sorrel was lit in 1871.\n",
}
QUESTION = "How many passengers were taken off the ferry?"


def article(file: str, text: str, date: str = "") -> Article:
    return Article(file, file, text, numbered=True, date=date)


def copies(*articles: Article) -> dict[str, str]:
    """Which of these articles is a copy of which."""
    near = find_near({one.file: sketch(one) for one in articles}, {one.file for one in articles})
    return find_copies(near, {one.file: one.date for one in articles})


def test_copies_are_found_whatever_their_headline_and_case(make_index: Make) -> None:
    assert make_index(PAPERS).originals == {"b.txt": "a.txt", "c.txt": "a.txt"}


def test_a_copy_says_so_in_the_answer_and_takes_no_place(make_index: Make) -> None:
    index = make_index(PAPERS)
    *_, answer = ask(QUESTION, index)
    assert "214" in (answer.short_answer or "")
    assert not answer.conflict
    [citation] = answer.citations
    assert len(citation.copies) == 2
    assert {citation.file, *citation.copies} == {"a.txt", "b.txt", "c.txt"}
    assert citation.as_json()["copies"] == list(citation.copies)
    told = "".join(words for words, _ in answer_pieces(answer))
    assert f"also in {', '.join(citation.copies)}" in told
    assert "also in" in markdown(answer, lambda one: one.quote)
    found = [hit.chunk.file for hit in retrieve(QUESTION, index)]
    assert sorted(found).count("d.txt") == 1
    assert len(found) == 2


def test_what_a_copy_says_otherwise_is_still_found(make_index: Make) -> None:
    index = make_index({**PAPERS, "e.txt": f"Ferry\n\n{AGENCY.replace('214', '219')}\n"})
    assert index.originals["e.txt"] == "a.txt"
    *_, answer = ask(QUESTION, index)
    assert {value.value[-3:] for value in answer.conflict} == {"214", "219"}
    cited = {citation.file for citation in answer.citations}
    assert "e.txt" in cited
    assert all("e.txt" not in citation.copies for citation in answer.citations)


def test_the_oldest_of_several_is_the_original() -> None:
    articles = [article("a", AGENCY), article("b", AGENCY, "2020-05"), article("c", AGENCY, "2019")]
    assert copies(*articles) == {"a": "c", "b": "c"}


def test_a_quotation_is_no_copy() -> None:
    long = " ".join([AGENCY, *(f"Then much else was said, {n} times in all." for n in range(99))])
    assert copies(article("a", AGENCY), article("b", long)) == {}


def test_menus_do_not_make_articles_alike(make_index: Make) -> None:
    menu = "<nav>" + " ".join(f"<a>Section {n} of the paper</a>" for n in range(60)) + "</nav>"
    page = "<html><body>{}<article><h1>{}</h1><p>{}</p></article></body></html>"
    told = "The council met on Monday and spoke about {}, which pleased nobody who was there."
    index = make_index(
        {f"{word}.html": page.format(menu, word, told.format(word)) for word in ("tolls", "eels")}
    )
    assert index.originals == {}


def test_texts_too_short_to_compare() -> None:
    assert copies(article("a", ""), article("b", ""), article("c", "Four words only here.")) == {}


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        (AGENCY, True),
        (f"A ferry aground\n\n{AGENCY}", True),
        (f"219 saved\n\n{AGENCY}", False),
        (f"{AGENCY} Two were hurt.", False),
        (AGENCY.replace("nobody was", "two were"), False),
        (" ".join(AGENCY.split()[20:60]), True),
        ("Something else altogether was said.", False),
    ],
)
def test_a_passage_is_repeated_when_it_adds_nothing(text: str, repeated: bool) -> None:
    said = Said()
    said.add(AGENCY)
    assert said.repeats(text) == repeated


@pytest.mark.parametrize("changed", [5, 40])
def test_the_share_decides(changed: int) -> None:
    chance = random.Random(3)  # noqa: S311  # Which words, not which secrets.
    words = [f"word{chance.randrange(10_000)}" for _ in range(600)]
    other = list(words)
    for place in chance.sample(range(600), changed):
        other[place] = "otherwise"
    found = copies(article("a", " ".join(words)), article("b", " ".join(other)))
    assert bool(found) == (changed == 5)


def test_a_changed_copy_is_compared_again(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index(PAPERS)
    (tmp_path / "articles" / "a.txt").write_text("Something else\n\nNothing of it was true.\n")
    rebuild()
    index = open_index(tmp_path / ".rag")
    assert index.originals == {"c.txt": "b.txt"}
    told = {file["file"]: file["copy_of"] for file in describe(tmp_path / ".rag")["files"]}
    assert told == {"a.txt": None, "b.txt": None, "c.txt": "b.txt", "d.txt": None}
