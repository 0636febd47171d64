"""Corpora in (one reader a file), tables out."""

from anygram.io.corpus import Corpus, read_corpus
from anygram.io.iterables import as_corpus
from anygram.io.records import Record, TokenBlock, TokenIds
from anygram.io.tables import write_table

__all__ = ["Corpus", "Record", "TokenBlock", "TokenIds", "as_corpus", "read_corpus", "write_table"]
