"""A web page -> Article. The only file that knows trafilatura and lxml.

trafilatura decides which blocks are the article; the text keeps every visible block in the page's
order, so that what was left out (menus, banners, footers) can still be seen, listed as left out.
"""

import re

import trafilatura
from lxml import etree, html

from index.read_text import BYTE_ORDER_MARKS, decode, decode_legacy, title_from
from index.types import Article, Heading, LeftOut, Unreadable

BLOCK_TAGS = frozenset(
    "address article aside blockquote body button caption dd details dialog div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section "
    "summary table tbody td tfoot th thead title tr ul br".split()
)
INVISIBLE_TAGS = frozenset("script style noscript template svg iframe head object select".split())
HEADING_TAGS = frozenset("h1 h2 h3 h4 h5 h6".split())
PAGE_TAGS = {
    "nav": "menu",
    "footer": "page footer",
    "aside": "beside the article",
    "form": "form",
    "button": "button",
    "dialog": "banner",
}
DECLARED_ENCODING = re.compile(rb"""<meta[^>]+charset=["']?([\w-]+)""", re.IGNORECASE)
SPACE = re.compile(r"\s+")


def read_html(file: str, content: bytes) -> Article:
    """A page as the text of its visible blocks, one blank line between them."""
    source = _decode_page(content)
    try:
        page = html.document_fromstring(source)
    except (etree.ParserError, ValueError) as error:
        raise Unreadable("no HTML page in it") from error
    blocks = list(_visible_blocks(page))
    main = _main_text(source)
    pieces: list[str] = []
    headings: list[Heading] = []
    left_out: list[LeftOut] = []
    position = 0
    for tag, words, reason in blocks:
        end = position + len(words)
        in_main = not main or SPACE.sub("", words) in main
        if reason or not (in_main or tag in HEADING_TAGS):
            left_out.append(LeftOut(position, end, reason or "not part of the article"))
        elif tag in HEADING_TAGS:
            headings.append(Heading(position, end, words))
        pieces.append(words)
        position = end + 2
    text = "\n\n".join(pieces)
    title = _title(page, headings) or title_from(file, text)
    return Article(file, title, text, False, tuple(headings), tuple(left_out))


def _decode_page(content: bytes) -> str:
    declared = DECLARED_ENCODING.search(content[:4096])
    if declared and not content.startswith(tuple(BYTE_ORDER_MARKS)):
        try:
            text = content.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            text = decode_legacy(content)
    else:
        text = decode(content)
    # lxml refuses a str that declares its own encoding in an XML declaration.
    return re.sub(r"\A\s*<\?xml[^>]*\?>", "", text)


def _main_text(source: str) -> str:
    """The article's text as trafilatura finds it, without spaces; empty when it finds none."""
    found = trafilatura.extract(
        source, include_comments=False, include_tables=True, favor_recall=True, output_format="txt"
    )
    return SPACE.sub("", found or "")


def _title(page: html.HtmlElement, headings: list[Heading]) -> str:
    if headings:
        return headings[0].text
    named = page.findtext(".//title") or ""
    return SPACE.sub(" ", named).strip()


def _visible_blocks(page: html.HtmlElement) -> list[tuple[str, str, str]]:
    """Every visible block in the page's order: its tag, its words, and why it is left out."""
    blocks: list[tuple[str, str, str]] = []
    words: list[str] = []

    def close(tag: str, reason: str) -> None:
        text = SPACE.sub(" ", "".join(words)).strip()
        words.clear()
        if text:
            blocks.append((tag, text, reason))

    # A stack instead of recursion: broken pages nest thousands of tags deep.
    body = page.find(".//body")
    stack: list[tuple[html.HtmlElement, str, str, bool]] = [
        (body if body is not None else page, "body", "", False)
    ]
    while stack:
        element, tag, reason, leaving = stack.pop()
        if leaving:
            own = element.tag
            if own in BLOCK_TAGS:
                close(own, reason)
            words.append(element.tail or "")
            continue
        if not isinstance(element.tag, str):  # A comment or a processing instruction.
            words.append(element.tail or "")
            continue
        if element.tag in INVISIBLE_TAGS or _hidden(element):
            words.append(element.tail or "")
            continue
        inner = reason or PAGE_TAGS.get(element.tag, "")
        if element.tag in BLOCK_TAGS:
            close(tag, reason)
        words.append(element.text or "")
        stack.append((element, element.tag, inner, True))
        inner_tag = element.tag if element.tag in BLOCK_TAGS else tag
        stack.extend((child, inner_tag, inner, False) for child in reversed(element))
    close("body", "")
    return blocks


def _hidden(element: html.HtmlElement) -> bool:
    style = SPACE.sub("", element.get("style") or "").lower()
    return element.get("hidden") is not None or "display:none" in style
