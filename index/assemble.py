"""Blocks of words -> Article: for formats whose text is not the file's bytes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from index.origin import find_author, find_date
from index.read_text import title_from
from index.types import Article, Heading, LeftOut, Range


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item or table row as a reader sees it.

    `mark` is the bullet or number before an item; `reason` says why a block is no part of the
    article, and is empty where it is one.
    """

    words: str
    heading: bool = False
    mark: str = ""
    reason: str = ""


def assemble(
    file: str, blocks: Iterable[Block], *, title: str = "", date: str = "", author: str = ""
) -> Article:
    """The blocks as one text with a blank line between them.

    What the file says of itself comes before what its first lines say; without a title the first
    heading is it.
    """
    pieces: list[str] = []
    headings: list[Heading] = []
    left_out: list[LeftOut] = []
    marks: list[Range] = []
    position = 0
    for block in blocks:
        if not block.words.strip():
            continue
        end = position + len(block.mark) + len(block.words)
        if block.reason:
            left_out.append(LeftOut(position, end, block.reason))
        elif block.heading:
            headings.append(Heading(position, end, block.words))
        if block.mark:
            marks.append((position, position + len(block.mark)))
        pieces.append(block.mark + block.words)
        position = end + 2
    text = "\n\n".join(pieces)
    return Article(
        file,
        title or (headings[0].text if headings else title_from(file, text)),
        text,
        numbered=False,
        headings=tuple(headings),
        left_out=tuple(left_out),
        markup=tuple(marks),
        date=date or find_date(text),
        author=author or find_author(text),
    )
