"""The map of the passages: their vectors in two dimensions, by their principal components. Pure.

The two directions in which the vectors of all passages differ most are the axes. Axes, unlike the
layouts of UMAP or t-SNE, can place a question that was not there when the map was made.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.manifest import REBUILD
from index.types import HalfMatrix, IndexUnusable, Matrix

LOOKED_AT = 20_000  # Passages, evenly spaced, of which the axes are made: more turn them by little.
OUTLIERS = 0.005  # Share of the passages at either end of an axis that do not set its scale.
SPREAD = 0.95  # Where the others end; what lies beyond is put at the edge.
FLAT = 1e-6  # Share of the variance below which a direction is noise.


@dataclass(frozen=True, slots=True)
class Plane:
    """Where passages lie: `points` has shape (n, 2), row i is chunk i, within -1 and 1.

    `mean` has shape (dimension,) and `axes` (dimension, 2): they place another vector.
    """

    points: Matrix
    mean: Matrix
    axes: Matrix

    def place(self, vector: Matrix) -> tuple[float, float]:
        """Where a vector of shape (1, dimension) lies on the map."""
        x, y = np.clip((vector[0] - self.mean) @ self.axes, -1, 1)
        return float(x), float(y)

    def with_points(self, vectors: HalfMatrix | Matrix) -> "Plane":
        """The map of other vectors, shape (n, dimension), with the axes of this one."""
        points = np.empty((len(vectors), 2), np.float32)
        for first in range(0, len(vectors), LOOKED_AT):
            some = vectors[first : first + LOOKED_AT].astype(np.float32)
            points[first : first + LOOKED_AT] = some @ self.axes - self.mean @ self.axes
        return Plane(np.clip(points, -1, 1), self.mean, self.axes)


def plane(vectors: HalfMatrix | Matrix) -> Plane:
    """The map of vectors of shape (n, dimension); the same vectors give the same map.

    A direction in which they do not differ, as with fewer than three of them, is 0 for all.
    """
    count, dimension = vectors.shape
    if not count:
        return Plane(
            *(np.zeros(shape, np.float32) for shape in ((0, 2), dimension, (dimension, 2)))
        )
    rows = np.linspace(0, count - 1, min(count, LOOKED_AT)).astype(np.int64)
    sample = vectors[rows].astype(np.float32)
    mean = sample.mean(axis=0, dtype=np.float64)
    centred = sample - mean.astype(np.float32)
    variances, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = np.zeros((dimension, 2))
    for axis, column in enumerate(range(dimension - 1, max(-1, dimension - 3), -1)):
        if variances[column] <= max(FLAT * variances.sum(), FLAT):
            continue
        direction = directions[:, column]
        # An axis may point either way: its largest part is positive, so that the map never flips.
        direction = direction * np.sign(direction[np.argmax(np.abs(direction))])
        low, high = np.quantile(centred @ direction, [OUTLIERS, 1 - OUTLIERS])
        mean = mean + direction * (low + high) / 2
        axes[:, axis] = direction * 2 * SPREAD / max(high - low, FLAT)
    placed = Plane(sample[:0, :2], mean.astype(np.float32), axes.astype(np.float32))
    return placed.with_points(vectors)


def write_plane(path: Path, vectors: HalfMatrix | Matrix, on: Plane | None = None) -> None:
    """Make the map of vectors of shape (n, dimension) and write it, or their place `on` a map."""
    made = plane(vectors) if on is None else on.with_points(vectors)
    np.savez(path, points=made.points, mean=made.mean, axes=made.axes)


def read_plane(path: Path, count: int, dimension: int) -> Plane:
    """The map that was written. Raises IndexUnusable unless it is one of `count` passages."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            read = Plane(stored["points"], stored["mean"], stored["axes"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise IndexUnusable(
            f"The map of the index in {path.parent} is damaged: {REBUILD}."
        ) from error
    shapes = (read.points.shape, read.mean.shape, read.axes.shape)
    if shapes != ((count, 2), (dimension,), (dimension, 2)):
        raise IndexUnusable(f"The map of the index in {path.parent} does not fit: {REBUILD}.")
    return read
