"""Lines that most articles of a folder begin or end with: the furniture of a site. Pure.

One article cannot tell them from text; several from one place can. They are left out like other
boilerplate, and are looked for again whenever the folder has changed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from index.boilerplate import LONGEST_LINE, merge
from index.sentences import sentences
from index.types import Article, LeftOut, Range

Edge = tuple[str, int, int]
"""A line at an end of an article: its words, where it starts and where it ends."""

REASON = "recurs in most articles of its folder"
LEAST_ARTICLES = 5  # In one folder; in fewer, "most" is chance.
LEAST_WORDS = 4  # "Ingredients" recurs too, and says what stands below it.
FIRST, LAST = 3, 5  # Lines at either end of an article that may be furniture.


def folder_of(file: str) -> str:
    """The folder of a file, by its name in the index."""
    return file.rpartition("/")[0]


def edges(article: Article) -> list[Edge]:
    """The lines at both ends of an article that could be furniture."""
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
    found = []
    for start, end in [*places[:FIRST], *places[FIRST:][-LAST:]]:
        words = text[start:end].casefold().split()
        if len(words) >= LEAST_WORDS and end - start <= LONGEST_LINE and start not in headings:
            found.append((" ".join(words), start, end))
    return found


def find_recurring(known: Mapping[str, Sequence[Edge]]) -> dict[str, list[Range]]:
    """For each file, which of its lines recur; `known` has the edges of all files of a folder."""
    folders: dict[str, list[str]] = {}
    for file in known:
        folders.setdefault(folder_of(file), []).append(file)
    found: dict[str, list[Range]] = {}
    for files in folders.values():
        counts = Counter(words for file in files for words in {edge[0] for edge in known[file]})
        enough = len(files) >= LEAST_ARTICLES
        common = {words for words, n in counts.items() if enough and 2 * n > len(files)}
        for file in files:
            found[file] = [(start, end) for words, start, end in known[file] if words in common]
    return found


def leave_out(article: Article, lines: Sequence[Range]) -> Article:
    """The article with these lines left out because they recur, and no others for that reason."""
    others = [gap for gap in article.left_out if gap.reason != REASON]
    left_out = tuple(merge([*others, *(LeftOut(start, end, REASON) for start, end in lines)]))
    if left_out == article.left_out:
        return article
    kept = sentences(article.text, left_out)
    # An article that is nothing but such lines says what it says.
    return replace(article, left_out=left_out, sentences=kept) if kept else article
