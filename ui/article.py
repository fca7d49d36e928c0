"""An article as the panel shows it: blocks of plain text, the cited words marked. Pure."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from index.sentences import blocks
from index.types import Article, Range
from rag.types import Answer
from ui.render import Data, Target, fingerprint, link, place, place_in_words
from ui.strings import say
from ui.terminal import also_in

Look = tuple[int, int, str, str]
"""A run of an article's text: start, end, the kind of its look, and why it was left out."""

LIST_ITEM = re.compile(r"\s*(?:[-*+•▪–]|\d{1,3}[.)])[ \t]")
WRAPPED = re.compile(r"(?m)^(.{45,})\n")
LINE_END = re.compile(r"(?<!\n)()\n(?!\n)")
HIDDEN = "hidden"
MARKED = {"cited", "short"}


def source(article: Article, target: Target) -> Data:
    """An article for the panel, cut into blocks of runs, with the cited range marked."""
    start, end = target.cited
    unchanged = fingerprint(article.text[start:end]) == target.check
    looks = _looks(article, target.cited if unchanged else None, target.short)
    return {
        "title": article.title,
        "file": article.file,
        "place": place_in_words(
            article.lines(start, end), article.page(start), article.heading(start)
        )
        if unchanged and start < end
        else "",
        "date": article.date,
        "author": article.author,
        "note": "" if unchanged else say("quote_changed"),
        "blocks": list(_blocks(article, looks)),
    }


def columns(answer: Answer, article: Callable[[str], Article | None]) -> list[Data]:
    """Values that sources disagree about, each with the paragraph that says so."""
    found = []
    for value in answer.conflict or ():
        for citation in answer.citations:
            text = article(citation.file) if citation.number in value.citations else None
            if text is None:
                continue
            looks = _looks(text, (citation.start, citation.end), citation.short)
            told = (citation.date, place(citation), also_in(citation))
            found.append(
                {
                    "value": value.value,
                    "number": citation.number,
                    "title": citation.title,
                    "file": citation.file,
                    "place": ", ".join(filter(None, told)),
                    "link": link(citation),
                    "blocks": [
                        part
                        for part in _blocks(text, looks)
                        if any(run["kind"] in MARKED for run in part["runs"])
                    ],
                }
            )
    return found


def _looks(article: Article, cited: Range | None, short: Range | None) -> list[Look]:
    """How the text looks, as runs that follow each other: later layers lie over earlier ones."""
    layers = [((gap.start, gap.end), "left-out", gap.reason) for gap in article.left_out]
    if cited and cited[0] < cited[1]:
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
