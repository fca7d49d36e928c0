"""An OpenDocument text -> Article. The only file that knows odfpy."""

import io
from collections.abc import Iterator
from typing import Any

from odf import dc, meta, opendocument, teletype
from odf.namespaces import TABLENS, TEXTNS

from index.archive import open_archive
from index.assemble import Block, assemble
from index.origin import read_date
from index.types import Article, Unreadable

PARAGRAPHS = {(TEXTNS, "p"), (TEXTNS, "h")}
ROW = (TABLENS, "table-row")
ITEM = (TEXTNS, "list-item")
# Lists of headings that a program made, and text that was deleted with tracking.
NO_TEXT = {(TEXTNS, "table-of-content"): "table of contents", (TEXTNS, "tracked-changes"): ""}


def read_odt(file: str, content: bytes) -> Article:
    """The headings, paragraphs, items and table rows of a document, in its order."""
    open_archive(content).close()
    try:
        document = opendocument.load(io.BytesIO(content))
        blocks = list(_blocks(document.text))
    except Exception as error:  # odfpy raises whatever its XML parser raises.
        raise Unreadable("damaged: its text cannot be read") from error

    def said(kind: Any) -> str:
        found = document.meta.getElementsByType(kind)
        return str(teletype.extractText(found[0])).strip() if found else ""

    return assemble(
        file,
        blocks,
        title=said(dc.Title),
        date=read_date(said(meta.CreationDate)[:10]) or read_date(said(dc.Date)[:10]),
        author=said(meta.InitialCreator) or said(dc.Creator),
    )


def _blocks(top: Any) -> Iterator[Block]:
    # A stack instead of recursion: nesting is the file's to choose.
    stack: list[tuple[Any, str, str]] = [(top, "", "")]
    while stack:
        node, mark, reason = stack.pop()
        kind = getattr(node, "qname", None)
        if kind in NO_TEXT:
            reason = NO_TEXT[kind]
            if not reason:
                continue
        if kind in PARAGRAPHS:
            yield Block(_words(node), kind == (TEXTNS, "h") and not reason, mark, reason)
            continue
        if kind == ROW:
            cells = [_words(cell) for cell in node.childNodes]
            yield Block(" | ".join(filter(None, cells)), reason=reason)
            continue
        children = list(node.childNodes)
        marked = kind == ITEM
        for place, child in reversed(list(enumerate(children))):
            stack.append((child, "• " if marked and place == 0 else mark, reason))


def _words(node: Any) -> str:
    return " ".join(str(teletype.extractText(node)).split())
