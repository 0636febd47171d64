"""Index folders as bytes, to compare, damage and restore."""

from __future__ import annotations

import shutil
from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, by its path in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def restore(folder: Path, files: dict[str, bytes]) -> None:
    """Makes the folder hold these files and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def flipped(data: bytes, offset: int, bit: int = 0) -> bytes:
    """The bytes with one bit of one byte turned over."""
    return data[:offset] + bytes([data[offset] ^ (1 << bit)]) + data[offset + 1 :]
