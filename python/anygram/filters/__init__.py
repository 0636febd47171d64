"""Which documents a question is about: `where`."""

from anygram.filters.columns import Columns, Part
from anygram.filters.evaluate import chosen_documents
from anygram.filters.groups import group_documents
from anygram.filters.where import Recent, Where, documents_of

__all__ = ["Columns", "Part", "Recent", "Where", "chosen_documents", "documents_of", "group_documents"]
