"""JSON lines -> Article: each line a text with, perhaps, a title, date and author of its own."""

import json
from collections.abc import Iterator
from typing import Any

from index.assemble import Block, assemble
from index.read_text import decode
from index.types import Article, Unreadable

TEXTS = ("text", "content", "body", "article")
TITLES = ("title", "headline", "name")


def read_jsonl(file: str, content: bytes) -> Article:
    """The texts of a file, one after the other, each under its title."""
    records = []
    for number, line in enumerate(decode(content).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"line {number} is no JSON") from error
        if not isinstance(record, dict) or not _said(record, TEXTS):
            raise Unreadable(f'line {number} is no object with a "text"')
        records.append(record)
    return assemble(file, _blocks(records))


def _blocks(records: list[dict[str, Any]]) -> Iterator[Block]:
    for record in records:
        yield Block(" ".join(_said(record, TITLES).split()), heading=True)
        for paragraph in _said(record, TEXTS).split("\n"):
            yield Block(" ".join(paragraph.split()))


def _said(record: dict[str, Any], names: tuple[str, ...]) -> str:
    values = (record.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")
