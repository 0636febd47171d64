"""What this process may use of the machine."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_cpus() -> int:
    """CPUs that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or what its control group is limited to."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(min(memory, *map(_limit, _CGROUP_LIMITS)))


def _limit(path: str) -> float:
    try:
        text = Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return float("inf")
    return int(text) if text.isdigit() else float("inf")


def memory_in_use() -> int:
    """Bytes of memory that this process holds and that no file backs; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    fields = dict(line.split(":", 1) for line in lines if line.startswith(("RssAnon", "RssShmem")))
    return sum(int(field.split()[0]) * 1024 for field in fields.values())
