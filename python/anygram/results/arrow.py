"""Tables as Arrow, through nanoarrow: numpy's buffers are handed on as they are (bools are packed to bits)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anygram.errors import MissingExtraError


def arrow_stream(columns: Mapping[str, npt.NDArray[Any]], requested_schema: object | None = None) -> object:
    """A PyCapsule of an Arrow C stream with one batch: a struct with the columns as its fields.

    Args:
        columns: arrays of int64, float64 or bool of one length, or of objects of one type and
            None; a 2-D array becomes a column of fixed-size lists.
        requested_schema: what the consumer would like; nanoarrow refuses what it cannot give.
    """
    try:
        import nanoarrow
    except ImportError as error:
        raise MissingExtraError("Arrow tables need nanoarrow: pip install nanoarrow") from error
    children = [_c_array(nanoarrow, column) for column in columns.values()]
    schema = nanoarrow.struct({name: child.schema for name, child in zip(columns, children, strict=True)})
    length = len(next(iter(columns.values())))
    batch = nanoarrow.c_array_from_buffers(schema, length, [None], children=children)
    return nanoarrow.Array(batch).__arrow_c_stream__(requested_schema)


def _c_array(nanoarrow: Any, column: npt.NDArray[Any]) -> Any:
    if column.dtype == np.object_:
        # A surrogate in a text has no UTF-8 form: shown by its number rather than lost with the whole table.
        values = [_with_utf8(value) if isinstance(value, str) else value for value in column.tolist()]
        return nanoarrow.c_array(values, _object_schema(nanoarrow, values))
    if column.ndim == 2:
        values = _c_array(nanoarrow, np.ascontiguousarray(column).reshape(-1))
        schema = nanoarrow.fixed_size_list(values.schema, column.shape[1])
        return nanoarrow.c_array_from_buffers(schema, len(column), [None], children=[values])
    if column.dtype == np.bool_:
        bits = np.packbits(column, bitorder="little")
        return nanoarrow.c_array_from_buffers(nanoarrow.bool_(), len(column), [None, bits])
    schema = nanoarrow.float64() if column.dtype == np.float64 else nanoarrow.int64()
    return nanoarrow.c_array_from_buffers(schema, len(column), [None, np.ascontiguousarray(column)])


def _object_schema(nanoarrow: Any, values: list[Any]) -> Any:
    """The type of values that are all of one of Python's, or None."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return nanoarrow.bool_()
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return nanoarrow.int64()
    return nanoarrow.float64() if kinds in ({float}, {int}) else nanoarrow.string()


def _with_utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
