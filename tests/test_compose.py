"""An answer is made of whole sentences of the article, in its order, that can stand there."""

from collections.abc import Callable

import pytest

from index import Index
from index.read import read_article
from rag.answer import ask
from rag.compose import short_answer
from rag.context import leans_on
from rag.extract import find
from rag.reader import load_reader
from rag.retrieve import retrieve
from rag.types import Answer

Make = Callable[[dict[str, str]], Index]
EXPLAIN = [
    "Why did the bearings of the Orrin Bridge rust?",
    "Why does the tidal station generate on the ebb only?",
    "How does a swap between Iran and Venezuela work?",
    "Why was condensate sent to Venezuela?",
    "Why does the crowd thin out in a sourdough jar?",
    "How does the footbridge keep from swaying?",
]


def last(question: str, index: Index) -> Answer:
    *_, answer = ask(question, index)
    assert answer.answered
    return answer


def sentences(answer: Answer) -> list[str]:
    return [sentence.text for paragraph in answer.paragraphs for sentence in paragraph]


@pytest.fixture(scope="module")
def explained(sample: Index) -> dict[str, Answer]:
    """Each question that wants an explanation, answered once."""
    return {question: last(question, sample) for question in EXPLAIN}


@pytest.mark.parametrize("question", EXPLAIN)
def test_an_explanation_is_a_few_sentences_in_the_order_of_one_article(
    sample: Index, explained: dict[str, Answer], question: str
) -> None:
    answer = explained[question]
    assert 1 <= len(sentences(answer)) <= 4
    assert len({citation.file for citation in answer.citations}) == 1
    article = sample.article(answer.citations[0].file)
    places = [article.sentences.index((c.start, c.end)) for c in answer.citations]
    headings = [(heading.start, heading.end) for heading in article.headings]
    between = [
        article.text[slice(*article.sentences[place])]
        for place in range(places[0], places[-1])
        if place not in places
        and not any(a <= article.sentences[place][0] < b for a, b in headings)
    ]
    # Only run-in headings of a few words may be passed over.
    assert all(len(words.split()) < 4 for words in between)
    assert places == sorted(set(places))
    assert answer.short_answer is None


@pytest.mark.parametrize("question", EXPLAIN)
def test_an_explanation_does_not_run_on_under_another_heading(
    explained: dict[str, Answer], question: str
) -> None:
    answer = explained[question]
    assert len({citation.heading for citation in answer.citations}) == 1


@pytest.mark.parametrize("question", EXPLAIN)
def test_no_sentence_of_an_explanation_is_a_heading(
    sample: Index, explained: dict[str, Answer], question: str
) -> None:
    answer = explained[question]
    headings = {
        heading.text
        for citation in answer.citations
        for heading in sample.article(citation.file).headings
    }
    assert headings & set(sentences(answer)) == set()
    assert all(len(sentence.split()) >= 3 for sentence in sentences(answer))


def test_a_fact_is_quoted_from_the_text_and_not_from_its_heading(make_index: Make) -> None:
    text = (
        "# The Dray ferry\n\n## The Dray ferry stopped in 1987\n\n"
        "The ferry at Dray stopped running in 1987, after the tunnel was opened.\n"
    )
    answer = last("When did the Dray ferry stop?", make_index({"ferry.md": text}))
    assert sentences(answer) == [
        "The ferry at Dray stopped running in 1987, after the tunnel was opened."
    ]
    assert answer.short_answer == "1987"


@pytest.mark.parametrize(
    ("lead", "leaning", "question", "words"),
    [
        (
            "Osla Tveit came to the island in 1931.",
            "He kept the light at Skerrow for forty years.",
            "For how many years was the light at Skerrow kept?",
            "forty",
        ),
        (
            "The chapel of Saint Ebba stands above the bay.",
            "It was built by the monks of Corrach.",
            "Who built the chapel of Saint Ebba?",
            "monks",
        ),
        (
            "The council put a lock on the gate of the weir.",
            "This kept the cattle of Dray out of the water meadow from 1874.",
            "When were the cattle of Dray kept out of the water meadow?",
            "1874",
        ),
    ],
)
def test_a_sentence_that_leans_brings_the_one_before(
    make_index: Make, lead: str, leaning: str, question: str, words: str
) -> None:
    text = f"Notes from the island\n\nThe weather is wild here. {lead} {leaning} Few remember it.\n"
    answer = last(question, make_index({"notes.txt": text}))
    assert sentences(answer) == [lead, leaning]
    assert words in answer.short_answer
    assert [citation.quote for citation in answer.citations] == [lead, leaning]
    assert [citation.short is None for citation in answer.citations] == [True, False]


def test_a_sentence_that_stands_alone_brings_nothing(make_index: Make) -> None:
    text = "Notes\n\nThe weather is wild. Osla Tveit kept the light at Skerrow. He was tall.\n"
    answer = last("Who kept the light at Skerrow?", make_index({"notes.txt": text}))
    assert sentences(answer) == ["Osla Tveit kept the light at Skerrow."]


