"""Misspelled words of a question -> as the articles spell them."""

import re
from collections import Counter

from index import Index
from index.words import SHORTEST_MISSPELLED
from rag.confidence import absent_words
from rag.query import parse, without_accents
from rag.rewrite import words_of

PASSAGES = 10  # That share most words with the question: what is meant stands near the rest.


def corrected(question: str, index: Index) -> str:
    """A question whose words that stand in no article are spelled as a word near by is.

    A word of the passages that share most words with the question takes the place of one that
    differs from it by a letter, or by two in the other order; of a name, a name. Words that the
    embedding model has in its vocabulary are meant as they are, and so is all of a question with
    words in quotes or without some.
    """
    query = parse(question)
    wrong = [word for word in absent_words(query.text, index) if _may_be_misspelled(word, index)]
    if not wrong or query.phrases or query.without:
        return question
    chunks = [index.chunk(id) for id, _ in index.match(query.text, PASSAGES)]
    words = Counter(word for chunk in chunks for word in words_of(f"{chunk.title} {chunk.text}"))
    for word in wrong:
        near = [
            one
            for one in words
            if differ_by_a_letter(_plain(word), _plain(one))
            and (one[0].isupper() or not word[0].isupper())
        ]
        if near:
            pattern = rf"(?<![\w:/*]){re.escape(word)}(?!\w)"  # Not in file:GLOB.
            question = re.sub(pattern, max(near, key=words.__getitem__), question)
    return question


def differ_by_a_letter(one: str, other: str) -> bool:
    """Whether a letter more, less or else, or two in the other order, is all the difference.

    The distance of Damerau (1964) is 1.
    """
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    same = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    rest, rest_of_other = one[same:], other[same:]
    return (
        rest[1:] == rest_of_other[1:]
        or rest[1:] == rest_of_other
        or rest == rest_of_other[1:]
        or (rest[:2] == rest_of_other[1::-1] and rest[2:] == rest_of_other[2:])
    )


def _may_be_misspelled(word: str, index: Index) -> bool:
    return (
        len(word) >= SHORTEST_MISSPELLED
        and word.isalpha()
        and not word.isupper()  # LVIII, NATO.
        and not index.embedder.knows(word)
    )


def _plain(word: str) -> str:
    return without_accents(word.casefold())
