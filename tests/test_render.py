"""What an answer looks like: escaped, numbered, and pointing at the right characters."""

import re
from dataclasses import replace

import pytest

from index.types import Article, Heading, LeftOut
from rag.types import Answer, Citation, Sentence, Value
from ui.article import columns, source
from ui.render import escape, link, markdown, place, read_link, sources, token, unescape

TEXT = "# The *tall* tower\n\nIt has **152 steps** and a lamp.\nShare this\n\n- One bulb burns.\n"
START = TEXT.index("It has")
QUOTE = "It has **152 steps** and a lamp."
STEPS = TEXT.index("152 steps")
TOWER = Article(
    file="lights/tower.md",
    title="The tall tower",
    text=TEXT,
    numbered=True,
    headings=(Heading(0, TEXT.index("\n"), "The tall tower"),),
    left_out=(LeftOut(TEXT.index("Share"), TEXT.index("Share") + 10, "share buttons"),),
    markup=(
        (0, 2),
        (6, 7),
        (11, 12),
        (STEPS - 2, STEPS),
        (STEPS + 9, STEPS + 11),
        (TEXT.index("- "), TEXT.index("- ") + 2),
    ),
)
CITATION = Citation(
    number=1,
    id="lights/tower.md#L3",
    file=TOWER.file,
    title=TOWER.title,
    start=START,
    end=START + len(QUOTE),
    lines=(3, 3),
    page=None,
    heading="The tall tower",
    quote=QUOTE,
    short=(STEPS, STEPS + 9),
)
ANSWER = Answer(
    question="How many steps?",
    searched_for="How many steps?",
    answered=True,
    paragraphs=((Sentence("It has 152 steps and a lamp.", (1,)),),),
    short_answer="152 steps",
    citations=(CITATION,),
)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "![](http://evil.example/x.png)",
    "[click](#src-0000000000000000-0-9-00000000)",
    "[click](javascript:alert(1))",
    "${alert(1)} {{7*7}} $x^2$",
    "`code` *bold* _it_ ~~gone~~ | a | b |",
    "http://evil.example www.evil.example a@evil.example",
    "&lt;img&gt; &#60;",
    "C:\\users\\new",
)


def words(citation: Citation) -> str:
    return TOWER.shown(citation.start, citation.end)


def rendered(answer: Answer) -> str:
    return markdown(answer, words)


def shown(data: dict) -> str:
    return "".join(run["text"] for part in data["blocks"] for run in part["runs"])


def marked(data: dict, *kinds: str) -> str:
    runs = (run for part in data["blocks"] for run in part["runs"])
    return "".join(run["text"] for run in runs if run["kind"] in kinds)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_mark_of_a_hostile_text_stays_active(text: str) -> None:
    escaped = escape(text)
    assert "<" not in escaped
    assert not re.search(r"(?<!\\)[\[\]`*_$~|{}]", escaped)
    assert "http://" not in escaped
    assert not re.search(r"www\.|\w@", escaped)


@pytest.mark.parametrize("text", HOSTILE)
def test_escaping_loses_nothing(text: str) -> None:
    plain = re.sub(r"\\([^\w\s]|_)", r"\1", escape(text))
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(entity, char)
    assert plain == " ".join(text.split())


@pytest.mark.parametrize("text", ["1. first", "12) second", "- item", "+ item", "# head", "=== x"])
def test_a_line_cannot_start_a_list_or_heading(text: str) -> None:
    assert escape(text).replace("\\", "") == text
    assert re.match(r"\\|\d+\\", escape(text))


def test_the_short_answer_stands_on_its_own_line_above_the_sentences() -> None:
    lines = rendered(ANSWER).split("\n\n")
    assert lines[0] == "**152 steps**"
    assert lines[1].startswith("It has 152 steps and a lamp.\u00a0[1](#src-")


def test_sources_name_title_file_and_place() -> None:
    assert "The tall tower · lights/tower.md, line 3\n" in rendered(ANSWER)


def test_passages_of_one_article_share_a_line() -> None:
    second = replace(CITATION, number=2, lines=(5, 6))
    answer = replace(ANSWER, citations=(CITATION, second))
    assert "The tall tower · lights/tower.md, lines 3, 5–6\n" in rendered(answer)


