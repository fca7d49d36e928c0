"""Where sentences begin and end. The only file that knows sentencex.

The library splits running text; this file first cuts the text into blocks where no sentence can
continue: blank lines, list items, headings, left-out ranges.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import sentencex

from index.types import LeftOut, Range

BLANK_LINE = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)+")
# A line that begins a block of its own: Markdown headings, list items, quotes, table rows, rules.
STARTS_BLOCK = re.compile(r"[ \t]*(?:#{1,6}[ \t]|[-*+•▪–][ \t]|\d{1,3}[.)][ \t]|>|\||```|---)")
LIST_NUMBER = re.compile(r"\s*\(?[0-9a-zA-Z]{1,3}[.)]\s*")
# A quotation of several words whose full stop stands inside it, before a new sentence.
QUOTE_CLOSES = re.compile(r"[“\"][^“”\"\n]*\s[^“”\"\n]*\.[”\"]\s+(?=[A-Z])")
HEADING_LENGTH = 60  # A shorter line without a full stop, above a capital letter, is a heading.
LONGEST_SENTENCE = 1000  # Text without full stops (tables, logs) is cut at a space about here.
SPLITTER_WINDOW = (
    20_000  # sentencex gets at most this many characters, so that no line is too long.
)


def blocks(text: str, start: int, end: int) -> Iterator[Range]:
    """Cut a range where no sentence can run on."""
    position = start
    for gap in BLANK_LINE.finditer(text, start, end):
        yield from _lines_apart(text, position, gap.start())
        position = gap.end()
    yield from _lines_apart(text, position, end)


def _lines_apart(text: str, start: int, end: int) -> Iterator[Range]:
    """Cut a paragraph before list items and after heading lines; other line ends are wraps."""
    block = start
    line = start
    while line < end:
        line_end = text.find("\n", line, end)
        line_end = end if line_end < 0 else line_end
        if line > block and STARTS_BLOCK.match(text, line, line_end):
            yield block, line
            block = line
        words = text[line:line_end].strip()
        following = text[line_end + 1 : end].lstrip()[:1]
        heading = words.startswith("#") or (
            len(words) < HEADING_LENGTH
            and words[-1:].isalnum()
            and (following.isupper() or following in "“\"'‘([")
            and line_end - line < HEADING_LENGTH
            and block == line
            and not STARTS_BLOCK.match(text, line, line_end)
        )
        if heading and following and line_end < end:
            yield block, line_end
            block = line_end + 1
        line = line_end + 1
    if block < end:
        yield block, end


def sentences(text: str, left_out: Sequence[LeftOut] = ()) -> tuple[Range, ...]:
    """The sentences of a text outside the left-out ranges, trimmed of space, in order."""
    found: list[Range] = []
    position = 0
    for gap in (*left_out, LeftOut(len(text), len(text), "")):
        for start, end in blocks(text, position, gap.start):
            for piece_start, piece_end in _windows(text, start, end):
                for left, right in _split(text, piece_start, piece_end):
                    found.extend(_bounded(text, left, right))
        position = gap.end
    return tuple(found)


def _windows(text: str, start: int, end: int) -> Iterator[Range]:
    while end - start > SPLITTER_WINDOW:
        cut = text.rfind(" ", start + 1, start + SPLITTER_WINDOW) + 1 or start + SPLITTER_WINDOW
        yield start, cut
        start = cut
    yield start, end


def _split(text: str, start: int, end: int) -> Iterator[Range]:
    block = text[start:end]
    if not block.strip():
        return
    number_start = -1  # Of a list number, which belongs to the item behind it.
    for boundary in sentencex.get_sentence_boundaries("en", block):
        left, right = start + boundary["start_index"], start + boundary["end_index"]
        if number_start >= 0:
            left, number_start = number_start, -1
        elif LIST_NUMBER.fullmatch(text, left, right) and right < end:
            number_start = left
            continue
        # The library takes the full stop of “Tulloch & Co.” for that of an abbreviation.
        cuts = [found.end() for found in QUOTE_CLOSES.finditer(text, left, right)]
        for first, last in pairwise([left, *cuts, right]):
            inner = text[first:last]
            trimmed = first + len(inner) - len(inner.lstrip())
            if trimmed < first + len(inner.rstrip()):
                yield trimmed, first + len(inner.rstrip())


def _bounded(text: str, start: int, end: int) -> Iterator[Range]:
    """Cut what has no full stop at the last space that still fits, whatever kind of space it is."""
    while end - start > LONGEST_SENTENCE:
        longest = start + LONGEST_SENTENCE
        spaces = (place for place in range(longest, start, -1) if text[place].isspace())
        cut = next(spaces, longest)
        yield start, start + len(text[start:cut].rstrip())
        start = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    if start < end:
        yield start, end
