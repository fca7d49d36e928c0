"""What an answer looks like: Markdown for the chat, cards for the source panel. Pure.

Article text, file names and questions are hostile until escaped: nothing here passes them through.
The panel gets plain text, never HTML; the browser puts it in place with `textContent`.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from index.types import Range
from rag.types import Answer, Citation, Value
from ui.strings import say
from ui.terminal import also_in

Data = dict[str, Any]
"""What is sent to the browser as JSON."""

Shown = Callable[[Citation], str]
"""Gives the words of a passage as a person sees them: without the marks of Markdown."""

SPECIAL = re.compile(r"[\\`*_\[\]{}$~|^]")  # Marks that could begin Markdown inside a line.
HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
LINK_STARTS = re.compile(r"(?i)(?<=[a-z])(?=://|@)|(?<=www)(?=\.)|(?<=\w)(?=@)")
LINE_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([#+\-=:])")
COMMAND = re.compile(r"\\`([\w ./-]+)\\`")
LINK = re.compile(r"#src-([0-9a-f]{16})-(\d{1,9})-(\d{1,9})-([0-9a-f]{8})(?:-(\d{1,9})-(\d{1,9}))?")
DOUBTED = f'#unsupported "{say("nowhere")}"'
EDIT = f'#ask "{say("change_and_ask")}"'  # page.js puts the words into the question box.


@dataclass(frozen=True, slots=True)
class Target:
    """What a citation's link points at: an article, a range of it, a check, the answering words."""

    token: str
    cited: Range
    check: str
    short: Range | None


