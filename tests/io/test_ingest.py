from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import anygram.ingest
import tokenizers
from anygram.errors import InputError
from anygram.ingest import Batch, ingest
from anygram.io import read_corpus
from anygram.tokenizers import open_tokenizer
from anygram.types import Tokenizer
from tokenizers import decoders, models, pre_tokenizers

TEXTS = ["to be or not to be", "", "😀 naïve\x00", "a <s> b", "x" * 500, "é", "", "be"] * 5


def library_tokenizer(normalizer: object = None) -> tokenizers.Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizers.Tokenizer(models.BPE({character: n for n, character in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>"])
    if normalizer is not None:
        tokenizer.normalizer = normalizer  # type: ignore[assignment]
    return tokenizer


def opened(spec: object) -> Tokenizer:
    tokenizer = open_tokenizer(spec)
    assert tokenizer is not None
    return tokenizer


def documents_of(batches: list[Batch]) -> list[list[int]]:
    documents = []
    for batch in batches:
        ends = np.cumsum(batch.lengths)
        assert int(ends[-1]) == len(batch.tokens)
        assert len(batch.records) == len(batch.lengths)
        assert (batch.tokens.dtype, batch.lengths.dtype) == (np.uint32, np.int64)
        documents += [tokens.tolist() for tokens in np.split(batch.tokens, ends[:-1])]
    return documents


@pytest.fixture(params=["one batch", "many batches"])
def small_batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "many batches":
        monkeypatch.setattr(anygram.ingest, "_BATCH_BYTES", 30)


several = pytest.mark.usefixtures("small_batches")


@several
@pytest.mark.parametrize("threads", [1, 2, 3, None])
@pytest.mark.parametrize("spec", ["bytes", "words", "words:fold", "library"])
def test_documents_come_in_order_whatever_the_threads(spec: str, threads: int | None) -> None:
    tokenizer = opened(library_tokenizer() if spec == "library" else spec)
    batches = list(ingest(TEXTS, tokenizer, threads=threads))
    expected = [tokenizer.encode(text).tolist() for text in TEXTS]
    assert documents_of(batches) == expected
    assert sum(batch.num_bytes for batch in batches) == sum(len(text.encode()) for text in TEXTS)
    assert all(batch.round_trips for batch in batches) == (not spec.startswith("words"))


@several
def test_words_split_in_other_processes_get_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = opened("words"), opened("words")
    expected = documents_of(list(ingest(TEXTS, alone, threads=1)))
    monkeypatch.setattr(anygram.ingest, "_IN_PROCESS_BYTES", 60)
    assert documents_of(list(ingest(TEXTS, together, threads=2))) == expected
    assert together.save() == alone.save()


@several
def test_ids_are_taken_as_they_are() -> None:
    documents: list[object] = [[1, 2], [], np.array([3], np.uint16), {"tokens": [4], "n": 1}]
    for tokenizer in (None, opened("bytes")):
        batches = list(ingest(documents, tokenizer))
        assert documents_of(batches) == [[1, 2], [], [3], [4]]
        assert not any(batch.round_trips for batch in batches)
    assert [record for batch in batches for record in batch.records][-1] == ({"n": 1}, None, None, None)


def test_texts_and_ids_may_alternate() -> None:
    assert documents_of(list(ingest(["a", [1], [2], "b"], opened("bytes")))) == [[97], [1], [2], [98]]


def test_a_text_that_does_not_come_back_is_told() -> None:
    tokenizer = opened(library_tokenizer(tokenizers.normalizers.NFC()))
    assert all(batch.round_trips for batch in ingest(["plain", "text"], tokenizer))
    assert not all(batch.round_trips for batch in ingest(["plain", "e\u0301"], tokenizer))


def test_records_are_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "n": 1, "key": "k"}\n')
    (batch,) = ingest(read_corpus(path, id_field="key"), opened("bytes"))
    assert batch.records == [({"n": 1, "key": "k"}, str(path), 1, "k")]


def test_errors_say_where(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "ids": [1]}\n{"text": 5}\n')
    for corpus, tokenizer, line, reason in (
        (read_corpus(path), opened("bytes"), 2, "expected text"),
        (read_corpus(path), None, 1, "'words'.*'bytes'.*path to a tokenizer.json"),
        (read_corpus(path, tokens_field="ids"), opened("words"), 1, "numbers the words"),
    ):
        with pytest.raises(InputError, match=reason) as error:
            list(ingest(corpus, tokenizer))
        assert (error.value.source, error.value.line) == (str(path), line)
    with pytest.raises(InputError, match="no document at all"):
        list(ingest([], None))


@several
def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    size = path.stat().st_size
    seen: list[tuple[int, int | None]] = []
    list(ingest(read_corpus(path), opened("bytes"), progress=lambda *step: seen.append(step)))
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)
    seen.clear()
    list(ingest(TEXTS, opened("bytes"), progress=lambda *step: seen.append(step)))
    assert seen[-1] == (sum(len(text.encode()) for text in TEXTS), None)


@several
def test_only_a_few_batches_are_read_ahead() -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield "x" * 100_000

    for spec in ("bytes", library_tokenizer()):
        taken = 0
        batches = ingest(endless(), opened(spec), threads=2)  # type: ignore[arg-type]
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        assert taken <= 100


def test_a_long_document_is_one_batch() -> None:
    (batch,) = ingest(["ab" * 3_000_000], opened("bytes"))
    assert batch.lengths.tolist() == [6_000_000]


INTERRUPTED = """
import sys, anygram.ingest
from anygram.tokenizers import open_tokenizer
anygram.ingest._IN_PROCESS_BYTES = 1000
def documents():
    while True:
        yield "to be or not to be " * 1000
try:
    for number, batch in enumerate(anygram.ingest.ingest(documents(), open_tokenizer("words"), threads=2)):
        if number == 20:
            print("ready", flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def test_an_interrupt_ends_it_and_leaves_no_process_behind() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes at once
    begin = time.monotonic()
    out, _ = process.communicate(timeout=20)
    assert out == "stopped\n"
    assert process.returncode == 0
    assert time.monotonic() - begin < 10
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a process of the group is still there")
