"""Documents' metadata as compressed columns, as docs/metadata-format.md specifies."""

from anygram.metadata.columns import Column
from anygram.metadata.reader import MetadataReader
from anygram.metadata.writer import MetadataWriter, encode_metadata

__all__ = ["Column", "MetadataReader", "MetadataWriter", "encode_metadata"]
