"""A Word document -> Article. The only file that knows python-docx."""

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError

from index.archive import open_archive
from index.assemble import Block, assemble
from index.origin import read_date
from index.types import Article, Unreadable

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
BROKEN = {f"{W}tab": "\t", f"{W}br": " ", f"{W}cr": " ", f"{W}noBreakHyphen": "-"}
HEADING_STYLE = re.compile(r"(?:heading|title|überschrift|titre|título)\b", re.IGNORECASE)
BESIDE = (("/word/header", "page header"), ("/word/footer", "page footer"))
NOTES = ("/word/footnotes", "/word/endnotes")


def read_docx(file: str, content: bytes) -> Article:
    """The paragraphs, tables, text boxes and notes of a document, in its order."""
    open_archive(content).close()
    try:
        document = docx.Document(io.BytesIO(content))
        styles = {style.style_id: style.name or "" for style in document.styles}
        blocks = list(_blocks(document.element.body, styles))
        for part in document.part.package.iter_parts():
            name = str(part.partname)
            reason = next((why for start, why in BESIDE if name.startswith(start)), "")
            if reason or name.startswith(NOTES):
                root = docx.oxml.parse_xml(part.blob)
                blocks += [Block(one.words, reason=reason) for one in _blocks(root, styles)]
        properties = document.core_properties
        written = properties.created or properties.modified
        return assemble(
            file,
            blocks,
            title=(properties.title or "").strip(),
            date=read_date(written.date().isoformat()) if written else "",
            author=(properties.author or "").strip(),
        )
    except (PackageNotFoundError, KeyError, ValueError, AttributeError, SyntaxError) as error:
        raise Unreadable("damaged: Word's own text is missing in it") from error


def _blocks(root: Any, styles: dict[str, str]) -> Iterator[Block]:
    """Every paragraph below an element, those in tables and text boxes too; a row is one block."""
    for element in root.iter(f"{W}tr", f"{W}p"):
        if element.tag == f"{W}tr":
            cells = [" ".join(filter(None, map(_words, cell.iter(f"{W}p")))) for cell in element]
            yield Block(" | ".join(filter(None, cells)))
        elif not any(parent.tag in {f"{W}tr", FALLBACK} for parent in element.iterancestors()):
            style = element.find(f"{W}pPr/{W}pStyle")
            name = styles.get(style.get(f"{W}val"), "") if style is not None else ""
            listed = element.find(f"{W}pPr/{W}numPr") is not None or name.startswith("List")
            heading = HEADING_STYLE.match(name) is not None
            yield Block(_words(element), heading, "• " if listed and not heading else "")


def _words(paragraph: Any) -> str:
    """The text of a paragraph: what was inserted with tracking too, what was deleted not."""
    pieces = []
    for element in paragraph.iter():
        if any(parent.tag == f"{W}p" for parent in _parents(element, paragraph)):
            continue  # A text box inside: a paragraph of its own.
        if element.tag == f"{W}t":
            pieces.append(element.text or "")
        else:
            pieces.append(BROKEN.get(element.tag, ""))
    return " ".join("".join(pieces).split())


def _parents(element: Any, top: Any) -> Iterator[Any]:
    """The elements between one and another above it."""
    for parent in element.iterancestors():
        if parent is top:
            return
        yield parent
