"""A web page -> Article. The only file that knows trafilatura.

trafilatura decides which blocks are the article; the text keeps every visible block in the page's
order, so that what was left out (menus, banners, footers) can still be seen, listed as left out.
"""

import re
from dataclasses import replace

import trafilatura
from lxml import etree, html

from index.assemble import Block, assemble
from index.origin import read_date
from index.read_text import BYTE_ORDER_MARKS, decode, decode_legacy
from index.types import Article, Unreadable

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
DATE_NAMES = frozenset(
    "article:published_time datepublished dc.date dcterms.date date pubdate publishdate".split()
)
AUTHOR_NAMES = frozenset("author article:author dc.creator dcterms.creator".split())
DECLARED_ENCODING = re.compile(rb"""<meta[^>]+charset=["']?([\w-]+)""", re.IGNORECASE)
SPACE = re.compile(r"\s+")


def read_html(file: str, content: bytes) -> Article:
    """A page as the text of its visible blocks, one blank line between them."""
    source = _decode_page(content)
    page = parse_page(source)
    main = _main_text(source)
    blocks = [
        block
        if block.reason or block.heading or not main or SPACE.sub("", block.words) in main
        else replace(block, reason="not part of the article")
        for block in visible_blocks(page)
    ]
    headings = [block.words for block in blocks if block.heading and not block.reason]
    named = SPACE.sub(" ", page.findtext(".//title") or "").strip()
    return assemble(
        file,
        blocks,
        title=headings[0] if headings else named,
        date=_date(page),
        author=next(filter(None, _named(page, AUTHOR_NAMES)), ""),
    )


def parse_page(source: str) -> html.HtmlElement:
    """A page as a tree, however broken. Raises Unreadable when there is none."""
    try:
        return html.document_fromstring(source)
    except (etree.ParserError, ValueError) as error:
        raise Unreadable("no HTML page in it") from error


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


def _named(page: html.HtmlElement, names: frozenset[str]) -> list[str]:
    """What the <meta> elements of a page say under these names."""
    return [
        meta.get("content") or ""
        for meta in page.iter("meta")
        if (meta.get("name") or meta.get("property") or "").lower() in names
    ]


def _date(page: html.HtmlElement) -> str:
    times = [element.get("datetime") or "" for element in page.iter("time")]
    return next(filter(None, map(read_date, [*_named(page, DATE_NAMES), *times])), "")


def visible_blocks(page: html.HtmlElement) -> list[Block]:
    """Every visible block in the page's order."""
    blocks: list[Block] = []
    words: list[str] = []
    mark = ""

    def close(tag: str, reason: str) -> None:
        nonlocal mark
        text = SPACE.sub(" ", "".join(words)).strip()
        words.clear()
        if text:
            blocks.append(Block(text, tag in HEADING_TAGS, mark, reason))
            mark = ""

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
            if own == "li":
                mark = ""
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
        if element.tag == "li":
            mark = _mark(element)
        words.append(element.text or "")
        stack.append((element, element.tag, inner, True))
        inner_tag = element.tag if element.tag in BLOCK_TAGS else tag
        stack.extend((child, inner_tag, inner, False) for child in reversed(element))
    close("body", "")
    return blocks


def _mark(item: html.HtmlElement) -> str:
    """The bullet or number that a browser shows before an item of a list."""
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return "• "
    return f"{sum(1 for _ in item.itersiblings('li', preceding=True)) + 1}. "


def _hidden(element: html.HtmlElement) -> bool:
    style = SPACE.sub("", element.get("style") or "").lower()
    return element.get("hidden") is not None or "display:none" in style
