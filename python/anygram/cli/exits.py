"""How a verb ends: the one place where errors become exit codes and one line on stderr."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import TypeAlias

import typer

from anygram import errors
from anygram.results.text import visible

Verb: TypeAlias = Callable[..., None]

debug = False
"""Whether errors are shown with their traceback: set once, by the shell's own `--debug`."""


class ExitCode(IntEnum):
    """What the shell's caller can tell apart."""

    OK = 0
    FOUND = 1
    USAGE = 2
    INPUT = 3
    INDEX = 4
    RESOURCES = 5
    BUG = 70
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class UsageError(Exception):
    """The arguments do not go together."""


# The first that fits, so a class stands before its base.
_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (errors.InvalidQueryError, ExitCode.USAGE),
    (errors.DocumentNotFoundError, ExitCode.USAGE),
    (errors.InputError, ExitCode.INPUT),
    (errors.IndexNotFoundError, ExitCode.INDEX),
    (errors.IndexFormatError, ExitCode.INDEX),
    (errors.IncompatibleIndexesError, ExitCode.INDEX),
    (errors.IncompleteBuildError, ExitCode.INDEX),
    (errors.IndexBusyError, ExitCode.INDEX),
    (errors.IndexExistsError, ExitCode.INDEX),
    (errors.IndexIOError, ExitCode.RESOURCES),
    (errors.MissingExtraError, ExitCode.RESOURCES),
    (errors.LimitError, ExitCode.RESOURCES),
    (errors.AnygramError, ExitCode.BUG),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
    (BrokenPipeError, ExitCode.PIPE_CLOSED),
    (MemoryError, ExitCode.RESOURCES),
    (OSError, ExitCode.RESOURCES),
    (Exception, ExitCode.BUG),
)


def exit_code(error: BaseException) -> ExitCode:
    """The code that the shell exits with after this error."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


def handled(verb: Verb) -> Verb:
    """The verb, ending in an exit code and a message instead of an exception."""

    @functools.wraps(verb)
    def wrapper(*arguments: object, **options: object) -> None:
        try:
            verb(*arguments, **options)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - told to the user, never swallowed
            code = exit_code(error)
            _tell(error, code)
            raise typer.Exit(code) from None

    return wrapper


def _tell(error: BaseException, code: ExitCode) -> None:
    if code is ExitCode.PIPE_CLOSED:
        # The reader has left (`| head`): nothing more can be said on stdout, not even by Python's own last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if debug:
        traceback.print_exception(error)
    typer.echo(_message(error, code), err=True)


def _message(error: BaseException, code: ExitCode) -> str:
    # Messages quote what was found in files, which may hold anything; their own line breaks stay.
    text = "\n".join(visible(line) for line in str(error).splitlines())
    match code:
        case ExitCode.INTERRUPTED:
            return text or "interrupted"
        case ExitCode.BUG:
            kind = type(error).__name__
            hint = "" if debug else " (--debug before the verb shows where)"
            return f"error: this should not happen: {kind}: {text}{hint}"
        case _ if isinstance(error, MemoryError):
            return f"error: out of memory{': ' if text else ''}{text}"
        case _ if type(error).__module__ == "builtins" and isinstance(error, OSError) and error.filename:
            return f"error: {visible(str(error.filename))}: {error.strerror}"
        case _:
            return f"error: {text}"
