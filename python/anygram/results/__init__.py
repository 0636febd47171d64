"""What the questions answer with: frozen, typed, comparable objects, most of them tables of read-only arrays.

They know how to show themselves (`repr`, HTML in notebooks), turn into plain data (`to_dict`), and hand tables to
pandas, polars, DuckDB and pyarrow (the Arrow C stream). Nothing in here computes an answer or knows of an index.
"""

from anygram.results.base import Decode
from anygram.results.continuations import Continuations
from anygram.results.document import Document
from anygram.results.hits import Hits
from anygram.results.matches import Matches, Spans
from anygram.results.near import NearMatches, NearSpans
from anygram.results.occurrence import Context, Occurrence
from anygram.results.probabilities import Probabilities
from anygram.results.probability import Probability
from anygram.results.scores import Scores

__all__ = [
    "Context",
    "Continuations",
    "Decode",
    "Document",
    "Hits",
    "Matches",
    "NearMatches",
    "NearSpans",
    "Occurrence",
    "Probabilities",
    "Probability",
    "Scores",
    "Spans",
]
