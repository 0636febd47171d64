"""The shell, run in this process, over a small index that it built itself."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from anygram.cli import main

DOCUMENTS = [
    {"text": "to be or not to be", "id": "hamlet", "act": 3},
    {"text": "to sleep \x1b[31m to dream \x1b]0;owned\x07", "id": "hostile"},
    {"text": "", "id": "empty"},
]


class Ended(NamedTuple):
    """What a run of the shell left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        """The table on stdout, as lists of cells, without its header."""
        return [line.split("\t") for line in self.out.splitlines()[1:]]


def _run(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Ended(int(ended.value.code or 0), captured.out, captured.err)


@pytest.fixture
def run(capsys):
    return lambda *arguments: _run(capsys, arguments)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    path.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))
    return path


@pytest.fixture(scope="module")
def index(corpus) -> Path:
    path = corpus.parent / "index"
    with pytest.raises(SystemExit) as ended:
        main(["build", str(corpus), "-o", str(path), "--tokenizer", "words", "--id-field", "id", "--quiet"])
    assert not ended.value.code
    return path
