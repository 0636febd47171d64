"""Bytes back into records: any document, or one field of many."""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from anygram.errors import DocumentNotFoundError, IndexFormatError, UnsupportedVersionError
from anygram.metadata.columns import Column, decode_column
from anygram.metadata.layout import (
    CHUNK,
    CHUNK_DOCUMENTS,
    HEADER,
    MAGIC,
    OWN_COLUMNS,
    TRAILER,
    VERSION,
    decompress,
    expect,
    refusing,
)
from anygram.metadata.writer import MetadataWriter
from anygram.types import Metadata

_CACHED_CHUNKS = 8

_T = TypeVar("_T")


class _Place(NamedTuple):
    """Where a chunk lies in the payload."""

    first_document: int
    begin: int
    end: int
    header_bytes: int
    header_raw_bytes: int


class MetadataReader:
    """The metadata of documents, read where it lies. From many threads at once.

    Opening reads the directory only; a document decompresses its chunk's columns, which are kept for a while.

    Args:
        payload: what `MetadataWriter` handed on. Any bytes are safe to open and to read from: those that do not follow
            the format are refused, now or when they are reached.

    Raises:
        IndexFormatError: the payload does not follow the format.
    """

    def __init__(self, payload: bytes | bytearray | memoryview) -> None:
        self._payload = memoryview(payload).cast("B")
        self._lock = threading.Lock()
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()
        with refusing("the payload"):
            self._open()

    def _open(self) -> None:
        payload = self._payload
        expect(len(payload) >= HEADER.size + TRAILER.size, f"{len(payload)} bytes are too few")
        magic, version, zero = HEADER.unpack(payload[: HEADER.size])
        end = len(payload) - TRAILER.size
        self.num_documents: int
        offset, num_chunks, self.num_documents, names_bytes, names_raw_bytes, last_magic = TRAILER.unpack(payload[end:])
        expect(magic == MAGIC and last_magic == MAGIC, "it does not begin and end as metadata does")
        if version != VERSION:
            raise UnsupportedVersionError(f"metadata of version {version}; this program reads version {VERSION}")
        expect(zero == 0, "reserved bytes are not zero")
        expect(HEADER.size <= offset <= end, "the directory lies outside of it")
        expect(offset + num_chunks * CHUNK.size + names_bytes == end, "the directory has another size")
        names_begin = end - names_bytes
        names = json.loads(decompress(payload[names_begin:end], names_raw_bytes))
        expect(_are_names(names), "the names of the fields are no names")
        self.fields: tuple[str, ...] = tuple(names)
        self._places = _places(payload[offset:names_begin], offset, self.num_documents)
        self._first_documents = [place.first_document for place in self._places]

    @property
    def num_chunks(self) -> int:
        """How many chunks there are; `column` takes their numbers."""
        return len(self._places)

    def chunk_documents(self, chunk: int) -> range:
        """The documents of a chunk."""
        return range(self._places[chunk].first_document, self._end_document(chunk))

    def __len__(self) -> int:
        return self.num_documents

    def __getitem__(self, document: int) -> Metadata:
        """A document's fields as they were, in their order.

        Raises:
            DocumentNotFoundError: there is no such document.
            IndexFormatError: its chunk does not follow the format.
        """
        chunk, row = self._find(document)
        return chunk.metadata(row)

    def source(self, document: int) -> str | None:
        """The file a document came from."""
        return _optional(self._own(document, "source"), str)

    def line(self, document: int) -> int | None:
        """A document's number in its file, from 1."""
        return _optional(self._own(document, "line"), int)

    def id(self, document: int, number: int | None = None) -> str:
        """What to call a document: its id, else its file and line, else its number.

        Args:
            document: its number here.
            number: its number in the whole index, if that is another.
        """
        explicit, source, line = (self._own(document, name) for name in ("id", "source", "line"))
        return _name(explicit, source, line, document if number is None else number)

    def column(self, field: str, chunk: int) -> Column:
        """One field of a chunk's documents; without decompressing any other."""
        return self._chunk(chunk).column(field)

    def sources(self, chunk: int) -> Column:
        """The files that a chunk's documents came from; None where it is unknown."""
        return self._chunk(chunk).own("source")

    def ids(self, chunk: int, first_number: int) -> list[str]:
        """What to call each of a chunk's documents, as `id` does.

        Args:
            chunk: its number.
            first_number: the number in the whole index of the first document here.
        """
        of_chunk = self._chunk(chunk)
        columns = [of_chunk.own(name) for name in ("id", "source", "line")]
        values = [column.values for column in columns]
        rows = zip(*(column.codes.tolist() for column in columns), strict=True)
        begin = first_number + self.chunk_documents(chunk).start
        return [
            _name(values[0][explicit], values[1][source], values[2][line], number)
            for number, (explicit, source, line) in enumerate(rows, begin)
        ]

    def slice(self, first: int, end: int) -> Iterator[bytes]:
        """The payload of the documents `[first, end)` alone, piece by piece. Whole chunks are copied as they are."""
        if not 0 <= first <= end <= self.num_documents:
            raise DocumentNotFoundError(f"documents {first} to {end}: there are {self.num_documents}")
        pieces: list[bytes] = []
        writer = MetadataWriter(pieces.append)
        for number in range(self.num_chunks):
            documents = self.chunk_documents(number)
            if first <= documents.start and documents.stop <= end:
                chunk = self._read_chunk(number)
                writer.copy_chunk(len(documents), chunk.fields, *chunk.encoded())
            else:
                for document in range(max(first, documents.start), min(end, documents.stop)):
                    explicit = _optional(self._own(document, "id"), str)
                    writer.add(self[document], self.source(document), self.line(document), explicit)
            yield from pieces
            pieces.clear()
        writer.finish()
        yield from pieces

    def release(self) -> None:
        """Lets go of the payload, so that a file mapped there can be closed. Nothing can be read afterwards."""
        with self._lock:
            self._chunks.clear()
            self._payload.release()

    def _own(self, document: int, name: str) -> object:
        chunk, row = self._find(document)
        column = chunk.own(name)
        return column.value(int(column.codes[row]))

    def _find(self, document: int) -> tuple[_Chunk, int]:
        if not 0 <= document < self.num_documents:
            raise DocumentNotFoundError(f"document {document}: there are {self.num_documents}")
        number = bisect_right(self._first_documents, document) - 1
        return self._chunk(number), document - self._first_documents[number]

    def _chunk(self, number: int) -> _Chunk:
        with self._lock:
            chunk = self._chunks.get(number)
            if chunk is not None:
                self._chunks.move_to_end(number)
                return chunk
        chunk = self._read_chunk(number)
        with self._lock:
            self._chunks[number] = chunk
            if len(self._chunks) > _CACHED_CHUNKS:
                self._chunks.popitem(last=False)
        return chunk

    def _read_chunk(self, number: int) -> _Chunk:
        with refusing(f"chunk {number}"):
            place = self._places[number]
            return _Chunk(self._payload[place.begin : place.end], place, self._end_document(number), number)

    def _end_document(self, chunk: int) -> int:
        return self._first_documents[chunk + 1] if chunk + 1 < len(self._places) else self.num_documents


