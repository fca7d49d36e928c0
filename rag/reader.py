"""The span reader: which words of a passage answer the question, and whether any do.

A MiniLM with a start and an end score for each word piece (transformers' BertForQuestionAnswering),
fine-tuned for this project; see reader.md beside the model file. Run by onnxruntime.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.embed import default_model_files, load_tokenizer, open_session
from rag.types import Reading

MODEL = Path(__file__).with_name("reader.onnx")
WORD_PIECES = 256  # Of question and passage together; what is longer is read in parts.
STRIDE = 64  # Word pieces that two parts share.
QUESTION_PIECES = 96  # A longer question is cut: the passage needs room too.
BATCH = 8  # Int8 activations are scaled over a batch: another size gives other scores.
LONGEST_ANSWER = 30  # Word pieces.
SPANS = 10  # Of each passage, overlapping: the best one may only echo the question.
FloatArray = NDArray[np.float32]
Part = tuple[int, Encoding]  # The row of a passage, and it or a part of it as word pieces.
Span = tuple[int, int]  # Characters of a passage.


class SpanReader:
    """Finds the words that answer a question in passages."""

    def __init__(self, model: Path = MODEL) -> None:
        # Two batches at a time share the cores: whatever core is free goes on with either.
        self._session = open_session(model, spinning=False)
        # The reader was made from the default embedding model and shares its tokenizer.
        self._tokenizer = load_tokenizer(default_model_files() / "tokenizer.json", WORD_PIECES)
        self._tokenizer.enable_truncation(WORD_PIECES, stride=STRIDE, strategy="only_second")

    def read(self, question: str, passages: Sequence[str]) -> list[list[Reading]]:
        """For each passage, in the same order, its best spans, best first.

        Scores are logits, comparable with 0 and with each other.
        """
        # A piece has a character at least, so most questions are short enough without a count.
        if len(question) > QUESTION_PIECES:
            kept = self._questions.encode(question, add_special_tokens=False)
            question = question[: kept.offsets[-1][1]] if kept.offsets else ""
        encoded = self._tokenizer.encode_batch([(question, passage) for passage in passages])
        parts = [(row, part) for row, one in enumerate(encoded) for part in (one, *one.overflowing)]
        # Parts of like length share a batch, so that little padding is computed.
        parts.sort(key=lambda part: len(part[1].ids))
        batches = [parts[first : first + BATCH] for first in range(0, len(parts), BATCH)]
        # Batches grow longer, so every other one is read by the second thread.
        if len(batches) > 1:
            with ThreadPoolExecutor(1) as second:
                others = second.submit(self._spans, batches[1::2])
                found = [*self._spans(batches[::2]), *others.result()]
        else:
            found = self._spans(batches)
        readings: list[dict[Span, float]] = [{} for _ in passages]
        for row, span, score in found:
            readings[row][span] = max(score, readings[row].get(span, -np.inf))
        return [
            [
                Reading(start, end, score)
                for (start, end), score in sorted(spans.items(), key=lambda one: (-one[1], one[0]))
            ][:SPANS]
            for spans in readings
        ]

    @cached_property
    def _questions(self) -> Tokenizer:
        """Cuts long questions. A tokenizer takes a tenth of a cold start to load."""
        return load_tokenizer(default_model_files() / "tokenizer.json", QUESTION_PIECES)

    def _spans(self, batches: Sequence[Sequence[Part]]) -> list[tuple[int, Span, float]]:
        """The best spans of every part, each with the row of its passage and its score."""
        found = []
        for batch in batches:
            starts, ends = self._logits([part for _, part in batch])
            for (row, part), start, end in zip(batch, starts, ends, strict=True):
                inside = np.flatnonzero([sequence == 1 for sequence in part.sequence_ids])
                nothing = float(start[0] + end[0])
                offsets = part.offsets
                for left, right, score in best_spans(start[inside], end[inside]):
                    span = offsets[inside[left]][0], offsets[inside[right]][1]
                    found.append((row, span, score - nothing))
        return found

    def _logits(self, parts: Sequence[Encoding]) -> tuple[FloatArray, FloatArray]:
        """Start and end logits of encoded parts, shape (parts, longest), padded at the end."""
        longest = max(len(part.ids) for part in parts)

        def padded(values: Callable[[Encoding], list[int]]) -> NDArray[np.int64]:
            rows = [[*values(part), *([0] * (longest - len(part.ids)))] for part in parts]
            return np.array(rows, np.int64)

        starts, ends = self._session.run(
            ["start_logits", "end_logits"],
            {
                "input_ids": padded(lambda part: part.ids),
                "attention_mask": padded(lambda part: part.attention_mask),
                "token_type_ids": padded(lambda part: part.type_ids),
            },
        )
        return starts, ends


def best_spans(starts: FloatArray, ends: FloatArray) -> list[tuple[int, int, float]]:
    """The best spans: first and last word piece, and the sum of their logits, best first.

    `starts` and `ends` have one logit a word piece of the passage, shape (pieces,).
    """
    pieces = len(starts)
    # Every span of at most LONGEST_ANSWER pieces is a cell of a band above the diagonal.
    length = np.arange(pieces)[None, :] - np.arange(pieces)[:, None]
    allowed = (length >= 0) & (length < LONGEST_ANSWER)
    sums = np.where(allowed, starts[:, None] + ends[None, :], -np.inf).ravel()
    count = min(SPANS, int(allowed.sum()))
    if not count:
        return []
    # Only what reaches the last place is sorted; equal sums stay in the order of the words.
    reaching = np.flatnonzero(sums >= np.partition(sums, -count)[-count]).tolist()
    best = sorted(reaching, key=lambda cell: -sums[cell])[:count]
    return [(cell // pieces, cell % pieces, float(sums[cell])) for cell in best]


@cache
def load_reader() -> SpanReader:
    """The reader, opened once in a process."""
    return SpanReader()
