"""How figures grow with the corpus: fitted curves, and what they say of corpora that were not measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

#: Tokens of a shard at most: positions have 32 bits.
SHARD_LIMIT = 2**32

_BUDGET_BYTES_A_TOKEN, _BUDGET_BYTES = 3.2, 0.3e9  # what sorting a shard needs at least

_SHAPES: dict[str, Callable[[float], float]] = {
    "n": lambda n: n,
    "n log2 n": lambda n: n * np.log2(n),
    "log2 n": np.log2,
}


@dataclass(frozen=True)
class Curve:
    """figure = base + slope * shape(n).

    Attributes:
        shape: a name of `_SHAPES`.
        residual: the largest difference of a measured point from the curve, as a share of the point.
    """

    shape: str
    base: float
    slope: float
    residual: float

    def at(self, n: float) -> float:
        return self.base + self.slope * float(_SHAPES[self.shape](n))

    def show(self, unit: str) -> str:
        return f"{self.base:.4g} + {self.slope:.4g} × {self.shape} {unit} (off by {self.residual:.0%} at most)"


def fit(sizes: Sequence[float], values: Sequence[float], shape: str) -> Curve:
    """Least squares of the relative errors, so that a small corpus counts as much as a large one."""
    grown = np.array([_SHAPES[shape](size) for size in sizes], float)
    measured = np.array(values, float)
    design = np.stack([np.ones_like(grown), grown], axis=1) / measured[:, None]
    (base, slope), *_ = np.linalg.lstsq(design, np.ones_like(measured), rcond=None)
    residual = float(np.max(np.abs((base + slope * grown) / measured - 1)))
    return Curve(shape, float(base), float(slope), residual)


def best(sizes: Sequence[float], values: Sequence[float], shapes: Sequence[str]) -> Curve:
    return min((fit(sizes, values, shape) for shape in shapes), key=lambda curve: curve.residual)


@dataclass(frozen=True)
class Machine:
    """What an index could be built and kept on.

    Attributes:
        speed: how many times as fast as the one that was measured; an assumption.
    """

    name: str
    memory: float
    disk: float
    speed: float

    @property
    def shard_tokens(self) -> float:
        """Of the largest shard that it can sort."""
        return min(SHARD_LIMIT, (0.9 * self.memory - _BUDGET_BYTES) / _BUDGET_BYTES_A_TOKEN)


MACHINES = (
    Machine("2 cores, 24 GB, 1 TB of disk", 24e9, 1e12, 1.0),
    Machine("64 cores, 512 GB, 30 TB of disk, 16 times as fast (assumed)", 512e9, 30e12, 16.0),
)

SIZES = (1e10, 1e12, 1e13)


def predictions(seconds: Curve, num_bytes: Curve, pages: Curve) -> list[Sequence[object]]:
    """Rows of corpus, machine and what would be needed."""
    rows: list[Sequence[object]] = []
    for size in SIZES:
        for machine in MACHINES:
            shards = int(np.ceil(size / machine.shard_tokens))
            each = size / shards
            hours = shards * seconds.at(each) / 3600 / machine.speed
            total = shards * num_bytes.at(each)
            machines = int(np.ceil(total / (0.9 * machine.disk)))
            touched = shards * pages.at(each)
            row = (f"10^{np.log10(size):.0f}", machine.name, f"{shards:,}", f"{machines:,}", f"{hours / machines:,.1f}")
            rows.append(
                (*row, f"{hours:,.0f}", f"{total / 1e12:,.2f}", f"{touched:,.0f}", f"{touched / machines:,.0f}")
            )
    return rows


PREDICTION_HEADER = (
    "tokens", "machine", "shards", "machines that hold it", "hours, if all build at once", "machine-hours", "TB",
    "pages a count", "of them on each machine",
)  # fmt: skip
