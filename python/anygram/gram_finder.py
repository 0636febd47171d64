"""Where many grams stand in texts, each place of each: `GramFinder`, for rules that ask how near matches are."""

from __future__ import annotations

from collections.abc import Sequence

from anygram import _core
from anygram.arguments import optional_integer
from anygram.machine import available_cpus
from anygram.scanning import GramFamily, GramPlaces, core_family
from anygram.types import Int64Array


class GramFinder:
    """Finds each place where grams of one normaliser stand in texts; `Index.find_grams` does so in documents.

    Exact: what hashes find is compared. It may be used from many threads at once.

    Args:
        family: the grams.

    Attributes:
        first_equal: int64 (n,): by gram, the first one that is equal, which alone is reported.
    """

    def __init__(self, family: GramFamily) -> None:
        self.core = _core.GramFinder(core_family(family))
        self.first_equal: Int64Array = self.core.first_equal()

    def find(self, texts: Sequence[str], *, threads: int | None = None) -> GramPlaces:
        """The places in texts. Cost: O(their bytes), divided among the threads.

        Args:
            texts: the texts; a lone surrogate is taken for U+FFFD.
            threads: how many to use; None for all CPUs.
        """
        count = optional_integer(threads, "threads", 1) or available_cpus()
        try:
            return GramPlaces(*self.core.find(list(texts), count))
        except UnicodeEncodeError:
            whole = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
            return GramPlaces(*self.core.find(whole, count))

    def __len__(self) -> int:
        return len(self.first_equal)

    def __repr__(self) -> str:
        return f"GramFinder({len(self):,} grams)"
