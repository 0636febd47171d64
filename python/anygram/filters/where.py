"""What a question's `where` may be, and which documents it chooses."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError
from anygram.filters.columns import Columns
from anygram.filters.evaluate import chosen_documents

#: A condition on documents' fields, such as ``"source = 'web' AND year >= 2020"``; or for each document, by its number,
#: whether it counts.
Where: TypeAlias = str | NDArray[np.bool_]

_Value = TypeVar("_Value")


def documents_of(where: object, columns: Columns) -> NDArray[np.bool_]:
    """Whether each document counts: bool (num_documents,).

    Raises:
        InvalidQueryError: `where` is no condition, and no boolean array of that length.
    """
    if isinstance(where, str):
        return chosen_documents(where, columns)
    if not isinstance(where, np.ndarray) or where.dtype != np.bool_:
        found: Any = where.dtype if isinstance(where, np.ndarray) else type(where).__name__
        raise InvalidQueryError(
            f'where is a condition such as "year >= 2020", or a boolean numpy array by document, found {found}'
        )
    if where.shape != (columns.num_documents,):
        raise InvalidQueryError(
            f"where as an array has an entry for each of {columns.num_documents} documents, found shape {where.shape}"
        )
    return np.ascontiguousarray(where)


class Recent(Generic[_Value]):
    """A few values by key, the last used ones. From many threads at once; two may make the same value."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, _Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of a key, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value
