"""Records into bytes, in one pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from anygram.errors import InputError
from anygram.metadata.columns import ColumnBuilder
from anygram.metadata.layout import (
    CHUNK,
    CHUNK_BYTES,
    CHUNK_DOCUMENTS,
    HEADER,
    MAGIC,
    MAX_FRAME_BYTES,
    OWN_COLUMNS,
    TRAILER,
    VERSION,
    compress,
)
from anygram.types import Metadata


class MetadataWriter:
    """Takes documents' metadata in order, and hands on the payload as it grows.

    Args:
        sink: called with the payload's bytes, piece by piece, such as a file's `write`. A piece is a whole chunk, some
            hundred kilobytes.
    """

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self._sink = sink
        self._offset = 0
        self._num_documents = 0
        self._directory: list[bytes] = []
        self._fields: dict[str, None] = {}
        self._chunk = _ChunkBuilder()
        self._emit(HEADER.pack(MAGIC, VERSION, 0))

    def add(
        self,
        metadata: Metadata,
        source: str | None = None,
        line: int | None = None,
        id: str | None = None,  # noqa: A002  # the word for it everywhere
    ) -> None:
        """Takes the next document's.

        Raises:
            InputError: a value is not of JSON's types.
        """
        try:
            self._chunk.add(metadata, source, line, id)
        except InputError as error:
            raise InputError(error.reason, source, line) from None
        if self._chunk.num_documents == CHUNK_DOCUMENTS or self._chunk.num_bytes >= CHUNK_BYTES:
            self._finish_chunk()

    def add_lines(self, source: str | None, first_line: int | None, count: int) -> None:
        """Takes consecutive documents that have nothing but a source and numbers in it; the same as `add` of each."""
        while count > 0:
            taken = min(count, CHUNK_DOCUMENTS - self._chunk.num_documents)
            self._chunk.add_lines(source, first_line, taken)
            count -= taken
            first_line = None if first_line is None else first_line + taken
            if self._chunk.num_documents == CHUNK_DOCUMENTS:
                self._finish_chunk()

    def finish(self) -> None:
        """Hands on what is left, after the last document."""
        self._finish_chunk()
        directory_offset = self._offset
        names = json.dumps(list(self._fields)).encode()
        frame = compress(names)
        self._emit(b"".join(self._directory) + frame)
        trailer = (directory_offset, len(self._directory), self._num_documents, len(frame), len(names), MAGIC)
        self._emit(TRAILER.pack(*trailer))

    def _finish_chunk(self) -> None:
        if not self._chunk.num_documents:
            return
        chunk, self._chunk = self._chunk, _ChunkBuilder()
        names, header, frames = chunk.encode()
        self.copy_chunk(chunk.num_documents, names, header, compress(header), frames)

    def copy_chunk(
        self, num_documents: int, names: Iterable[str], header: bytes, header_frame: bytes, frames: bytes
    ) -> None:
        """Takes a chunk that is encoded already; for `MetadataReader.slice`."""
        self._finish_chunk()  # what was added before it
        self._fields |= dict.fromkeys(names)
        self._directory.append(CHUNK.pack(self._num_documents, self._offset, len(header_frame), len(header)))
        self._num_documents += num_documents
        self._emit(header_frame + frames)

    def _emit(self, piece: bytes) -> None:
        self._offset += len(piece)
        self._sink(piece)


class _ChunkBuilder:
    """Up to `CHUNK_DOCUMENTS` documents."""

    def __init__(self) -> None:
        self.num_documents = 0
        self.num_bytes = 0
        self._own = {name: ColumnBuilder() for name in OWN_COLUMNS}
        self._fields: dict[str, ColumnBuilder] = {}
        self._shapes: dict[tuple[str, ...], int] = {}

    def add_lines(self, source: str | None, first_line: int | None, count: int) -> None:
        shape = self._shapes.setdefault((), len(self._shapes))
        self.num_bytes += self._own["shape"].add_same(shape, count) + self._own["source"].add_same(source, count)
        if first_line is None:
            self.num_bytes += self._own["line"].add_same(None, count)
        else:
            self.num_bytes += self._own["line"].add_range(range(first_line, first_line + count))
        self.num_bytes += self._own["id"].add_same(None, count)
        self.num_documents += count

    def add(self, metadata: Metadata, source: str | None, line: int | None, name: str | None) -> None:
        shape = self._shapes.setdefault(tuple(metadata), len(self._shapes))
        for own, its_value in zip(OWN_COLUMNS, (shape, source, line, name), strict=True):
            self.num_bytes += self._own[own].add(its_value)
        for field, value in metadata.items():
            column = self._fields.get(field)
            if column is None:
                column = self._fields[field] = ColumnBuilder()
            self.num_bytes += column.add(value)
        self.num_documents += 1

    def encode(self) -> tuple[list[str], bytes, bytes]:
        """The fields' names, the header, and the columns' frames one after another."""
        names = list(self._fields)
        numbers = {name: number for number, name in enumerate(names)}
        raw = [column.encode() for column in (*self._own.values(), *self._fields.values())]
        if max(map(len, raw)) > MAX_FRAME_BYTES:
            raise InputError(f"metadata of one field takes more than {MAX_FRAME_BYTES} bytes in one document")
        frames = list(map(compress, raw))
        header = {
            "num_documents": self.num_documents,
            "fields": names,
            "shapes": [[numbers[name] for name in shape] for shape in self._shapes],
            "frames": [[len(frame), len(column)] for frame, column in zip(frames, raw, strict=True)],
        }
        return names, json.dumps(header, separators=(",", ":")).encode(), b"".join(frames)


def encode_metadata(records: Iterable[tuple[Metadata, str | None, int | None, str | None]]) -> Iterator[bytes]:
    """The payload of (metadata, source, line, id) of documents in order, piece by piece."""
    pieces: list[bytes] = []
    writer = MetadataWriter(pieces.append)
    for record in records:
        writer.add(*record)
        yield from pieces
        pieces.clear()
    writer.finish()
    yield from pieces
