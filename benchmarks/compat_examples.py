"""Runs infini-gram's own documented examples and test scripts twice: as they are, and with only the import changed.

They are read from a checkout of its repository (https://github.com/liujch1998/infini-gram). Their corpus and tokenizer
are replaced for both by a local text and a local tokenizer, since neither lies on this machine: so what is compared is
what both print, not the figures in its documents. Answers that infini-gram draws or samples are told apart.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from anygram.tokenizers import open_tokenizer
from common import markdown_table, new_parser, note, write_results
from compat_indexes import Layout, build, read_texts

DOCUMENTS = ("docs/source/pkg.rst", "docs/pkg_doc.md")
SCRIPTS = ("pkg/test/engine_test.py", "scripts/attribution/attribution.py", "scripts/attribution/test_takedown.py")
LAYOUT = Layout(2, backwards=False, num_shards=1)


class LocalTokenizer:
    """What the examples ask of transformers' tokenizers, answered by a local one."""

    eos_token_id = 2

    def __init__(self, spec: str) -> None:
        self._tokenizer = open_tokenizer(spec)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).tolist()
        return ids

    def begins_word(self, token: int) -> bool:
        return self._tokenizer.token_bytes(token).startswith((b" ", b"\n"))

    def decode(self, ids: list[int], **_: object) -> str:
        return self._tokenizer.decode(ids)


def stand_in(tokenizer: LocalTokenizer) -> None:
    """Puts the local tokenizer where the examples import theirs."""
    transformers, termcolor = types.ModuleType("transformers"), types.ModuleType("termcolor")
    transformers.AutoTokenizer = types.SimpleNamespace(  # type: ignore[attr-defined]  # a module made by hand
        from_pretrained=lambda *_, **__: tokenizer
    )
    termcolor.colored = lambda text, *_: text  # type: ignore[attr-defined]  # likewise
    sys.modules |= {"transformers": transformers, "termcolor": termcolor}


#: Phrases of the examples, and ones that a corpus of technical documents has instead.
PHRASES = {
    "natural language processing": "the command line",
    "natural language": "the command",
    "artificial intelligence": "the following",
    "deep learning": "for example",
    "Celine Dion is a Canadian singer known for": "This option is used to set the default value of the",
    " Dion is a Canadian singer": " of the",
    "Puigdemont calls for talks with Spain": "If this option is set, the default value is used. See also the page",
}


def localize(source: str, folder: Path, package: str, tokenizer: LocalTokenizer) -> str:
    """An example with the index that is here, and the engine's import changed or not."""
    for phrase, other in PHRASES.items():
        source = source.replace(phrase, other)
    source = source.replace("input_ids = [5613, 4086, 9068]", f"input_ids = {tokenizer.encode('the command line')}")
    diff = r"(['\"])[^'\"\n]*v4_pileval-[^'\"\n]*\1"
    source = re.sub(diff, repr(str(folder / "removed")), source)
    source = re.sub(r"index_dir=\[[^\]]*\]", f"index_dir={[str(folder / 'whole')]!r}", source)
    source = re.sub(r"(['\"])[^'\"\n]*index/v4_[^'\"\n]*\1", repr(str(folder / "whole")), source)
    source = re.sub(r"(['\"])\./llama-2_bow_ids\.txt\1", repr(str(folder / "words.txt")), source)
    source = re.sub(r"^sys\.path = .*$", "", source, flags=re.MULTILINE)
    source = re.sub(r"(rank|ptr)=\d+", r"\1=5000", source)  # of its index; and this index has some there too
    # A method that this class has not; the other one takes these requests.
    source = source.replace("get_docs_by_ptrs_2_grouped(requests=[(doc", "get_docs_by_ptrs_2(requests=[(doc")
    return source.replace("from infini_gram.engine", f"from {package}")


# --- running


def run_document(text: str) -> Iterator[tuple[str, str]]:
    """Each example of a document, and what it shows."""
    names: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(text):
        yield example.source.strip(), shown(example.source, "single", names)


def shown(source: str, mode: str, names: dict[str, Any]) -> str:
    """What running it prints, or how it ends."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            exec(compile(source, "<example>", mode), names)  # its authors' code, which the caller chose to run
        except Exception as error:  # noqa: BLE001  # whatever it raises is what it shows
            print(f"{type(error).__name__}: {error}")
    return re.sub(r"latency: [\d.]+s", "latency: s", output.getvalue())


def run_script(source: str, _: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(shown(source, "exec", {"__name__": "__main__"}).splitlines()):
        yield f"line {number + 1}", line


# --- comparing


def kind(ours: str, theirs: str) -> str:
    """Whether the two agree, and if not, whether infini-gram drew or sampled."""
    if ours == theirs:
        return "alike"
    if "'approx': True" in theirs and "'approx': False" in ours:
        return "sampled there, exact here"
    if "'idxs'" in theirs and re.findall(r"'cnt': \d+", ours) == re.findall(r"'cnt': \d+", theirs):
        return "drawn at random there"
    return "different"


def build_indexes(folder: Path, texts: list[str], tokenizer: LocalTokenizer) -> None:
    documents = [np.array(tokenizer.encode(text), np.uint16) for text in texts]
    build(folder / "whole", LAYOUT, [], documents)
    build(folder / "removed", LAYOUT, [], documents[:1])
    words = [token for token in range(32000) if tokenizer.begins_word(token)]
    (folder / "words.txt").write_text("".join(f"{token}\n" for token in words), encoding="utf-8")


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("checkout", type=Path, help="of infini-gram's repository")
    parser.add_argument("text", type=Path, help="a JSONL file")
    parser.add_argument("tokenizer", help="what `anygram build --tokenizer` takes, with ids below 65535")
    parser.add_argument("folder", type=Path, help="for the indexes")
    parser.add_argument("--size", type=int, default=20_000_000, help="bytes of text")
    arguments = parser.parse_args()
    tokenizer = LocalTokenizer(arguments.tokenizer)
    build_indexes(arguments.folder.resolve(), read_texts(arguments.text, arguments.size), tokenizer)
    stand_in(tokenizer)
    lines: list[list[object]] = []
    found: dict[str, Any] = {}
    for name in (*DOCUMENTS, *SCRIPTS):
        text = (arguments.checkout / name).read_text(encoding="utf-8")
        runs = []
        for package in ("anygram.compat.infini_gram.engine", "infini_gram.engine"):
            source = localize(text, arguments.folder.resolve(), package, tokenizer)
            runs.append(list(run_script(source, Path(name)) if name in SCRIPTS else run_document(source)))
        ours, theirs = runs
        if len(ours) != len(theirs):
            raise SystemExit(f"{name}: {len(ours)} lines here, {len(theirs)} there")
        kinds = [kind(mine, other) for (_, mine), (_, other) in zip(ours, theirs, strict=True)]
        lines += [[name, which, kinds.count(which)] for which in dict.fromkeys(kinds)]
        found[name] = [
            {"example": example, "anygram": mine, "infini-gram": other}
            for (example, mine), (_, other), which in zip(ours, theirs, kinds, strict=True)
            if which == "different"
        ]
        note(f"{name}: {len(ours)} compared, {len(found[name])} different")
    table = markdown_table(["example", "what it shows", "times"], lines)
    write_results(arguments.results, "compat_examples", arguments, {"different": found}, {"Examples": table})


if __name__ == "__main__":
    main()
