"""What a reader gives: a document, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.types import Int64Array, Metadata, MetadataValue, TokenArray, token_array

#: Token ids, in either of the types that the core reads.
TokenIds: TypeAlias = NDArray[np.uint16] | NDArray[np.uint32]

_SHOWN_CHARACTERS = 10_000  # of an object of Python, in a reject; lines of files are shown whole


class Record(NamedTuple):
    """One document of a corpus: either `text` or `tokens` is set.

    Attributes:
        text: its text, which has a UTF-8 form.
        tokens: its token ids.
        metadata: its other fields, in their order.
        source: the file it came from; None if it came from none.
        line: its number in that file, from 1; None if it is the whole of it.
        id: the name its id field gives it.
    """

    text: str | None
    tokens: TokenArray | None
    metadata: Metadata
    source: str | None = None
    line: int | None = None
    id: str | None = None


class TokenBlock(NamedTuple):
    """Consecutive documents of an array of token ids, as they lie there: none of them is looked at on its own.

    Attributes:
        ids: of all of them, checked; of type uint16 or uint32.
        lengths: tokens of each.
        separated: whether behind each document stands one id that belongs to none.
        source: as in `Record`.
        first_line: the first one's number in its source, from 1; None if they have none.
        details: metadata and id of each; None if they have none.
    """

    ids: TokenIds
    lengths: Int64Array
    separated: bool
    source: str | None = None
    first_line: int | None = None
    details: Sequence[tuple[Metadata, str | None]] | None = None

    @property
    def num_tokens(self) -> int:
        """Tokens of all documents."""
        return len(self.ids) - (len(self.lengths) if self.separated else 0)

    def records(self) -> Iterator[Record]:
        """The documents one by one."""
        begin = 0
        for number, length in enumerate(self.lengths.tolist()):
            line = None if self.first_line is None else self.first_line + number
            metadata, name = ({}, None) if self.details is None else self.details[number]
            tokens = np.array(self.ids[begin : begin + length], np.uint32)
            yield Record(None, tokens, metadata, self.source, line, name)
            begin += length + self.separated


class Reject(NamedTuple):
    """Something that should have been a document.

    Attributes:
        reason: what is wrong with it.
        source: as in `Record`.
        line: as in `Record`.
        record: it, as read; bytes that are no UTF-8 are escaped.
    """

    reason: str
    source: str | None = None
    line: int | None = None
    record: str = ""


class RefusedError(ValueError):
    """Between a reader and its helpers: this is no document, for the reason given."""


@dataclass
class Counter:
    """Bytes of the input read so far, as they lie on the disk."""

    num_bytes: int = 0


#: Reads one input; whoever iterates decides what a reject means.
Reader: TypeAlias = Callable[[Counter], Iterator[Record | TokenBlock | Reject]]


def checked_text(text: object) -> str:
    """The text, if it is one that has a UTF-8 form."""
    if not isinstance(text, str):
        raise RefusedError(f"expected text (a str), found {_shown(text)}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RefusedError(
                f"the text has a lone surrogate, {text[error.start]!a}, at character {error.start}"
            ) from None
    return str.__str__(text)  # a plain one, of subclasses such as numpy's


def checked_tokens(ids: object) -> TokenArray:
    """The token ids, if they are; a copy, since a caller may use an array again."""
    try:
        return np.array(token_array(ids))
    except ValueError as error:
        raise RefusedError(str(error)) from None


def decoded(raw: bytes) -> str:
    """The text of bytes, if they are UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(f"invalid UTF-8: byte 0x{raw[error.start]:02x} at byte offset {error.start}") from None


def escaped(raw: bytes) -> str:
    """Bytes as text for a person, whatever they are."""
    return raw.decode(errors="backslashreplace")


def shown(value: object) -> str:
    """An object of Python as text for a person, in bounds."""
    return value if isinstance(value, str) else repr(value)[:_SHOWN_CHARACTERS]


