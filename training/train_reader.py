r"""Train the span reader and write it as ONNX with int8 weights.

    python training/train_reader.py --data ../shared/data more --out rag/reader.onnx
    python training/train_reader.py --data ../shared/data more --start rag/reader.onnx --first 4 \
        --out new.onnx

Two losses are added. One is the usual cross entropy of start and end in each window, where a
window without an answer points at its first position (Devlin et al., 2019). The other has one
normalisation over all windows of a question (Clark and Gardner, 2018), on logits less those of the
first position: what the program compares when it asks, so that windows compete as they will.
"""

import argparse
import copy
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parent.parent))

from transformers import BertConfig, BertForQuestionAnswering, BertModel

from index.embed import DEFAULT_MODEL, default_model_files, load_embedder
from rag.reader import SpanReader
from training.as_onnx import INPUTS, read_onnx, write_onnx
from training.examples import ABOUT_THEIR_TEXT, Group, groups

PIECES = 192  # Of question and window; the longest sentences are cut.
QUESTION_PIECES = 48
GROUPS_AT_ONCE = 12
BUCKET = 50  # Batches among which groups are sorted by length: changing shapes cost time.
SHARED_WEIGHT = 1.0  # Of the loss over all windows of a question.
WEIGHT_DECAY = 0.01
WARM_UP = 0.06  # Share of the steps.
TOLD = 20  # Steps between two lines of progress.


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over question sets, of each of which it takes a share; 2.0 goes through it twice."""

    rate: float
    seed: int
    shares: dict[str, float]
    mined: bool = False  # Negatives are those that the reader so far falls for.
    mean_of: int = 1  # It begins with the mean of the weights after so many passes before it.


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
)


class Encoded:
    """One window with its question as word pieces, and the pieces that may be answered with."""

    def __init__(
        self, question: str, text: str, answers: Sequence[tuple[int, int]], pieces: Any
    ) -> None:
        encoding = pieces.encode(question, text)
        self.ids = encoding.ids
        self.types = encoding.type_ids
        self.spans: list[tuple[int, int]] = []
        inside = [n for n, sequence in enumerate(encoding.sequence_ids) if sequence == 1]
        for start, end in answers:
            touched = [
                n for n in inside if encoding.offsets[n][0] < end and encoding.offsets[n][1] > start
            ]
            if touched and encoding.offsets[touched[-1]][1] >= end:
                self.spans.append((touched[0], touched[-1]))
        self.is_negative = not answers


def tokenizer() -> Tokenizer:
    """The tokenizer of the default embedding model, cutting the window where it is too long."""
    made = Tokenizer.from_file(str(default_model_files() / "tokenizer.json"))
    made.enable_truncation(PIECES, strategy="only_second")
    made.no_padding()
    return made


def encode(group: Group, pieces: Tokenizer) -> list[Encoded]:
    """A group ready for the model; empty when its answer was cut off."""
    question = " ".join(group.question.split()[:QUESTION_PIECES])
    encoded = [Encoded(question, one.text, one.answers, pieces) for one in group.windows]
    return encoded if all(one.spans or one.is_negative for one in encoded) else []


def batches(data: list[list[Encoded]], chance: random.Random) -> Iterator[list[list[Encoded]]]:
    """Shuffled batches of groups of like length."""
    data = chance.sample(data, len(data))
    for first in range(0, len(data), GROUPS_AT_ONCE * BUCKET):
        bucket = data[first : first + GROUPS_AT_ONCE * BUCKET]
        bucket.sort(key=lambda group: max(len(one.ids) for one in group))
        starts = list(range(0, len(bucket), GROUPS_AT_ONCE))
        for start in chance.sample(starts, len(starts)):
            yield bucket[start : start + GROUPS_AT_ONCE]


def tensors(windows: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """Padded input of shape (windows, longest), a multiple of 16."""
    longest = math.ceil(max(len(one.ids) for one in windows) / 16) * 16
    rows = {name: np.zeros((len(windows), longest), np.int64) for name in INPUTS}
    for row, one in enumerate(windows):
        rows["input_ids"][row, : len(one.ids)] = one.ids
        rows["attention_mask"][row, : len(one.ids)] = 1
        rows["token_type_ids"][row, : len(one.ids)] = one.types
    return {name: torch.from_numpy(values) for name, values in rows.items()}


def loss_of(
    logits: torch.Tensor, batch: list[list[Encoded]], side: int, chance: random.Random
) -> torch.Tensor:
    """Both losses of the start (side 0) or end (side 1) logits, shape (windows, length)."""
    flat = [one for group in batch for one in group]
    gold = torch.zeros(len(flat), dtype=torch.long)
    allowed = torch.full(logits.shape, -torch.inf)
    for row, one in enumerate(flat):
        types = torch.tensor(one.types)
        allowed[row, : len(one.ids)][types == 1] = 0.0
        allowed[row, 0] = 0.0
        if one.spans:
            # What most people gave, or one of them: both ends are drawn with the same seed.
            gold[row] = chance.choice(one.spans)[side]
    masked = logits.float() + allowed
    own = torch.nn.functional.cross_entropy(masked, gold)
    relative = masked - logits.float()[:, :1]
    relative[:, 0] = -torch.inf  # One common "none of them" takes the place of all firsts.
    shared, row = [], 0
    for group in batch:
        rows = relative[row : row + len(group)].flatten()
        together = torch.cat([torch.zeros(1), rows])
        target = next(
            (
                1 + n * logits.shape[1] + int(gold[row + n])
                for n, one in enumerate(group)
                if one.spans
            ),
            0,
        )
        shared.append(torch.logsumexp(together, 0) - together[target])
        row += len(group)
    return own + SHARED_WEIGHT * torch.stack(shared).mean()


def new_model() -> BertForQuestionAnswering:
    """The embedding model's transformer with untrained span logits."""
    files = default_model_files()
    body = BertModel.from_pretrained(str(files), add_pooling_layer=False)
    model = BertForQuestionAnswering(BertConfig.from_pretrained(str(files)))
    model.bert.load_state_dict(body.state_dict(), strict=False)
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


