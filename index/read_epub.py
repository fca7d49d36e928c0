"""An electronic book -> Article: the pages of its zip file in reading order."""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from lxml import etree

from index.archive import open_archive
from index.assemble import Block, assemble
from index.origin import read_date
from index.read_html import parse_page, visible_blocks
from index.read_text import decode
from index.types import Article, Unreadable

CONTAINER = "META-INF/container.xml"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


def read_epub(file: str, content: bytes) -> Article:
    """The pages of a book as its spine orders them, its contents page left out."""
    with open_archive(content) as archive:
        try:
            root = _parse(archive.read(CONTAINER)).find(".//{*}rootfile")
            path = root.get("full-path") if root is not None else ""
            package = _parse(archive.read(path))
            blocks = list(_blocks(archive, path, package))
        except (KeyError, etree.XMLSyntaxError, zipfile.BadZipFile) as error:
            raise Unreadable("damaged: no book can be found in it") from error

    def said(name: str) -> str:
        return " ".join((package.findtext(f".//{DUBLIN_CORE}{name}") or "").split())

    return assemble(
        file,
        blocks,
        title=said("title"),
        date=read_date(said("date")),
        author=said("creator"),
    )


def _blocks(archive: zipfile.ZipFile, path: str, package: Any) -> Iterator[Block]:
    items = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    folder = posixpath.dirname(path)
    for entry in package.iterfind(".//{*}spine/{*}itemref"):
        item = items.get(entry.get("idref"))
        if item is None or "html" not in item.get("media-type", ""):
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        source = decode(archive.read(name)).lstrip()
        # lxml refuses a str that declares its own encoding.
        if source.startswith("<?xml"):
            source = source.partition("?>")[2]
        contents = "nav" in (item.get("properties") or "").split()
        for block in visible_blocks(parse_page(source)):
            yield replace(block, reason="table of contents") if contents else block


def _parse(content: bytes) -> Any:
    """XML without entities from elsewhere: nothing is fetched, nothing blows up."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return etree.fromstring(content, parser)
