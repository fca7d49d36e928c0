"""What a language model wrote -> its sentences with the numbers it cites. Pure.

Models cite in many ways: [1], [1,3], [1-3], 【1】, (1), [^1], ¹. The marks are taken out, and each
counts for the sentence that it follows or stands in. Brackets in code or in a quotation are text.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from index.sentences import sentences

NUMBERS = r"\d{1,3}(?:\s*(?:[-–,;&]|and)\s*\^?\d{1,3})*"
WORDS = r"(?:passages?|sources?|refs?\.?|nos?\.)\s*"
MARKER = re.compile(
    rf"(?:\s*[\[【]\s*(?:{WORDS})?\^?(?P<square>{NUMBERS})\s*(?:†[^】\]]*)?[\]】](?!\()"
    rf"|\s*\((?P<round>(?:{WORDS})?{NUMBERS})\)(?=[\s.!?,;:]|$)"
    # Not the square of a unit, as in 5 km².
    r"|(?:(?<=[.!?,;:”\"’)\]])|(?<=\w{4}))(?P<raised>[⁰¹²³⁴-⁹]+(?:[,⁻][⁰¹²³⁴-⁹]+)*))",
    re.IGNORECASE,
)
RANGE = re.compile(r"(\d{1,3})\s*[-–⁻]\s*\^?(\d{1,3})|(\d{1,3})")
KEPT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|“[^”\n]*”|\"[^\"\n]*\"", re.DOTALL)
THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)\s*", re.DOTALL | re.IGNORECASE)
# The beginning of what may yet become a marker, a thought, or a whole character.
UNFINISHED = re.compile(
    r"(?:\s*[\[【(][^\]】)\n]{0,24}|\s*[⁰¹²³⁴-⁹]+|<[a-z]{0,9}|\ufffd+)\Z", re.IGNORECASE
)
SOURCES = re.compile(
    r"^\W*(?:sources?|references?|citations?|footnotes?)\W*$|^\s*\[\^?\d{1,3}\](?::|\s+[A-Z“\"])",
    re.IGNORECASE | re.MULTILINE,
)
MARKS = re.compile(r"\*\*|__|^#{1,6}\s+|^>\s?|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)", re.MULTILINE)
ITEM = re.compile(r"^\s*(?:[-*+•–]|\d{1,2}[.)])\s+")
LARGEST_RANGE = 20


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence as a model wrote it, without its marks, and the numbers of passages it cites."""

    text: str
    numbers: tuple[int, ...]


def drafts(written: str, *, ended: bool) -> list[list[Draft]]:
    """The whole sentences of what was written so far, by paragraphs; the last one when it ended.

    A list of sources at the end, as some models add, is no part of the answer.
    """
    text = THOUGHT.sub("", written)
    if not ended:
        text = UNFINISHED.sub("", text)
    text = unicodedata.normalize("NFC", text.replace("\ufffd", ""))
    listed = SOURCES.search(text, 1)
    if listed and text[: listed.start()].strip():
        text, ended = text[: listed.start()], True
    found = [paragraph for line in text.split("\n") if (paragraph := list(_sentences(line)))]
    complete = ended or text.endswith("\n")
    if found and not complete:
        # What follows may yet belong to it: a marker behind the full stop.
        found[-1].pop()
    return [paragraph for paragraph in found if paragraph]


def _sentences(line: str) -> Iterator[Draft]:
    """The sentences of one line; its list mark and its emphasis are taken away."""
    line = MARKS.sub("", ITEM.sub("", line)).strip()
    kept = [found.span() for found in KEPT.finditer(line)]
    clean, places, position = "", [], 0
    for found in MARKER.finditer(line):
        inside = any(start <= found.start() < end for start, end in kept)
        opening = found["round"] and not line[: found.start()].strip()
        if inside or opening or not _numbers(found):
            continue
        clean += line[position : found.start()]
        places.append((len(clean), _numbers(found)))
        position = found.end()
    clean += line[position:]
    ranges = sentences(clean)
    before = bool(places) and places[0][0] == 0  # Each number stands before its sentence.
    for number, (start, end) in enumerate(ranges):
        following = ranges[number + 1][0] if number + 1 < len(ranges) else len(clean) + 1
        previous = ranges[number - 1][1] if number else 0
        first, last = (previous, end) if before else (start + 1, following)
        cited = [n for place, found in places if first <= place < last for n in found]
        text = " ".join(clean[start:end].split())
        if any(character.isalnum() for character in text):
            yield Draft(text, tuple(dict.fromkeys(cited)))


def _numbers(found: re.Match[str]) -> tuple[int, ...]:
    """The numbers of a marker, its ranges filled in."""
    text = unicodedata.normalize("NFKC", found["square"] or found["round"] or found["raised"])
    numbers: list[int] = []
    for first, last, single in RANGE.findall(text.replace("⁻", "-").replace("−", "-")):
        if single:
            numbers.append(int(single))
        elif int(first) <= int(last) <= int(first) + LARGEST_RANGE:
            numbers.extend(range(int(first), int(last) + 1))
    return tuple(numbers)
