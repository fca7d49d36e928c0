"""Citations: from a range of an article to what a person can look up, and back."""

import re

from index import Article, Index
from index.copies import words
from index.types import FootnoteError, Range
from rag.types import Citation

LONGEST_LINES = 600  # Characters; an id of longer lines also gives the characters it means.
ID = re.compile(
    r"(?P<file>.+?)"
    r"(?:#(?:L(?P<first>\d{1,9})(?:-L?(?P<last>\d{1,9}))?:?|p(?P<page>\d{1,9}):?)?"
    r"(?:c(?P<start>\d{1,9})-(?P<end>\d{1,9}))?)?",
    re.DOTALL,  # A file name may hold any character.
)


class UnknownCitation(FootnoteError):
    """An id that names nothing in the index."""


def cite(
    article: Article,
    start: int,
    end: int,
    *,
    number: int = 1,
    short: Range | None = None,
    index: Index | None = None,
) -> Citation:
    """A citation of `article.text[start:end]`; with an index, copies that say it are named."""
    return Citation(
        number=number,
        id=citation_id(article, start, end),
        file=article.file,
        title=article.title,
        start=start,
        end=end,
        lines=article.lines(start, end),
        page=article.page(start),
        heading=article.heading(start),
        quote=article.text[start:end],
        short=short,
        date=article.date,
        author=article.author,
        copies=_copies(article, (start, end), index) if index else (),
    )


def _copies(article: Article, cited: Range, index: Index) -> tuple[str, ...]:
    """The other articles of the same text in which the cited words stand too."""
    source = index.originals.get(article.file, article.file)
    alike = [source, *(copy for copy, of in index.originals.items() if of == source)]
    if len(alike) == 1:
        return ()
    wanted = " ".join(words(article.text[slice(*cited)]))
    return tuple(
        other.file
        for file in alike
        if file != article.file
        and (other := index.article(file))
        and f" {wanted} " in f" {' '.join(words(other.text))} "
    )


def citation_id(article: Article, start: int, end: int) -> str:
    """A stable name for a range, such as a.md#L12-18, a.txt#L1:c120-310, or page.html#c120-310.

    Where there are pages: b.pdf#p3:c120-310.
    """
    page = article.page(start)
    if page is not None:
        return f"{article.file}#p{page}:c{start}-{end}"
    lines = article.lines(start, end)
    if lines is None:
        return f"{article.file}#c{start}-{end}"
    first, last = lines
    name = f"{article.file}#L{first}" + (f"-{last}" if last > first else "")
    whole = line_range(article, first, last)
    if whole[1] - whole[0] > LONGEST_LINES:
        name += f":c{start}-{end}"
    return name


def line_range(article: Article, first: int, last: int) -> Range:
    """The characters from the start of one line to the end of another, counted from 1."""
    lines = article.text.split("\n")
    start = sum(len(line) + 1 for line in lines[: first - 1])
    return start, start + sum(len(line) + 1 for line in lines[first - 1 : last]) - 1


def locate(id: str, index: Index) -> tuple[Article, Range]:
    """The article and range that an id names; a file name alone means the whole article.

    Raises UnknownCitation with a sentence for the user.
    """
    # A file name may itself look like an id.
    whole = index.article(id)
    if whole is not None:
        return whole, (0, len(whole.text))
    parts = ID.fullmatch(id)
    article = index.article(parts["file"]) if parts else None
    if parts is None or article is None:
        raise UnknownCitation(
            f"Nothing in the index is called {id!r}: `rag status` lists the files."
        )
    if parts["start"]:
        start, end = int(parts["start"]), int(parts["end"])
    elif parts["page"]:
        page, pages = int(parts["page"]), len(article.pages)
        if not 1 <= page <= pages:
            raise UnknownCitation(f"{article.file} has {pages} pages; {id!r} is not there.")
        start, end = (*article.pages, len(article.text))[page - 1 : page + 1]
    elif parts["first"]:
        first, last = int(parts["first"]), int(parts["last"] or parts["first"])
        lines = article.text.count("\n") + 1
        if not article.numbered:
            raise UnknownCitation(f"{article.file} has no lines: write it like #c120-310.")
        if not 1 <= first <= last <= lines:
            raise UnknownCitation(f"{article.file} has {lines} lines; {id!r} is not there.")
        start, end = line_range(article, first, last)
    elif id == article.file:
        start, end = 0, len(article.text)
    else:
        raise UnknownCitation(f"{id!r} names no lines: write it like {article.file}#L12-18.")
    if not 0 <= start < end <= len(article.text):
        raise UnknownCitation(
            f"{article.file} has {len(article.text)} characters; {id!r} is not there."
        )
    return article, (start, end)
