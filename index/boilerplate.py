"""Lines that belong to the page and not to the article: menus, ratings, licence footers.

A line is left out only when the whole of it matches; a licence sentence inside a paragraph only
when it closes the article. What is left out stays in the article's text and is listed.
"""

import re
from collections.abc import Iterable

from index.sentences import sentences
from index.types import LeftOut

LONGEST_LINE = 300  # A longer line is prose, whatever it mentions.
TAIL = 500  # Characters at the end of an article in which a licence sentence is looked for.

LICENCE = re.compile(
    r"(?:licen[sc]ed|^(?:this )?(?:text|content|article|page|work)s? (?:is |are )?"
    r"(?:released|published|available)) under "
    r"(?:a |the |an )?(?:creative commons|cc[ -]by|gnu|mit|open government)"
    r"|\ball rights reserved\b|^©|^\(c\) ?\d{4}|^copyright (?:©|\(c\)|\d{4})"
    r"|^(?:reproduced|republished|reprinted) (?:here )?(?:with|by) (?:kind )?permission",
    re.IGNORECASE,
)
LINES = {
    "page navigation": (
        r"(?:back to |go to |return to )?(?:the )?(?:top|bottom)(?: of (?:the )?page)?",
        r"skip to (?:main |the )?(?:content|navigation)",
        r"back to (?:home|all articles|the index|news)",
        r"(?:previous|next|older|newer) (?:article|post|page|story)|read (?:more|also|next)",
        r"related (?:articles|posts|stories|links|content)|you may also like|home|menu|search",
        r"print(?: this (?:page|article))?|loading|advertisement|sponsored(?: content)?|close",
    ),
    "rating widget": (
        r"rated \d(?:[.,]\d)? out of \d+(?: stars)?|no ratings? yet|add a rating",
        r"rate this (?:article|page|post)|was this (?:page|article) helpful",
        r"\d+ (?:ratings?|votes?|comments?|likes?|shares?)",
        r"(?:leave|post|write|add) a (?:comment|reply)|log in to (?:comment|reply)",
    ),
    "share buttons": (
        r"share(?: (?:this|on|via|by|with)\b.{0,60})?|tweet(?: this)?|pin it|copy link",
        r"follow us(?: on .{0,60})?|e-?mail this(?: article)?",
    ),
    "newsletter": (
        r"(?:subscribe|sign up|register)(?: now| today| here)?(?: (?:to|for) (?:our|the) .{0,80})?",
    ),
    "cookie notice": (
        r".{0,120}\b(?:uses?|using|accept(?: all)?|manage) cookies\b.{0,180}",
        r"cookie (?:policy|settings|preferences)|privacy policy",
        r"terms (?:of use|of service|and conditions)",
    ),
}
PATTERNS = {
    reason: re.compile("|".join(patterns), re.IGNORECASE) for reason, patterns in LINES.items()
}
MENU_SEPARATOR = re.compile(r"\s+[|›»•·/]\s+")
MENU_WORDS = frozenset(
    "home about contact news login menu search privacy terms help archive subscribe sitemap".split()
)
MENU_ITEM_LENGTH = 25


def boilerplate_reason(line: str) -> str | None:
    """Why a whole line is left out, or None when it is article text."""
    words = line.strip().strip("*_-–—•|>#[]()!.… \t").strip()
    if not words or len(words) > LONGEST_LINE:
        return None
    for reason, pattern in PATTERNS.items():
        if pattern.fullmatch(words):
            return reason
    marked = line.strip().strip("*_ ")
    if LICENCE.search(marked) and all(LICENCE.search(marked[a:b]) for a, b in sentences(marked)):
        return "licence footer"
    items = MENU_SEPARATOR.split(line.strip())
    menu = len(items) >= 3 and all(len(item) <= MENU_ITEM_LENGTH for item in items)
    if menu and any(item.split()[0].casefold() in MENU_WORDS for item in items if item.split()):
        return "menu"
    return None


def find_boilerplate(text: str) -> list[LeftOut]:
    """The lines of a text that are boilerplate, and a licence sentence that closes it."""
    found = []
    position = 0
    for line in text.split("\n"):
        reason = boilerplate_reason(line)
        if reason:
            found.append(LeftOut(position, position + len(line), reason))
        position += len(line) + 1
    return merge(found + _closing_licence(text, found))


def _closing_licence(text: str, found: list[LeftOut]) -> list[LeftOut]:
    """The licence sentence at the end of the last paragraph that is not boilerplate already."""
    end = len(text.rstrip())
    for gap in reversed(found):
        if gap.end >= end:
            end = len(text[: gap.start].rstrip())
    start = max(0, end - TAIL)
    last = [(start + left, start + right) for left, right in sentences(text[start:end])][-1:]
    return [
        LeftOut(left, right, "licence footer")
        for left, right in last
        if left > start and right - left <= LONGEST_LINE and LICENCE.search(text[left:right])
    ]


def merge(ranges: Iterable[LeftOut]) -> list[LeftOut]:
    """Sort ranges and cut away overlaps, so that each character is left out for one reason."""
    merged: list[LeftOut] = []
    for gap in sorted(ranges, key=lambda gap: (gap.start, -gap.end)):
        start = max(gap.start, merged[-1].end) if merged else gap.start
        if start < gap.end:
            merged.append(LeftOut(start, gap.end, gap.reason))
    return merged
