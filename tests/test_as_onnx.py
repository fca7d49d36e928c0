"""The reader's file is what training writes, and can be trained on from there."""

from pathlib import Path

from rag.reader import MODEL
from training.as_onnx import read_onnx, write_onnx


def test_the_shipped_reader_is_written_again_byte_for_byte(tmp_path: Path) -> None:
    """Its int8 weights survive being widened, so that it can be converted without training."""
    weights = read_onnx(MODEL)
    write_onnx(weights, tmp_path / "again.onnx", layers=6, heads=12, epsilon=1e-12)
    assert (tmp_path / "again.onnx").read_bytes() == MODEL.read_bytes()
