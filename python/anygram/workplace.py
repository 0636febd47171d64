"""Where an index is built: a folder inside the index's own, held by one process, gone when the build ends."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from anygram.errors import IndexBusyError, IndexExistsError, IndexIOError
from anygram.manifest import BUILD, CURRENT, remove_unused

_LOCK = "lock"


@contextmanager
def workplace(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """Claims `folder` for a build, and gives the folder to work in.

    Whatever the build leaves behind there is removed when it ends, however it ends; so is what a killed build left. If
    it failed and there was no index before, `folder` is removed too, unless it was there.

    Raises:
        IndexExistsError: an index is there, and is not to be overwritten; or something else is.
        IndexBusyError: another process builds there.
    """
    with ExitStack() as stack:
        existed = folder.exists()
        _check_free(folder, overwrite)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IndexIOError(error.errno, f"cannot make the folder: {error.strerror}", str(folder)) from None
        if not existed:
            stack.callback(_remove_if_empty, folder)
        stack.callback(_remove_unpublished, folder)
        place = folder / BUILD
        lock = stack.enter_context(_locked(folder, place))
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        for left in place.iterdir():  # by a build that was killed
            if left.name != _LOCK:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {os.uname().nodename}\n")
        lock.flush()
        yield place


def _check_free(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise IndexExistsError(errno.EEXIST, "a file is there; choose another name for the index", str(folder))
    if (folder / CURRENT).exists():
        if not overwrite:
            message = "an index is there already; overwrite it (overwrite=True, --overwrite) or choose another folder"
            raise IndexExistsError(errno.EEXIST, message, str(folder))
    elif any(entry.name != BUILD for entry in folder.iterdir()) and not (folder / BUILD).exists():
        message = "the folder holds something that is no index; choose an empty or a new one"
        raise IndexExistsError(errno.EEXIST, message, str(folder))


@contextmanager
def _locked(folder: Path, place: Path) -> Iterator[IO[str]]:
    try:
        place.mkdir(exist_ok=True)
        file = (place / _LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise IndexIOError(error.errno, f"cannot write there: {error.strerror}", str(folder)) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise IndexBusyError(errno.EBUSY, f"{holder} builds there; wait for it or stop it", str(folder)) from None
        try:
            still_there = os.path.samestat(os.fstat(file.fileno()), (place / _LOCK).stat())
        except FileNotFoundError:
            still_there = False
        if not still_there:  # its holder ended, and removed it, between the opening and the locking
            raise IndexBusyError(errno.EBUSY, "another build there is just ending; try again", str(folder))
        yield file


def _remove_unpublished(folder: Path) -> None:
    """What a build moved into place before it failed is of no generation."""
    if not (folder / CURRENT).exists():
        remove_unused(folder, None)


def _remove_if_empty(folder: Path) -> None:
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
