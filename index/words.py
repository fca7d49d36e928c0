"""BM25 over the chunks. The only file that knows tantivy."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

import tantivy

# Tantivy's BM25 uses k1 1.2 and b 0.75 (Robertson and Zaragoza, 2009).
ANALYZER = "english"
SHORTEST_MISSPELLED = 5  # Letters; among shorter words too many differ by one letter only.
MISSPELLED_SCORE = 4.0  # About what BM25 gives a rare word; tantivy scores likeness as 1.
TOKEN = re.compile(r"[^\W_]+")  # What tantivy's tokenizer takes for a word.
WRITER_MEMORY = 50_000_000  # Bytes; tantivy's least is 15 MB a thread.


@cache
def _analyzer() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(80))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def stems(text: str) -> list[str]:
    """The words of a text as the index compares them: folded, without stop words, stemmed."""
    found: list[str] = _analyzer().analyze(unicodedata.normalize("NFC", text))
    return found


def write_words(folder: Path, chunks: Iterable[tuple[int, str, str]]) -> None:
    """Write a new index of chunks: their ids, files and texts."""
    folder.mkdir(parents=True)
    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("id", stored=True, indexed=False, fast=True)
    schema.add_text_field("text", stored=False, tokenizer_name=ANALYZER)
    schema.add_text_field("file", stored=False, tokenizer_name="raw", index_option="basic")
    _add(tantivy.Index(schema.build(), path=str(folder)), chunks)


def change_words(folder: Path, gone: Iterable[str], chunks: Iterable[tuple[int, str, str]]) -> None:
    """Take the chunks of files out of an index and add others.

    No file of it is altered in place: what is new is written to new ones.
    """
    _add(tantivy.Index.open(str(folder)), chunks, gone)


def _add(
    index: tantivy.Index, chunks: Iterable[tuple[int, str, str]], gone: Iterable[str] = ()
) -> None:
    index.register_tokenizer(ANALYZER, _analyzer())
    writer = index.writer(heap_size=WRITER_MEMORY, num_threads=1)
    for file in gone:
        writer.delete_documents_by_term("file", file)
    for id, file, text in chunks:
        normal = unicodedata.normalize("NFC", text)
        writer.add_document(tantivy.Document(id=id, text=normal, file=file))
    writer.commit()
    writer.wait_merging_threads()


class Words:
    """A BM25 index in a folder: the ids of chunks by the words in them."""

    def __init__(self, folder: Path, gone: int = 0) -> None:
        """Open an index of which so many chunks were taken out; raises ValueError if damaged."""
        self._index = tantivy.Index.open(str(folder))
        self._index.register_tokenizer(ANALYZER, _analyzer())
        self._index.reload()
        self._searcher = self._index.searcher()
        self._gone = gone

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def match(self, text: str, limit: int, *, every_word: bool = False) -> list[tuple[int, float]]:
        """Chunk ids with their BM25 score, best first; only chunks that share a word, or all."""
        # Built term by term: a question is text, never query syntax.
        occurs = tantivy.Occur.Must if every_word else tantivy.Occur.Should
        terms = [(occurs, self._term(stem)) for stem in dict.fromkeys(stems(text))]
        if not terms or limit < 1:
            return []
        query = tantivy.Query.boolean_query(terms)
        hits = self._searcher.search(query, limit, count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        found = [
            (int(id), float(score))
            for id, (score, _) in zip(ids, hits, strict=True)
            if id is not None
        ]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def _term(self, stem: str) -> tantivy.Query:
        """A query for a stem; for one that occurs nowhere, for those that differ by a letter."""
        if self.count(stem) or not _may_be_misspelled(stem):
            return tantivy.Query.term_query(self._index.schema, "text", stem)
        alike = tantivy.Query.fuzzy_term_query(self._index.schema, "text", stem)
        return tantivy.Query.boost_query(alike, MISSPELLED_SCORE)

    def count(self, stem: str) -> int:
        """In how many chunks a stem (as `stems` gives it) occurs; one that has none has 0."""
        count = int(self._searcher.doc_freq("text", stem))
        if 0 < count <= self._gone:
            # Tantivy still counts chunks that were taken out; these may be all there were.
            term = tantivy.Query.term_query(self._index.schema, "text", stem)
            return int(self._searcher.search(term, 1).count)  # type: ignore[attr-defined]
        return min(count, len(self))

    def together(self, text: str) -> bool:
        """Whether any two neighbours among the words of a text stand somewhere as they do in it.

        Stop words between them, and initials, may be others, but as many: "Museum of Applied Arts".
        """
        tokens = TOKEN.findall(unicodedata.normalize("NFC", text))
        places = [
            (place, stem)
            for place, token in enumerate(tokens)
            if len(token) > 1
            for stem in stems(token)
        ]
        return all(
            self._searcher.search(
                tantivy.Query.phrase_query(
                    self._index.schema, "text", [(0, one), (second - first, other)]
                ),
                1,
                count=False,
            ).hits
            for (first, one), (second, other) in pairwise(places)
        )


def _may_be_misspelled(stem: str) -> bool:
    return len(stem) >= SHORTEST_MISSPELLED and stem.isalpha()
