"""A trained reader -> an ONNX file with int8 weights, laid out for onnxruntime, and back.

The graph is written step by step: what torch exports takes a third more time, and what the
optimiser for transformers makes of that takes still more. Every array has the word pieces of a
window before the windows, shape (length, batch, ...), so that attention multiplies heads where they
lie. Activations become int8 with one scale for the whole batch, as in `quantize_dynamic`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("start_logits", "end_logits")
EMBEDDINGS = "bert.embeddings"
CONTRIB = "com.microsoft"  # What onnxruntime adds to ONNX.
CONTRIBUTED = ("DynamicQuantizeMatMul", "FusedMatMul", "MatMulIntegerToFloat")
OPSETS = {"": 20, CONTRIB: 1}
IR_VERSION = 9
HIDDEN = -1e9  # Added to the attention that padding gets; nothing is left of it.
Array = NDArray[Any]


def write_onnx(
    weights: Mapping[str, Array], path: Path, *, layers: int, heads: int, epsilon: float
) -> None:
    """Write the weights of a BertForQuestionAnswering, named as there, as an ONNX file.

    `epsilon` is that of its layer norms.
    """
    model = _Graph(weights, heads, epsilon)
    model.whole(layers)
    shape = ["batch", "length"]
    graph = helper.make_graph(
        model.steps,
        "reader",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in INPUTS],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in OUTPUTS],
        [numpy_helper.from_array(array, name) for name, array in model.stored.items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(made)
    onnx.save(made, str(path))


def read_onnx(path: Path) -> dict[str, Array]:
    """The weights in a file of `write_onnx`, by the same names; int8 weights are widened."""
    stored = {
        one.name: numpy_helper.to_array(one) for one in onnx.load(str(path)).graph.initializer
    }
    weights = {}
    for name, array in stored.items():
        plain = name.removesuffix(".quantized")
        scale, zero = stored.get(f"{plain}.scale"), stored.get(f"{plain}.zero_point")
        if plain == name:
            weights[name] = array
        elif zero is not None:
            weights[plain] = (array.astype(np.float32) - np.float32(zero)) * scale
        else:
            weights[plain] = (array.astype(np.float32) * scale).T
    return weights


class _Graph:
    """The steps and stored arrays of the model so far; a value is known by its name."""

    def __init__(self, weights: Mapping[str, Array], heads: int, epsilon: float) -> None:
        self.steps: list[onnx.NodeProto] = []
        self.stored: dict[str, Array] = {}
        self._weights = weights
        self._heads = heads
        self._epsilon = epsilon

    def whole(self, layers: int) -> None:
        """All steps from the inputs to the outputs."""
        read = self.step("Cast", INPUTS[1], to=TensorProto.FLOAT)
        padding = self.step("Sub", self.keep("one", np.float32(1)), read)
        padding = self.step("Mul", padding, self.keep("hidden", np.float32(HIDDEN)))
        hidden = self.step("Unsqueeze", padding, self.keep("axes 1, 2", np.array([1, 2])))
        values = self.embedded()
        for layer in range(layers):
            values = self.layer(f"bert.encoder.layer.{layer}", values, hidden)
        logits = self.step("Transpose", self.linear("qa_outputs", values), perm=[2, 1, 0])
        for side, output in enumerate(OUTPUTS):
            self.step("Gather", logits, self.keep(f"side {side}", np.array(side)), names=[output])

    def embedded(self) -> str:
        """The sum of what stands for each word piece, the text it is in and its place."""
        rows = []
        for kind, ids in (("word", INPUTS[0]), ("token_type", INPUTS[2])):
            table, *scale = self.table(kind)
            found = self.step("Gather", table, self.step("Transpose", ids, perm=[1, 0]))
            rows.append(self.step("DequantizeLinear", found, *scale))
        table, *scale = self.table("position")
        zero = self.keep("axis 0", np.array([0]))
        length = self.step("Shape", INPUTS[0], start=1, end=2)
        places = self.step(
            "DequantizeLinear", self.step("Slice", table, zero, length, zero), *scale
        )
        places = self.step("Unsqueeze", places, self.keep("axis 1", np.array([1])))
        return self.sum_and_norm(EMBEDDINGS, self.step("Add", *rows), places)

    def layer(self, name: str, values: str, hidden: str) -> str:
        """Attention and two linear layers, each time added to what came in."""
        size = len(self._weights[f"{name}.output.LayerNorm.bias"])
        apart = self.keep("heads", np.array([0, 0, self._heads, size // self._heads]))
        together = self.keep("together", np.array([0, 0, size]))
        whole = self.step("DynamicQuantizeLinear", values, names=self.names(3))
        query, key, value = (
            self.step("Reshape", self.linear(f"{name}.attention.self.{part}", *whole), apart)
            for part in ("query", "key", "value")
        )
        # Of (length, batch, heads, size of a head) the second and third come first.
        by_head = {"transBatchA": 1, "transBatchB": 1, "transB": 1}
        scale = float(np.sqrt(self._heads / size))
        scores = self.step("FusedMatMul", query, key, alpha=scale, **by_head)
        shares = self.step("Softmax", self.step("Add", scores, hidden), axis=-1)
        seen = self.step("FusedMatMul", shares, value, transBatchB=1)
        seen = self.step("Reshape", self.step("Transpose", seen, perm=[2, 0, 1, 3]), together)
        seen = self.linear(f"{name}.attention.output.dense", seen)
        values = self.sum_and_norm(f"{name}.attention.output", seen, values)
        wide = self.step("Gelu", self.linear(f"{name}.intermediate.dense", values))
        return self.sum_and_norm(
            f"{name}.output", self.linear(f"{name}.output.dense", wide), values
        )

    def sum_and_norm(self, name: str, *values: str) -> str:
        """The layer norm of a sum."""
        weights = [self.plain(f"{name}.LayerNorm.{part}") for part in ("weight", "bias")]
        # Of Add and this step onnxruntime makes one, which takes seven times as long.
        total = self.step("Sum", *values)
        return self.step("LayerNormalization", total, *weights, axis=-1, epsilon=self._epsilon)

    def linear(self, name: str, values: str, scale: str = "", zero: str = "") -> str:
        """A linear layer of floats, or of int8 values with their scale and zero point."""
        matrix = self._weights[f"{name}.weight"].T
        scales = np.abs(matrix).max(axis=0) / np.float32(127)
        scales[scales == 0] = 1
        weights = self.keep(f"{name}.weight.quantized", np.rint(matrix / scales).astype(np.int8))
        by_column = self.keep(f"{name}.weight.scale", scales)
        bias = self.plain(f"{name}.bias")
        if scale:
            given = (values, weights, scale, by_column, zero, "", bias)
            return self.step("MatMulIntegerToFloat", *given)
        return self.step("DynamicQuantizeMatMul", values, weights, by_column, "", bias)

    def table(self, kind: str) -> tuple[str, str, str]:
        """The rows of an embedding as bytes, their scale and their zero point."""
        name = f"{EMBEDDINGS}.{kind}_embeddings.weight"
        rows = self._weights[name]
        least, most = min(rows.min(), np.float32(0)), max(rows.max(), np.float32(0))
        scale = (most - least) / np.float32(255)
        zero = np.rint(-least / scale)
        stored = np.clip(np.rint(rows / scale) + zero, 0, 255).astype(np.uint8)
        return (
            self.keep(f"{name}.quantized", stored),
            self.keep(f"{name}.scale", scale),
            self.keep(f"{name}.zero_point", zero.astype(np.uint8)),
        )

    def plain(self, name: str) -> str:
        """Weights as they are."""
        return self.keep(name, self._weights[name])

    def keep(self, name: str, array: Array | np.generic) -> str:
        """Store an array, which all steps share that name it so."""
        self.stored[name] = np.asarray(array)
        return name

    def step(self, kind: str, *given: str, names: Sequence[str] = (), **options: Any) -> Any:
        """Add a step; the name of its output, or the names that were asked for."""
        outputs = names or self.names(1)
        domain = CONTRIB if kind in CONTRIBUTED else ""
        self.steps.append(helper.make_node(kind, given, outputs, domain=domain, **options))
        return names or outputs[0]

    def names(self, count: int) -> list[str]:
        """Names that no other value has."""
        return [f"value {len(self.steps)} {n}" for n in range(count)]
