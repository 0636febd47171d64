"""The shell: `anygram VERB INDEX ...`. A leaf: nothing imports it, and it imports what is heavy inside its verbs."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the shell and exit with its code.

    Args:
        arguments: what would stand after `anygram`; None for the process's own.
    """
    try:
        from anygram.cli.app import app
    except KeyboardInterrupt:  # later ones are the verbs' to answer
        sys.exit(130)
    app(args=None if arguments is None else list(arguments), prog_name="anygram")
