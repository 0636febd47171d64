"""The planted corpus as an index, and rules as small as can be in the place of the real ones."""

import sys
from pathlib import Path

import pytest

import anygram

# The helpers naive_rules, planted and simple_rules are modules beside the tests.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def rules(monkeypatch):
    import simple_rules

    simple_rules.asked.clear()
    simple_rules.refused.clear()
    monkeypatch.setattr("anygram.analysis.contamination.rules.ALL_RULES", simple_rules.ALL_RULES)
    return simple_rules


@pytest.fixture(scope="session")
def corpus_index():
    from planted import DOCUMENTS

    return anygram.build(DOCUMENTS, tokenizer="bytes")
