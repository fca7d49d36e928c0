r"""Train the span reader and write it as ONNX with int8 weights.

    python training/train_reader.py --data ../shared/data more --out rag/reader.onnx
    python training/train_reader.py --data ../shared/data more --start rag/reader.onnx --first 4 \
        --out new.onnx

    python training/train_reader.py --data ../shared/data more --start rag/reader.onnx --first 7 \
        --teacher teacher.pt --encoder all-mpnet-base-v2 --out new.onnx

The losses are in learning.py. In the last pass it learns from a larger reader, the teacher, which
teacher.py makes.
"""

import argparse
import copy
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parent.parent))

from transformers import BertConfig, BertForQuestionAnswering, BertModel

from index.embed import default_model_files
from rag.reader import SpanReader
from training.as_onnx import read_onnx, write_onnx
from training.examples import ABOUT_THEIR_TEXT, Group, draw
from training.learning import PIECES, Encoded, encode, train
from training.teacher import Teacher, load_teacher

GROUPS_AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over question sets, of each of which it takes a share; 2.0 goes through it twice."""

    rate: float
    seed: int
    shares: dict[str, float]
    mined: bool = False  # Negatives are those that the reader so far falls for.
    mean_of: int = 1  # It begins with the mean of the weights after so many passes before it.
    taught: bool = False  # Its windows are marked by the teacher.


def shares(of_reviews: float, **others: float) -> dict[str, float]:
    """The shares of a pass; reviews and posts are many, and unlike articles."""
    return dict.fromkeys(ABOUT_THEIR_TEXT, of_reviews) | others


PASSES = (
    Pass(1.5e-4, 7, shares(0.5, squad2_articles=3, timeqa_human=2)),
    Pass(1.0e-4, 11, shares(0.5, squad2_articles=3, timeqa_human=1)),
    Pass(0.8e-4, 23, shares(0.5, squad2_articles=2, timeqa_human=2)),
    Pass(1.0e-4, 31, shares(0.15, squad2_articles=2, timeqa_human=1, squad_train=0.15), mean_of=2),
    Pass(0.8e-4, 47, shares(0.2, squad2_articles=2, timeqa_human=1, squad_train=0.15), mined=True),
    Pass(1.0e-4, 61, shares(0.1, squad2_articles=1, timeqa_human=1, squad_pairs=0.75), mean_of=3),
    Pass(
        1.0e-4,
        77,
        shares(0.2, squad2_articles=1, timeqa_human=1, squad_train=0.12, squad_pairs=1),
        taught=True,
    ),
)


def tokenizer() -> Tokenizer:
    """The tokenizer of the default embedding model, cutting the window where it is too long."""
    made = Tokenizer.from_file(str(default_model_files() / "tokenizer.json"))
    made.enable_truncation(PIECES, strategy="only_second")
    made.no_padding()
    return made


def new_model() -> BertForQuestionAnswering:
    """The embedding model's transformer with untrained span logits."""
    files = default_model_files()
    body = BertModel.from_pretrained(str(files), add_pooling_layer=False)
    model = BertForQuestionAnswering(BertConfig.from_pretrained(str(files)))
    model.bert.load_state_dict(body.state_dict(), strict=False)
    model.bert.embeddings.requires_grad_(False)
    return model


def from_onnx(path: Path) -> BertForQuestionAnswering:
    """A model with the weights of a reader that was written before; int8 weights are widened."""
    model = new_model()
    values = read_onnx(path)
    known = {
        name: torch.from_numpy(np.array(values[name]))
        for name in model.state_dict()
        if name in values
    }
    missing = model.state_dict().keys() - known.keys()
    if any("weight" in name or "bias" in name for name in missing):
        raise SystemExit(f"{path} is no reader of this make: {sorted(missing)[:3]} are missing.")
    model.load_state_dict(known, strict=False)
    return model


def write(model: BertForQuestionAnswering, path: Path) -> None:
    """Write a model as ONNX with int8 weights."""
    write_onnx(
        {name: value.float().numpy() for name, value in model.state_dict().items()},
        path,
        layers=model.config.num_hidden_layers,
        heads=model.config.num_attention_heads,
        epsilon=model.config.layer_norm_eps,
    )


def average(models: Sequence[BertForQuestionAnswering]) -> BertForQuestionAnswering:
    """A model with the mean of all weights (model soups, Wortsman et al., 2022)."""
    states = [model.state_dict() for model in models]
    mean = copy.deepcopy(models[0])
    mean.load_state_dict(
        {
            name: torch.stack([state[name] for state in states]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in states[0].items()
        }
    )
    return mean


def examples(
    groups: Sequence[Group], pieces: Tokenizer, teacher: Teacher | None
) -> list[list[Encoded]]:
    """Groups ready for the model, marked where there is a teacher."""
    whole = [(group, made) for group in groups if (made := encode(group, pieces))]
    if teacher:
        asked = [(group.question, one.text) for group, _ in whole for one in group.windows]
        windows = (one for _, made in whole for one in made)
        for one, marks in zip(windows, teacher.mark(asked), strict=True):
            one.marks = marks
    return [made for _, made in whole]


def main() -> None:
    """Read the flags, make the passes, write the weights after the last one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="with question sets")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--start", type=Path, help="a reader to go on from")
    parser.add_argument("--first", type=int, default=1, help="the pass to begin with")
    parser.add_argument("--limit", type=int, help="only so many groups a pass, for a try")
    parser.add_argument("--teacher", type=Path, help="the weights that teacher.py wrote")
    parser.add_argument("--encoder", type=Path, help="folder of the teacher's encoder")
    chosen = parser.parse_args()
    torch.manual_seed(PASSES[0].seed)
    model = from_onnx(chosen.start) if chosen.start else new_model()
    made_before: list[BertForQuestionAnswering] = []
    for one in PASSES[chosen.first - 1 :]:
        if made_before:
            model = average(made_before[-one.mean_of :])
        with tempfile.TemporaryDirectory() as folder:
            reader = None
            if one.mined:
                write(model, Path(folder) / "reader.onnx")
                reader = SpanReader(Path(folder) / "reader.onnx")
            drawn = draw(chosen.data, one.shares, one.seed, reader=reader, thin=one.taught)
        teacher = load_teacher(chosen.encoder, chosen.teacher) if one.taught else None
        made = examples(drawn[: chosen.limit], tokenizer(), teacher)
        train(model, made, rate=one.rate, size=GROUPS_AT_ONCE, seed=one.seed)
        made_before.append(copy.deepcopy(model))
    write(model, chosen.out)


if __name__ == "__main__":
    main()
