"""A PDF -> Article with pages. The only file that knows pypdfium2.

Lines keep their ends; a blank line stands where the gap between two lines or the size of the
letters says that a paragraph ends. A word that was cut at a line end is whole, on the upper line.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import pypdfium2 as pdfium
from pypdfium2 import raw

from index.origin import find_author, find_date, read_date
from index.read_text import title_from
from index.types import Article, Heading, LeftOut, Unreadable

HYPHENS = "\u00ad\u0002\ufffe"  # What pdfium gives for a hyphen that it takes for a line end's.
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
CUT_WORD = re.compile(rf"({WORD.pattern})[-{HYPHENS}]$")
WIDE_GAP = 1.35  # Between lines of two paragraphs, against the usual one.
LEADING = 1.2  # The least distance of two lines that belong together, in sizes of the letters.
FARTHEST = 4  # Times the size of the letters: more is another column or page part.
OTHER_SIZE = 1.12  # Letters this much larger, or smaller, begin another block.
HEADING_SIZE = 1.15
HEADING_LINES = 5
EDGE = 2  # Lines at the head and foot of a page among which running heads are looked for.
FEWEST_PAGES = 3  # On which a line must recur to be one.
PAGE_NUMBER = re.compile(r"(?:page\s*)?[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*(?:of|/)\s*\d+)?", re.I)
CLOSED = re.compile(r"[.!?:;][\"”'’)\]]*$")
GARBLED = re.compile("[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]")
MOST_GARBLED = 0.05  # Share of the characters of a page.
NO_TITLE = re.compile(r"untitled|.*\.(?:docx?|pdf|indd|tex|dvi)|microsoft word\b.*", re.I)
RUNNING = "page header or footer"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: its words, the heights of its top and foot, the size of its letters."""

    text: str
    top: float
    foot: float
    size: float


def read_pdf(file: str, content: bytes) -> Article:
    """The text of a document, page by page; running heads stand at the end, left out."""
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("encrypted: save it without a password") from error
        raise Unreadable("damaged: no page of it can be opened") from error
    try:
        pages = [_lines(document, number) for number in range(len(document))]
        said = document.get_metadata_dict()
    finally:
        document.close()
    if not any(pages):
        raise Unreadable("no text in it: its pages are pictures, which need text recognition first")
    return _assemble(file, pages, said)


def _lines(document: pdfium.PdfDocument, number: int) -> list[Line]:
    """The lines of a page in the order of the file; none when it cannot be read."""
    try:
        page = document.get_page(number)
        text = page.get_textpage()
    except pdfium.PdfiumError:
        return []
    lines: list[Line] = []
    letters = ""
    box, size = (0.0, 0.0, 0.0, 0.0), 0.0
    for place in range(text.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(text, place))
        if not letters.strip():
            box, size = text.get_charbox(place), raw.FPDFText_GetFontSize(text, place)
        letters += char
        # pdfium gives a hyphen at a line end, and then no line end.
        if char in "\r\n" or char in HYPHENS:
            lines.append(Line(letters, box[3], box[1], size))
            letters = ""
    lines.append(Line(letters, box[3], box[1], size))
    text.close()
    page.close()
    return [replace(one, text=" ".join(one.text.split())) for one in lines if one.text.strip()]


def _assemble(file: str, pages: list[list[Line]], said: dict[str, str]) -> Article:
    running = _running(pages)
    known = {word.lower() for lines in pages for line in lines for word in WORD.findall(line.text)}
    usual = _usual_size(pages)
    text = ""
    starts: list[int] = []
    headings: list[Heading] = []
    remarks: list[str] = []
    heads: list[str] = []
    unfinished = False
    for number, lines in enumerate(pages, 1):
        body = [line for place, line in enumerate(lines) if (number, place) not in running]
        heads += [line.text for place, line in enumerate(lines) if (number, place) in running]
        whole = "".join(line.text for line in lines)
        if not whole:
            remarks.append(f"page {number} has no text")
        elif len(GARBLED.findall(whole)) > MOST_GARBLED * len(whole):
            remarks.append(f"the text of page {number} is garbled")
        for place, block in enumerate(_blocks(body)):
            words = [line.text for line in block]
            goes_on = place == 0 and unfinished
            if text:
                text += "\n" if goes_on else "\n\n"
            if place == 0:
                starts.append(len(text))
            begin = len(text)
            for line in words:
                text = _joined(text, line, begin, known)
            large = min(line.size for line in block) > HEADING_SIZE * usual
            if large and len(block) <= HEADING_LINES:
                headings.append(Heading(begin, len(text), " ".join(text[begin:].split())))
            # A paragraph without an end goes on over the page; a single line may be an item.
            several = len(block) > 1 or goes_on
            unfinished = several and not large and not CLOSED.search(text)
        if not body:
            starts.append(len(text))
    left_out = []
    for head in heads:
        text += "\n\n"
        left_out.append(LeftOut(len(text), len(text) + len(head), RUNNING))
        text += head
    named = " ".join(said.get("Title", "").split())
    title = named if named and not NO_TITLE.fullmatch(named) else ""
    return Article(
        file,
        title or (headings[0].text if headings else title_from(file, text)),
        text,
        numbered=False,
        headings=tuple(headings),
        left_out=tuple(left_out),
        date=find_date(text) or _date(said.get("CreationDate", "")),
        author=find_author(text) or " ".join(said.get("Author", "").split()),
        pages=tuple(starts),
        remarks=tuple(remarks),
    )


