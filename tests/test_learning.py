"""What a reader learns from: the answers that people marked, and a teacher's probabilities."""

import random

import numpy as np
import torch

from index.embed import default_model_files, load_tokenizer
from training.learning import Encoded, loss_of, taught_loss, true_loss

QUESTION = "Who kept the lighthouse?"
ANSWERED = ("Ida Brandt kept the lighthouse until 1931.", ((0, 10),))
CHANCE = random.Random(1)  # noqa: S311  # Which answer of several, not which secret.
SILENT = ("The harbour freezes in most winters.", ())


def window(text: str, answers: tuple[tuple[int, int], ...]) -> Encoded:
    """A window with the question, in the word pieces of the reader."""
    return Encoded(
        QUESTION, text, answers, load_tokenizer(default_model_files() / "tokenizer.json", 192)
    )


def logits(batch: list[list[Encoded]], high: dict[int, int]) -> torch.Tensor:
    """Logits of 0, and of 9 at one piece of each row."""
    rows = [one for group in batch for one in group]
    made = torch.zeros(len(rows), max(len(one.ids) for one in rows))
    for row, piece in high.items():
        made[row, piece] = 9.0
    return made


def test_answer_is_where_people_marked_it() -> None:
    """The pieces of the answer and no others are right; a window without one has its first."""
    group = [window(*ANSWERED), window(*SILENT)]
    (first, last), *none = group[0].spans
    assert not none
    assert not group[1].spans
    assert [group[0].ids[n] for n in (first, last)] == [
        load_tokenizer(default_model_files() / "tokenizer.json", 192).token_to_id(word)
        for word in ("ida", "brandt")
    ]

    def loss(high: dict[int, int], side: int) -> float:
        return float(true_loss(logits([group], high), [group], side, CHANCE))

    for side, right in enumerate((first, last)):
        assert loss({0: right, 1: 0}, side) < 0.1
        assert loss({0: right + 1, 1: 0}, side) > 5  # Another piece.
        assert loss({0: 0, 1: 0}, side) > 5  # No answer in either.
        assert loss({0: right, 1: group[1].inside[2]}, side) > 5  # One in both.


def test_a_teachers_marks_are_learned_from() -> None:
    """The loss is least where the logits are the teacher's, whatever people marked."""
    group = [window(*ANSWERED), window(*SILENT)]
    theirs = torch.randn(2, max(len(one.ids) for one in group), generator=torch.manual_seed(3))
    for row, one in enumerate(group):
        one.marks = np.stack([theirs[row, [0, *one.inside]].numpy()] * 2)
    # A number added to all logits of a window leaves every probability as it is.
    assert abs(float(taught_loss(theirs + 5.0, [group], 0))) < 1e-4
    tried = theirs.clone().requires_grad_()
    with torch.no_grad():
        tried[1, group[1].inside[0]] += 4.0
    loss = taught_loss(tried, [group], 1)
    assert float(loss.detach()) > 0.5
    loss.backward()
    assert tried.grad is not None
    assert int(tried.grad[1].argmax()) == group[1].inside[0]
    # Pieces of the question are no answers: their logits change nothing.
    outside = theirs.clone()
    outside[:, 1] += 8.0
    assert abs(float(taught_loss(outside, [group], 0))) < 1e-4
    both = loss_of(theirs, [group], 0, CHANCE)
    assert torch.isfinite(both)


def test_a_teacher_may_have_cut_a_window_shorter() -> None:
    """Pieces that it did not see count for nothing."""
    group = [window(*ANSWERED)]
    theirs = torch.zeros(1, len(group[0].ids))
    group[0].marks = np.zeros((2, len(group[0].inside) - 2), np.float32)
    ours = theirs.clone()
    ours[0, group[0].inside[-1]] = 9.0
    assert abs(float(taught_loss(ours, [group], 0))) < 1e-4
