"""infini-gram's builder, by its own flags: ``python -m anygram.compat.infini_gram.indexing --data_dir ... --mem 8``.

The files are those that a correct builder of theirs writes, byte for byte. docs/compat-infini-gram-indexing.md says
where the flags mean more, and what theirs gets wrong.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anygram.build import named_errors
from anygram.errors import AnygramError, InputError
from anygram.foreign_files import INFINI_GRAM_FILES, InfiniGramShard, joined, narrowest_dtype, token_bytes
from anygram.ingest import Batch, ingest
from anygram.io import Corpus
from anygram.io.records import Counter, Record, RefusedError, Reject, checked_text, decoded, escaped
from anygram.io.streams import read_lines
from anygram.machine import available_cpus
from anygram.manifest import sync_folder
from anygram.tokenizers import open_tokenizer
from anygram.tokenizers.words import WordsTokenizer
from anygram.types import Tokenizer

#: What infini-gram calls them, as anygram does.
_TOKENIZERS = {None: "bytes", "gpt2": "hf:gpt2", "llama": "hf:meta-llama/Llama-2-7b-hf", "olmo": "hf:allenai/OLMo-7B"}

# The last one is moved into place last.
_PUBLISHED = ("metadata", "metaoff", "unigram", "table", "offset", "tokenized")

_GIB = 1 << 30


@dataclass(frozen=True)
class _Options:
    data_dir: str
    save_dir: Path
    version: int
    token_dtype: str
    add_metadata: bool
    add_unigram: bool
    shards: int
    workers: int
    worker_id: int
    batch_size: int
    cpus: int
    memory: int

    @property
    def numbers(self) -> range:
        """The shards that this worker writes."""
        return range(self.worker_id, self.shards, self.workers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Indexes as the flags say.

    Args:
        arguments: the flags; None for the process's own.
    """
    parser = _parser()
    flags = parser.parse_args(arguments)
    _check_numbers(parser, flags)
    try:
        tokenizer, token_dtype = _tokenizer(flags.tokenizer, flags.token_dtype)
        options = _Options(
            data_dir=os.path.abspath(flags.data_dir),
            save_dir=Path(flags.save_dir).absolute(),
            version=flags.version,
            token_dtype=token_dtype,
            add_metadata=flags.add_metadata,
            add_unigram=flags.add_unigram,
            shards=flags.shards,
            workers=flags.workers,
            worker_id=flags.worker_id,
            batch_size=flags.batch_size,
            cpus=flags.cpus,
            memory=flags.mem * _GIB,
        )
        _index(options, tokenizer)
    except AnygramError as error:
        sys.exit(f"error: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m anygram.compat.infini_gram.indexing",
        description="Builds an index of infini-gram from files of JSON lines.",
    )
    add = parser.add_argument
    add("--data_dir", required=True, help="the folder with the corpus: .jsonl, .gz and .zst files, also in folders")
    add("--save_dir", required=True, help="the folder for the index")
    add("--temp_dir", help="accepted; nothing is put there")
    add("--version", type=int, default=4, choices=[4, 5], help="5: documents from their ends to their beginnings")
    add("--tokenizer", help="gpt2, llama, olmo, or what anygram build takes; without it, bytes of UTF-8")
    add("--token_dtype", choices=["u8", "u16", "u32"], help="how wide a token is; u16, or u8 without a tokenizer")
    add("--add_metadata", action="store_true", help="store each document's other fields")
    add("--add_unigram", action="store_true", help="store how often each token occurs")
    add("--shards", type=int, default=1, help="how many parts to cut the index into")
    add("--workers", type=int, default=1, help="how many processes share the work; divides the shards")
    add("--worker_id", type=int, default=0, help="which of them this is, from 0")
    add("--batch_size", type=int, default=65536, help="lines that a worker takes at a time")
    add("--cpus", type=int, default=available_cpus(), help="CPUs to use")
    add("--mem", type=int, required=True, help="memory to use, in GiB")
    add("--ulimit", type=int, help="accepted; few files are open at a time")
    return parser


def _check_numbers(parser: argparse.ArgumentParser, flags: argparse.Namespace) -> None:
    for name in ("batch_size", "cpus", "shards", "workers", "mem"):
        if getattr(flags, name) < 1:
            parser.error(f"--{name} is a number from 1 up, found {getattr(flags, name)}")
    if not 0 <= flags.worker_id < flags.workers:
        parser.error(f"--worker_id is a number from 0 to workers - 1, found {flags.worker_id} of {flags.workers}")
    if flags.shards % flags.workers:
        parser.error(f"--workers divides --shards, found {flags.workers} and {flags.shards}")