def token(file: str) -> str:
    """The name of an article in a link: says nothing about paths, stays the same for ever."""
    return hashlib.sha256(file.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fingerprint(quote: str) -> str:
    """Tells whether an article still says what was cited from it."""
    return hashlib.sha256(quote.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def escape(text: str) -> str:
    """Text as Markdown that shows exactly that text, on one line."""
    words = " ".join(text.split())
    words = SPECIAL.sub(r"\\\g<0>", words)
    words = "".join(HTML.get(char, char) for char in words)
    words = LINK_STARTS.sub(r"\\", words)
    return LINE_START.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", words)


def escape_label(text: str) -> str:
    """The same for the words of a link: there marked takes the backslash off brackets again."""
    return escape(text).replace("\\[", "&#91;").replace("\\]", "&#93;")


def unescape(markdown: str) -> str:
    """The text that `escape` was given: a question that is edited comes back as Markdown."""
    text = re.sub(r"\\([\\`*_\[\]{}$~|^:@.)#+\-=])", r"\1", markdown)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def error_markdown(message: str) -> str:
    """An error's sentence as Markdown; the commands in it, between backticks, look like code."""
    return COMMAND.sub(r"`\1`", escape(message))


def place(citation: Citation) -> str:
    """Where a passage stands, in words: `line 12`, `lines 12–14`, `page 3`, or a heading."""
    heading = citation.heading if citation.heading != citation.title else None
    return place_in_words(citation.lines, citation.page, heading)


def place_in_words(lines: Range | None, page: int | None, heading: str | None) -> str:
    """The same for a range that is no citation."""
    if page is not None or lines:
        first, last = lines or (0, 0)
        there = f"line {first}" if first == last else f"lines {first}–{last}"
        on_page = f"page {page}" if page is not None else ""
        return ", ".join(filter(None, (on_page, there if lines else "")))
    return f"under “{heading}”" if heading else ""


def link(citation: Citation) -> str:
    """Where the chip of a citation points: article, range, check, and the answering words."""
    parts: list[object] = [token(citation.file), citation.start, citation.end]
    parts.append(fingerprint(citation.quote))
    parts.extend(citation.short or ())
    return "#src-" + "-".join(map(str, parts))


def read_link(link: object) -> Target | None:
    """What a link of `link` points at; None for anything else."""
    found = LINK.fullmatch(link) if isinstance(link, str) else None
    if found is None:
        return None
    start, end, left, right = (int(found[part] or 0) for part in (2, 3, 5, 6))
    return Target(found[1], (start, end), found[4], (left, right) if found[5] else None)


def chip(citation: Citation) -> str:
    """A citation number as a Markdown link, with title and place as its tooltip."""
    where = ", ".join(filter(None, (citation.title, citation.date, place(citation))))
    tooltip = escape(where).replace('"', "&quot;")
    return f'[{citation.number}]({link(citation)} "{tooltip}")'


def markdown(answer: Answer, shown: Shown, *, only: str = "", kept_as: str = "") -> str:
    """The answer as the chat shows it; `shown` gives the words of a passage without marks.

    `only` says which articles were asked, where not all were; `kept_as` is the id under which the
    answer is kept, for a link to it.
    """
    chips = {citation.number: chip(citation) for citation in answer.citations}
    parts: list[str] = []
    if _differs(answer.searched_for, answer.question):
        parts.append(f"*{say('searched_for')} [{escape_label(answer.searched_for)}]({EDIT})*")
    if only:
        parts.append(f"*{escape(say('filter_on', chosen=only))}*")
    if answer.note:
        parts.append(f"*{escape(answer.note)}*")
    if answer.conflict:
        parts.append(f"#### {say('disagree')}")
        parts.append("\n".join(_value(value, answer, chips) for value in answer.conflict))
    elif answer.short_answer:
        parts.append(f"**{escape(answer.short_answer)}**")
    parts += _paragraphs(answer, chips)
    if answer.nearest and not answer.answered:
        parts.append(f"##### {say('nearest')}")
        parts.append("\n".join(_nearest(citation, shown) for citation in answer.nearest))
    if answer.citations:
        parts.append(f"##### {say('sources')}")
        parts.append("\n".join(f"- {line}" for line in _source_lines(answer.citations)))
    made = []
    if answer.mode == "llm":
        made.append(escape(say("written_by", model=answer.model)))
    elif answer.citations:
        made.append(say("from_articles"))
    if kept_as:
        made.append(f"[{say('copy_link')}](#answer-{kept_as})")
    if made:
        parts.append(f"###### {' · '.join(made)}")
    return "\n\n".join(parts)


def _value(value: Value, answer: Answer, chips: dict[int, str]) -> str:
    """One of the values that sources give, with the sentence that says so."""
    said = " ".join(
        escape(sentence.text)
        for paragraph in answer.paragraphs
        for sentence in paragraph
        if set(sentence.citations) & set(value.citations)
    )
    return f"- **{escape(value.value)}**\u00a0{_chips(value.citations, chips)}\n\n  {said}"


def _paragraphs(answer: Answer, chips: dict[int, str]) -> Iterable[str]:
    if answer.conflict:
        return  # The heading and the values have said it.
    for paragraph in answer.paragraphs:
        sentences = [
            _doubted(sentence.text)
            if sentence.text in answer.unsupported
            else f"{escape(sentence.text)}\u00a0{_chips(sentence.citations, chips)}".rstrip()
            for sentence in paragraph
        ]
        titled = answer.mode != "llm" and len(paragraph) > 1 and not paragraph[0].citations
        if answer.citations and titled:
            sentences[0] = f"**{sentences[0]}**"  # The title of the article that is quoted.
        yield " ".join(sentences)


def _differs(searched_for: str, question: str) -> bool:
    words, asked = (" ".join(text.split()).casefold() for text in (searched_for, question))
    return bool(words) and words.rstrip("?. ") != asked.rstrip("?. ")


def _doubted(text: str) -> str:
    """A sentence that no passage bears: a link to nothing, and words, since phones do not hover.

    style.css knows the link.
    """
    return f"[{escape_label(text)}]({DOUBTED}) *({say('nowhere').lower()})*"


def _chips(numbers: Iterable[int], chips: dict[int, str]) -> str:
    # A number without a citation is dropped: a chip that points nowhere would be a false promise.
    return " ".join(chips[number] for number in numbers if number in chips)


def _nearest(citation: Citation, shown: Shown) -> str:
    return f"- {chip(citation)} {escape(_excerpt(shown(citation)))} — *{escape(citation.title)}*"


def _excerpt(quote: str, longest: int = 160) -> str:
    words = " ".join(quote.split())
    return words if len(words) <= longest else words[:longest].rsplit(" ", 1)[0] + " …"


def _source_lines(citations: Sequence[Citation]) -> list[str]:
    """One line an article: its numbers, its title, its file, the places cited in it."""
    by_file: dict[str, list[Citation]] = {}
    for citation in citations:
        by_file.setdefault(citation.file, []).append(citation)
    lines = []
    for file, cited in by_file.items():
        chips = " ".join(chip(citation) for citation in cited)
        places = [words for words in dict.fromkeys(map(place, cited)) if words]
        if len(places) > 1 and all(words.startswith("line") for words in places):
            places = ["lines " + ", ".join(words.split(" ", 1)[1] for words in places)]
        details = (cited[0].date, file, *places, also_in(cited[0]))
        where = ", ".join(escape(words) for words in details if words)
        lines.append(f"{chips} {escape(cited[0].title)} · {where}")
    return lines


def sources(answer: Answer, shown: Shown) -> Data:
    """What the panel lists for an answer: cards of cited passages, and what was only looked at."""
    used = answer.citations or answer.nearest
    return {
        "heading": say("sources") if answer.citations else say("nearest"),
        "cards": [_card(citation, shown) for citation in used],
        "looked_at": [_card(citation, shown) for citation in answer.looked_at],
        # What the articles say themselves, beside what a language model makes of it.
        "own_words": [
            _card(citation, shown)
            for citation in (answer.extractive.citations if answer.extractive else ())
        ],
    }


def _card(citation: Citation, shown: Shown) -> Data:
    return {
        "number": citation.number,
        "title": citation.title,
        "file": citation.file,
        "place": ", ".join(filter(None, (citation.date, place(citation), also_in(citation)))),
        "quote": _excerpt(shown(citation), 220),
        "link": link(citation),
    }
