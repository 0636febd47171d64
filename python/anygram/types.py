"""The few types that every layer shares: token ids, many n-grams as one array, what a tokenizer can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError

#: The end of a document, as a continuation. Never an id of the corpus, and never inside an n-gram.
DOCUMENT_END = 2**32 - 1

#: The largest legal token id.
MAX_TOKEN = 2**32 - 2

TokenArray: TypeAlias = NDArray[np.uint32]
Int64Array: TypeAlias = NDArray[np.int64]

_Integer = TypeVar("_Integer", bound=np.integer[Any])

#: What a metadata field may hold: the values of JSON.
MetadataValue: TypeAlias = "bool | int | float | str | list[MetadataValue] | dict[str, MetadataValue] | None"
Metadata: TypeAlias = dict[str, MetadataValue]


def token_array(ids: object) -> TokenArray:
    """Token ids as one array, checked.

    Args:
        ids: a sequence of integers, or a 1-D integer array (numpy, or anything that converts to it).

    Returns:
        The ids as uint32; the same memory if `ids` is such an array already.

    Raises:
        ValueError: an id is negative, a float, a bool, nested, or larger than `MAX_TOKEN`. The message says which.
    """
    if isinstance(ids, str | bytes):
        raise ValueError(f"expected a sequence of token ids, found {type(ids).__name__}")
    if isinstance(ids, np.ndarray) or hasattr(ids, "__array__"):
        array = np.asarray(ids)
    elif isinstance(ids, Sequence):
        array = _array_of_sequence(ids)
    else:
        raise ValueError(f"expected a sequence of token ids, found {type(ids).__name__}")
    if array.ndim != 1:
        raise ValueError(f"expected one sequence of token ids, found an array of {array.ndim} dimensions")
    if array.dtype.kind not in "iu":
        if array.size == 0:
            return np.empty(0, np.uint32)
        raise ValueError(f"token ids are integers, found an array of {array.dtype}")
    return _checked_range(array)


def _array_of_sequence(ids: Sequence[object]) -> NDArray[np.integer[Any]]:
    # numpy alone would read True as 1 and round floats; the set of types is found at the speed of C.
    for kind in set(map(type, ids)):
        if not issubclass(kind, int | np.integer) or issubclass(kind, bool):
            wrong = next(value for value in ids if type(value) is kind)
            raise ValueError(f"token ids are integers, found {wrong!r:.60} ({kind.__name__})")
    try:
        return np.array(ids, dtype=np.int64)
    except OverflowError:
        wrong = next(value for value in ids if not 0 <= int(value) <= MAX_TOKEN)  # type: ignore[call-overload]
        raise ValueError(f"token ids go from 0 to {MAX_TOKEN}, found {wrong}") from None


def _checked_range(array: NDArray[np.integer[Any]]) -> TokenArray:
    if array.size and (array.dtype.kind == "i" or array.dtype.itemsize >= 4):
        smallest, largest = int(array.min()), int(array.max())
        if smallest < 0 or largest > MAX_TOKEN:
            wrong = smallest if smallest < 0 else largest
            raise ValueError(f"token ids go from 0 to {MAX_TOKEN}, found {wrong}")
    return array.astype(np.uint32, copy=False)


class Ragged:
    """Many n-grams as one flat array: n-gram i is ``values[offsets[i]:offsets[i + 1]]``.

    Args:
        values: the token ids of all n-grams, one after another; a 1-D integer array or a sequence.
        offsets: where each begins, and where the last ends: one more than there are n-grams, from 0 to ``len(values)``,
            never descending.

    Raises:
        InvalidQueryError: an id or an offset is not legal.

    The arrays are read-only views where the arguments are arrays of uint32 and int64, else copies.

    >>> ngrams = Ragged([5, 6, 7], [0, 2, 2, 3])
    >>> [ngram.tolist() for ngram in ngrams]
    [[5, 6], [], [7]]
    """

    __slots__ = ("offsets", "values")

    values: TokenArray
    offsets: Int64Array

    def __init__(self, values: object, offsets: object) -> None:
        try:
            tokens = token_array(values)
        except ValueError as error:
            raise InvalidQueryError(f"Ragged values: {error}") from None
        self.values = _read_only(tokens)
        self.offsets = _read_only(_checked_offsets(offsets, len(tokens)))

    @classmethod
    def from_sequences(cls, sequences: Iterable[object]) -> Ragged:
        """Joins sequences of token ids.

        Raises:
            InvalidQueryError: one of them holds something that is no token id.
        """
        try:
            arrays = [token_array(sequence) for sequence in sequences]
        except ValueError as error:
            raise InvalidQueryError(str(error)) from None
        return cls.from_lengths(
            np.concatenate(arrays) if arrays else np.empty(0, np.uint32),
            np.fromiter(map(len, arrays), np.int64, len(arrays)),
        )

    @classmethod
    def from_lengths(cls, values: object, lengths: Int64Array) -> Ragged:
        """The same, from the length of each n-gram instead of offsets."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(values, offsets)

    @property
    def lengths(self) -> Int64Array:
        """How many tokens each n-gram has."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> TokenArray:
        if not -len(self) <= number < len(self):
            raise IndexError(f"n-gram {number} of {len(self)}")
        number %= len(self)
        return self.values[self.offsets[number] : self.offsets[number + 1]]

    def __iter__(self) -> Iterator[TokenArray]:
        for begin, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            yield self.values[begin:end]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ragged):
            return NotImplemented
        return np.array_equal(self.values, other.values) and np.array_equal(self.offsets, other.offsets)

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash either

    def __repr__(self) -> str:
        return f"Ragged({len(self)} n-grams, {len(self.values)} tokens)"

    def __reduce__(self) -> tuple[type[Ragged], tuple[TokenArray, Int64Array]]:
        return type(self), (self.values, self.offsets)


def _checked_offsets(offsets: object, num_values: int) -> Int64Array:
    array = np.asarray(offsets)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise InvalidQueryError("Ragged offsets: expected a 1-D array of integers, one more than there are n-grams")
    if int(array[0]) != 0 or int(array[-1]) != num_values:
        raise InvalidQueryError(
            f"Ragged offsets: expected to go from 0 to {num_values}, the number of values; "
            f"found {int(array[0])} to {int(array[-1])}"
        )
    # Compared, not subtracted: a difference of unsigned numbers is never negative.
    if np.any(array[1:] < array[:-1]):
        raise InvalidQueryError("Ragged offsets: expected never to descend")
    return array.astype(np.int64, copy=False)


def _read_only(array: NDArray[_Integer]) -> NDArray[_Integer]:
    view = array.view()
    view.flags.writeable = False
    return view


@runtime_checkable
class Tokenizer(Protocol):
    """What anygram asks of a tokenizer: ids from text, text from ids, and which it is.

    Text is encoded literally: no special token is added, the string of a special token in a text is ordinary text, no
    space is added. All methods may be called from several threads at once, unless they say otherwise.

    One may also have an attribute `separator`: what `decode` puts between the bytes of two tokens, "" or " ", if the
    text of ids is nothing but those; None if it is more. Without it, text cannot be found across tokens.
    """

    @property
    def kind(self) -> str:
        """Which adapter reads what `save` returns: "bytes", "words", "words:fold", "tokenizer.json", "tiktoken" ..."""
        ...

    @property
    def spec(self) -> str:
        """What the user called it."""
        ...

    @property
    def vocab_size(self) -> int:
        """One more than the largest id it can give, added tokens included."""
        ...

    @property
    def hash(self) -> str:
        """The SHA-256 of `save()`, in hex. Tokenizers of equal hash give equal ids."""
        ...

    @property
    def round_trip(self) -> bool | None:
        """Whether ``decode(encode(text)) == text`` for every text; None if it depends on the text."""
        ...

    def encode(self, text: str) -> TokenArray:
        """The ids of a text.

        Raises:
            InvalidQueryError: the text holds a lone surrogate, so that it has no UTF-8 form.
        """
        ...

    def encode_batch(self, texts: Sequence[str]) -> Ragged:
        """The ids of many texts; the same as `encode` of each."""
        ...

    def encode_with_offsets(self, text: str) -> tuple[TokenArray, Int64Array]:
        """The ids of a text, and for each the characters ``[begin, end)`` it stands for, with shape (n, 2)."""
        ...

    def decode(self, tokens: Sequence[int] | TokenArray) -> str:
        """The text of ids, or a readable rendering; an id that has no text is U+FFFD."""
        ...

    def token_bytes(self, token: int) -> bytes:
        """The bytes one id stands for, which need not be whole characters; those of U+FFFD if it stands for none."""
        ...

    def round_trips(self, texts: Sequence[str], tokens: Ragged) -> bool:
        """Whether decoding gives each text back. Decodes only if `round_trip` is None."""
        ...

    def save(self) -> bytes:
        """All that `load_tokenizer` needs to make the same tokenizer again."""
        ...
