"""Files anywhere: on this machine, and by URL wherever fsspec reaches (S3, GCS, the hub, HTTP)."""

from __future__ import annotations

import io
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, cast

from anygram.errors import InputError, MissingExtraError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(::|://)")
_MAGIC = re.compile(r"[*?\[]")

# Which extra brings what a scheme needs.
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}


def is_url(name: str) -> bool:
    """Whether a name is a URL, such as s3://bucket/corpus/*.jsonl.zst."""
    return _URL.match(name) is not None


def open_raw(name: str) -> BinaryIO:
    """Opens a file or URL for reading; OSErrors are the caller's."""
    if not is_url(name):
        return cast("BinaryIO", io.FileIO(name))
    system, path = _system(name)
    return cast("BinaryIO", system.open(path, "rb"))


def open_file(name: str) -> AbstractContextManager[BinaryIO]:
    """The same, to be closed by a `with` statement, and buffered."""
    return cast("BinaryIO", Path(name).open("rb")) if not is_url(name) else open_raw(name)


def size_of(name: str) -> int:
    """Bytes of a file; 0 if that cannot be told: reading it will say what is wrong."""
    try:
        if not is_url(name):
            return Path(name).stat().st_size
        system, path = _system(name)
        return int(system.size(path) or 0)
    except (OSError, InputError):
        return 0


def local_copy(name: str) -> str:
    """A path of this machine for a file that has to be mapped; a URL is fetched into a temporary folder first."""
    if not is_url(name):
        return name
    fsspec = _fsspec()
    return str(fsspec.open_local(f"simplecache::{name}"))


def exists(name: str) -> bool:
    """Whether there is such a file."""
    if not is_url(name):
        return Path(name).is_file()
    system, path = _system(name)
    return bool(system.isfile(path))


def expand_url(name: str) -> tuple[list[str], bool]:
    """The URLs of the files that a URL names, by name, and whether they were looked for (in a folder, by a pattern).

    Raises:
        InputError: there are none, or they cannot be listed.
        MissingExtraError: what reads such URLs is not installed.
    """
    system, path = _system(name)
    try:
        if _MAGIC.search(path):
            return sorted(system.unstrip_protocol(found) for found in system.glob(path) if system.isfile(found)), True
        if system.isdir(path):
            return sorted(system.unstrip_protocol(found) for found in system.find(path)), True
        if not system.exists(path):
            raise InputError("no such file or folder", name)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot be listed: {error}", name) from None
    return [name], False


def _system(name: str) -> tuple[Any, str]:
    fsspec = _fsspec()
    scheme = name.split("://", 1)[0].rsplit("::", maxsplit=1)[-1]
    try:
        system, path = fsspec.core.url_to_fs(name)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        advice = f"pip install 'anygram[{extra}]'" if extra else str(error)
        raise MissingExtraError(f"URLs of {scheme}:// need another library: {advice}") from None
    except (ValueError, OSError) as error:
        raise InputError(f"cannot be reached: {error}", name) from None
    return system, str(path)


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError("URLs need fsspec: pip install 'anygram[remote]'") from None
    return fsspec
