"""How a span reader learns: windows as word pieces, the losses, one pass over groups of windows.

Two losses are added. One is the usual cross entropy of start and end in each window, where a
window without an answer points at its first position (Devlin et al., 2019). The other has one
normalisation over all windows of a question (Clark and Gardner, 2018), on logits less those of the
first position: what the program compares when it asks, so that windows compete as they will.
Where a larger reader has marked the windows (teacher.py), what counts most is to give each word
the probability that it gives (Hinton et al., 2015), in each window and over all of a question.
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.as_onnx import INPUTS
from training.examples import Group

PIECES = 192  # Of question and window; the longest sentences are cut.
QUESTION_PIECES = 48
BUCKET = 50  # Batches among which groups are sorted by length: changing shapes cost time.
SHARED_WEIGHT = 1.0  # Of the loss over all windows of a question.
TRUE_WEIGHT = 0.3  # Of the losses by what people marked, beside those by what a teacher did.
WEIGHT_DECAY = 0.01
WARM_UP = 0.06  # Share of the steps.
TOLD = 20  # Steps between two lines of progress.
NEVER = -1e9  # A logit that leaves no probability; an infinite one would make 0 * inf of it.


class Encoded:
    """One window with its question as word pieces, and the pieces that may be answered with.

    `marks` are a teacher's logits, shape (2, 1 + pieces of the window): of start and end, at the
    first position and in the window.
    """

    def __init__(
        self, question: str, text: str, answers: Sequence[tuple[int, int]], pieces: Tokenizer
    ) -> None:
        question = " ".join(question.split()[:QUESTION_PIECES])
        encoding = pieces.encode(question, text)
        self.ids = encoding.ids
        self.types = encoding.type_ids
        self.inside = [n for n, sequence in enumerate(encoding.sequence_ids) if sequence == 1]
        self.spans: list[tuple[int, int]] = []
        for start, end in answers:
            touched = [
                n
                for n in self.inside
                if encoding.offsets[n][0] < end and encoding.offsets[n][1] > start
            ]
            if touched and encoding.offsets[touched[-1]][1] >= end:
                self.spans.append((touched[0], touched[-1]))
        self.is_negative = not answers
        self.marks: NDArray[np.float32] | None = None


def encode(group: Group, pieces: Tokenizer) -> list[Encoded]:
    """A group ready for the model; empty when its answer was cut off."""
    encoded = [Encoded(group.question, one.text, one.answers, pieces) for one in group.windows]
    return encoded if all(one.spans or one.is_negative for one in encoded) else []


def batches(
    data: list[list[Encoded]], size: int, chance: random.Random
) -> Iterator[list[list[Encoded]]]:
    """Shuffled batches of `size` groups of like length."""
    data = chance.sample(data, len(data))
    for first in range(0, len(data), size * BUCKET):
        bucket = data[first : first + size * BUCKET]
        bucket.sort(key=lambda group: max(len(one.ids) for one in group))
        starts = list(range(0, len(bucket), size))
        for start in chance.sample(starts, len(starts)):
            yield bucket[start : start + size]


def tensors(windows: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """Padded input of shape (windows, longest), a multiple of 16."""
    longest = math.ceil(max(len(one.ids) for one in windows) / 16) * 16
    rows = {name: np.zeros((len(windows), longest), np.int64) for name in INPUTS}
    for row, one in enumerate(windows):
        rows["input_ids"][row, : len(one.ids)] = one.ids
        rows["attention_mask"][row, : len(one.ids)] = 1
        rows["token_type_ids"][row, : len(one.ids)] = one.types
    return {name: torch.from_numpy(values) for name, values in rows.items()}


def together(logits: torch.Tensor) -> torch.Tensor:
    """The logits of a question's windows, (windows, length), in one row, less those of the firsts.

    One common "none of them", with logit 0, takes the place of all first positions.
    """
    return torch.cat([torch.zeros(1), (logits[:, 1:] - logits[:, :1]).flatten()])


def true_loss(
    logits: torch.Tensor, batch: list[list[Encoded]], side: int, chance: random.Random
) -> torch.Tensor:
    """Both losses of the start (side 0) or end (side 1) logits, shape (windows, length)."""
    flat = [one for group in batch for one in group]
    gold = torch.zeros(len(flat), dtype=torch.long)
    for row, one in enumerate(flat):
        if one.spans:
            # What most people gave, or one of them: both ends are drawn with the same seed.
            gold[row] = chance.choice(one.spans)[side]
    own = torch.nn.functional.cross_entropy(logits, gold)
    shared, row = [], 0
    for group in batch:
        row_of_all = together(logits[row : row + len(group)])
        target = next(
            (
                n * (logits.shape[1] - 1) + int(gold[row + n])
                for n, one in enumerate(group)
                if one.spans
            ),
            0,
        )
        shared.append(torch.logsumexp(row_of_all, 0) - row_of_all[target])
        row += len(group)
    return own + SHARED_WEIGHT * torch.stack(shared).mean()


def taught_loss(logits: torch.Tensor, batch: list[list[Encoded]], side: int) -> torch.Tensor:
    """How far logits are from a teacher's, in each window and over all windows of a question."""
    marks = torch.full(logits.shape, NEVER)
    for row, one in enumerate(one for group in batch for one in group):
        if one.marks is not None:
            # Teachers cut long windows at another piece.
            places = [0, *one.inside][: one.marks.shape[1]]
            marks[row, places] = torch.from_numpy(one.marks[side, : len(places)])
    logits = torch.where(marks > NEVER, logits, torch.tensor(NEVER))

    def divergence(theirs: torch.Tensor, ours: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.kl_div(
            torch.log_softmax(ours, -1),
            torch.log_softmax(theirs, -1),
            log_target=True,
            reduction="none",
        ).sum(-1)

    shared, row = [], 0
    for group in batch:
        rows = slice(row, row + len(group))
        shared.append(divergence(together(marks[rows]), together(logits[rows])))
        row += len(group)
    return divergence(marks, logits).mean() + SHARED_WEIGHT * torch.stack(shared).mean()


def loss_of(
    logits: torch.Tensor, batch: list[list[Encoded]], side: int, chance: random.Random
) -> torch.Tensor:
    """What is made smaller: the losses of the start (side 0) or end (side 1) logits."""
    allowed = torch.full(logits.shape, NEVER)
    flat = [one for group in batch for one in group]
    for row, one in enumerate(flat):
        allowed[row, [0, *one.inside]] = 0.0
    logits = logits.float() + allowed
    true = true_loss(logits, batch, side, chance)
    if flat[0].marks is None:
        return true
    return taught_loss(logits, batch, side) + TRUE_WEIGHT * true


def has_bfloat16(device: str) -> bool:
    """Whether a device computes in bf16; one that imitates it is over eight times as slow."""
    return device == "cuda" or torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")


def train(model: Any, data: list[list[Encoded]], *, rate: float, size: int, seed: int) -> None:
    """One pass in place, the rate rising and then falling to 0; prints the loss now and then.

    The model gives `start_logits` and `end_logits`, shape (windows, length); `size` groups a step.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train(data[0][0].marks is None)  # Marks need no dropout beside them.
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=WEIGHT_DECAY, fused=True)
    chance = random.Random(seed)
    steps = math.ceil(len(data) / size)
    print(f"{len(data)} groups, {steps} steps on {device}", flush=True)
    started, seen = time.perf_counter(), 0.0
    for step, batch in enumerate(batches(data, size, chance)):
        warm = min(1.0, (step + 1) / (WARM_UP * steps))
        for options in optimizer.param_groups:
            options["lr"] = rate * warm * max(0.0, 1 - step / steps)
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