def test_a_number_without_a_citation_becomes_no_chip() -> None:
    answer = replace(ANSWER, paragraphs=((Sentence("Bold claim.", (1, 7)),),))
    assert "[7]" not in rendered(answer)
    assert "Bold claim.\u00a0[1](" in rendered(answer)


def test_searched_for_is_told_only_when_it_differs() -> None:
    assert "Searched for" not in rendered(replace(ANSWER, searched_for="how many steps"))
    told = rendered(replace(ANSWER, searched_for="How many steps has the tower?"))
    link = '[How many steps has the tower?](#ask "Change it and ask again")'
    assert told.startswith(f"*Searched for: {link}*")


def test_a_conflict_lists_every_value_with_its_citations() -> None:
    second = replace(CITATION, number=2)
    answer = replace(
        ANSWER,
        citations=(CITATION, second),
        conflict=(Value("152", (1,)), Value("160", (2,))),
        paragraphs=((Sentence("Your sources disagree."),), *ANSWER.paragraphs),
    )
    text = rendered(answer)
    assert text.startswith("#### Your sources disagree\n\n- **152**\u00a0[1](")
    assert "- **160**\u00a0[2](" in text
    assert text.count("disagree") == 1


def test_a_refusal_shows_the_nearest_passages() -> None:
    refusal = Answer(
        question="Why?",
        searched_for="Why?",
        answered=False,
        paragraphs=((Sentence("The articles do not answer this."),),),
        nearest=(CITATION,),
    )
    text = rendered(refusal)
    assert text.startswith("The articles do not answer this.")
    assert "##### Nearest passages\n\n- [1](#src-" in text
    assert " It has 152 steps and a lamp. — " in text
    assert "##### Sources" not in text
    assert sources(refusal, words)["heading"] == "Nearest passages"
    assert sources(refusal, words)["cards"][0]["quote"] == "It has 152 steps and a lamp."


def test_a_hostile_title_stays_inside_the_tooltip() -> None:
    text = rendered(replace(ANSWER, citations=(replace(CITATION, title='a" onclick="b" [x](y)'),)))
    tooltip = re.search(r'\(#src-\S+ "([^"]*)"\)', text)
    assert tooltip is not None
    assert "&quot;" in tooltip[1]


def test_a_link_says_what_it_points_at_and_nothing_about_paths() -> None:
    target = read_link(link(CITATION))
    assert target is not None
    assert target.token == token(TOWER.file)
    assert target.cited == (CITATION.start, CITATION.end)
    assert target.short == CITATION.short
    assert "tower" not in link(CITATION)


@pytest.mark.parametrize(
    "link",
    [None, 3, [], ["#src-1-2"], "", "#src-../../etc/passwd-1-2", "#src-" + "0" * 16 + "-1-2"],
)
def test_other_links_point_nowhere(link: object) -> None:
    assert read_link(link) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "line 3"),
        ({"lines": (3, 5)}, "lines 3–5"),
        ({"page": 4}, "page 4, line 3"),
        ({"page": 4, "lines": None}, "page 4"),
        ({"lines": None, "heading": "The lamp"}, "under “The lamp”"),
        ({"lines": None}, ""),  # The title stands there already.
        ({"lines": None, "heading": None}, ""),
    ],
)
def test_places_are_said_in_words(changes: dict, said: str) -> None:
    assert place(replace(CITATION, **changes)) == said


def test_exactly_the_cited_sentence_is_marked_without_its_markdown() -> None:
    target = read_link(link(CITATION))
    assert target is not None
    data = source(TOWER, target)
    assert marked(data, "cited", "short") == TOWER.shown(CITATION.start, CITATION.end)
    assert marked(data, "short") == "152 steps"
    assert data["place"] == "line 3"
    assert "*" not in shown(data)


def test_blocks_know_their_kind_and_line() -> None:
    target = read_link(link(CITATION))
    assert target is not None
    parts = [(part["kind"], part["line"]) for part in source(TOWER, target)["blocks"]]
    assert parts == [("title", 1), ("paragraph", 3), ("paragraph", 4), ("bullet", 6)]


