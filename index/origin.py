"""Who wrote an article and when, where the article says so. The only file that knows dateutil."""

import re
from datetime import datetime

from dateutil import parser

OPENING_LINES = 6  # Among them a line of its own may give the date or the author.
LONGEST_DATE = 40
LONGEST_AUTHOR = 60
DATED = re.compile(r"^(?:published|updated|posted|date)?\s*(?:on|:)?\s*", re.IGNORECASE)
YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
# The third of April to some, the fourth of March to others: only the year is certain.
AMBIGUOUS = re.compile(r"\b(?:0?\d|1[0-2])/(?:0?\d|1[0-2])/")
BY = re.compile(r"^(?:by|author:|written by)\s+(?=\S)", re.IGNORECASE)


def read_date(words: str) -> str:
    """A date in ISO form as far as it is known (2023-06-12, 2023-06, 2023), or an empty string."""
    words = DATED.sub("", words.strip())
    year = YEAR.search(words)
    if not year or len(words) > LONGEST_DATE:
        return ""
    if AMBIGUOUS.search(words):
        return year.group()
    # Parsed twice: what a date does not say, such as the day, is filled in from the default.
    try:
        first, second = (
            parser.parse(
                words,
                default=datetime(2000, filler, filler),
                dayfirst="." in words,
                ignoretz=True,  # Of no use to a day, and a warning where it is not known.
            )
            for filler in (1, 2)
        )
    except (ValueError, OverflowError):
        return ""
    known = 4 if first.month != second.month else 7 if first.day != second.day else 10
    return str(first.isoformat()[:known])


def opening_lines(text: str) -> list[str]:
    """The first lines of a text that are not empty."""
    lines = (line.strip() for line in text[:2000].split("\n"))
    return [line for line in lines if line][:OPENING_LINES]


def find_date(text: str) -> str:
    """The date on a line of its own at the head of a text, or an empty string."""
    return next(filter(None, map(read_date, opening_lines(text))), "")


def find_author(text: str) -> str:
    """The author on a line of its own at the head of a text ("By ..."), or an empty string."""
    for line in opening_lines(text):
        if (found := BY.match(line)) and len(line) <= LONGEST_AUTHOR and line[-1] != ".":
            return line[found.end() :]
    return ""
