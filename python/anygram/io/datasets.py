"""Datasets of Hugging Face: folders that `save_to_disk` wrote, and objects in memory, without the library itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anygram.errors import InputError

_STATE = "state.json"
_SPLITS = "dataset_dict.json"
_ROWS = 10_000


def dataset_files(folder: str) -> list[str] | None:
    """The Arrow files of a folder that `save_to_disk` wrote, in their order; None if it is no such folder.

    Raises:
        InputError: it is one of several splits, of which one must be named; or it is damaged.
    """
    if os.path.isfile(os.path.join(folder, _SPLITS)):
        splits = _json(os.path.join(folder, _SPLITS)).get("splits")
        if not isinstance(splits, list) or not splits or not all(isinstance(split, str) for split in splits):
            raise InputError("expected the names of splits", os.path.join(folder, _SPLITS))
        named = ", ".join(os.path.join(folder, split) for split in splits)
        raise InputError(f"a DatasetDict with {len(splits)} splits: name those to read, of {named}", folder)
    state = os.path.join(folder, _STATE)
    if not (os.path.isfile(state) and os.path.isfile(os.path.join(folder, "dataset_info.json"))):
        return None
    found = _json(state)
    files = found.get("_data_files")
    if not isinstance(files, list):
        raise InputError("expected a list _data_files", state)
    if found.get("_indices_data_files"):
        raise InputError("a dataset with an order of rows beside its data: save it anew (flatten_indices)", state)
    names = [file.get("filename") if isinstance(file, dict) else None for file in files]
    if not all(isinstance(name, str) and os.path.basename(name) == name for name in names):
        raise InputError("expected the names of files in this folder under _data_files", state)
    paths = [os.path.join(folder, str(name)) for name in names]
    missing = next((path for path in paths if not os.path.isfile(path)), None)
    if missing is not None:
        raise InputError(f"the file is missing, which {_STATE} beside it names", missing)
    return paths


def is_dataset(documents: object) -> bool:
    """Whether an object is a Dataset or an IterableDataset."""
    return hasattr(documents, "with_format") and hasattr(documents, "features") and hasattr(documents, "iter")


def splits_of(documents: object) -> list[str] | None:
    """The names in a DatasetDict; None if it is none."""
    if isinstance(documents, Mapping) and documents and all(is_dataset(split) for split in documents.values()):
        return [str(name) for name in documents]
    return None


def dataset_batches(documents: Any) -> Iterator[Any]:
    """The rows of a Dataset or IterableDataset, in its order, as Arrow record batches."""
    for table in documents.with_format("arrow").iter(batch_size=_ROWS):
        yield from table.to_batches()


def _json(path: str) -> dict[str, Any]:
    try:
        value = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", path) from None
    if not isinstance(value, dict):
        raise InputError(f"expected an object, found a {type(value).__name__}", path)
    return value
