"""A question -> the passages that may answer it, best first.

Vectors find what is meant, words find what is said. Their scores are added with fixed weights;
fusing ranks instead threw away 5 to 8 points at the first place (benchmarks/README.md).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from index import Chunk, Index, Selection
from index.copies import Said
from rag.query import Query, plain, without_phrases
from rag.types import Hit

COSINE_WEIGHT = 0.7
WORDS_WEIGHT = 0.3
CANDIDATES = 100  # Taken from each side before the scores are added.


@dataclass(frozen=True, slots=True)
class _Scores:
    cosine: float
    bm25: float
    fused: float


def retrieve(
    query: Query | str, index: Index, *, limit: int = 10, only: str | Selection | None = None
) -> list[Hit]:
    """The best chunks for a question; `only` keeps to files that fit a pattern or a selection."""
    query = Query(query) if isinstance(query, str) else query
    chosen = _chosen(query, index, only)
    vector = index.embedder.question(query.text)
    cosines = dict(index.search(vector, max(CANDIDATES, limit), chosen))
    bm25 = dict(index.match(query.text, max(CANDIDATES, limit), chosen))
    # A chunk found by its words alone still has a vector.
    missing = [id for id in bm25 if id not in cosines]
    for id, cosine in zip(missing, index.vectors(missing) @ vector[0], strict=True):
        cosines[id] = float(cosine)
    best = max(bm25.values(), default=0.0) or 1.0
    scores = {
        id: _Scores(
            cosine,
            bm25.get(id, 0.0),
            COSINE_WEIGHT * cosine + WORDS_WEIGHT * bm25.get(id, 0.0) / best,
        )
        for id, cosine in cosines.items()
    }
    # Equal scores in the order of the ids, so that the same question gives the same answer.
    ranked = sorted(scores, key=lambda id: (-scores[id].fused, id))
    return [
        Hit(chunk, scores[chunk.id].fused, scores[chunk.id].cosine, scores[chunk.id].bm25)
        for chunk in islice(_without_repeats(ranked, index), limit)
    ]


def retrieve_for_answer(
    query: Query, index: Index, *, limit: int = 10, only: str | Selection | None = None
) -> list[Hit]:
    """The best chunks to answer from, as `retrieve` gives them.

    A question may quote what no article says so: then its phrases are plain words.
    """
    return retrieve(query, index, limit=limit, only=only) or retrieve(
        without_phrases(query), index, limit=limit, only=only
    )


def _without_repeats(ids: Iterable[int], index: Index) -> Iterator[Chunk]:
    """The chunks in their order, without those of copies that say nothing that was not said.

    One agency text in five papers would take the places of five witnesses.
    """
    sources = set(index.originals.values())
    said: dict[str, Said] = {}
    for id in ids:
        chunk = index.chunk(id)
        source = index.originals.get(chunk.file, chunk.file)
        if source in sources:
            before = said.setdefault(source, Said())
            if before.repeats(chunk.text):
                continue
            before.add(chunk.text)
        yield chunk


def _chosen(query: Query, index: Index, only: str | Selection | None) -> list[int] | None:
    """The ids of the chunks that a query allows, or None when it allows all."""
    chosen: list[int] | None = None
    for pattern in (*query.only, *([] if only is None or only == Selection() else [only])):
        fitting = index.chunk_ids(pattern)
        chosen = fitting if chosen is None else sorted(set(chosen) & set(fitting))
    every = max(1, index.manifest.chunks)
    for phrase in query.phrases:
        wanted = plain(phrase)
        # Without a word to look up (a phrase of stop words), every chunk is looked at.
        found = None
        if index.stems(phrase):
            found = index.match(phrase, every, chosen, every_word=True)
        ids = index.chunk_ids() if found is None else [id for id, _ in found]
        holding = {id for id in ids if wanted in plain(index.chunk(id).text)}
        chosen = sorted(holding if chosen is None else holding & set(chosen))
    for word in query.without:
        unwanted = {id for id, _ in index.match(word, every)}
        ids = index.chunk_ids() if chosen is None else chosen
        chosen = [id for id in ids if id not in unwanted]
    return chosen
