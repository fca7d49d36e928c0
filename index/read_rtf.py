"""Rich text -> Article. The only file that knows striprtf."""

from striprtf.striprtf import rtf_to_text

from index.assemble import Block, assemble
from index.read_text import may_be_title
from index.types import Article, Unreadable


def read_rtf(file: str, content: bytes) -> Article:
    """The paragraphs of a rich text file."""
    if not content.lstrip().startswith(b"{\\rtf"):
        raise Unreadable("no rich text in it")
    try:
        text = rtf_to_text(content.decode("latin-1"), errors="replace")
    except (ValueError, IndexError, KeyError, LookupError) as error:
        raise Unreadable("damaged: its text cannot be read") from error
    lines = [words for line in text.split("\n") if (words := " ".join(line.split()))]
    titled = bool(lines) and may_be_title(lines[0], text)
    return assemble(
        file, [Block(words, titled and place == 0) for place, words in enumerate(lines)]
    )
