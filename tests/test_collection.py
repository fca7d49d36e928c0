"""Questions about the articles as a whole, and small talk, get a reply that fits."""

from collections.abc import Callable

import pytest

from index import Index
from rag import Answer, Turn, ask
from rag.answer import NOT_FOUND
from rag.collection import Request, request

Make = Callable[[dict[str, str]], Index]
WALL = "The harbour wall\n\nThe harbour wall of Skerrow was raised by a metre in the year 2019. "
PIER = "The pier\n\nThe pier of Dray was closed to all walkers after a fire in the year 1987. "


def last(question: str, index: Index, history: tuple[Turn, ...] = ()) -> Answer:
    *_, answer = ask(question, index, history=history)
    return answer


@pytest.mark.parametrize(
    "words",
    ["hi", "Hello!", "thanks", "Thank you very much.", "ok, thanks", "what can you do?", "help"],
)
def test_small_talk_is_answered_and_cites_nothing(sample: Index, words: str) -> None:
    answer = last(words, sample)
    assert answer.answered and not answer.citations and not answer.nearest
    assert NOT_FOUND not in answer.text and answer.text


@pytest.mark.parametrize(
    "words", ["Who said hi to Maduro?", "What can bees do?", "How does it work?"]
)
def test_a_question_is_no_small_talk(sample: Index, words: str) -> None:
    answer = last(words, sample)
    assert answer.citations or answer.nearest


def test_thanks_do_not_interrupt_a_conversation(sample: Index) -> None:
    turns = (Turn("How tall is the lighthouse on Gannet Rock?"), Turn("thanks"))
    assert "Gannet Rock" in last("When was it put up?", sample, turns).searched_for


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which articles do you have?", Request("list")),
        ("List the articles", Request("list")),
        ("Which articles mention the Weir?", Request("mention", "Weir")),
        ("Which of the articles are about bees?", Request("mention", "bees")),
        ("Show me articles about oil.", Request("mention", "oil")),
        ("What do the articles say about sanctions?", Request("summary", "sanctions")),
        ("what does the article say about oil", Request("summary", "oil")),
        ("Summarise the articles", Request("summary")),
        ("Summarize what my documents say about bees", Request("summary", "bees")),
        ("Give me a summary of the accord", Request("summary", "accord")),
        ("Tell me about the Orrin Bridge", Request("summary", "Orrin Bridge")),
        ("Who wrote the article about bees?", None),
        ("What did Maduro say about oil?", None),
        ("Which articles of the constitution were changed in 1999?", None),
        ("Tell me when the bridge was built", None),
    ],
)
def test_what_is_asked_of_the_collection_is_recognised(
    question: str, expected: Request | None
) -> None:
    assert request(question) == expected


def test_the_list_names_every_article_and_cites_its_title(sample: Index) -> None:
    answer = last("Which articles do you have?", sample)
    assert answer.paragraphs[0][0].text.startswith("There are 22 articles; the first 20")
    assert [citation.file for citation in answer.citations] == sample.files()[:20]
    assert last("List the articles", sample).citations[0].quote.strip("# ") in answer.text


def test_only_articles_with_every_word_mention_something(make_index: Make) -> None:
    index = make_index({"wall.txt": WALL, "pier.txt": PIER, "both.txt": WALL + PIER})
    answer = last("Which articles mention the pier of Dray?", index)
    assert {citation.file for citation in answer.citations} == {"pier.txt", "both.txt"}
    assert all("pier of Dray" in citation.quote for citation in answer.citations)
    assert answer.paragraphs[0][0].text == "2 articles mention “pier of Dray”:"
    assert not last("Which articles mention the Eiffel Tower?", index).answered


def test_a_topic_is_told_article_by_article(sample: Index) -> None:
    answer = last("What do the articles say about sanctions?", sample)
    files = [citation.file for citation in answer.citations]
    assert len(set(files)) >= 2 and files == sorted(files, key=files.index)
    assert len(answer.paragraphs) == len(set(files))
    assert any("sanctions" in citation.quote for citation in answer.citations)
    for citation in answer.citations:
        article = sample.article(citation.file)
        assert article is not None
        assert article.text[citation.start : citation.end] == citation.quote
        assert article.shown(citation.start, citation.end) in answer.text


def test_a_topic_of_no_article_is_refused_with_the_words_that_are_missing(sample: Index) -> None:
    answer = last("What do the articles say about quantum computers?", sample)
    assert not answer.answered and answer.nearest
    assert "None of them contains “quantum”" in answer.text


def test_everything_is_summarised_by_the_sentences_in_the_middle_of_it(make_index: Make) -> None:
    index = make_index({"wall.txt": WALL, "pier.txt": PIER})
    answer = last("Summarise the articles", index)
    assert [citation.file for citation in answer.citations] == ["pier.txt", "wall.txt"]
    assert "raised by a metre" in answer.text and "closed to all walkers" in answer.text