def has_bfloat16(device: str) -> bool:
    """Whether a device computes in bf16; one that imitates it is over eight times as slow."""
    return device == "cuda" or torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")


def train(model: BertForQuestionAnswering, data: list[list[Encoded]], one: Pass) -> None:
    """One pass in place, the rate rising and then falling to 0; prints the loss now and then."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    model.bert.embeddings.requires_grad_(False)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=one.rate, weight_decay=WEIGHT_DECAY)
    chance = random.Random(one.seed)
    steps = math.ceil(len(data) / GROUPS_AT_ONCE)
    print(f"{len(data)} groups, {steps} steps on {device}", flush=True)
    started, seen = time.perf_counter(), 0.0
    for step, batch in enumerate(batches(data, chance)):
        warm = min(1.0, (step + 1) / (WARM_UP * steps))
        for options in optimizer.param_groups:
            options["lr"] = one.rate * warm * max(0.0, 1 - step / steps)
        values = tensors([one for group in batch for one in group])
        with torch.autocast(device, torch.bfloat16, enabled=has_bfloat16(device)):
            out = model(**{name: value.to(device) for name, value in values.items()})
        same = chance.random()
        loss = sum(
            loss_of(logits.cpu(), batch, side, random.Random(same))
            for side, logits in enumerate((out.start_logits, out.end_logits))
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        seen += float(loss.detach())
        if (step + 1) % TOLD == 0:
            minutes = (time.perf_counter() - started) / 60
            left = minutes / (step + 1) * (steps - step - 1)
            print(f"{step + 1}/{steps} loss {seen / TOLD:.3f}, {left:.0f} min left", flush=True)
            seen = 0.0
    model.to("cpu")


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
    data: Sequence[Path], one: Pass, limit: int | None, reader: SpanReader | None
) -> list[list[Encoded]]:
    """The groups of all sets of a pass, ready for the model; negatives are drawn with its seed."""
    chance = random.Random(one.seed)
    embedder = load_embedder(DEFAULT_MODEL, Path(".rag") / "models")
    pieces = tokenizer()
    every: list[list[Encoded]] = []
    for name, share in one.shares.items():
        folder = next((folder for folder in data if (folder / name).is_dir()), None)
        if not folder:
            raise SystemExit(f"No folder given with --data has the question set {name}.")
        times = [1.0] * int(share) + [share % 1] * (share % 1 > 0)
        made = [
            encoded
            for part in times
            for group in groups(folder, name, embedder, chance, share=part, reader=reader)
            if (encoded := encode(group, pieces))
        ]
        answerable = sum(bool(group[0].spans) for group in made)
        counts = {"groups": len(made), "answerable": answerable, "windows": sum(map(len, made))}
        print(name, json.dumps(counts), flush=True)
        every += made
    return chance.sample(every, limit) if limit else every


def main() -> None:
    """Read the flags, make the passes, write the weights after the last one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="with question sets")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--start", type=Path, help="a reader to go on from")
    parser.add_argument("--first", type=int, default=1, help="the pass to begin with")
    parser.add_argument("--limit", type=int, help="only so many groups a pass, for a try")
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
            made = examples(chosen.data, one, chosen.limit, reader)
        train(model, made, one)
        made_before.append(copy.deepcopy(model))
    write(model, chosen.out)


if __name__ == "__main__":
    main()
