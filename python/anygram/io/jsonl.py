"""Files of JSON lines: one object a line, plain or compressed.

Blank lines are skipped. Of a name that an object has twice, the last value counts, as everywhere in Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from anygram.io.records import Counter, Fields, Record, RefusedError, Reject, decoded, escaped
from anygram.io.streams import read_lines


def read_jsonl(path: str, fields: Fields, counter: Counter) -> Iterator[Record | Reject]:
    """Each line's object as a document."""
    for line in read_lines(path, counter):
        if isinstance(line, Reject):
            yield line
            continue
        number, raw = line
        if not raw.strip():
            continue
        try:
            yield fields.record(_object(raw), path, number)
        except RefusedError as error:
            yield Reject(str(error), path, number, escaped(raw.removesuffix(b"\n")))


def _object(raw: bytes) -> dict[object, object]:
    try:
        value = json.loads(decoded(raw))
    except json.JSONDecodeError as error:
        raise RefusedError(f"broken JSON: {error.msg} at character {error.pos}; expected one object a line") from None
    except RecursionError:
        raise RefusedError("broken JSON: nested too deeply") from None
    except RefusedError:
        raise
    except ValueError as error:  # a number of more digits than Python converts
        raise RefusedError(f"broken JSON: {error}") from None
    if not isinstance(value, dict):
        raise RefusedError(f"expected one JSON object a line, found a {type(value).__name__}")
    return value
