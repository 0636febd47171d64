"""The reference data as indexes: of each domain nine disjoint blocks, whose unions are its nested halvings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import anygram
from paper.documents import Fields
from paper.settings import HALVINGS, Settings
from paper.sources import nested_blocks

Tokens = NDArray[np.uint16]


@dataclass(frozen=True)
class Texts:
    """Evaluated documents, each cut to the most that is evaluated.

    Attributes:
        numbers: int64 (n,), which documents.
        tokens: of each, uint16.
        domains: of each.
        sources: of each.
    """

    numbers: NDArray[np.int64]
    tokens: list[Tokens]
    domains: NDArray[np.str_]
    sources: NDArray[np.str_]

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.array([len(one) for one in self.tokens], np.int64)

    def where(self, chosen: NDArray[np.bool_]) -> Texts:
        kept = [one for one, keep in zip(self.tokens, chosen, strict=True) if keep]
        return Texts(self.numbers[chosen], kept, self.domains[chosen], self.sources[chosen])

    def rows(self, of_text: NDArray[np.generic]) -> NDArray[np.generic]:
        """What holds for each text, for each of its tokens."""
        return np.repeat(of_text, self.lengths)


class Workplace:
    """The folder's documents and indexes, after the steps that make them."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings

    @cached_property
    def fields(self) -> Fields:
        return Fields.read(self.folder)

    @cached_property
    def roles(self) -> NDArray[np.str_]:
        return np.load(self.folder / "roles.npy")

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        return np.load(self.folder / "offsets.npy")

    @cached_property
    def tokens(self) -> Tokens:
        return np.load(self.folder / "tokens.npy", mmap_mode="r")

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tokenizer.json"

    @cached_property
    def evaluated_domains(self) -> list[str]:
        return np.unique(self.fields.domains[self.roles == "test"]).tolist()

    @property
    def narrow_domain(self) -> str:
        """The one that a model sees which sees one only."""
        return self.evaluated_domains[-1]

    @cached_property
    def domains(self) -> list[str]:
        return np.unique(self.fields.domains[self.roles == "reference"]).tolist()

    def document(self, number: int) -> Tokens:
        return np.asarray(self.tokens[self.offsets[number] : self.offsets[number + 1]])

    def evaluated(self, split: str) -> Texts:
        numbers = np.flatnonzero(self.roles == split)
        tokens = [self.document(number)[: self.settings.most_tokens] for number in numbers]
        return Texts(numbers, tokens, self.fields.domains[numbers], self.fields.sources[numbers])

    def shuffled(self, role: str, domain: str) -> NDArray[np.int64]:
        """The documents of a role and a domain, in an order that is drawn once."""
        numbers = np.flatnonzero((self.roles == role) & (self.fields.domains == domain))
        return np.random.default_rng(self.settings.seed).permutation(numbers)

    def blocks(self, domain: str) -> list[NDArray[np.int64]]:
        """The reference documents of a domain: 2^-8 of them, as many again, twice as many again, and so on."""
        order = self.shuffled("reference", domain)
        sizes = np.diff(self.offsets)[order].tolist()
        return [order[begin:end] for begin, end in nested_blocks(sizes, HALVINGS)]

    def num_tokens(self, numbers: NDArray[np.int64]) -> int:
        return int(np.diff(self.offsets)[numbers].sum())

    # --- indexes

    def build_indexes(self) -> None:
        """An index of each block of each domain, and one of the documents beside the evaluated ones."""
        sizes = {}
        for domain in self.domains:
            for number, block in enumerate(self.blocks(domain)):
                sizes[f"{domain}-{number}"] = self.build(f"{domain}-{number}", block)
        for domain in self.evaluated_domains:
            sizes[f"{domain}-neighbours"] = self.build(f"{domain}-neighbours", self.shuffled("neighbour", domain))
        (self.folder / "indexes.json").write_text(json.dumps(sizes, indent=1), "utf-8")

    def build(self, name: str, numbers: NDArray[np.int64]) -> dict[str, int]:
        """An index of these documents, if it is not there.

        Returns:
            How large it is.
        """
        path = self.folder / "index" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            documents = (self.document(number) for number in numbers.tolist())
            anygram.build(documents, path, tokenizer=str(self.tokenizer)).close()
        return {"documents": len(numbers), "tokens": self.num_tokens(numbers)}

    def reference(self, domains: Sequence[str] | None = None, halvings: int = 0) -> anygram.Index:
        """The reference of these domains (of those evaluated, if None), halved so often, as one index."""
        names = [
            f"{domain}-{number}"
            for domain in domains or self.evaluated_domains
            for number in range(HALVINGS + 1 - halvings)
        ]
        return anygram.open([self.folder / "index" / name for name in names])

    def neighbours(self, domain: str) -> anygram.Index:
        """The documents beside the evaluated ones, from their own sources."""
        return anygram.open(self.folder / "index" / f"{domain}-neighbours")

    def reference_tokens(self, domains: Sequence[str] | None = None, halvings: int = 0) -> int:
        chosen = domains or self.evaluated_domains
        return sum(
            self.num_tokens(block) for domain in chosen for block in self.blocks(domain)[: HALVINGS + 1 - halvings]
        )
