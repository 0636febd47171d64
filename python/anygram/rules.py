"""The published rules of contamination: `anygram.rules.Llama2(length=20)`, or by name with `parse_rule`."""

from anygram.analysis.contamination.rules import *  # noqa: F403  # the names that are public there
from anygram.analysis.contamination.rules import __all__  # noqa: F401  # as there