def _tokenizer(name: str | None, token_dtype: str | None) -> tuple[Tokenizer, str]:
    tokenizer = open_tokenizer(_TOKENIZERS.get(name, name))
    if tokenizer is None or isinstance(tokenizer, WordsTokenizer):
        raise InputError(
            f"--tokenizer {name}: here, texts are encoded with a vocabulary that is known before; build with "
            "`anygram build`, and write infini-gram's files of that with `anygram convert --to infini-gram`"
        )
    if token_dtype is None:
        token_dtype = "u8" if name is None else "u16"
    # The largest id may be the separator's, as long as it does not occur: many vocabularies are filled up to 2^16.
    if tokenizer.vocab_size > 1 << 8 * token_bytes(token_dtype):
        raise InputError(
            f"--token_dtype {token_dtype}: the tokenizer has {tokenizer.vocab_size:,} ids: give --token_dtype "
            f"{narrowest_dtype(tokenizer.vocab_size)}"
        )
    if name is None and token_dtype != "u8":
        raise InputError(f"--token_dtype {token_dtype}: without a tokenizer, tokens are bytes: give --token_dtype u8")
    return tokenizer, token_dtype


def _index(options: _Options, tokenizer: Tokenizer) -> None:
    if all(_is_there(options, number) for number in options.numbers):
        _say(f"skipped: all shards of this worker are in {options.save_dir} already")
        return
    options.save_dir.mkdir(parents=True, exist_ok=True)
    with (
        named_errors(options.save_dir),
        tempfile.TemporaryDirectory(prefix=f".worker-{options.worker_id}-", dir=options.save_dir) as place,
        ExitStack() as files,
    ):
        folder = Path(place)
        shards = [files.enter_context(_shard(options, folder, number)) for number in options.numbers]
        _say("tokenizing ...")
        corpus = Corpus([lambda counter: _documents(options, counter)], num_bytes=None)
        for batch in ingest(corpus, tokenizer, threads=options.cpus, memory=options.memory):
            _add(options, shards, batch)
        for shard, number in zip(shards, options.numbers, strict=True):
            if shard.num_tokens == 0:
                raise InputError(f"shard {number} of {options.shards} gets no document: give fewer --shards")
        for shard, number in zip(shards, options.numbers, strict=True):
            _say(f"sorting shard {number} ...")
            shard.finish(threads=options.cpus, memory=options.memory)
        for kind in _PUBLISHED:
            for file in sorted(folder.glob(f"{kind}.*")):
                file.replace(options.save_dir / file.name)
        sync_folder(options.save_dir)
    _say("done")


def _shard(options: _Options, folder: Path, number: int) -> InfiniGramShard:
    return InfiniGramShard(
        folder,
        str(number),
        options.token_dtype,
        is_reversed=options.version == 5,
        metadata=options.add_metadata,
        unigrams=options.add_unigram,
    )


def _is_there(options: _Options, number: int) -> bool:
    """Whether a shard was written before. What a failed build of infini-gram leaves is empty."""
    wanted = {"metadata": options.add_metadata, "metaoff": options.add_metadata, "unigram": options.add_unigram}
    paths = [options.save_dir / f"{kind}.{number}" for kind in INFINI_GRAM_FILES if wanted.get(kind, True)]
    return all(path.exists() and path.stat().st_size > 0 for path in paths)


def _documents(options: _Options, counter: Counter) -> Iterator[Record | Reject]:
    """The lines of this worker, in the order of the files' paths; a document's source is its path in `data_dir`."""
    paths = sorted(glob.glob(f"{glob.escape(options.data_dir)}/**/*.json*", recursive=True))
    if not paths:
        raise InputError("no file *.json* is in this folder", options.data_dir)
    for path in paths:
        if not path.endswith((".gz", ".zst", ".jsonl")):
            raise InputError("unknown suffix; known are .jsonl, .gz and .zst", path)
        for line in read_lines(path, counter):
            if isinstance(line, Reject):
                yield line
            elif (line[0] - 1) % options.workers == options.worker_id:
                yield _document(path, os.path.relpath(path, options.data_dir), *line)


def _document(path: str, source: str, number: int, raw: bytes) -> Record | Reject:
    try:
        fields = json.loads(decoded(raw))
        if not isinstance(fields, dict) or "text" not in fields:
            raise RefusedError("expected an object with a field 'text'")
        return Record(checked_text(fields.pop("text")), None, fields, source, number)
    except (RefusedError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, RefusedError) else f"broken JSON: {error}"
        return Reject(reason, path, number, escaped(raw))


def _add(options: _Options, shards: list[InfiniGramShard], batch: Batch) -> None:
    """Deals documents out to the shards in turns, which begin anew with each block of lines."""
    lines = [line for _, _, line, _ in batch.records]
    numbers = np.array(lines, np.int64) - 1
    turns = numbers % (options.workers * options.batch_size) // options.workers % len(shards)
    documents = np.split(batch.tokens, np.cumsum(batch.lengths)[:-1])
    records = [
        {"path": source, "linenum": number, "metadata": metadata}
        for (metadata, source, _, _), number in zip(batch.records, numbers.tolist(), strict=True)
    ]
    for local in np.unique(turns).tolist():
        chosen = np.flatnonzero(turns == local).tolist()
        shards[local].add(*joined([documents[i] for i in chosen]), [records[i] for i in chosen])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
