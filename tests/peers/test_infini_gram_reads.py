"""infini-gram's engine over files that anygram wrote, of corpora so small that its own builder gets them wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import anygram
import oracle

engine = pytest.importorskip("infini_gram.engine")


@pytest.mark.parametrize(("token_dtype", "vocab_size"), [("u8", 200), ("u16", 60_000), ("u32", 100_000)])
@pytest.mark.parametrize("shards", [1, 12])
def test_it_counts_and_finds(tmp_path: Path, token_dtype: str, vocab_size: int, shards: int) -> None:
    draw = random.Random(shards)
    letters = draw.sample(range(1, vocab_size), 6)
    documents = [draw.choices(letters, k=draw.randint(0, 30)) for _ in range(60)]
    records = [{"tokens": document, "number": number} for number, document in enumerate(documents)]
    anygram.build(records, tmp_path / "ours", tokenizer="none", shards=shards).close()
    anygram.convert(tmp_path / "ours", tmp_path / "theirs", to="infini-gram", token_dtype=token_dtype, unigrams=True)
    found = engine.InfiniGramEngine(
        str(tmp_path / "theirs"), eos_token_id=0, vocab_size=vocab_size, token_dtype=token_dtype
    )
    truth = oracle.Oracle(documents)
    for _ in range(200):
        ngram = draw.choices(letters, k=draw.randint(1, 4))
        assert found.count(ngram) == {"count": len(truth.find(ngram)), "approx": False}
    for number in (0, 11, 59):
        document = found.get_doc_by_ix(number, max_disp_len=100)
        assert document["token_ids"] == documents[number]
        assert f'"number": {number}' in document["metadata"]
