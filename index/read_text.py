"""Plain text and Markdown -> Article. The only file that knows chardet.

The article's text is the file's, marks and all, so that its line numbers hold.
"""

import re
from pathlib import PurePosixPath

import chardet

from index.boilerplate import boilerplate_reason
from index.origin import find_author, find_date, read_date
from index.types import Article, Heading, LeftOut, Range, Unreadable

ENCODING_SAMPLE = 200_000  # Bytes shown to the encoding detector, which is slow on more.
LONGEST_TITLE = 120
OPENING = 80  # Characters of the text that stand for a title where there is none.
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
CONTROL_CODES = (*range(9), *range(14, 27), *range(28, 32))  # Not tab, line end, form feed, escape.
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_MATTER_FIELD = r"^%s:[ \t]*(['\"]?)(.+?)\1[ \t]*$"
ATX_HEADING = re.compile(r"^[ \t]{0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
IMAGE_LINE = re.compile(r"^[ \t]*!\[[^\]\n]*\]\([^)\n]*\)[ \t]*$", re.MULTILINE)
LINK_DEFINITION = re.compile(r"^[ \t]{0,3}\[[^\]\n]+\]:[ \t]+\S+.*$", re.MULTILINE)
# Marks that a rendered page does not show, innermost first; each group is one range of marks.
MARKS = (
    re.compile(r"^[ \t]{0,3}(#{1,6}[ \t]+)", re.MULTILINE),
    re.compile(r"^[ \t]{0,3}(>[ \t]?)", re.MULTILINE),
    re.compile(r"^[ \t]*([-*+][ \t]+)(?=\S)", re.MULTILINE),
    re.compile(r"(!\[[^\]\n]*\]\([^)\n]*\))"),
    re.compile(r"(?<!!)(\[)[^\[\]\n]+(\]\((?:[^()\s]|\([^()\s]*\))*(?:[ \t]+\"[^\"\n]*\")?\))"),
    re.compile(r"(\*\*|__)(?=\S)[^\n]*?(?<=\S)(\1)"),
    re.compile(r"(?<![\w*])(\*)(?=[^\s*])[^*\n]*?(?<=[^\s*])(\*)(?![\w*])"),
    re.compile(r"(?<![\w_])(_)(?=[^\s_])[^_\n]*?(?<=[^\s_])(_)(?![\w_])"),
    re.compile(r"(?<!`)(`)[^`\n]+(`)(?!`)"),
)


def decode(content: bytes) -> str:
    """The text of a file in whatever encoding, with Unix line ends. Raises Unreadable."""
    marked = [name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    try:
        text = content.decode(marked[0] if marked else "utf-8")
    except UnicodeDecodeError:
        text = decode_legacy(content)
    if "\0" in text and not marked:
        text = decode_legacy(content)  # UTF-16 without its mark reads as UTF-8 full of zeros.
    control = sum(text.count(chr(code)) for code in CONTROL_CODES)
    if "\0" in text or control > len(text) / 100:
        raise Unreadable("binary data, not text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode_legacy(content: bytes) -> str:
    """The text of a file that is not UTF-8. Raises Unreadable when no encoding fits."""
    guess = chardet.detect(content[:ENCODING_SAMPLE])["encoding"]
    if guess is None:
        if b"\0" in content:
            raise Unreadable("binary data, not text")
        raise Unreadable("the text encoding is not recognised; save it as UTF-8")
    return content.decode(guess, "replace")


def read_text(file: str, content: bytes) -> Article:
    """A plain text file; its first short line is its title."""
    text = decode(content)
    heading = _title_line(text)
    return Article(
        file,
        heading.text if heading else title_from(file, text),
        text,
        numbered=True,
        headings=(heading,) if heading else (),
        date=find_date(text),
        author=find_author(text),
    )


def _title_line(text: str) -> Heading | None:
    """The first line that says something, if it looks like a title."""
    position = 0
    for line in text.split("\n"):
        words = line.strip()
        if words and not boilerplate_reason(line):
            titled = may_be_title(words, text)
            return Heading(position, position + len(line), words) if titled else None
        position += len(line) + 1
    return None


def may_be_title(words: str, text: str) -> bool:
    """Whether the first line of a text is its title: short, and not closed like a sentence."""
    return len(words) <= LONGEST_TITLE and len(words) < len(text) / 2 and words[-1] not in ".,;:"


def read_markdown(file: str, content: bytes) -> Article:
    """A Markdown file: its headings, the marks a page would not show, its front matter left out."""
    text = decode(content)
    front = FRONT_MATTER.match(text)
    left_out = [LeftOut(front.start(), front.end(), "front matter")] if front else []
    for pattern, reason in (
        (COMMENT, "comment"),
        (IMAGE_LINE, "image"),
        (LINK_DEFINITION, "link definition"),
    ):
        left_out += [LeftOut(*found.span(), reason) for found in pattern.finditer(text)]
    marks = find_marks(text)
    plain = Article(file, "", text, numbered=True, markup=marks)
    headings = tuple(
        Heading(found.start(), found.end(), plain.shown(*found.span()))
        for found in ATX_HEADING.finditer(text)
        if not (front and found.start() < front.end())
    )
    body = text[front.end() if front else 0 :]

    def field(name: str) -> str:
        found = re.search(FRONT_MATTER_FIELD % name, front.group(1), re.M) if front else None
        return found.group(2).strip() if found else ""

    if field("title"):
        title = field("title")
    elif headings:
        title = headings[0].text
    else:
        title = title_from(file, body)
    return Article(
        file,
        title,
        text,
        numbered=True,
        headings=headings,
        left_out=tuple(left_out),
        markup=marks,
        date=read_date(field("date")) or find_date(body),
        author=field("author") or find_author(body),
    )


def find_marks(text: str) -> tuple[Range, ...]:
    """The ranges of Markdown marks, sorted, without overlap."""
    ranges = {
        found.span(group)
        for pattern in MARKS
        for found in pattern.finditer(text)
        for group in range(1, (pattern.groups or 0) + 1)
    }
    marks: list[Range] = []
    for start, end in sorted(ranges):
        if not marks or start >= marks[-1][1]:
            marks.append((start, end))
    return tuple(marks)


def title_from(file: str, text: str) -> str:
    """A title for an article that has none: its file name in words, else its opening words."""
    words = PurePosixPath(file).stem.replace("_", " ").replace("-", " ").split()
    named = [word for word in words if not any(char.isdigit() for char in word)]
    if named and len("".join(named)) >= len("".join(words)) / 2 and any(len(w) > 2 for w in named):
        return " ".join(words)
    opening = " ".join(text[: LONGEST_TITLE * 2].split())
    if len(opening) <= OPENING:
        return opening
    return opening[: opening.rfind(" ", 0, OPENING) if " " in opening[:OPENING] else OPENING] + "…"