def test_nothing_is_brought_across_a_paragraph_or_from_a_heading(make_index: Make) -> None:
    text = (
        "The weir\n\nThe weather is wild here, and the weir is old.\n\n"
        "It was Osla Tveit who kept the light at Skerrow.\n"
    )
    answer = last("Who kept the light at Skerrow?", make_index({"notes.txt": text}))
    assert sentences(answer) == ["It was Osla Tveit who kept the light at Skerrow."]


@pytest.mark.parametrize(
    ("sentence", "leans"),
    [
        ("He left the harbour.", True),
        ("It is an old mill.", True),
        ("This helped a little.", True),
        ("“They left the mill.”", True),
        ("However, it fell down.", True),
        ("The two met again.", True),
        ("Hebrides are far away.", False),
        ("Italy won the match.", False),
        ("Thistles grow there.", False),
        ("The tower is old.", False),
        ("Butter was dear then.", False),
    ],
)
def test_a_sentence_leans_by_how_it_begins(sentence: str, leans: bool) -> None:
    article = read_article("a.txt", f"A long walk\n\nThe mill stood there. {sentence}".encode())
    before, last = article.sentences[-2:]
    assert article.text[slice(*last)] == sentence
    assert leans_on(article, last) == (before if leans else None)


MASONS = """# The tower

The work took three years. The masons

- cut out the joints by hand,
- replaced 212 stones. They kept the old ones;
- painted the gallery rail.

Nobody was hurt in those years at the tower.
"""


def test_a_list_that_is_asked_for_is_quoted_whole_each_item_on_its_own(make_index: Make) -> None:
    answer = last("What did the masons do to the tower?", make_index({"tower.md": MASONS}))
    assert [[sentence.text for sentence in one] for one in answer.paragraphs] == [
        ["The masons"],
        ["cut out the joints by hand"],
        ["replaced 212 stones.", "They kept the old ones;"],
        ["painted the gallery rail."],
    ]
    assert answer.short_answer is None


def test_one_item_brings_what_leads_to_its_list(make_index: Make) -> None:
    answer = last("How many stones were replaced?", make_index({"tower.md": MASONS}))
    assert sentences(answer) == ["The masons", "replaced 212 stones."]
    assert answer.short_answer in {"212", "212 stones"}


@pytest.mark.parametrize("tag", ["ul", "ol"])
def test_the_lists_of_a_page_are_lists_too(make_index: Make, tag: str) -> None:
    page = (
        "<html><body><h1>The weir bridge</h1><p>The bridge at the weir is narrow and old. The rules"
        f" for the bridge are simple:</p><{tag}><li>Horses are led across.</li><li><p>Nobody may "
        f"fish from it.</p></li></{tag}><p>They were set by the council of Dray in 1931.</p>"
        "</body></html>"
    )
    answer = last("Which rules are there for the bridge?", make_index({"weir.html": page}))
    lead, *items = answer.citations[-3:]
    assert lead.quote == "The rules for the bridge are simple:"
    assert sentences(answer)[-2:] == ["Horses are led across.", "Nobody may fish from it."]
    # The mark that a browser shows is in the article's text and not in what is said.
    assert [one.quote.split()[0] for one in items] == (["•"] * 2 if tag == "ul" else ["1.", "2."])


def test_a_comparison_quotes_both(sample: Index) -> None:
    for question in (
        "Compare the Orrin Bridge and the Weir Footbridge",
        "Which is longer, the Orrin Bridge or the Weir Footbridge?",
    ):
        answer = last(question, sample)
        files = [citation.file for citation in answer.citations]
        assert {*files} == {"orrin-bridge-repair.txt", "weir-footbridge.html"}
        # Grouped: one paragraph a source.
        assert len(answer.paragraphs) == 2
        assert files == sorted(files, key=files.index)


def test_every_step_of_the_stream_is_whole(sample: Index) -> None:
    steps = list(ask("Why does the tidal station generate on the ebb only?", sample))
    assert len(steps) > 1
    for count, step in enumerate(steps, 1):
        assert step.answered
        assert [citation.number for citation in step.citations] == [*range(1, count + 1)]
        assert sentences(step) == sentences(steps[-1])[:count]
        for sentence, citation in zip(sentences(step), step.citations, strict=True):
            article = sample.article(citation.file)
            assert article.text[citation.start : citation.end] == citation.quote
            assert article.shown(citation.start, citation.end) == sentence


def test_what_was_read_and_not_used_is_kept_apart(sample: Index) -> None:
    answer = last("Who designed the tower at Skerrow Point?", sample)
    used = [citation.number for citation in answer.citations]
    rest = [citation.number for citation in answer.looked_at]
    assert used + rest == [*range(1, len(used + rest) + 1)]
    assert not any(
        other.file == citation.file and other.start < citation.end and citation.start < other.end
        for citation in answer.citations
        for other in answer.looked_at
    )


def test_a_short_answer_is_bare_and_only_for_facts(sample: Index) -> None:
    question = "Who designed the tower at Skerrow Point?"
    best = find(question, retrieve(question, sample), sample, load_reader())[0]
    assert short_answer(question, best) == "Edwin P. Lorne"
    assert short_answer("Why was Edwin P. Lorne chosen?", best) is None