class _Chunk:
    """One chunk, whose columns are decompressed when they are asked for."""

    def __init__(self, payload: memoryview, place: _Place, end_document: int, number: int) -> None:
        self._payload = payload
        self._number = number
        self._header_bytes = place.header_bytes
        self._header = decompress(payload[: place.header_bytes], place.header_raw_bytes)
        header = json.loads(self._header)
        expect(isinstance(header, dict), "its header is no object")
        self._num_documents = end_document - place.first_document
        expect(header["num_documents"] == self._num_documents, "it has another number of documents")
        expect(_are_names(header["fields"]), "the names of its fields are no names")
        self.fields: list[str] = header["fields"]
        self._shapes = _shapes(header["shapes"], len(self.fields))
        self._frames = _frames(header["frames"], place.header_bytes, len(payload))
        expect(len(self._frames) == len(OWN_COLUMNS) + len(self.fields), "it has another number of columns")
        # What is decoded is only ever added, and each time the same: two threads may do it twice.
        self._columns: dict[int, Column] = {}
        shape = self.own("shape")
        numbers = np.array([_shape_number(value, len(self._shapes)) for value in shape.values], np.int64)
        self._shape_of = numbers[shape.codes]

    def encoded(self) -> tuple[bytes, bytes, bytes]:
        """The header, its frame and the columns' frames, for a copy."""
        return self._header, bytes(self._payload[: self._header_bytes]), bytes(self._payload[self._header_bytes :])

    def metadata(self, row: int) -> Metadata:
        numbers = self._shapes[int(self._shape_of[row])]
        columns = [(self.fields[number], self._field(number)) for number in numbers]
        return {name: column.value(int(column.codes[row])) for name, column in columns}

    def own(self, name: str) -> Column:
        frame = OWN_COLUMNS.index(name)
        column = self._columns.get(frame)
        return self._decode(frame, np.ones(self._num_documents, np.bool_)) if column is None else column

    def column(self, field: str) -> Column:
        if field not in self.fields:
            return Column(np.full(self._num_documents, -1, np.int32), [], None)
        return self._field(self.fields.index(field))

    def _field(self, number: int) -> Column:
        frame = len(OWN_COLUMNS) + number
        column = self._columns.get(frame)
        if column is None:
            has_field = np.array([number in shape for shape in self._shapes], np.bool_)
            column = self._decode(frame, has_field[self._shape_of])
        return column

    def _decode(self, frame: int, has_field: NDArray[np.bool_]) -> Column:
        begin, end, num_bytes = self._frames[frame]
        with refusing(f"column {frame} of chunk {self._number}"):
            column = decode_column(decompress(self._payload[begin:end], num_bytes), has_field)
        self._columns[frame] = column
        return column


