"""infini-gram's own builder, where it is right: one process, and more than 100,000 bytes a shard."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from anygram.compat.infini_gram import indexing
from folders import contents

pytest.importorskip("infini_gram")
pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

# Theirs knows three tokenizers by name, which it fetches: one that lies here stands in for "gpt2".
_THEIRS = """
import sys
import tokenizers, transformers
path = sys.argv.pop(1)
if path:
    class Local:
        def __init__(self):
            self.tokenizer = tokenizers.Tokenizer.from_file(path)
        def encode(self, text):
            return self.tokenizer.encode(text, add_special_tokens=False).ids
    transformers.AutoTokenizer.from_pretrained = lambda *_, **__: Local()
from infini_gram import indexing
indexing.main()
"""


def write_corpus(folder: Path) -> None:
    """Three files of a few hundred thousand bytes; texts repeat, and some are empty."""
    draw = random.Random(4)
    words = ["".join(draw.choices("abcdeöß€", k=draw.randint(1, 9))) for _ in range(3000)]

    def lines(count: int) -> str:
        records = []
        for number in range(count):
            text = " ".join(draw.choices(words, k=draw.choice([0, 3, 40, 200])))
            records.append({"text": text, "number": number, "tags": [number % 3, None, 1.5], "ö": text[:3]})
        return "".join(json.dumps(record, ensure_ascii=number % 2 == 0) + "\n" for number, record in enumerate(records))

    (folder / "b").mkdir(parents=True)
    (folder / "b/one.jsonl").write_text(lines(701))
    with gzip.open(folder / "a.json.gz", "wt") as file:
        file.write(lines(300))
    (folder / "c.jsonl").write_text(lines(55))


def write_tokenizer(path: Path, corpus: Path) -> None:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2000, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    texts = [json.loads(line)["text"] for line in (corpus / "b/one.jsonl").read_text().splitlines()]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("bytes", ["--token_dtype", "u8"]),
        ("bytes", ["--token_dtype", "u8", "--shards", "2", "--batch_size", "7"]),
        ("ids", ["--token_dtype", "u16"]),
        ("ids", ["--token_dtype", "u16", "--version", "5", "--shards", "2"]),
        ("ids", ["--token_dtype", "u16", "--shards", "2", "--workers", "2", "--batch_size", "50"]),
    ],
)
def test_the_same_files(tmp_path: Path, name: str, flags: list[str]) -> None:
    corpus, tokenizer = tmp_path / "corpus", tmp_path / "tokenizer.json"
    write_corpus(corpus)
    common = [*flags, "--data_dir", str(corpus), "--mem", "1", "--cpus", "1", "--add_metadata", "--add_unigram"]
    if name == "ids":
        write_tokenizer(tokenizer, corpus)
    for worker in range(2 if "--workers" in flags else 1):
        rest = ["--worker_id", str(worker), "--ulimit", "512"]
        theirs = [*common, *rest, "--save_dir", str(tmp_path / "theirs")]
        program = [sys.executable, "-c", _THEIRS, str(tokenizer) if name == "ids" else ""]
        subprocess.run(
            [*program, *theirs, *(["--tokenizer", "gpt2"] if name == "ids" else [])], check=True, capture_output=True
        )
        ours = [*common, *rest, "--save_dir", str(tmp_path / "ours")]
        indexing.main([*ours, *(["--tokenizer", str(tokenizer)] if name == "ids" else [])])
    found = contents(tmp_path / "ours")
    assert min(len(data) for file, data in found.items() if file.startswith("tokenized")) > 100_000
    assert found == contents(tmp_path / "theirs")
