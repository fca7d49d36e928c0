"""What an answer looks like: Markdown for the chat, plain data for the source panel. Pure.

Article text, file names and questions are hostile until escaped: nothing here passes them through.
The panel gets plain text in runs, never HTML; the browser puts it in place with `textContent`.
"""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from index.sentences import blocks
from index.types import Article, Range
from rag.types import Answer, Citation
from ui.terminal import NOWHERE, also_in

Data = dict[str, Any]
"""What is sent to the browser as JSON."""

Shown = Callable[[Citation], str]
"""Gives the words of a passage as a person sees them: without the marks of Markdown."""

Look = tuple[int, int, str, str]
"""A run of an article's text: start, end, the kind of its look, and why it was left out."""

SPECIAL = re.compile(r"[\\`*_\[\]{}$~|^]")  # Marks that could begin Markdown inside a line.
HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
LINK_STARTS = re.compile(r"(?i)(?<=[a-z])(?=://|@)|(?<=www)(?=\.)|(?<=\w)(?=@)")
LINE_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([#+\-=:])")
COMMAND = re.compile(r"\\`([\w ./-]+)\\`")
LINK = re.compile(r"#src-([0-9a-f]{16})-(\d{1,9})-(\d{1,9})-([0-9a-f]{8})(?:-(\d{1,9})-(\d{1,9}))?")
LIST_ITEM = re.compile(r"\s*(?:[-*+•▪–]|\d{1,3}[.)])[ \t]")
WRAPPED = re.compile(r"(?m)^(.{45,})\n")
LINE_END = re.compile(r"(?<!\n)()\n(?!\n)")
HIDDEN = "hidden"
DOUBTED = '#unsupported "No passage says this"'
EDIT = '#ask "Change it and ask again"'  # panel.js puts the words into the question box.
CHANGED = "This article has changed since the answer was given: the cited words are not marked."


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


def error_markdown(message: str) -> str:
    """An error's sentence as Markdown; the commands in it, between backticks, look like code."""
    return COMMAND.sub(r"`\1`", escape(message))


def place(citation: Citation) -> str:
    """Where a passage stands, in words: `line 12`, `lines 12–14`, `page 3`, or a heading."""
    heading = citation.heading if citation.heading != citation.title else None
    return _place(citation.lines, citation.page, heading)


def _place(lines: Range | None, page: int | None, heading: str | None) -> str:
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


def markdown(answer: Answer, shown: Shown) -> str:
    """The answer as the chat shows it; `shown` gives the words of a passage without marks."""
    chips = {citation.number: chip(citation) for citation in answer.citations}
    parts: list[str] = []
    if _differs(answer.searched_for, answer.question):
        parts.append(f"*Searched for: [{escape(answer.searched_for)}]({EDIT})*")
    if answer.note:
        parts.append(f"*{escape(answer.note)}*")
    if answer.conflict:
        parts.append("#### Your sources disagree")
        parts.append(
            "\n".join(
                f"- **{escape(value.value)}**\u00a0{_chips(value.citations, chips)}"
                for value in answer.conflict
            )
        )
    elif answer.short_answer:
        parts.append(f"**{escape(answer.short_answer)}**")
    for paragraph in answer.paragraphs:
        if answer.conflict and not any(sentence.citations for sentence in paragraph):
            continue  # The heading has said it.
        sentences = [
            _doubted(sentence.text)
            if sentence.text in answer.unsupported
            else f"{escape(sentence.text)}\u00a0{_chips(sentence.citations, chips)}".rstrip()
            for sentence in paragraph
        ]
        titled = answer.mode != "llm" and len(paragraph) > 1 and not paragraph[0].citations
        if answer.citations and titled:
            sentences[0] = f"**{sentences[0]}**"  # The title of the article that is quoted.
        parts.append(" ".join(sentences))
    if answer.mode == "llm":
        told = f"Written by {answer.model}; every sentence was checked against your articles."
        parts.append(f"*{escape(told)}*")
    if answer.nearest and not answer.answered:
        parts.append("##### Nearest passages")
        parts.append("\n".join(_nearest(citation, shown) for citation in answer.nearest))
    if answer.citations:
        parts.append("##### Sources")
        parts.append("\n".join(f"- {line}" for line in _source_lines(answer.citations)))
    return "\n\n".join(parts)


def _differs(searched_for: str, question: str) -> bool:
    words, asked = (" ".join(text.split()).casefold() for text in (searched_for, question))
    return bool(words) and words.rstrip("?. ") != asked.rstrip("?. ")


def _doubted(text: str) -> str:
    """A sentence that no passage bears: a link to nothing, and words, since phones do not hover.

    style.css and panel.js know the link.
    """
    return f"[{escape(text)}]({DOUBTED}) *({NOWHERE})*"


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
        "heading": "Sources" if answer.citations else "Nearest passages",
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


def source(article: Article, target: Target) -> Data:
    """An article for the panel, cut into blocks of runs, with the cited range marked."""
    start, end = target.cited
    unchanged = fingerprint(article.text[start:end]) == target.check
    looks = _looks(article, target.cited if unchanged else None, target.short)
    return {
        "title": article.title,
        "file": article.file,
        "place": _place(article.lines(start, end), article.page(start), article.heading(start))
        if unchanged
        else "",
        "note": "" if unchanged else CHANGED,
        "blocks": list(_blocks(article, looks)),
    }


def _looks(article: Article, cited: Range | None, short: Range | None) -> list[Look]:
    """How the text looks, as runs that follow each other: later layers lie over earlier ones."""
    layers = [((gap.start, gap.end), "left-out", gap.reason) for gap in article.left_out]
    if cited:
        layers.append((cited, "cited", ""))
        if short and cited[0] <= short[0] < short[1] <= cited[1]:
            layers.append((short, "short", ""))
    layers += [(marks, HIDDEN, "") for marks in article.markup]
    edges = {0, len(article.text)}.union(*(layer[0] for layer in layers))
    opening: dict[int, list[int]] = {}
    for number, ((start, _), _, _) in enumerate(layers):
        opening.setdefault(start, []).append(number)
    looks: list[Look] = []
    active: list[int] = []
    for left, right in pairwise(sorted(edges)):
        active = [number for number in active if layers[number][0][1] > left]
        active += opening.get(left, [])
        _, kind, reason = layers[max(active)] if active else ((), "", "")
        looks.append((left, right, kind, reason))
    return looks


def _blocks(article: Article, looks: Sequence[Look]) -> Iterable[Data]:
    """Headings, list items and paragraphs, each with the number of its first line."""
    # Wrapped lines flow on; a short line was broken on purpose, except on a page of paper.
    wrapped = LINE_END if article.pages else WRAPPED
    text = wrapped.sub(lambda found: f"{found[1]} ", article.text)
    starts = [left for left, _, _, _ in looks]
    headings = {heading.start: heading.end for heading in article.headings}
    gaps = (edge for gap in article.left_out for edge in (gap.start, gap.end))
    cuts = {0, len(text), *headings, *headings.values(), *gaps}
    line, counted = 1, 0
    for left, right in pairwise(sorted(cuts)):
        for start, end in blocks(article.text, left, right):
            start += len(text[start:end]) - len(text[start:end].lstrip())
            here = looks[max(0, bisect_right(starts, start) - 1) : bisect_left(starts, end)]
            runs = [
                {"kind": kind, "text": text[max(start, a) : min(end, b)], "reason": reason}
                for a, b, kind, reason in here
                if kind != HIDDEN and a < b
            ]
            if not "".join(run["text"] for run in runs).strip():
                continue
            line += article.text.count("\n", counted, start)
            counted = start
            yield {
                "line": line if article.numbered else None,
                "kind": _kind(article, start, end, left in headings, here[0][2] == HIDDEN),
                "runs": runs,
            }


def _kind(article: Article, start: int, end: int, heading: bool, marked: bool) -> str:
    if heading:
        first = article.headings[0]
        return "title" if first.start <= start < first.end else "heading"
    if LIST_ITEM.match(article.text, start, end):
        return "bullet" if marked else "item"
    return "paragraph"
