"""Article -> Chunks: passages of whole sentences with exact offsets. Pure.

langchain-text-splitters cuts each stretch of article text at paragraph, line, sentence and word
ends, without overlap and without dropping a character, so the offsets follow by adding up the
lengths. Each piece is then widened to whole sentences and a little of what stands before it.
"""

from bisect import bisect_left, bisect_right

from index.types import Article, Range

# all-MiniLM-L6-v2 reads 256 word pieces, about 1,000 characters; title and overlap need room too.
PIECE = 850
OVERLAP = 150
LONGEST_STRETCH = 350  # A sentence that would widen a chunk by more than this stays cut.
SEPARATORS = ["\n\n", "\n", ". ", "? ", "! ", "; ", ", ", " ", ""]
CHUNKING = f"recursive {PIECE}+{OVERLAP}, whole sentences, 1"  # Named in the index.


def chunk_ranges(article: Article) -> list[Range]:
    """The ranges of an article's chunks, in order; together they hold all that is not left out."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # A tenth of a second.

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=PIECE,
        chunk_overlap=0,
        separators=SEPARATORS,
        keep_separator="end",
        strip_whitespace=False,
    )
    starts = [start for start, _ in article.sentences]
    ends = [end for _, end in article.sentences]

    def widened(left: int, right: int, lowest: int, highest: int) -> Range:
        """Widen a piece to whole sentences, plus sentences before it up to the overlap."""
        first = bisect_right(ends, left)  # The first sentence that ends after the piece begins.
        last = bisect_left(starts, right) - 1  # The last one that begins before the piece ends.
        if first <= last:
            if starts[first] >= lowest and left - starts[first] <= LONGEST_STRETCH:
                left = min(left, starts[first])
                before = bisect_left(starts, left - OVERLAP, 0, first)
                if before < first and starts[before] >= lowest:
                    left = starts[before]
            if ends[last] <= highest and ends[last] - right <= LONGEST_STRETCH:
                right = max(right, ends[last])
        return _trimmed(article.text, left, right)

    ranges: list[Range] = []
    for start, end in article.kept():
        position = start
        for piece in splitter.split_text(article.text[start:end]):
            left, right = widened(position, position + len(piece), start, end)
            position += len(piece)
            if left < right and (not ranges or right > ranges[-1][1]):
                ranges.append((left, right))
    return ranges


def _trimmed(text: str, left: int, right: int) -> Range:
    piece = text[left:right]
    stripped = piece.strip()
    if not stripped:
        return left, left
    left += len(piece) - len(piece.lstrip())
    return left, left + len(stripped)
