"""infini-gram's Python interface: its classes, methods, dictionaries and error strings, over the indexes people have.

::

    from anygram.compat.infini_gram import InfiniGramEngine       # instead of: from infini_gram.engine import ...

Answers are exact; where infini-gram's differ, docs/compat-infini-gram.md says how and why.
"""

from anygram.compat.infini_gram.engine import InfiniGramEngine, InfiniGramEngineDiff

__all__ = ["InfiniGramEngine", "InfiniGramEngineDiff"]
