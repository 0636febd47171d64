"""The documents that take part: read, chosen by source, made tokens, without duplicates and contamination.

Each step leaves files in the folder, and is not done again when they are there.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import note
from paper.duplicates import near_duplicates
from paper.settings import SHARES, Settings
from paper.sources import deal, group_sources, order_of

#: A domain with fewer sources cannot be split by source: it is reference text for others alone.
FEWEST_SOURCES = 40

_BATCH = 1000  # documents that are encoded at once


# --- choosing


def choose(corpora: Sequence[Path], folder: Path, settings: Settings) -> None:
    """Writes documents.jsonl: {"text", "path", "domain", "source", "split"}, and sources.json."""
    facts = {}
    partial = folder / "documents.partial"
    with partial.open("w", encoding="utf-8") as file:
        for corpus in corpora:
            note(f"reading {corpus.name}")
            facts[corpus.stem] = _choose_domain(corpus, settings, file)
    (folder / "sources.json").write_text(json.dumps(facts, indent=1), "utf-8")
    partial.rename(folder / "documents.jsonl")


def _choose_domain(corpus: Path, settings: Settings, file: Any) -> dict[str, Any]:
    paths, sizes, lines, seen = [], [], [], set()
    for number, record in enumerate(_records(corpus)):
        text = record["text"]
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if settings.shortest_document <= len(text) <= settings.longest_document and digest not in seen:
            seen.add(digest)
            paths.append(_path(record, number))
            sizes.append(len(text))
            lines.append(number)
    largest = settings.largest_source * min(settings.domain_bytes, sum(sizes))
    sources = group_sources(paths, sizes, largest)
    chosen, kept_sizes = _cut(paths, sizes, sources, largest, settings)
    splittable = len(kept_sizes) >= FEWEST_SOURCES
    splits = deal(kept_sizes, SHARES, settings.seed) if splittable else dict.fromkeys(kept_sizes, "reference")
    wanted = {lines[place]: place for place in chosen}
    for number, record in enumerate(_records(corpus)):
        if number in wanted:
            place = wanted[number]
            line = {
                "text": record["text"],
                "path": paths[place],
                "domain": corpus.stem,
                "source": sources[place],
                "split": splits[sources[place]],
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return {
        "documents_read": number + 1 if paths else 0,
        "documents_chosen": len(chosen),
        "characters": sum(kept_sizes.values()),
        "sources": len(kept_sizes),
        "sources_by_split": {name: sum(split == name for split in splits.values()) for name in SHARES},
        "split_by_source": splittable,
    }


def _cut(
    paths: Sequence[str], sizes: Sequence[int], sources: Sequence[str], largest: float, settings: Settings
) -> tuple[list[int], dict[str, int]]:
    """Whole sources drawn until there is enough; of one that is too large, documents drawn until it is not."""
    by_source: defaultdict[str, list[int]] = defaultdict(list)
    for place, source in enumerate(sources):
        by_source[source].append(place)
    few = len(by_source) < FEWEST_SOURCES
    chosen: list[int] = []
    kept: dict[str, int] = {}
    for source in sorted(by_source, key=lambda name: (order_of(settings.seed, name), name)):
        if sum(kept.values()) >= settings.domain_bytes:
            break
        most = settings.domain_bytes / len(by_source) if few else largest
        size = 0
        for place in sorted(by_source[source], key=lambda place: (order_of(settings.seed, paths[place]), place)):
            if size and size + sizes[place] > most:
                break
            chosen.append(place)
            size += sizes[place]
        kept[source] = size
    return sorted(chosen), kept


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _path(record: dict[str, Any], number: int) -> str:
    path = record.get("source") or record.get("path") or record.get("url") or f"document-{number}"
    package = record.get("package")
    is_entry = ":" in path.split("/", 1)[0]
    return f"{package}/{path.removeprefix('./')}" if package and not is_entry else path


# --- tokens


def train_tokenizer(folder: Path, settings: Settings) -> None:
    """A byte-level BPE, trained on text that is not evaluated: tokenizer.json."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    texts: list[str] = []
    size = 0
    records = [record for record in _records(folder / "documents.jsonl") if record["split"] in {"reference", "neural"}]
    for place in np.random.default_rng(settings.seed).permutation(len(records)):
        texts.append(records[place]["text"])
        size += len(texts[-1])
        if size >= settings.tokenizer_bytes:
            break
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


