"""Offsets hold and no character is lost, whatever the text: hypothesis tries to break it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunk import LONGEST_STRETCH, OVERLAP, PIECE, chunk_ranges
from index.read import READERS, read_article
from index.sentences import LONGEST_SENTENCE, sentences
from index.types import Article, Unreadable

WORDS = st.sampled_from(
    "The wall was raised. U.S. Dr. No. 4 “quoted.” back to top\n\n\n# - | ** _a_ © é 水 😀 \u2028 "
    "Rated 0 out of 5 stars. https://example.org/a?b=c 12.5 e.g. ... ! ? [link](x) <b> &amp;".split(
        " "
    )
)
TEXTS = st.one_of(
    st.lists(WORDS, max_size=400).map(" ".join),
    st.lists(WORDS, max_size=200).map("\n".join),
    st.text(max_size=2000),
    st.builds(
        lambda word, count: word * count, st.text(min_size=1, max_size=9), st.integers(0, 900)
    ),
)


def article_from(suffix: str, text: str) -> Article | None:
    try:
        return read_article(f"a{suffix}", text.encode("utf-8", "replace"))
    except Unreadable:
        return None


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(sorted(READERS)))
def test_every_character_is_in_a_chunk_or_left_out(text: str, suffix: str) -> None:
    article = article_from(suffix, text)
    if article is None:
        return
    covered = bytearray(len(article.text))
    for start, end in chunk_ranges(article):
        assert 0 <= start < end <= len(article.text)
        covered[start:end] = b"\1" * (end - start)
    for gap in article.left_out:
        assert gap.reason
        assert not any(covered[gap.start : gap.end]), "left out and in a chunk"
        covered[gap.start : gap.end] = b"\1" * (gap.end - gap.start)
    lost = [place for place, seen in enumerate(covered) if not seen]
    assert not "".join(article.text[place] for place in lost).strip()


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_sentences_are_in_order_trimmed_and_complete(text: str) -> None:
    found = sentences(text)
    position = 0
    for start, end in found:
        assert position <= start < end
        assert not text[position:start].strip(), "text between two sentences"
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_chunks_fit_the_model(text: str) -> None:
    article = article_from(".txt", text)
    if article is not None:
        longest = PIECE + OVERLAP + 2 * LONGEST_STRETCH
        assert all(end - start <= longest for start, end in chunk_ranges(article))


@pytest.mark.parametrize("space", ["\r", " \t", "\n", "\u3000", ""])
def test_text_without_full_stops_is_cut_at_any_kind_of_space(space: str) -> None:
    text = f"0000{space}" * 600
    found = [text[start:end] for start, end in sentences(text)]
    assert all(one == one.strip() and len(one) <= LONGEST_SENTENCE for one in found)
    assert "".join("".join(found).split()) == "0" * 2400
    if space:
        assert all(set(one.split()) == {"0000"} for one in found), "cut inside a word"


def test_chunks_are_whole_sentences_and_overlap() -> None:
    text = "".join(f"Sentence number {n} says that the wall was raised again. " for n in range(60))
    article = read_article("a.txt", text.encode())
    ranges = chunk_ranges(article)
    assert len(ranges) > 2
    for start, end in ranges:
        assert text[start:end].startswith("Sentence") and text[start:end].endswith("again.")
    assert all(second[0] < first[1] for first, second in pairwise(ranges))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. J. R. Hale met U.S. officials. He left.", 2),
        ("It cost 3.5 million. No. 4 is closed.", 2),
        ("“We won.” She smiled. “Did you?”", 3),
        ("She signed “A. Tulloch & Co.” The lamp is red.", 2),
        ("A heading\nThe text begins here. And ends.", 3),
        ("- one thing\n- another thing\n\nText.", 3),
        ("A line that is wrapped at about seventy columns as mail used to be and\ngoes on.", 1),
        ("1. First step.\n2. Second step.", 2),
    ],
)
def test_sentences_end_where_a_reader_says_so(text: str, expected: int) -> None:
    found = [text[start:end] for start, end in sentences(text)]
    assert len(found) == expected, found
