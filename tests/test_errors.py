"""Each class of error, from where it comes up: what was expected, what was found, where, and what to do next."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import anygram
from anygram import _core, errors
from children import building, run
from folders import contents, flipped

BUILT_INS = {
    "InvalidQueryError": ValueError,
    "DocumentNotFoundError": IndexError,
    "IndexNotFoundError": FileNotFoundError,
    "IncompatibleIndexesError": ValueError,
    "InputError": ValueError,
    "IndexIOError": OSError,
    "IndexExistsError": FileExistsError,
    "MissingExtraError": ImportError,
}


def build(documents: object, path: Path | None = None, **options: object) -> anygram.Index:
    return anygram.build(documents, path, **{"tokenizer": None, **options})


def classes() -> list[type[Exception]]:
    return [found for _, found in inspect.getmembers(errors, inspect.isclass) if found.__module__ == errors.__name__]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "index"
    build([[1, 2, 3] * 50, [2, 3]], path).close()
    return path


# The tree


@pytest.mark.parametrize("found", classes(), ids=lambda found: found.__name__)
def test_every_error_is_an_anygram_error_and_public(found: type[Exception]) -> None:
    assert issubclass(found, errors.AnygramError)
    assert getattr(anygram, found.__name__) is found


@pytest.mark.parametrize(("name", "built_in"), BUILT_INS.items())
def test_an_error_also_is_the_built_in_that_a_caller_would_guess(name: str, built_in: type[Exception]) -> None:
    assert issubclass(getattr(errors, name), built_in)


def test_errors_survive_pickling(folder: Path) -> None:
    damage(folder, "position_pages", 5000)
    with pytest.raises(errors.ChecksumError) as caught:
        ask_everything(folder)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


# Queries


def test_invalid_query_error() -> None:
    index = build([[1, 2]])
    with pytest.raises(errors.InvalidQueryError, match=r"0 to 4294967294.*-3"):
        index.count([1, -3])
    with pytest.raises(errors.InvalidQueryError, match=r"integers.*1\.5"):
        index.count([1, 1.5])


def test_invalid_query_error_of_a_text_says_what_to_do() -> None:
    with pytest.raises(errors.InvalidQueryError, match=r"no tokenizer.*(tokenizer=|token ids)"):
        build([[1, 2]]).count("to be")


@pytest.mark.parametrize("number", [7, 99, 2**40, -1])
def test_document_not_found_error_says_the_number_and_how_many_there_are(number: int) -> None:
    with pytest.raises(errors.DocumentNotFoundError, match=rf"document {number} .*\b7\b"):
        build([[1, 2]] * 7).document(number)


# Opening


def test_index_not_found_error_says_the_path(tmp_path: Path) -> None:
    with pytest.raises(errors.IndexNotFoundError, match="nowhere"):
        anygram.open(tmp_path / "nowhere")


def test_index_format_error_of_a_folder_that_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises((errors.IndexFormatError, errors.IndexNotFoundError), match=r"not an .*index|no .*index"):
        anygram.open(tmp_path)


def test_index_format_error_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises((errors.IndexFormatError, errors.IndexNotFoundError), match=r"notes\.txt"):
        anygram.open(tmp_path / "notes.txt")


def section(folder: Path, kind: str) -> Path:
    (file,) = folder.glob(f"shards/*/{kind}")
    return file


def damage(folder: Path, kind: str, offset: int) -> Path:
    file = section(folder, kind)
    file.write_bytes(flipped(file.read_bytes(), offset))
    return file


def ask_everything(folder: Path) -> None:
    with anygram.open(folder) as index:
        for token in range(5):
            index.find([token]).documents()
            index.continuations([token])
        [index.document(number).metadata for number in range(index.num_documents)]


@pytest.mark.parametrize("change", [-1, -4096, 1])
def test_truncated_index_error_says_the_file_and_both_sizes(folder: Path, change: int) -> None:
    file = section(folder, "position_pages")
    size = file.stat().st_size
    os.truncate(file, size + change)
    with pytest.raises(errors.TruncatedIndexError, match="position_pages") as caught:
        anygram.open(folder)
    message = str(caught.value).replace(",", "").replace("_", "")
    assert str(size) in message
    assert str(size + change) in message
    assert caught.value.path == str(file)


def test_checksum_error_says_the_file_and_the_offset(folder: Path) -> None:
    file = damage(folder, "position_pages", 4096 + 100)
    with pytest.raises(errors.ChecksumError, match="position_pages") as caught:
        ask_everything(folder)
    assert caught.value.path == str(file)
    assert caught.value.offset == 4096
    assert "verify" in str(caught.value) or "copy" in str(caught.value) or "build" in str(caught.value)


def test_unsupported_version_error_says_both_versions(folder: Path) -> None:
    crc32c = pytest.importorskip("google_crc32c")
    file = section(folder, "position_pages")
    data = bytearray(file.read_bytes())
    struct.pack_into("<I", data, 8, 41)
    struct.pack_into("<I", data, 4092, crc32c.value(bytes(data[:4092])))
    file.write_bytes(data)
    with pytest.raises(errors.UnsupportedVersionError, match=r"41.*\b0\b|\b0\b.*41") as caught:
        anygram.open(folder)
    assert caught.value.path == str(file)


def test_incompatible_indexes_error_says_both_tokenizers(tmp_path: Path) -> None:
    build(["a b"], tmp_path / "words", tokenizer="words").close()
    build(["a b"], tmp_path / "bytes", tokenizer="bytes").close()
    with pytest.raises(errors.IncompatibleIndexesError, match=r"(?s)words.*bytes|bytes.*words"):
        anygram.open([tmp_path / "words", tmp_path / "bytes"])


# Building


def test_incomplete_build_error_says_what_to_do(tmp_path: Path) -> None:
    with building(tmp_path / "index") as process:
        process.kill()
    with pytest.raises(errors.IncompleteBuildError, match="build"):
        anygram.open(tmp_path / "index")


def test_index_busy_error_names_the_process(tmp_path: Path) -> None:
    with building(tmp_path / "index") as other, pytest.raises(errors.IndexBusyError, match=str(other.pid)):
        build([[1]], tmp_path / "index", overwrite=True)


def test_input_error_says_the_file_the_line_and_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text(json.dumps({"text": "fine"}) + "\n" + '{"text": 5}\n')
    with pytest.raises(errors.InputError, match=r"corpus\.jsonl:2: .*text.*5") as caught:
        build(anygram.read_corpus(file), tokenizer="words")
    assert (caught.value.source, caught.value.line) == (str(file), 2)


def test_input_error_says_which_record_of_an_iterable() -> None:
    with pytest.raises(errors.InputError, match=r"record 3.*-5") as caught:
        build([[1], [2], [-5]])
    assert caught.value.line == 3


def test_input_error_of_a_str_says_what_to_do() -> None:
    with pytest.raises(errors.InputError, match="list"):
        build("to be", tokenizer="words")


def test_index_exists_error_says_overwrite(folder: Path) -> None:
    with pytest.raises(errors.IndexExistsError, match="overwrite"):
        build([[1]], folder)


def test_index_io_error_has_the_errno_and_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.IndexIOError, match="file") as caught:
        build([[1]], tmp_path / "file" / "index")
    assert caught.value.errno


def test_index_io_error_of_a_file_that_may_not_grow(tmp_path: Path) -> None:
    done = run(f"""
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            anygram.build([[1, 2, 3] * 5000] * 3, {str(tmp_path / "index")!r}, tokenizer=None)
        except anygram.IndexIOError as error:
            print("IndexIOError", error.errno, error)
    """)
    assert done.stdout.startswith("IndexIOError 27 "), done
    with pytest.raises(errors.AnygramError):
        anygram.open(tmp_path / "index")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare to mount a small disk")
def test_disk_full_error_says_needed_and_free_and_leaves_no_index(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    done = run(
        f"""
        try:
            anygram.build([[1, 2, 3] * 50_000] * 3, {str(disk / "index")!r}, tokenizer=None)
        except anygram.DiskFullError as error:
            print("DiskFullError", error.errno, error)
        try:
            anygram.open({str(disk / "index")!r})
        except anygram.AnygramError as error:
            print("no index")
        """,
        ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=1M none {disk} || exit 77; exec "$@"', "sh"],
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this machine does not let a test mount a disk")
    assert done.stdout.startswith("DiskFullError 28 "), done
    assert "free" in done.stdout
    assert done.stdout.endswith("no index\n")


def test_missing_extra_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoarrow", None)
    with pytest.raises(errors.MissingExtraError, match="pip install nanoarrow"):
        build([[1, 2]]).continuations([1]).__arrow_c_stream__()


def test_limit_error_of_shards_larger_than_the_format_allows(tmp_path: Path) -> None:
    spool = _core.TokenSpool(str(tmp_path), 1)
    spool.append(np.ones(40, np.uint32), np.full(4, 10))
    spool.close()
    assert len(spool.cut(0, max_stream_length=22)) == 2
    with pytest.raises(errors.LimitError, match=r"10.*40 tokens.*4 documents.*split"):
        spool.cut(0, max_stream_length=10)


def test_arguments_are_checked(tmp_path: Path) -> None:
    for options in [{"shards": 0}, {"threads": 0}, {"memory": -1}, {"profile": "slim"}, {"tokenizer": "nothing"}]:
        with pytest.raises((ValueError, errors.AnygramError)):
            build([[1]], tmp_path / "index", **options)
    assert not contents(tmp_path)
