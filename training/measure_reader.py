"""A reader with the passage given, on texts that were kept out of its training.

    python training/measure_reader.py --data ../shared/data rag/reader.onnx other.onnx

The passage is read in the windows that the program cuts; the best span of all counts. The area is
that under the curve of answerable against unanswerable questions of one article.
"""

import argparse
import random
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from rag.evaluate import f1, normal
from rag.reader import SpanReader
from training.examples import questions, read_spans, subject
from ui.evaluation import print_table

SETS = ("squad2_articles", "squadshifts_amazon", "squadshifts_reddit", "timeqa_human")


def best_words(reader: SpanReader, question: str, passage: str) -> tuple[str, float]:
    """The best span of a passage and its score."""
    score, span = max(
        read_spans(question, passage, reader), key=lambda one: one[0], default=(-99.0, (0, 0))
    )
    return passage[slice(*span)], score


def main() -> None:
    """Print a line a reader and set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("readers", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=500, help="of each set")
    chosen = parser.parse_args()
    rows = []
    for path in chosen.readers:
        reader = SpanReader(path)
        for name in SETS:
            asked = list(questions(chosen.data, name, kept_out=True))
            asked = random.Random(5).sample(asked, min(chosen.questions, len(asked)))
            scores: dict[bool, list[float]] = {True: [], False: []}
            exact, overlaps = [], []
            for one in asked:
                about = subject(one)
                words, score = best_words(reader, one["question"], about["text"] if about else "")
                scores[one["answerable"]].append(score)
                if one["answerable"]:
                    exact.append(max(normal(words) == normal(answer) for answer in one["answers"]))
                    overlaps.append(max(f1(words, answer) for answer in one["answers"]))
            above = np.array(scores[True])[:, None] > np.array(scores[False])[None, :]
            area = f"{above.mean():.3f}" if above.size else "-"
            counts = (f"{np.mean(exact):.3f}", f"{np.mean(overlaps):.3f}", area)
            rows.append((path.name, name, str(len(asked)), *counts))
    print_table(("reader", "set, kept out", "questions", "exact", "F1", "area"), rows)


if __name__ == "__main__":
    main()
