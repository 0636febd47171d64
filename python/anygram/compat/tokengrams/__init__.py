"""tokengrams' Python interface, over its own files: its classes, constructors and methods.

::

    from anygram.compat.tokengrams import MemmapIndex    # instead of: from tokengrams import MemmapIndex

Answers are those of tokengrams but for what docs/compat-tokengrams.md lists. Its smoothed probabilities are wrong, and
are not offered: the methods say what to use.
"""

from anygram.compat.tokengrams.indexes import InMemoryIndex, MemmapIndex, ShardedInMemoryIndex, ShardedMemmapIndex

__all__ = ["InMemoryIndex", "MemmapIndex", "ShardedInMemoryIndex", "ShardedMemmapIndex"]
