"""Benchmarks: sets of items, read from what users have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

from anygram.analysis.contamination.items import Item
from anygram.analysis.contamination.layouts import ID_FIELDS, ROLES, Layout, given_layout, recognise, value_at
from anygram.analysis.contamination.sources import SourceRecord, read_records
from anygram.errors import InputError

#: One benchmark: a path, mappings, a Dataset, an Arrow stream.
BenchmarkSource: TypeAlias = Any

#: For all benchmarks, or for each by its name: which field of a record holds a role.
FieldsByRole: TypeAlias = Mapping[str, str | Sequence[str]]
Fields: TypeAlias = FieldsByRole | Mapping[str, FieldsByRole]


@dataclass(frozen=True)
class Benchmark:
    """A set of items to look for.

    Attributes:
        name: what the report calls it.
        items: its items, in the order of their records.
        records: the records they were made of, as they came.
        layout: which fields were taken for what.
    """

    name: str
    items: tuple[Item, ...]
    records: tuple[Mapping[str, object], ...] = field(repr=False)
    layout: str = ""

    def __len__(self) -> int:
        return len(self.items)

    @property
    def hash(self) -> str:
        """A hash of what is looked for: equal for equal items in equal order, whatever they are called."""
        digest = blake2b(digest_size=16)
        for item in self.items:
            for role, text in item.fields.items():
                encoded = text.encode("utf-8", "surrogatepass")
                digest.update(f"{role} {len(encoded)} ".encode())
                digest.update(encoded)
            digest.update(b"\n")
        return digest.hexdigest()


def read_benchmarks(
    benchmarks: BenchmarkSource, *, fields: Fields | None = None, id_field: str | None = None
) -> list[Benchmark]:
    """Benchmarks from one set, or from a mapping of names to sets.

    Args:
        benchmarks: a path, an iterable of mappings, a Dataset, an Arrow stream; or {name: one of these}. A set without
            a name is called by its file's.
        fields: which field of a record holds the question, the choices, the answer and the passage, as {role: name or
            names}; or that for each benchmark by its name. None to recognise them.
        id_field: the field that names an item; None to recognise it.

    Raises:
        InputError: a set cannot be read, is empty, or its fields are not recognised; it tells the file and the line.
    """
    if isinstance(benchmarks, Benchmark):
        return [benchmarks]
    if not _is_named(benchmarks):
        return [read_benchmark(_name_of(benchmarks), benchmarks, fields=_fields_of("", fields), id_field=id_field)]
    if not benchmarks:
        raise InputError("no benchmark at all")
    unknown = [name for name in fields or {} if name not in ROLES and name not in benchmarks]
    if unknown:
        raise InputError(f"fields: {unknown[0]!r} is neither a benchmark nor one of {', '.join(ROLES)}")
    return [
        source
        if isinstance(source, Benchmark)
        else read_benchmark(str(name), source, fields=_fields_of(str(name), fields), id_field=id_field)
        for name, source in benchmarks.items()
    ]


def read_benchmark(
    name: str, source: BenchmarkSource, *, fields: FieldsByRole | None = None, id_field: str | None = None
) -> Benchmark:
    """One set under a name; see `read_benchmarks`."""
    found = list(read_records(source))
    place = found[0].source if found else str(source) if isinstance(source, str | os.PathLike) else None
    if not found:
        raise InputError(f"the benchmark {name!r} has no item", place)
    records = [one.record for one in found]
    layout = recognise(records, place) if fields is None else given_layout(fields, records, place)
    id_field = id_field or next((known for known in ID_FIELDS if known in records[0]), None)
    items = tuple(_item(name, number, one, layout, id_field) for number, one in enumerate(found))
    return Benchmark(name, items, tuple(records), str(layout) + (f"; id={id_field}" if id_field else ""))


def _item(name: str, number: int, found: SourceRecord, layout: Layout, id_field: str | None) -> Item:
    try:
        texts = layout.read(found.record)
    except (AttributeError, TypeError, KeyError) as error:
        raise InputError(f"the record is not of the form of {layout.name}: {error}", found.source, found.line) from None
    if not texts and not _has_a_field(found.record, layout):
        wanted = ", ".join(repr(one) for names in layout.fields.values() for one in names)
        raise InputError(
            f"expected the fields {wanted}; the record has {', '.join(map(repr, found.record)) or 'no fields'}",
            found.source,
            found.line,
        )
    for role, text in texts.items():
        if not text.isascii():
            _check_utf8(text, role, found)
    identity = None if id_field is None else value_at(found.record, id_field)
    return Item(name, number, str(number if identity is None else identity), texts)


def _check_utf8(text: str, role: str, found: SourceRecord) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        reason = f"the {role} has a lone surrogate, {text[error.start]!a}, at character {error.start}"
        raise InputError(reason, found.source, found.line) from None


def _has_a_field(record: Mapping[str, object], layout: Layout) -> bool:
    return any(name.partition(".")[0] in record for names in layout.fields.values() for name in names)


def _is_named(benchmarks: object) -> bool:
    # A Dataset is no mapping; a DatasetDict is one, of its splits.
    return isinstance(benchmarks, Mapping)


def _name_of(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return name_of_path(source)
    return str(getattr(getattr(source, "info", None), "dataset_name", None) or "benchmark")


def name_of_path(path: str | os.PathLike[str]) -> str:
    """What a benchmark is called that has no other name than its file's."""
    name = Path(path).name
    for suffix in (".gz", ".zst", ".jsonl", ".json", ".parquet", ".arrow", ".feather"):
        name = name.removesuffix(suffix)
    # Collections give each set a folder of its own, in which all files are called alike.
    if name.lower() in {"samples", "test", "validation", "train", "data", "dev"}:
        parent = Path(path).absolute().parent.name
        return f"{parent}-{name}" if parent else name
    return name or "benchmark"


