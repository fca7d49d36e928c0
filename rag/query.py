"""What a person may write into a question besides words: "a phrase", -word, file:GLOB. Pure."""

import re
import unicodedata
from dataclasses import dataclass, replace

PHRASE = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»")
WITHOUT = re.compile(r"(?:(?<=\s)|^)-(?=[^\W_])([\w.’'-]+)")
ONLY = re.compile(r"(?:(?<=\s)|^)file:(?:\"([^\"]+)\"|(\S+))", re.IGNORECASE)
QUOTES = str.maketrans("’‘“”„", '\'\'"""')


@dataclass(frozen=True, slots=True)
class Query:
    """A question without its operators, and what they ask for.

    `phrases` must stand in a passage as they are, `without` are words that must not, `only` are
    patterns that the file name must fit.
    """

    text: str
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


def parse(question: str) -> Query:
    """Take the operators out of a question. The words of a phrase stay in the text."""
    files = [quoted or bare for quoted, bare in ONLY.findall(question)]
    text = ONLY.sub(" ", question)
    phrases = [next(filter(None, groups)) for groups in PHRASE.findall(text)]
    without = WITHOUT.findall(PHRASE.sub(" ", text))
    for word in without:
        text = re.sub(rf"(?:(?<=\s)|^)-{re.escape(word)}(?!\w)", " ", text)
    text = " ".join(text.split())
    # A bare name means the files that have it in their name.
    only = [one if any(char in one for char in "*?[") else f"*{one}*" for one in files]
    kept = [phrase for phrase in phrases if any(char.isalnum() for char in phrase)]
    return Query(text, tuple(kept), tuple(without), tuple(only))


def without_phrases(query: Query) -> Query:
    """The same query with its phrases as plain words."""
    return replace(query, phrases=())


def plain(text: str) -> str:
    """A text as phrases are compared: one case, straight quotes, single spaces."""
    return straight(text).casefold()


def without_accents(text: str) -> str:
    """A text with é as e, and ligatures as their letters."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def straight(text: str) -> str:
    """A text with straight quotes and single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).translate(QUOTES).split())
