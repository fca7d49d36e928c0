"""What is exported says all that the chat said, and nothing in it is more than text."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from index import Index
from index.types import FootnoteError
from rag import ask
from rag.types import Answer, Citation, Sentence, Value
from ui.conversations import Exchange, new_id
from ui.export import FORMATS, Said, export, paragraphs, references

QUOTE = "It has **152 steps**\nand a lamp."
CITATION = Citation(
    number=1,
    id="lights/tower.md#L12-14",
    file="lights/tower.md",
    title="The tall tower",
    start=10,
    end=40,
    lines=(12, 14),
    page=None,
    heading="Inside",
    quote=QUOTE,
    date="2021-10-18",
    author="A. Keeper",
)
PAGED = Citation(
    number=2,
    id="report.pdf#p3",
    file="report.pdf",
    title="Report",
    start=0,
    end=9,
    lines=None,
    page=3,
    heading=None,
    quote="150 steps.",
)
ANSWER = Answer(
    question="How many steps?",
    searched_for="How many steps has the tower?",
    answered=True,
    paragraphs=((Sentence("It has 152 steps and a lamp.", (1, 2)), Sentence("One bulb.", (2,))),),
    short_answer="152 steps",
    citations=(CITATION, PAGED),
)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</style></blockquote><iframe src=http://evil.example>",
    "![](http://evil.example/x.png) [click](javascript:alert(1))",
    "# Heading\n- item\n1. one\n> quote\n```\ncode",
    "`code` *bold* _it_ ~~gone~~ | a | b |\n|---|---|",
    "half a character \ud800, NUL \x00, bell \x07",
    "}, author={Evil}, \\input{/etc/passwd} {",
    '" onmouseover="alert(1)',
    "http://evil.example www.evil.example me@evil.example",
    "{title} {body} {0}",
)


def exchange(answer: Answer = ANSWER) -> Exchange:
    return Exchange(
        new_id(), answer.question, answer.searched_for, answer.as_json(), "", {}, "2026-11-25T14:00"
    )


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.names.add(name)
            self.values.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(markdown: str) -> Page:
    """Markdown as a browser shows it, with links recognised and tables on."""
    return Page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))


def words(text: str) -> str:
    return " ".join(text.split())


def test_markdown_has_the_question_the_answer_and_every_quote_with_its_reference() -> None:
    text = export("Towers", [exchange()], "md")
    assert text.startswith("# Towers\n\n## How many steps?\n\n*Asked 2026-11-25T14:00*\n")
    page = shown(text)
    assert "152 steps It has 152 steps and a lamp. [1] [2] One bulb. [2]" in words(page.text)
    assert "Searched for: How many steps has the tower?" in page.text
    assert "It has **152 steps**\nand a lamp." in page.text
    assert "A. Keeper, The tall tower, 2021-10-18, lights/tower.md, lines 12–14" in page.text
    assert "Report, report.pdf, page 3" in page.text and "150 steps." in page.text
    assert {"ol", "blockquote", "h1", "h2", "h3", "strong"} <= page.tags


def test_html_is_one_page_that_links_each_number_to_its_quote() -> None:
    text = export("Towers", [exchange(), exchange()], "html")
    page = Page(text)
    assert '<html lang="en">' in text and "default-src 'none'" in text
    assert not page.tags & {"script", "link", "img", "iframe", "base", "form"}
    assert text.count("<title>Towers</title>") == 1
    assert words("It has 152 steps and a lamp. [1] [2] One bulb. [2]") in words(page.text)
    assert f">{QUOTE}</blockquote>" in text
    assert "A. Keeper, The tall tower, 2021-10-18, lights/tower.md, lines 12–14" in page.text
    targets = [link.removeprefix("#") for link in page.values["href"]]
    ids = page.values["id"]
    assert len(ids) == len(set(ids)) == 4 and set(targets) == set(ids)
    assert re.search(r'<p dir="auto">It has 152', text)


def test_json_is_the_answers_as_they_are() -> None:
    kept = exchange()
    values = json.loads(export("Towers", [kept], "json"))
    assert values == {
        "title": "Towers",
        "exchanges": [
            {
                "question": kept.question,
                "searched_for": kept.searched_for,
                "asked": kept.asked,
                "answer": kept.answer,
            }
        ],
    }


def test_a_number_that_no_source_has_is_no_link() -> None:
    kept = exchange()
    kept.answer["answer"] = "It has 152 steps. [1] [7]"
    page = Page(export("Towers", [kept], "html"))
    assert "It has 152 steps. [1] [7]" in page.text
    assert page.values["href"] == ["#source-1-1"]


def test_there_is_no_fourth_format() -> None:
    assert FORMATS == ("md", "html", "json")
    with pytest.raises(FootnoteError, match="md, html, json"):
        export("Towers", [], "../md")


@pytest.mark.parametrize("format", ["md", "html"])
def test_disagreement_doubt_and_refusal_are_told(format: str) -> None:
    conflict = Answer(
        "Steps?",
        "Steps?",
        answered=True,
        short_answer="152",
        paragraphs=((Sentence("Your sources disagree."),), (Sentence("It has 150.", (2,)),)),
        citations=(CITATION, PAGED),
        conflict=(Value("152 steps", (1,)), Value("150 steps", (2,))),
    )
    written = Answer(
        "Steps?",
        "Steps?",
        answered=True,
        mode="llm",
        model="Mo<b>del",
        paragraphs=((Sentence("Yes."), Sentence("Yes. It is tall.", (1,)), Sentence("I guess.")),),
        unsupported=("Yes.", "I guess."),
        citations=(CITATION,),
    )
    refused = Answer("Moon?", "Moon?", answered=False, nearest=(CITATION,), note="A note.")
    text = export("All", [exchange(one) for one in (conflict, written, refused)], format)
    page = Page(text) if format == "html" else shown(text)
    told = words(page.text)
    assert "Your sources disagree: 152 steps [1] 150 steps [2] It has 150. [2] Sources" in told
    told_doubts = "Yes. (no passage says this) Yes. It is tall. [1] I guess. (no passage says this)"
    assert told_doubts in told
    assert "Written by Mo<b>del;" in told
    assert "A note." in told and "Nearest passages" in told
    if format == "html":
        assert text.count('class="doubted"') == 2
    else:
        assert text.count("~~") == 4


def test_the_sentences_of_an_answer_come_apart_at_its_own_numbers() -> None:
    text = "See [2] there, and so.[3] It is. [1] [2] Ours only.\n\nEnd. [1]"
    assert paragraphs({"answer": text, "unsupported": []}) == [
        [Said("See", (2,)), Said("there, and so.[3] It is.", (1, 2)), Said("Ours only.")],
        [Said("End.", (1,))],
    ]
    assert paragraphs({"answer": "Yes. Yes it is. [1]", "unsupported": ["Yes."]}) == [
        [Said("Yes.", doubted=True), Said("Yes it is.", (1,))]
    ]
    assert paragraphs({"answer": "", "unsupported": ["x"]}) == paragraphs({}) == []
    huge = "a [" + "9" * 5000 + "] b [99999] c"
    assert paragraphs({"answer": huge}) == [[Said(huge)]]


def hostile_exchange(text: str) -> Exchange:
    citation = Citation(
        1, text, text, text, 0, 9, None, 3, text, text, date=text, author=text, copies=(text,)
    )
    answer = Answer(
        text,
        f"{text} again",
        answered=True,
        paragraphs=((Sentence(text, (1,)), Sentence(f"{text} no")),),
        short_answer=text,
        citations=(citation,),
        unsupported=(f"{text} no",),
        mode="llm",
        model=text,
        note=text,
    )
    return exchange(answer)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    kept = [hostile_exchange(text)]
    plain = export("Towers", [exchange()], "html"), export("Towers", [exchange()], "md")
    page = export(text, kept, "html")
    page.encode()
    assert Page(page).tags <= Page(plain[0]).tags | {"span", "em", "p"}
    assert Page(page).names <= Page(plain[0]).names
    markdown = export(text, kept, "md")
    markdown.encode()
    assert shown(markdown).tags <= shown(plain[1]).tags | {"s", "br"}
    assert shown(markdown).names <= {"start"}
    said = words(text.encode("utf-8", "replace").decode())
    said = re.sub(r"[\x00\x07]", "\ufffd", said)
    for shown_text in (words(Page(page).text), words(shown(markdown).text)):
        assert shown_text.count(said) >= 8, "nothing is lost either"
    values = export(text, kept, "json")
    values.encode()
    assert json.loads(values)["exchanges"][0]["question"] == text


@given(st.text(max_size=60))
def test_no_text_at_all_makes_a_tag(text: str) -> None:
    page = Page(export(text, [hostile_exchange(text)], "html"))
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "h3"),
        *("p", "ul", "ol", "li", "span", "strong", "em", "a", "blockquote"),
    }


def test_a_quote_is_copied_with_its_reference() -> None:
    copied = references(CITATION.as_json())
    where = "A. Keeper, The tall tower, 2021-10-18, lights/tower.md, lines 12–14"
    assert copied["plain"] == f"“{QUOTE}”\n— {where}"
    assert copied["markdown"] == (
        f"> It has \\*\\*152 steps\\*\\*  \n> and a lamp.\n>\n> — {where}"
    )
    assert re.fullmatch(
        r"@misc\{lights-tower-md-l12-14-[0-9a-f]{6},\n"
        r"  title = \{The tall tower\},\n"
        r"  author = \{A\. Keeper\},\n"
        r"  year = \{2021\},\n"
        r"  date = \{2021-10-18\},\n"
        r"  note = \{lights/tower\.md, lines 12--14\},\n"
        r"  annote = \{It has \*\*152 steps\*\* and a lamp\.\}\n\}",
        copied["bibtex"],
    )
    unknown = references(PAGED.as_json())
    assert unknown["plain"] == "“150 steps.”\n— Report, report.pdf, page 3"
    assert "author" not in unknown["bibtex"] and "year" not in unknown["bibtex"]


@pytest.mark.parametrize("text", [*HOSTILE, "100% of $5 & #1_a^b~c\\d", "\u202egnp.exe", "日本"])
def test_a_copied_reference_is_only_text(text: str) -> None:
    copied = references(hostile_exchange(text).answer["citations"][0])
    for one in copied.values():
        one.encode()
    assert shown(copied["markdown"]).tags <= {"blockquote", "p", "br"}
    assert "\u202e" not in copied["plain"].split("\n—")[1]
    entry = copied["bibtex"]
    depths = []
    depth = 0
    for char in entry:  # As BibTeX counts, which knows no escaped brace.
        depth += (char == "{") - (char == "}")
        depths.append(depth)
    assert depth == 0 and min(depths[:-1]) >= 1 - (depths[0] == 0)
    fields = re.findall(r"(?m)^  (\w+) = \{", entry)
    assert fields == ["title", "author", "date", "note", "annote"]
    assert re.match(r"@misc\{[a-z0-9-]+,\n", entry)
    bare = re.sub(r"\\(?:textbrace(?:left|right)|text\w+)\{\}|\\[$&#_%]", "", entry)
    values = "".join(re.findall(r"(?m)^  \w+ = \{(.*)\},?$", bare)).strip("{}")
    assert not set(values) & set("\\$&#_%^~")


def test_the_keys_of_two_citations_differ() -> None:
    keys = {
        references({**PAGED.as_json(), "id": id})["bibtex"].split(",")[0]
        for id in ("日本.md#L1", "中国.md#L1", "a b.md", "a-b.md")
    }
    assert len(keys) == 4


def test_authors_with_commas_stay_one_name() -> None:
    entry = references({**PAGED.as_json(), "author": "Ann Ash, Ben Birch, Cy Cole"})["bibtex"]
    assert "author = {{Ann Ash, Ben Birch, Cy Cole}}" in entry


def test_real_answers_are_exported_whole(sample: Index) -> None:
    kept = []
    for question in (
        "How tall is the lighthouse on Gannet Rock?",
        "How do I make an ash glaze?",
        "What do the articles say about bridges?",
        "Who won the 2022 World Cup?",
    ):
        *_, answer = ask(question, sample)
        kept.append(exchange(answer))
        told = [
            [(sentence.words, sentence.numbers) for sentence in part]
            for part in paragraphs(answer.as_json())
        ]
        cited = [number for part in told for _, numbers in part for number in numbers]
        assert cited == [
            number
            for part in answer.paragraphs
            for sentence in part
            for number in sentence.citations
        ]
    for format in ("md", "html"):
        text = export("Sample", kept, format)
        page = Page(text) if format == "html" else shown(text)
        for one in kept:
            for citation in one.answer["citations"]:
                assert words(citation["quote"]) in words(page.text)
