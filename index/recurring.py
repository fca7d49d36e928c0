"""Lines that most articles of a folder begin or end with: the furniture of a site. Pure.

One article cannot tell them from text; several from one place can. They are left out like other
boilerplate, and are looked for again whenever the folder has changed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from index.boilerplate import LONGEST_LINE, merge
from index.sentences import sentences
from index.types import Article, LeftOut, Range

REASON = "recurs in most articles of its folder"
LEAST_ARTICLES = 5  # In one folder; in fewer, "most" is chance.
LEAST_WORDS = 4  # "Ingredients" recurs too, and says what stands below it.
FIRST, LAST = 3, 5  # Lines at either end of an article that may be furniture.


def leave_out_recurring(articles: Sequence[Article]) -> list[Article]:
    """The articles whose recurring lines are not those left out so far, with these left out.

    `articles` are all there are.
    """
    altered: list[Article] = []
    for _, group in groupby(sorted(articles, key=_folder), key=_folder):
        together = list(group)
        lines = [list(_edges(article)) for article in together]
        counts = Counter(words for found in lines for words in {words for words, _ in found})
        enough = len(together) >= LEAST_ARTICLES
        common = {words for words, n in counts.items() if enough and 2 * n > len(together)}
        for article, found in zip(together, lines, strict=True):
            known = [gap for gap in article.left_out if gap.reason != REASON]
            gaps = [LeftOut(*line, REASON) for words, line in found if words in common]
            left_out = tuple(merge([*known, *gaps]))
            if left_out == article.left_out:
                continue
            kept = sentences(article.text, left_out)
            if kept:  # An article that is nothing but such lines says what it says.
                altered.append(replace(article, left_out=left_out, sentences=kept))
    return altered


def _folder(article: Article) -> str:
    return article.file.rpartition("/")[0]


def _edges(article: Article) -> Iterator[tuple[str, Range]]:
    """The lines at both ends of an article that could be furniture, and where they stand."""
    gone = {gap.start for gap in article.left_out if gap.reason != REASON}
    text, places, position = article.text, [], 0
    while position <= len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if text[position:end].strip() and position not in gone:
            places.append((position, end))
        position = end + 1
    # A title may be the only line that says what the text is about.
    headings = {heading.start for heading in article.headings}
    for start, end in [*places[:FIRST], *places[FIRST:][-LAST:]]:
        words = text[start:end].casefold().split()
        if len(words) >= LEAST_WORDS and end - start <= LONGEST_LINE and start not in headings:
            yield " ".join(words), (start, end)
