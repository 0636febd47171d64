"""One field of one chunk: its distinct values, and which of them each document has."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InputError
from anygram.metadata.layout import COLUMN, INTEGERS, MIXED, Coding, Kind, expect
from anygram.types import Int64Array, MetadataValue

_CODES: dict[Coding, np.dtype[np.unsignedinteger[Any]]] = {
    Coding.CODES_8: np.dtype("<u1"),
    Coding.CODES_16: np.dtype("<u2"),
}
_WIDTHS = (0, 1, 2, 4, 8)
_INT64 = range(-(2**63), 2**63)
_MASK = 2**64 - 1


def _written(value: object) -> tuple[Kind, str | int | bytes | None]:
    """A value's kind and what is written of it.

    Two values are the same exactly if these are: 1, 1.0 and True differ, a nan is itself, 0.0 is not -0.0.
    """
    kind = type(value)
    if kind is str:
        return Kind.STRING, value  # type: ignore[return-value]
    if value is None:
        return Kind.NULL, None
    if kind is bool:
        return (Kind.TRUE if value else Kind.FALSE), None
    if kind is int:
        # Hexadecimal, since Python converts only so many decimal digits.
        return (Kind.INTEGER, value) if value in _INT64 else (Kind.LARGE_INTEGER, hex(value))  # type: ignore[return-value, arg-type]
    if kind is float:
        return Kind.FLOAT, struct.pack("<d", value)
    if kind is list or kind is dict:
        return Kind.JSON, json.dumps(value, separators=(",", ":"))
    raise TypeError(f"metadata is None, bool, int, float, str, or lists and dicts of them, found {kind.__name__}")


class ColumnBuilder:
    """Gathers the values of one field, document by document."""

    def __init__(self) -> None:
        self._codes: list[int] = []
        self._numbering: dict[object, int] = {}
        self._values: list[tuple[Kind, str | int | bytes | None]] = []
        self._ranges: list[range] = []  # if they are all there is

    def add_same(self, value: object, count: int) -> int:
        """The same as `add` so many times."""
        num_bytes = self.add(value)
        self._codes.extend([self._codes[-1]] * (count - 1))
        return num_bytes + 2 * (count - 1)

    def add_range(self, values: range) -> int:
        """The same as `add` of each, at once as long as nothing else is added."""
        if self._codes:
            return sum(map(self.add, values))
        self._ranges.append(values)
        return 8 * len(values)

    def _settle(self) -> None:
        ranges, self._ranges = self._ranges, []
        for values in ranges:
            for value in values:
                self.add(value)

    def add(self, value: object) -> int:
        """Takes the next document's value; returns about how many bytes it adds.

        Raises:
            InputError: it is not of JSON's types, or too large to be written as JSON.
        """
        if self._ranges:
            self._settle()
        # A str stands for itself; all else is told apart by kind too, since 1 == True.
        try:
            written = None if type(value) is str else _written(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"metadata that cannot be stored: {error}") from None
        key = value if written is None else written
        code = self._numbering.setdefault(key, len(self._values))
        self._codes.append(code)
        if code < len(self._values):
            return 2
        self._values.append(written or (Kind.STRING, value))  # type: ignore[arg-type]
        content = self._values[-1][1]
        return len(content) if isinstance(content, str) else 8

    def encode(self) -> bytes:
        """The column, to be compressed."""
        if self._ranges:
            integers = np.concatenate([np.arange(values.start, values.stop, dtype=np.int64) for values in self._ranges])
            if len(np.unique(integers)) == len(integers) > 1:
                head = COLUMN.pack(Coding.OWN, Kind.INTEGER, 0, len(integers), len(integers))
                return head + _encode_integers(integers)
            self._settle()
        num_values = len(self._values)
        kinds = np.array([kind for kind, _ in self._values], np.uint8)
        uniform = int(kinds[0]) if num_values and (kinds == kinds[0]).all() else MIXED
        coding = self._coding()
        parts = [COLUMN.pack(coding, uniform, 0, num_values, len(self._codes))]
        if coding in _CODES:
            parts.append(np.array(self._codes, _CODES[coding]).tobytes())
        if uniform == MIXED:
            parts.append(kinds.tobytes())
        for kind in Kind:
            contents = [content for its_kind, content in self._values if its_kind == kind]
            if contents:
                parts.append(_encode_kind(kind, contents))
        return b"".join(parts)

    def _coding(self) -> Coding:
        num_values = len(self._values)
        if num_values == len(self._codes):
            return Coding.OWN
        if num_values == 1:
            return Coding.CONSTANT
        return Coding.CODES_8 if num_values <= 256 else Coding.CODES_16


def _encode_kind(kind: Kind, contents: list[str | int | bytes | None]) -> bytes:
    if kind == Kind.INTEGER:
        return _encode_integers(np.array(contents, np.int64))
    if kind == Kind.FLOAT:
        # The first bytes of all, then the second ones: of like numbers these are alike, which compresses.
        return np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 8).T.tobytes()  # type: ignore[arg-type]
    if kind in (Kind.LARGE_INTEGER, Kind.STRING, Kind.JSON):
        # Whatever a str of Python can be comes back, lone surrogates included.
        encoded = [content.encode(errors="surrogatepass") for content in contents]  # type: ignore[union-attr]
        return _encode_integers(np.fromiter(map(len, encoded), np.int64, len(encoded))) + b"".join(encoded)
    return b""


def _encode_integers(values: Int64Array) -> bytes:
    """In as few bytes each as their range asks for, or that of their differences."""
    # Unsigned arithmetic wraps around, and back when it is read.
    unsigned = values.view(np.uint64)
    differences = np.diff(unsigned)
    width, base = _width(values)
    difference_width, difference_base = _width(differences.view(np.int64))
    head = b""
    use_differences = difference_width < width
    if use_differences:
        head = struct.pack("<q", int(values[0]))
        width, base, unsigned = difference_width, difference_base, differences
    offsets = (unsigned - np.uint64(base & _MASK)).astype(f"<u{width}").tobytes() if width else b""
    return INTEGERS.pack(base, use_differences, width, 0) + head + offsets


def _width(values: Int64Array) -> tuple[int, int]:
    smallest, largest = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    needed = (largest - smallest).bit_length()
    return next(width for width in _WIDTHS if needed <= 8 * width), smallest


@dataclass(frozen=True)
class Column:
    """One field of one chunk, for filters: ask of each distinct value once, then look at the codes.

    Attributes:
        codes: for each document of the chunk, the index of its value; -1 if it lacks the field.
    """

    codes: NDArray[np.int32]
    _values: list[MetadataValue]
    _is_json: list[bool] | None

    @property
    def values(self) -> list[MetadataValue]:
        """The distinct values, each fresh."""
        return [self.value(code) for code in range(len(self._values))]

    def value(self, code: int) -> MetadataValue:
        """One value; lists and dicts are fresh, so that a caller may change them."""
        value = self._values[code]
        if self._is_json is not None and self._is_json[code]:
            fresh: MetadataValue = json.loads(value)  # type: ignore[arg-type]
            return fresh
        return value


class _Bytes:
    """Takes bytes from the front, and refuses to take more than there are."""

    def __init__(self, raw: bytes) -> None:
        self._rest = memoryview(raw)

    def take(self, num_bytes: int) -> memoryview:
        expect(num_bytes <= len(self._rest), "it ends early")
        taken, self._rest = self._rest[:num_bytes], self._rest[num_bytes:]
        return taken

    def finish(self) -> None:
        expect(not self._rest, f"{len(self._rest)} bytes are left over")


def decode_column(raw: bytes, has_field: NDArray[np.bool_]) -> Column:
    """The column, of the documents that have the field. For use within `refusing`."""
    source = _Bytes(raw)
    coding, uniform, zero, num_values, num_documents = COLUMN.unpack(source.take(COLUMN.size))
    coding = Coding(coding)
    expect(zero == 0, "reserved bytes are not zero")
    expect(num_documents == np.count_nonzero(has_field), "it is of another number of documents")
    expect(num_values <= num_documents, "it has more values than documents")
    if coding in _CODES:
        dtype = _CODES[coding]
        codes = np.frombuffer(source.take(num_documents * dtype.itemsize), dtype)
    else:
        expect(num_values == (1 if coding == Coding.CONSTANT else num_documents), "it has another number of values")
        codes = np.zeros(num_documents, np.uint16) if coding == Coding.CONSTANT else np.arange(num_documents)
    expect(num_documents == 0 or int(codes.max()) < num_values, "a code has no value")
    values, is_json = _decode_values(source, uniform, num_values)
    source.finish()
    full = np.full(len(has_field), -1, np.int32)
    full[has_field] = codes
    return Column(full, values, is_json)


def _decode_values(source: _Bytes, uniform: int, num_values: int) -> tuple[list[MetadataValue], list[bool] | None]:
    kinds = np.full(num_values, uniform, np.uint8)
    if uniform == MIXED:
        kinds = np.frombuffer(source.take(num_values), np.uint8)
    values: list[MetadataValue] = [None] * num_values
    for kind in Kind:
        places = np.flatnonzero(kinds == kind).tolist()
        if places:
            for place, value in zip(places, _decode_kind(source, kind, len(places)), strict=True):
                values[place] = value
    expect(num_values == 0 or int(kinds.max()) <= max(Kind), "a value is of no known kind")
    is_json = kinds == Kind.JSON
    return values, is_json.tolist() if is_json.any() else None


def _decode_kind(source: _Bytes, kind: Kind, count: int) -> list[MetadataValue]:
    if kind == Kind.INTEGER:
        return list(_decode_integers(source, count).tolist())
    if kind == Kind.FLOAT:
        planes = np.frombuffer(source.take(count * 8), np.uint8).reshape(8, count)
        return list(np.ascontiguousarray(planes.T).view("<f8").ravel().tolist())
    if kind in (Kind.LARGE_INTEGER, Kind.STRING, Kind.JSON):
        lengths = _decode_integers(source, count)
        expect(int(lengths.min()) >= 0, "a length is negative")
        strings = [str(source.take(length), "utf-8", "surrogatepass") for length in lengths.tolist()]
        if kind == Kind.JSON:
            for string in strings:
                json.loads(string)  # now, so that `Column.value` cannot fail
        return [int(string, 16) for string in strings] if kind == Kind.LARGE_INTEGER else list(strings)
    return [{Kind.NULL: None, Kind.FALSE: False, Kind.TRUE: True}[kind]] * count


def _decode_integers(source: _Bytes, count: int) -> Int64Array:
    base, differences, width, zero = INTEGERS.unpack(source.take(INTEGERS.size))
    expect(differences in (0, 1) and width in _WIDTHS and zero == 0, "its integers have no known form")
    first = struct.unpack("<q", source.take(8)) if differences else ()
    stored = count - len(first)
    expect(stored >= 0, "it has a first integer, and none")
    offsets = np.zeros(stored, np.uint64)
    if width:
        offsets = np.frombuffer(source.take(stored * width), f"<u{width}").astype(np.uint64)
    unsigned = offsets + np.uint64(base & _MASK)
    if first:
        unsigned = np.cumsum(np.concatenate([np.array(first, np.int64).view(np.uint64), unsigned]), dtype=np.uint64)
    return unsigned.view(np.int64)