def encode(folder: Path) -> None:
    """Writes tokens.npy, uint16, all documents one after another, and offsets.npy."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pieces, lengths = [], []
    batch: list[str] = []

    def flush() -> None:
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            pieces.append(np.array(encoding.ids, np.uint16))
            lengths.append(len(pieces[-1]))
        batch.clear()

    for record in _records(folder / "documents.jsonl"):
        batch.append(record["text"])
        if len(batch) == _BATCH:
            flush()
    flush()
    np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    np.save(folder / "tokens.partial.npy", np.concatenate(pieces))
    (folder / "tokens.partial.npy").rename(folder / "tokens.npy")


# --- roles


@dataclass(frozen=True)
class Fields:
    """What is known of each document, without its text."""

    domains: NDArray[np.str_]
    sources: NDArray[np.str_]
    splits: NDArray[np.str_]

    @classmethod
    def read(cls, folder: Path) -> Fields:
        rows = [(one["domain"], one["source"], one["split"]) for one in _records(folder / "documents.jsonl")]
        return cls(*(np.array(column) for column in zip(*rows, strict=True)))


def assign_roles(folder: Path, settings: Settings) -> None:
    """Writes roles.npy, what becomes of each document, and decontamination.json.

    Roles: "validation" and "test", the documents that are evaluated; "neighbour", the other documents of their
    sources; "reference" and "neural"; "duplicate" and "contaminated", which take no part.
    """
    fields = Fields.read(folder)
    tokens, offsets = np.load(folder / "tokens.npy", mmap_mode="r"), np.load(folder / "offsets.npy")
    roles = fields.splits.astype("<U12")
    roles[_duplicates(fields, tokens, offsets, settings)] = "duplicate"
    for split in ("validation", "test"):
        of_split = np.flatnonzero(roles == split)
        roles[of_split] = "neighbour"
        number = settings.test_documents if split == "test" else settings.validation_documents
        for domain in np.unique(fields.domains):
            long_enough = of_split[
                (fields.domains[of_split] == domain) & (np.diff(offsets)[of_split] >= settings.fewest_tokens)
            ]
            roles[_draw(long_enough, fields.sources, number, settings)] = split
    facts = {"duplicates": _counts(fields, roles == "duplicate")}
    contaminated = _contaminated(folder, roles)
    for role in ("reference", "neural", "neighbour"):
        facts[f"contaminated_{role}"] = _counts(fields, contaminated & (roles == role))
        facts[f"judged_{role}"] = _counts(fields, roles == role)
    roles[contaminated] = "contaminated"
    facts["kept_tokens"] = {
        f"{domain}, {role}": int(np.diff(offsets)[(fields.domains == domain) & (roles == role)].sum())
        for domain in np.unique(fields.domains).tolist()
        for role in np.unique(roles).tolist()
    }
    (folder / "decontamination.json").write_text(json.dumps(facts, indent=1), "utf-8")
    np.save(folder / "roles.npy", roles)


def _duplicates(
    fields: Fields, tokens: NDArray[np.uint16], offsets: NDArray[np.int64], settings: Settings
) -> NDArray[np.int64]:
    """Those that are nearly the same as another; of two, that one stays which could be evaluated."""
    priority = np.array(["test", "validation", "reference", "neural"])
    order = np.argsort(np.argsort(priority)[np.searchsorted(np.sort(priority), fields.splits)], kind="stable")
    lengths = np.diff(offsets)[order]
    ordered = np.concatenate([tokens[offsets[place] : offsets[place + 1]] for place in order])
    found = near_duplicates(ordered, np.concatenate([[0], np.cumsum(lengths)]), settings.seed)
    return order[found >= 0]


def _draw(documents: NDArray[np.int64], sources: NDArray[np.str_], number: int, settings: Settings) -> list[int]:
    """As many of each source as of any other, as far as they go."""
    rounds: defaultdict[str, list[int]] = defaultdict(list)
    for document in np.random.default_rng(settings.seed).permutation(documents).tolist():
        rounds[sources[document]].append(document)
    longest = max(map(len, rounds.values()), default=0)
    dealt = chain.from_iterable([of[turn] for of in rounds.values() if turn < len(of)] for turn in range(longest))
    return list(dealt)[:number]


def _contaminated(folder: Path, roles: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Whether at least 80 % of a document's 13-grams of words stand in whole evaluated documents."""
    import anygram

    evaluated, judged, numbers = [], [], []
    for number, record in enumerate(_records(folder / "documents.jsonl")):
        if roles[number] in {"validation", "test"}:
            evaluated.append({"id": str(number), "text": record["text"]})
        elif roles[number] != "duplicate":
            judged.append(record["text"])
            numbers.append(number)
    dropped = anygram.decontaminate(judged, {"evaluated": evaluated}, rule="bff")
    found = np.zeros(len(roles), bool)
    found[np.array(numbers)[[row["document"] for row in dropped.rows()]]] = True
    return found


def _counts(fields: Fields, chosen: NDArray[np.bool_]) -> dict[str, int]:
    domains, counts = np.unique(fields.domains[chosen], return_counts=True)
    return dict(zip(domains.tolist(), counts.tolist(), strict=True))
