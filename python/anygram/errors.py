"""What can go wrong, as one tree.

::

    AnygramError
    ├── InvalidQueryError (ValueError)          this index could not answer it, or none could
    ├── DocumentNotFoundError (IndexError)      no document of that number
    ├── IndexNotFoundError (FileNotFoundError)  nothing stands at the path
    ├── IndexFormatError                        not an index, or its parts contradict each other
    │   ├── TruncatedIndexError                 a file is shorter or longer than it says
    │   ├── ChecksumError                       a page differs from what was written
    │   └── UnsupportedVersionError             written by a newer version
    ├── IncompatibleIndexesError (ValueError)   opened together with another tokenizer
    ├── IncompleteBuildError                    a build was stopped, or still runs
    ├── InputError (ValueError)                 the corpus cannot be read: file, line, reason
    ├── IndexIOError (OSError)                  the operating system refused
    │   ├── DiskFullError                       no space is left: says needed and free
    │   ├── IndexBusyError                      another process builds there: names it
    │   └── IndexExistsError (FileExistsError)  the folder is taken
    ├── MissingExtraError (ImportError)         an optional dependency is not installed
    └── LimitError                              legal, and larger than the caller allowed

Each also inherits the built-in that a caller would guess. A message says what was expected, what was found, where, and
what to do next; the fields say the same to programs.
"""

from __future__ import annotations


class AnygramError(Exception):
    """The base of all errors that anygram raises on purpose."""


class InvalidQueryError(AnygramError, ValueError):
    """This index could not answer the question, or none could."""


class DocumentNotFoundError(AnygramError, IndexError):
    """No document has that number."""


class IndexNotFoundError(AnygramError, FileNotFoundError):
    """Nothing stands at the path."""


class IndexFormatError(AnygramError):
    """Not an index, or its parts contradict each other.

    Attributes:
        path: the file to blame, or None.
        offset: where in it, in bytes, or None.
    """

    def __init__(self, message: str, path: str | None = None, offset: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset


class TruncatedIndexError(IndexFormatError):
    """A file is shorter or longer than it says."""


class ChecksumError(IndexFormatError):
    """A page differs from what was written."""


class UnsupportedVersionError(IndexFormatError):
    """Written by a newer version of anygram."""


class IncompatibleIndexesError(AnygramError, ValueError):
    """Indexes were opened together that have different tokenizers."""


class IncompleteBuildError(AnygramError):
    """A build was stopped, or still runs: there is no index to open yet."""


class InputError(AnygramError, ValueError):
    """The corpus cannot be read.

    Attributes:
        source: the file, or another name of where the record came from; None if unknown.
        line: the record's number in it, from 1; None if unknown.
        reason: what is wrong with it.
    """

    def __init__(self, reason: str, source: str | None = None, line: int | None = None) -> None:
        place = source or ""
        if line is not None:
            place = f"{place}:{line}" if place else f"record {line}"
        super().__init__(f"{place}: {reason}" if place else reason)
        self.source = source
        self.line = line
        self.reason = reason

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str | None, int | None]]:
        return type(self), (self.reason, self.source, self.line)


class IndexIOError(AnygramError, OSError):
    """The operating system refused. `errno` and `filename` are set as in any OSError."""


class DiskFullError(IndexIOError):
    """No space is left on the disk."""


class IndexBusyError(IndexIOError):
    """Another process is building there."""


class IndexExistsError(IndexIOError, FileExistsError):
    """The folder is taken: by an index (`overwrite` replaces it) or by something else."""


class MissingExtraError(AnygramError, ImportError):
    """An optional dependency is not installed; the message has the line that installs it."""


class LimitError(AnygramError):
    """Legal, and larger than the caller allowed or the format holds."""