def _fields_of(name: str, fields: Fields | None) -> FieldsByRole | None:
    if not fields:
        return None
    own = fields.get(name)
    if isinstance(own, Mapping):
        return own
    common = {role: names for role, names in fields.items() if not isinstance(names, Mapping)}
    return common or None


def results_of(benchmark: Benchmark, results: object) -> tuple[float, ...] | None:
    """How a model did on each item, in the order of the items; nan where it is not known.

    Args:
        benchmark: the benchmark.
        results: a number or a truth value for each item in order; or {id: number}; or the name of a field of its
            records; or for several benchmarks a mapping of their names to one of these. None if there are none.

    Raises:
        InputError: there are more or fewer results than items, one is no number, or an id is none of an item.
    """
    if results is None:
        return None
    if isinstance(results, str):
        return tuple(_number(value_at(record, results), benchmark, results) for record in benchmark.records)
    if isinstance(results, Mapping):
        if benchmark.name in results and not isinstance(results[benchmark.name], int | float):
            return results_of(benchmark, results[benchmark.name])
        if not any(isinstance(value, int | float) for value in results.values()):
            return None  # they are of other benchmarks
        known = {item.id for item in benchmark.items}
        strange = next((key for key in results if str(key) not in known), None)
        if strange is not None:
            raise InputError(f"results: no item of {benchmark.name!r} has the id {strange!r}")
        by_id = {str(key): value for key, value in results.items()}
        return tuple(_number(by_id.get(item.id), benchmark, item.id) for item in benchmark.items)
    if not isinstance(results, Iterable):
        raise InputError(f"results are numbers for the items of a benchmark, found {type(results).__name__}")
    values = list(results)
    if len(values) != len(benchmark):
        raise InputError(f"results: {benchmark.name!r} has {len(benchmark)} items, found {len(values)} results")
    return tuple(_number(value, benchmark, number) for number, value in enumerate(values))


def _number(value: object, benchmark: Benchmark, where: object) -> float:
    if value is None:
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]  # numpy's numbers and truth values too
    except (TypeError, ValueError):
        raise InputError(f"results of {benchmark.name!r}, {where!r}: expected a number, found {value!r:.60}") from None
