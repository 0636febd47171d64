"""What holds for the shell as a whole: help, exit codes, sizes, what it loads."""

import subprocess
import sys

import pytest

import anygram
from anygram import errors
from anygram.cli import progress
from anygram.cli.exits import ExitCode, UsageError, exit_code
from anygram.cli.output import show_table
from anygram.cli.sizes import format_seconds, format_size, parse_size

VERBS = [
    "build",
    "info",
    "verify",
    "count",
    "probability",
    "continuations",
    "score",
    "find",
    "document",
    "demo",
    "bench",
]


def test_alone_it_prints_three_commands(run):
    ended = run()
    assert ended.code == 0
    assert len([line for line in ended.out.splitlines() if line.startswith("  anygram ")]) == 3


def test_version(run):
    assert run("--version").out == f"anygram {anygram.__version__}\n"


def test_help_lists_the_verbs_uncut(run):
    out = run("--help").out
    assert all(f"\n  {verb} " in out for verb in VERBS)
    assert "..." not in out.partition("Commands:")[2]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example(run, verb):
    ended = run(verb, "--help")
    assert ended.code == 0
    assert f"  anygram {verb}" in ended.out.partition("Example:")[2]


def test_help_loads_nothing_heavy():
    script = "import sys; from anygram.cli.app import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert not {"tokenizers", "regex", "loky", "zstandard", "nanoarrow", "pyarrow"} & set(loaded)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError(), ExitCode.USAGE),
        (errors.InvalidQueryError(), ExitCode.USAGE),
        (errors.DocumentNotFoundError(), ExitCode.USAGE),
        (errors.InputError("x"), ExitCode.INPUT),
        (errors.IndexNotFoundError(), ExitCode.INDEX),
        (errors.ChecksumError("x"), ExitCode.INDEX),
        (errors.IncompatibleIndexesError(), ExitCode.INDEX),
        (errors.IncompleteBuildError(), ExitCode.INDEX),
        (errors.IndexBusyError(), ExitCode.INDEX),
        (errors.IndexExistsError(), ExitCode.INDEX),
        (errors.DiskFullError(), ExitCode.RESOURCES),
        (errors.IndexIOError(), ExitCode.RESOURCES),
        (errors.MissingExtraError(), ExitCode.RESOURCES),
        (errors.LimitError(), ExitCode.RESOURCES),
        (MemoryError(), ExitCode.RESOURCES),
        (PermissionError(), ExitCode.RESOURCES),
        (BrokenPipeError(), ExitCode.PIPE_CLOSED),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (KeyError(), ExitCode.BUG),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value.name,
)
def test_exit_codes(error, code):
    assert exit_code(error) is code


def test_every_error_of_the_tree_has_a_code_of_its_own():
    leaves = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.AnygramError]
    assert all(exit_code(kind("x")) is not ExitCode.BUG for kind in leaves)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GB", 8 * 10**9),
        ("8gb", 8 * 10**9),
        ("1.5 GB", 15 * 10**8),
        ("512MiB", 512 * 2**20),
        ("3KB", 3000),
        ("2GiB", 2**31),
        ("1G", 10**9),
        ("12345", 12345),
        ("1TB", 10**12),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0", "8 bits", "1e9", "٣GB", "8GBB", "0.1"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


def test_numbers_for_people():
    assert [format_size(size) for size in (5, 1500, 8_400_000, 10**10)] == ["5 bytes", "1.5 KB", "8.4 MB", "10 GB"]
    assert [format_seconds(seconds) for seconds in (0.314, 42, 200, 7500)] == [
        "0.31 s",
        "42 s",
        "3 min 20 s",
        "2 h 5 min",
    ]


def test_a_table_keeps_its_shape_whatever_the_cells_hold(capsys, monkeypatch):
    columns = {"count": [5, 10], "text": ["a\tb\nc", "世界\x1b[31m"], "more": [None, True]}
    show_table(columns)
    assert capsys.readouterr().out == "count\ttext\tmore\n5\ta b c\t\n10\t世界[31m\tyes\n"
    monkeypatch.setattr("anygram.cli.output.on_terminal", lambda: True)
    show_table(columns)
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in lines[1:]] == ["    5  a b c", "   10  世界[31m  yes"]


def test_a_long_stage_is_told_now_and_then(capsys, monkeypatch):
    clock = iter([0.0, 10.0, 31.0, 32.0, 62.0, 62.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    log = progress._Log()
    for done in (0, 10, 50, 51):
        log.report("sort", done, 100)
    log.finish()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "sort: started"
    assert lines[1].startswith("sort: 50 of 100 (50%), 31 s, 31 s left, ")
    assert lines[2] == "sort: 51 done in 1 min 2 s"
    assert len(lines) == 3


def test_an_unexpected_error_is_owned(run, index, monkeypatch):
    def broken(_):
        raise KeyError("gone")

    monkeypatch.setattr(anygram, "open", broken)
    ended = run("info", index)
    assert ended.code == 70
    assert "should not happen" in ended.err
