"""What the questions answer with: frozen, typed, comparable objects, most of them tables of read-only arrays.

They know how to show themselves (`repr`, HTML in notebooks), turn into plain data (`to_dict`), and hand tables to
pandas, polars, DuckDB and pyarrow (the Arrow C stream). Nothing in here computes an answer or knows of an index.
"""

from anygram.results.base import Decode
from anygram.results.context import Context
from anygram.results.continuations import Continuations
from anygram.results.document import Document
from anygram.results.groups import GroupCounts
from anygram.results.hits import Hits
from anygram.results.matches import Matches, Spans
from anygram.results.near import NearMatches, NearSpans
from anygram.results.occurrence import Occurrence
from anygram.results.page import DocumentPage, Page
from anygram.results.probabilities import Probabilities
from anygram.results.probability import Probability
from anygram.results.scores import Scores
from anygram.results.string_occurrence import StringOccurrence

__all__ = [
    "Context",
    "Continuations",
    "Decode",
    "Document",
    "DocumentPage",
    "GroupCounts",
    "Hits",
    "Matches",
    "NearMatches",
    "NearSpans",
    "Occurrence",
    "Page",
    "Probabilities",
    "Probability",
    "Scores",
    "Spans",
    "StringOccurrence",
]
