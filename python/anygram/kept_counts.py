"""Counts for language models that are kept beside an index, so that it need not be scanned again."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from anygram import _core
from anygram.errors import IndexFormatError, IndexIOError, InvalidQueryError
from anygram.manifest import CURRENT, kneser_ney_file, sync_folder


def kept_kneser_ney(
    core: _core.Index,
    name: str,
    folder: Path | None,
    order: int,
    save: bool,
    in_memory: bool,
    progress: Callable[[int, int], None] | None,
) -> _core.KneserNey:
    """The counts for Kneser-Ney: those that are kept, or made by a scan, and then kept if asked for.

    Args:
        core: the index.
        name: its id.
        folder: where it lies; None if it has no folder, or several.
        order: the longest n-grams.
        save: keep what is made. What is there and is damaged is then made anew.
        in_memory: read what is kept into memory.
        progress: called with what is scanned, and the whole.

    Raises:
        InvalidQueryError: it is to be kept, and there is no folder of anygram's to keep it in.
        IndexFormatError: what is kept is not what was written.
        IndexIOError: it cannot be kept.
    """
    if folder is None or not (folder / CURRENT).exists():
        if save:
            raise InvalidQueryError(
                "counts are kept in the folder of an anygram index, and this index has none, or several: "
                "save it, convert it or combine them first; or leave out save=True"
            )
        return _core.KneserNey(core, order, progress)
    path = kneser_ney_file(folder, name, order)
    if path.exists():
        try:
            return _core.KneserNey.open(core, str(path), order, bytes.fromhex(name), in_memory)
        except IndexFormatError as error:
            if not save:
                message = f"{error}; these counts can be made again: language_model(..., save=True)"
                raise type(error)(message, error.path, error.offset) from None
    model = _core.KneserNey(core, order, progress)
    if save:
        _keep(model, path, name)
    return model


def _keep(model: _core.KneserNey, path: Path, name: str) -> None:
    """Writes the counts under another name and renames them: a reader sees all of them or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(exist_ok=True)
        model.save(str(partial), bytes.fromhex(name))
        partial.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        kind = type(error) if isinstance(error, IndexIOError) else IndexIOError
        raise kind(
            error.errno, f"cannot keep the counts: {error.strerror}; without save=True none are kept", str(path)
        ) from None