def _places(directory: memoryview, directory_offset: int, num_documents: int) -> list[_Place]:
    entries = list(CHUNK.iter_unpack(directory))
    if not entries:
        expect(num_documents == 0 and directory_offset == HEADER.size, "there are documents, and no chunk")
        return []
    ends = [offset for _, offset, _, _ in entries[1:]] + [directory_offset]
    places = [_Place(first, begin, end, *sizes) for (first, begin, *sizes), end in zip(entries, ends, strict=True)]
    end_documents = [place.first_document for place in places[1:]] + [num_documents]
    begin_document, begin = 0, HEADER.size
    for place, end_document in zip(places, end_documents, strict=True):
        expect(place.first_document == begin_document, "the first chunk begins elsewhere")
        expect(0 < end_document - begin_document <= CHUNK_DOCUMENTS, "a chunk has no legal number of documents")
        expect(place.begin == begin and begin + place.header_bytes <= place.end, "a chunk has no legal size")
        begin_document, begin = end_document, place.end
    return places


def _are_names(names: object) -> bool:
    return isinstance(names, list) and set(map(type, names)) <= {str} and len(set(names)) == len(names)


def _shapes(shapes: object, num_fields: int) -> list[tuple[int, ...]]:
    expect(isinstance(shapes, list) and all(isinstance(shape, list) for shape in shapes), "its shapes are no lists")
    assert isinstance(shapes, list)
    for shape in shapes:
        expect(set(map(type, shape)) <= {int} and len(set(shape)) == len(shape), "a shape names a field twice")
        expect(all(0 <= number < num_fields for number in shape), "a shape names no field")
    return [tuple(shape) for shape in shapes]


def _shape_number(value: object, num_shapes: int) -> int:
    expect(type(value) is int and 0 <= value < num_shapes, "a document has no shape")
    assert isinstance(value, int)
    return value


def _frames(frames: object, begin: int, end: int) -> list[tuple[int, int, int]]:
    """Begin, end and decompressed size of each column's frame."""
    expect(isinstance(frames, list), "its frames are no list")
    assert isinstance(frames, list)
    places = []
    for num_bytes, raw_bytes in frames:
        expect(type(num_bytes) is int and type(raw_bytes) is int, "a frame's size is no number")
        expect(0 <= num_bytes <= end - begin and raw_bytes >= 0, "a frame has no legal size")
        places.append((begin, begin + num_bytes, raw_bytes))
        begin += num_bytes
    expect(begin == end, "its frames have another size")
    return places


def _name(explicit: object, source: object, line: object, number: int) -> str:
    if (name := _optional(explicit, str)) is not None:
        return name
    if (file := _optional(source, str)) is None:
        return str(number)
    return file if _optional(line, int) is None else f"{file}:{line}"


def _optional(value: object, kind: type[_T]) -> _T | None:
    if value is None or type(value) is kind:
        return value
    raise IndexFormatError(f"metadata: expected a {kind.__name__}, found a {type(value).__name__}")
