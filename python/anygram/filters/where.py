"""What a question's `where` may be, and which documents it chooses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError
from anygram.filters.columns import Columns
from anygram.filters.evaluate import chosen_documents


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