def test_what_was_left_out_is_shown_with_its_reason() -> None:
    target = read_link(link(CITATION))
    assert target is not None
    runs = [run for part in source(TOWER, target)["blocks"] for run in part["runs"]]
    assert {"kind": "left-out", "text": "Share this", "reason": "share buttons"} in runs


def test_a_changed_article_is_shown_without_marks_and_says_so() -> None:
    target = read_link(link(CITATION))
    assert target is not None
    data = source(replace(TOWER, text="X" + TEXT[1:-3], markup=(), left_out=()), target)
    assert marked(data, "cited")
    edited = source(replace(TOWER, text=TEXT.replace("152", "153")), target)
    assert not marked(edited, "cited", "short")
    assert "has changed" in edited["note"]


def test_every_character_of_an_article_is_shown_but_marks_and_space() -> None:
    text = "\n\n".join(f"Paragraph {number} has words. It ends.\nA line" for number in range(50))
    article = Article("a.txt", "A", text, numbered=True)
    target = read_link("#src-" + token("a.txt") + "-0-5-00000000")
    assert target is not None
    assert "".join(shown(source(article, target)).split()) == "".join(text.split())


def test_a_wrapped_paragraph_flows_and_short_lines_stay_apart() -> None:
    long = "A line of a letter that was wrapped by its writer at some column,\nand goes on here."
    article = Article("a.txt", "A", f"{long}\n\nroses are red\nviolets are blue", numbered=True)
    target = read_link("#src-" + token("a.txt") + "-0-5-00000000")
    assert target is not None
    assert "column, and" in shown(source(article, target))
    assert "red\nviolets" in shown(source(article, target))


def test_what_is_edited_comes_back_as_it_was_typed() -> None:
    for text in (*HOSTILE, "1. one", "- two", "a\\*b", "ERR_404 | [x](y) & <b>", "10:30 @ 5.5"):
        line = " ".join(text.split())
        if not re.search(r"&(?:lt|gt|amp|#\d+);", line):
            assert unescape(escape(line)) == line


def test_values_that_differ_stand_side_by_side_each_with_its_words() -> None:
    second = replace(CITATION, number=2, start=START, short=None)
    answer = replace(
        ANSWER,
        short_answer=None,
        citations=(CITATION, second),
        paragraphs=((Sentence("They differ."),), (Sentence("A.", (1,)),), (Sentence("B.", (2,)),)),
        conflict=(Value("152", (1,)), Value("<153>", (2,))),
    )
    shown = rendered(answer)
    assert re.search(
        r"- \*\*152\*\*\S* \[1\]\(.*\)\n\n  A\.\n- \*\*&lt;153&gt;\*\*", shown.replace("\xa0", " ")
    )
    assert "They differ" not in shown
    sides = columns(answer, {TOWER.file: TOWER}.get)
    assert [side["value"] for side in sides] == ["152", "<153>"]
    assert [marked(side, "cited", "short") for side in sides] == [
        "It has 152 steps and a lamp."
    ] * 2
    assert marked(sides[0], "short") == "152 steps"
    assert all(len(side["blocks"]) == 1 for side in sides)


def test_which_articles_were_asked_and_how_to_link_to_the_answer_are_told() -> None:
    shown = markdown(ANSWER, words, only="news/<b>", kept_as="0" * 32)
    assert shown.startswith("*Only news/&lt;b&gt;*")
    assert shown.endswith(f"Word for word from your articles · [Copy link](#answer-{'0' * 32})")


@pytest.mark.parametrize("text", [*HOSTILE, "\\[a](b)", "\\\\[a](b)"])
def test_no_bracket_of_a_text_stands_in_the_words_of_a_link(text: str) -> None:
    shown = markdown(replace(ANSWER, searched_for=text, unsupported=(ANSWER.text,)), words)
    label = shown.split("\n")[0].removeprefix("*Searched for: [").rsplit("](#ask", 1)[0]
    # As marked does it: a backslash before a bracket goes, and the words are read once more.
    assert not re.search(r"[\[\]]", label.replace("\\[", "[").replace("\\]", "]"))
