"""What stands around a sentence and belongs to it: the sentence it leans on, its list, its heading.

Pure, on an Article alone.
"""

import re
from bisect import bisect_left, bisect_right

from index import Article
from index.types import Range

# A sentence that begins so leans on the one before it.
LEANING = re.compile(
    r"^[\"“'‘(]*(?:he|she|it|they|him|her|his|its|their|this|these|those|that|such|both|also"
    r"|there|however|moreover|furthermore|therefore|instead|nevertheless|but|and|so|then|another"
    r"|others|the (?:two|latter|former|same|move|deal|vessel|exchange|decision|results?))\b",
    re.IGNORECASE,
)
ITEM = re.compile(r"(?:[-*+•▪–]|\(?\d{1,3}[.)]|\(?[a-z][.)])[ \t]+")
CLOSED = re.compile(r"[.!?…][\"”'’»)\]]*$")
# What joins an item of a list to the next one, and means nothing without it.
JOINED = re.compile(r"(?:[,;]|\s)+(?:and|or)?$|[,;]$")
LEAST_WORDS = 4  # "Why it began." is a heading that runs into the text.
LONGEST_LIST = 10  # Items; of a longer list the first ones are quoted.


def sentence_at(article: Article, position: int) -> Range:
    """The sentence that a position is in, or the one before it."""
    place = bisect_right(article.sentences, position, key=lambda sentence: sentence[0])
    return article.sentences[max(0, place - 1)]


def is_heading(article: Article, start: int) -> bool:
    """Whether a sentence is a heading."""
    return any(heading.start <= start < heading.end for heading in article.headings)


def is_run_in(article: Article, sentence: Range) -> bool:
    """Whether a sentence is so short that it is a heading which runs into the text."""
    return len(article.text[slice(*sentence)].split()) < LEAST_WORDS


def is_item(article: Article, sentence: Range) -> bool:
    """Whether a sentence begins an item of a list."""
    return ITEM.match(article.text, sentence[0]) is not None and not is_heading(
        article, sentence[0]
    )


def leans_on(article: Article, sentence: Range) -> Range | None:
    """What must be read before this sentence: the one it leans on, or what leads to its list."""
    if is_item(article, sentence):
        lead, _ = list_around(article, sentence)
        return lead
    if not LEANING.match(article.shown(*sentence)):
        return None
    place = bisect_left(article.sentences, (sentence[0], 0))
    if place == 0:
        return None
    before = article.sentences[place - 1]
    # Never across a paragraph: what stands there is about something else.
    apart = "\n\n" in article.text[before[1] : sentence[0]]
    if apart or is_heading(article, before[0]) or is_run_in(article, before):
        return None
    return before


def list_around(article: Article, sentence: Range) -> tuple[Range | None, list[Range]]:
    """The list that a sentence is in or leads to: its lead-in, if it has one, and its items.

    An item of several sentences gives several ranges. Without a list, (None, []).
    """
    every = article.sentences
    first = bisect_left(every, (sentence[0], 0))
    if not _in_list(article, first) and _leads(article, sentence):
        first += 1
    if first >= len(every) or not _in_list(article, first):
        return None, []
    last = first
    while first > 0 and _in_list(article, first - 1):
        first -= 1
    while last + 1 < len(every) and _in_list(article, last + 1):
        last += 1
    lead = every[first - 1] if first > 0 and _leads(article, every[first - 1]) else None
    return lead, list(every[first : min(last + 1, first + LONGEST_LIST)])


def _in_list(article: Article, place: int) -> bool:
    """Whether a sentence begins an item or goes on in one."""
    every = article.sentences
    while not is_item(article, every[place]):
        # Only what stands on one line with an item goes on in it.
        if place == 0 or "\n" in article.text[every[place - 1][1] : every[place][0]]:
            return False
        place -= 1
    return True


def _leads(article: Article, sentence: Range) -> bool:
    """Whether a sentence is left open, as before a list."""
    return not is_heading(article, sentence[0]) and not CLOSED.search(article.shown(*sentence))


def quoted(article: Article, sentence: Range) -> Range:
    """The part of a sentence to quote: an item of a list without what joins it to the next."""
    start, end = sentence
    if is_item(article, sentence) and (joined := JOINED.search(article.text[start:end])):
        end = start + joined.start()
    return start, end
