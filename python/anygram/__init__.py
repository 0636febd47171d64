"""An exact n-gram engine over corpora for language models.

>>> import anygram
>>> index = anygram.build(["to be or not to be"], tokenizer="words")
>>> index.count("to be")
2
"""

import importlib
from typing import TYPE_CHECKING

from anygram.build import Plan, build, plan
from anygram.combine import combine
from anygram.convert import convert
from anygram.errors import (
    AnygramError,
    ChecksumError,
    DiskFullError,
    DocumentNotFoundError,
    IncompatibleIndexesError,
    IncompleteBuildError,
    IndexBusyError,
    IndexExistsError,
    IndexFormatError,
    IndexIOError,
    IndexNotFoundError,
    InputError,
    InvalidQueryError,
    LimitError,
    MissingExtraError,
    TruncatedIndexError,
    UnsupportedVersionError,
)
from anygram.index import Index
from anygram.occurrences import Occurrences
from anygram.opening import open
from anygram.results import (
    Context,
    Continuations,
    Document,
    DocumentPage,
    GroupCounts,
    Hits,
    Matches,
    NearMatches,
    NearSpans,
    Occurrence,
    Page,
    Probabilities,
    Probability,
    Scores,
    Spans,
)
from anygram.shard import Interval, Shard
from anygram.types import DOCUMENT_END, Ragged, Tokenizer
from anygram.verify import Problem, Verification, verify

if TYPE_CHECKING:
    from anygram import rules
    from anygram.analysis.agreement.run import agreement
    from anygram.analysis.contamination.run import contamination
    from anygram.analysis.decontamination.run import decontaminate
    from anygram.analysis.language_models import language_model
    from anygram.analysis.mixture import Mixture
    from anygram.io import Corpus, read_corpus

# What takes more modules than asking questions does is imported when it is first named; by its module's name, since the
# layers below know this package too.
_LATER = {
    "Corpus": "anygram.io",
    "Mixture": "anygram.analysis.mixture",
    "agreement": "anygram.analysis.agreement.run",
    "contamination": "anygram.analysis.contamination.run",
    "decontaminate": "anygram.analysis.decontamination.run",
    "language_model": "anygram.analysis.language_models",
    "read_corpus": "anygram.io",
    "rules": "anygram.rules",
}

__version__ = "0.1.0.dev0"

__all__ = [
    "DOCUMENT_END",
    "AnygramError",
    "ChecksumError",
    "Context",
    "Continuations",
    "Corpus",
    "DiskFullError",
    "Document",
    "DocumentNotFoundError",
    "DocumentPage",
    "GroupCounts",
    "Hits",
    "IncompatibleIndexesError",
    "IncompleteBuildError",
    "Index",
    "IndexBusyError",
    "IndexExistsError",
    "IndexFormatError",
    "IndexIOError",
    "IndexNotFoundError",
    "InputError",
    "Interval",
    "InvalidQueryError",
    "LimitError",
    "Matches",
    "MissingExtraError",
    "Mixture",
    "NearMatches",
    "NearSpans",
    "Occurrence",
    "Occurrences",
    "Page",
    "Plan",
    "Probabilities",
    "Probability",
    "Problem",
    "Ragged",
    "Scores",
    "Shard",
    "Spans",
    "Tokenizer",
    "TruncatedIndexError",
    "UnsupportedVersionError",
    "Verification",
    "agreement",
    "build",
    "combine",
    "contamination",
    "convert",
    "decontaminate",
    "language_model",
    "open",
    "plan",
    "read_corpus",
    "rules",
    "verify",
]


def __getattr__(name: str) -> object:
    if name in _LATER:
        module = importlib.import_module(_LATER[name])
        return module if name == "rules" else getattr(module, name)
    raise AttributeError(f"module 'anygram' has no attribute {name!r}")