@dataclass(frozen=True)
class Fields:
    """Which fields of a mapping hold what.

    Attributes:
        text: the field that holds the text.
        tokens: the field that holds token ids.
        required: of those two, the one a record must have; None if either will do, but not both.
        id: the field that names the document. It stays in the metadata, as any other.
        metadata: the fields to keep; None for all but text and tokens.
        trusted: whether values are known to be of JSON's types, since they were read from JSON.
    """

    text: str = "text"
    tokens: str | None = "tokens"
    required: str | None = None
    id: str | None = None
    metadata: frozenset[str] | None = None
    trusted: bool = False
    _content: frozenset[str | None] = field(init=False)

    def __post_init__(self) -> None:
        content = {self.text, self.tokens} if self.required is None else {self.required}
        object.__setattr__(self, "_content", frozenset(content))

    def record(self, mapping: Mapping[object, object], source: str | None, line: int | None) -> Record:
        """The document that a mapping is.

        Raises:
            RefusedError: it is none.
        """
        name = self.content_of(mapping, "the record")
        try:
            text = checked_text(mapping[name]) if name != self.tokens else None
            tokens = checked_tokens(mapping[name]) if name == self.tokens else None
        except RefusedError as error:
            raise RefusedError(f"field {name!r}: {error}") from None
        return Record(text, tokens, self._metadata(mapping), source, line, self._id(mapping))

    def content_of(self, names: Collection[object], what: str) -> str:
        """Which of the fields holds the document.

        Args:
            names: of all fields.
            what: has them, such as "the record".

        Raises:
            RefusedError: none does, or two do.
        """
        if self.required is not None:
            if self.required not in names:
                raise RefusedError(f"no field {self.required!r}; {what} has {_names(names)}")
            return self.required
        present = [name for name in (self.text, self.tokens) if name is not None and name in names]
        if len(present) != 1:
            found = "both" if present else f"neither; {what} has {_names(names)}"
            raise RefusedError(f"expected a field {self.text!r} or a field {self.tokens!r}, found {found}")
        return present[0]

    def keeps(self, name: object) -> bool:
        """Whether a field is kept as metadata."""
        return name not in self._content and (self.metadata is None or name in self.metadata)

    def details(self, mapping: Mapping[object, object]) -> tuple[Metadata, str | None]:
        """The metadata and the id of a record.

        Raises:
            RefusedError: they cannot be kept.
        """
        return self._metadata(mapping), self._id(mapping)

    def _metadata(self, mapping: Mapping[object, object]) -> Metadata:
        kept: Metadata = {}
        for name, value in mapping.items():
            if not self.keeps(name):
                continue
            if not isinstance(name, str):
                raise RefusedError(f"the name of a field is a str, found {_shown(name)}")
            try:
                kept[name] = value if self.trusted else _checked_value(value, name)  # type: ignore[assignment]
            except RecursionError:
                raise RefusedError(f"field {name!r}: nested too deeply") from None
        return kept

    def _id(self, mapping: Mapping[object, object]) -> str | None:
        if self.id is None:
            return None
        if self.id not in mapping:
            raise RefusedError(f"no field {self.id!r}, which names the document; the record has {_names(mapping)}")
        value = mapping[self.id]
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RefusedError(f"field {self.id!r}: a document's id is a str or an int, found {_shown(value)}")
        return str(value)


def _checked_value(value: object, name: str) -> MetadataValue:
    """Refuses what would not come back as it was."""
    kind = type(value)
    if kind is list:
        for item in value:  # type: ignore[attr-defined]
            _checked_value(item, name)
    elif kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                raise RefusedError(f"field {name!r}: the keys of a dict are str, found {_shown(key)}")
            _checked_value(item, name)
    elif value is not None and kind not in (str, int, float, bool):
        raise RefusedError(
            f"field {name!r}: metadata is None, bool, int, float, str, lists and dicts of them; found {_shown(value)}"
        )
    return value  # type: ignore[return-value]


def _names(names: Collection[object]) -> str:
    shown_names = [repr(name) for name in list(names)[:20]]
    return ", ".join(shown_names) if shown_names else "no fields"


def _shown(value: object) -> str:
    return f"{value!r:.60} ({type(value).__name__})"