def _joined(text: str, line: str, begin: int, known: Set[str]) -> str:
    """A text with a further line of a block, whose first word may end one that was cut.

    `known` are the words of the document: "so-called" keeps its hyphen where it has one elsewhere.
    """
    if len(text) == begin:
        return text + line
    cut, rest = CUT_WORD.search(text), WORD.match(line)
    if not cut or not rest or rest.group()[0].isupper():
        return f"{text.rstrip(HYPHENS)}\n{line}"
    whole, parted = cut[1] + rest.group(), f"{cut[1]}-{rest.group()}"
    parts = parted.lower() in known and whole.lower() not in known
    upper = text[: cut.start()] + (parted if parts else whole)
    # What follows the word, as a comma, stays with it; the words after it go down a line.
    closing, _, remainder = line[rest.end() :].partition(" ")
    return f"{upper}{closing}\n{remainder}" if remainder else upper + closing


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines of a page, cut where a paragraph or heading ends."""
    usual = _pitch(lines)
    block: list[Line] = []
    for line in lines:
        if block:
            last = block[-1]
            sizes = sorted((last.size, line.size))
            widest = WIDE_GAP * max(usual, LEADING * sizes[0])
            apart = usual and not -usual < last.top - line.top <= widest
            if apart or sizes[1] > OTHER_SIZE * max(sizes[0], 0.1):
                yield block
                block = []
        block.append(line)
    if block:
        yield block


def _usual_size(pages: Sequence[Sequence[Line]]) -> float:
    """The size of most letters."""
    sizes: Counter[float] = Counter()
    for line in (line for lines in pages for line in lines):
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0]


def _running(pages: Sequence[Sequence[Line]]) -> set[tuple[int, int]]:
    """Page number and place of every line at an edge that recurs, or only numbers the page."""
    edges: dict[str, list[tuple[int, int]]] = {}
    found: set[tuple[int, int]] = set()
    for number, lines in enumerate(pages, 1):
        for place in _edges(lines):
            if PAGE_NUMBER.fullmatch(lines[place].text):
                found.add((number, place))
            edges.setdefault(re.sub(r"\d+", "#", lines[place].text), []).append((number, place))
    for places in edges.values():
        if len({number for number, _ in places}) >= max(FEWEST_PAGES, len(pages) / 2):
            found.update(places)
    return found


def _edges(lines: Sequence[Line]) -> set[int]:
    """The places of the highest and lowest lines of a page that stand apart from the others."""
    pitch = _pitch(lines)
    downwards = sorted(range(len(lines)), key=lambda place: -lines[place].top)
    places: set[int] = set()
    for order in (downwards, downwards[::-1]):
        for count, (place, following) in enumerate(pairwise(order[: EDGE + 1]), 1):
            if abs(lines[place].top - lines[following].top) > WIDE_GAP * pitch:
                places.update(order[:count])
    return places


def _pitch(lines: Sequence[Line]) -> float:
    """The usual distance from one line of a page to the next."""
    pitches = [
        upper.top - lower.top
        for upper, lower in pairwise(lines)
        if 0 < upper.top - lower.top < FARTHEST * max(upper.size, 1)
    ]
    return median(pitches) if pitches else 0.0


def _date(said: str) -> str:
    """The date of a PDF's properties, such as D:20230612093000+02'00'."""
    found = re.match(r"D:(\d{4})(\d\d)(\d\d)", said)
    return read_date("-".join(found.groups())) if found else ""
