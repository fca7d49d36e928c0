"""The map of the passages: where vectors lie, and that it is kept with the index."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index import Index, open_index
from index.plane import plane, read_plane, write_plane
from index.types import IndexUnusable

Make = Callable[..., Index]


def random_vectors(count: int, dimension: int = 16) -> np.ndarray:
    vectors = np.random.default_rng(7).normal(size=(count, dimension)).astype(np.float32)
    vectors[:, 0] *= 6
    vectors[:, 1] *= 3
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_axes_are_those_along_which_vectors_differ_most() -> None:
    vectors = random_vectors(500)
    made = plane(vectors)
    assert made.points.shape == (500, 2)
    assert np.abs(made.points).max() <= 1
    for axis in (0, 1):
        along = np.abs(np.corrcoef(made.points[:, axis], vectors[:, axis])[0, 1])
        assert along > 0.95
    assert np.abs(np.quantile(made.points, [0.005, 0.995], axis=0)).min() > 0.9


def test_the_same_vectors_give_the_same_map_and_a_vector_lies_at_its_point() -> None:
    vectors = random_vectors(200)
    first, second = plane(vectors), plane(vectors.copy())
    assert np.array_equal(first.points, second.points)
    for row in (0, 99, 199):
        assert first.place(vectors[row : row + 1]) == pytest.approx(first.points[row], abs=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_passages_make_a_map_too(count: int) -> None:
    made = plane(random_vectors(5)[:count])
    assert made.points.shape == (count, 2)
    assert np.isfinite(made.points).all()
    assert all(np.isfinite(made.place(random_vectors(1))))


def test_copies_of_one_vector_lie_on_one_point() -> None:
    made = plane(np.repeat(random_vectors(1), 9, axis=0))
    assert not made.points.any()


def test_a_map_that_is_damaged_or_of_another_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plane.npz"
    write_plane(path, random_vectors(10))
    assert read_plane(path, 10, 16).points.shape == (10, 2)
    with pytest.raises(IndexUnusable, match="rag index --full"):
        read_plane(path, 11, 16)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(IndexUnusable, match="rag index --full"):
        read_plane(path, 10, 16)
    with pytest.raises(IndexUnusable):
        read_plane(tmp_path / "none.npz", 10, 16)


def test_the_index_keeps_its_map(sample_index: Path) -> None:
    index = open_index(sample_index)
    assert index.plane.points.shape == (index.manifest.chunks, 2)
    id = index.chunk_rows()[7][0]
    placed = index.plane.place(index.vectors([id]))
    assert placed == pytest.approx(index.plane.points[id], abs=0.01)  # Stored in half precision.
