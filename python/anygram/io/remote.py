"""Files behind URLs (s3://, gs://, hf://, https://, memory://, ...), through fsspec: found, opened, and copied here."""

from __future__ import annotations

import glob
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from anygram.errors import InputError, MissingExtraError

#: The extra that a kind of URL needs, where it is not "remote".
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
_COPY_BLOCK = 1 << 22


class _CheckedFile(io.RawIOBase):
    """A file of fsspec whose errors are OSErrors, and which does not end before its end."""

    def __init__(self, file: Any, url: str, size: int | None) -> None:
        self._file = file
        self._url = url
        self._size = size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than any buffer, as it is called
        with _as_os_errors():
            block = self._file.read(len(buffer)) or b""
        if not block and len(buffer) and self._size is not None and self._file.tell() < self._size:
            raise EOFError(f"the transfer ended after {self._file.tell():,} of {self._size:,} bytes: try again")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def is_url(name: str) -> bool:
    """Whether an input is a URL and no path."""
    protocol, separator, _ = name.partition("://")
    return bool(separator) and protocol.replace("+", "").isalnum()


def name_in(url: str) -> str:
    """What a URL ends with, for its suffix: without the query of a web address."""
    return url.partition("?")[0].partition("#")[0] if url.startswith(("http://", "https://")) else url


def expand_url(url: str) -> list[str] | None:
    """The files that a URL names, ordered by name: those in a folder and below, or those that match a pattern.

    Returns:
        None if it is one file.

    Raises:
        InputError: there is no such file, or the place refuses.
        MissingExtraError: a library for this kind of URL is not installed.
    """
    filesystem, path = _filesystem(url)
    web = url.startswith(("http://", "https://"))
    with _as_input_errors(url):
        if "*" in path if web else glob.has_magic(path):
            found = filesystem.glob(path)
            files = [name for name in found if not filesystem.isdir(name)]
            if not files:
                raise InputError("no file matches", url)
        elif not web and filesystem.isdir(path):
            files = filesystem.find(path)
        elif web or filesystem.exists(path):
            return None
        else:
            raise InputError("no such file or folder", url)
    return sorted(str(filesystem.unstrip_protocol(name)) for name in files)


def open_url(url: str) -> BinaryIO:
    """Opens the file behind a URL.

    Raises:
        OSError: it cannot be opened; reading from it raises nothing else, and EOFError if the transfer ends early.
    """
    filesystem, path = _filesystem(url)
    with _as_os_errors():
        file = filesystem.open(path, "rb")
        return _CheckedFile(file, url, getattr(file, "size", None))  # type: ignore[return-value]


def size_of(url: str) -> int | None:
    """The bytes behind a URL; None if that is not told."""
    filesystem, path = _filesystem(url)
    with suppress(OSError), _as_os_errors():
        size = filesystem.size(path)
        return None if size is None else int(size)
    return None


@contextmanager
def local_copies(url: str, beside: Sequence[str] = ()) -> Iterator[str]:
    """A copy of a file on this machine, for those that must be mapped; gone at the end.

    Args:
        url: the file.
        beside: others to copy with it, where they exist.

    Raises:
        OSError: it cannot be copied.
    """
    filesystem, _ = _filesystem(url)
    with tempfile.TemporaryDirectory(prefix="anygram-") as folder:
        for one in (url, *beside):
            with _as_os_errors():
                there = one == url or filesystem.exists(one)
            if there:
                with open_url(one) as source, open(_copy_name(folder, one), "wb") as target:
                    shutil.copyfileobj(source, target, _COPY_BLOCK)
        yield _copy_name(folder, url)


def exists(url: str) -> bool:
    """Whether there is a file behind a URL."""
    filesystem, path = _filesystem(url)
    with suppress(OSError), _as_os_errors():
        return bool(filesystem.exists(path))
    return False


def _copy_name(folder: str, url: str) -> str:
    return os.path.join(folder, name_in(url).rpartition("/")[2])


def _filesystem(url: str) -> tuple[Any, str]:
    protocol = url.partition("://")[0]
    extra = _EXTRAS.get(protocol, "remote")
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError(f"{url}: reading URLs needs fsspec: pip install 'anygram[{extra}]'") from None
    try:
        with _as_input_errors(url):
            filesystem, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(
            f"{url}: {protocol}:// needs another library ({error}): pip install 'anygram[{extra}]'"
        ) from None
    return filesystem, path


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """What the libraries below fsspec raise has no class in common."""
    try:
        yield
    except (OSError, EOFError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise OSError(_reason(error)) from error


@contextmanager
def _as_input_errors(url: str) -> Iterator[None]:
    try:
        yield
    except (InputError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise InputError(_reason(error), url) from error


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, PermissionError):
        return f"access is refused ({error}); the library of this kind of URL finds keys as its own tools do"
    return str(error).strip().partition("\n")[0] or type(error).__name__
