"""What an `Index` answers by reading its documents' texts: grams of other normalisations than its tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from anygram import _core
from anygram.arguments import document_number, optional_integer
from anygram.machine import available_cpus
from anygram.types import Tokenizer

if TYPE_CHECKING:
    from anygram.gram_finder import GramFinder
    from anygram.scanning import GramFamily, GramGroup, GramPlaces, GramScan

# The class has an attribute of the module's name.
_TokenTexts: TypeAlias = _core.TokenTexts
_CoreScan: TypeAlias = _core.GramScan


class TextScans(ABC):
    """The part of an `Index` that reads texts."""

    _core: _core.Index
    _threads: int | None

    @property
    @abstractmethod
    def num_documents(self) -> int:
        """See `Index.num_documents`."""

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """See `Index.vocab_size`."""

    @abstractmethod
    def _encoder(self, purpose: str) -> Tokenizer:
        """The index's tokenizer, or an error that says what it was needed for."""

    def scan_grams(
        self,
        families: Sequence[GramFamily],
        groups: Sequence[GramGroup] = (),
        *,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> GramScan:
        """Reads all documents once, and finds grams of their texts as other normalisations see them.

        For rules that are not about this index's tokens: see `anygram.scanning`. Exact: what hashes find is compared.

        Args:
            families: the grams, by normaliser.
            groups: what each document is scored by, out of the grams it holds.
            threads: how many to use; None for the index's own.
            progress: called with tokens read and tokens in all.

        Cost: O(bytes of the corpus' text * normalisers). Memory: O(grams).

        Raises:
            InvalidQueryError: the index has no tokenizer, so that its documents have no text.
        """
        from anygram.scanning import GramScan, core_family, core_group

        self._encoder("know its documents' texts")
        scan = _core.GramScan([*map(core_family, families)], [*map(core_group, groups)])
        count = optional_integer(threads, "threads", 1)
        if self._token_texts is None:
            self._scan_decoded(scan, count or self._threads or available_cpus(), progress)
        else:
            self._core.scan_grams(scan, self._token_texts, count, progress)
        return GramScan(scan, len(groups))

    def find_grams(self, finder: GramFinder, documents: Iterable[int], *, threads: int | None = None) -> GramPlaces:
        """Each place where grams of other normalisations stand in some documents.

        Args:
            finder: the grams.
            documents: the numbers of the documents, which the places are numbered by in this order.
            threads: how many to use; None for the index's own.

        Cost: O(bytes of these documents' text), divided among the threads.

        Raises:
            InvalidQueryError: the index has no tokenizer, so that its documents have no text.
            DocumentNotFoundError: there is none of a number.
        """
        from anygram.scanning import GramPlaces

        tokenizer = self._encoder("know its documents' texts")
        count = optional_integer(threads, "threads", 1)
        numbers = np.array([document_number(number, self.num_documents) for number in documents], np.int64)
        if self._token_texts is not None:
            return GramPlaces(*self._core.find_grams(finder.core, numbers, self._token_texts, count))
        tokens, offsets = self._core.document_spans(numbers, np.zeros_like(numbers), np.full_like(numbers, 2**62))
        texts = [tokenizer.decode(tokens[begin:end]) for begin, end in pairwise(offsets.tolist())]  # type: ignore[arg-type]
        return finder.find(texts, threads=count or self._threads)

    @cached_property
    def _token_texts(self) -> _TokenTexts | None:
        """What each token spells; None if a document's text is more than what its tokens spell one by one."""
        tokenizer = self._encoder("know its documents' texts")
        separator = getattr(tokenizer, "separator", None)
        if separator is None:
            return None
        size = min(self.vocab_size, tokenizer.vocab_size)
        encoded = [tokenizer.token_bytes(token) for token in range(size)]
        offsets = np.zeros(size + 1, np.uint64)
        np.cumsum(np.fromiter(map(len, encoded), np.uint64, size), out=offsets[1:])
        return _core.TokenTexts(b"".join(encoded), offsets, separator.encode())

    def _scan_decoded(
        self, scan: _CoreScan, threads: int, progress: Callable[[int, int], None] | None, at_once: int = 256
    ) -> None:
        """Scans documents that the tokenizer decodes, one by one."""
        tokenizer = self._encoder("know its documents' texts")
        for first in range(0, self.num_documents, at_once):
            numbers = range(first, min(first + at_once, self.num_documents))
            tokens = [self._core.document_tokens(number, 0, 2**63) for number in numbers]
            texts = [tokenizer.decode(one).encode("utf-8", "replace") for one in tokens]  # type: ignore[arg-type]
            scan.scan_texts(texts, first, threads)
            if progress is not None:
                progress(numbers.stop, self.num_documents)
