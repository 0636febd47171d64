"""Asks infini-gram 2.6.0 and anygram.compat.infini_gram the same, about indexes that infini-gram built.

Every answer is compared. Each difference must be one of the table in docs/compat-infini-gram.md, for its reason; the
counts of each row are printed, and one that no row explains ends the run with exit code 1. Nothing is timed here: see
compat_times.py.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import compat_rows as rows
from anygram.compat.infini_gram import InfiniGramEngine
from common import markdown_table, new_parser, note, write_results
from compat_indexes import LAYOUTS, Documents, Files, Layout, build, read_documents, read_texts
from compat_rows import Pair

Explain = Callable[..., str]


@dataclass
class Asker:
    """Draws calls of one engine, makes them of both, and counts what came of it."""

    pair: Pair
    draw: random.Random
    alike: Counter[str] = field(default_factory=Counter)
    differences: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    # --- drawing

    def window(self, least: int, most: int) -> list[int]:
        """Tokens of a document, as they are read."""
        stream = self.draw.choice(self.pair.files.streams)
        length = self.draw.randint(least, most)
        begin = self.draw.randrange(max(1, len(stream) - length))
        tokens = [token for token in stream[begin : begin + length].tolist() if token != self.pair.separator]
        return tokens[::-1] if self.pair.backwards else tokens

    def ngram(self, least: int, most: int, *, separators: bool = True) -> list[int]:
        """Mostly one that occurs; some with a token changed, or with a separator."""
        tokens = self.window(least, most)
        what = self.draw.random()
        if tokens and what < 0.15:
            tokens[self.draw.randrange(len(tokens))] = self.draw.randrange(self.pair.separator)
        elif separators and what < 0.2:
            tokens.insert(self.draw.randint(0, len(tokens)), self.pair.separator)
        return tokens

    def text(self) -> list[int]:
        """Pieces of documents, and now and then something else."""
        pieces = [self.ngram(0, 12) for _ in range(self.draw.randint(1, 5))]
        if self.draw.random() < 0.1:  # what sorts before all else, and another token behind it
            position = self.draw.choice(self.pair.files.tables)[0]
            pieces.append(self.pair.files.streams[0][position : position + 1].tolist())
        return [token for piece in pieces for token in piece]

    def term(self) -> list[int]:
        """One of a boolean query: not too frequent, to be found by plain loops too."""
        while True:
            tokens = self.window(1, 3)
            if tokens and self.pair.theirs.count(tokens)["count"] <= 4000:
                return tokens

    def place(self) -> tuple[int, int]:
        shard = self.draw.randrange(len(self.pair.files.streams))
        return shard, self.draw.randrange(len(self.pair.files.streams[shard]))

    # --- asking

    def ask(self, explain: Explain | None, method: str, *arguments: Any, about: dict[str, Any] | None = None) -> None:
        """Makes one call of both."""
        ours, theirs = (_call(engine, method, arguments) for engine in (self.pair.ours, self.pair.theirs))
        if type(ours) is type(theirs) and ours == theirs:
            self.alike[method] += 1
            return
        try:
            if explain is None:
                raise rows.UnexplainedError("this may never differ")
            self.differences[method, explain(self.pair, ours, theirs, **(about or {}))] += 1
        except (rows.UnexplainedError, KeyError, TypeError) as error:
            self.unexplained.append(
                f"{self.pair.files.layout.name} {method}{arguments}: {error!r}\n  {ours!s:.300}\n  {theirs!s:.300}"
            )

    def run(self, calls: int) -> None:
        kinds = [
            *[self.find, self.prob, self.ntd, self.infgram, self.creativity, self.attribute] * 2,
            *[self.boolean, self.documents, self.around, self.numbers] * 2,
            *[self.search, self.many, self.errors],
        ]
        while self.num_calls < calls:
            self.draw.choice(kinds)()
        for shard in range(len(self.pair.files.streams)):
            self.ask(None, "compute_unigram_counts", shard)
        self.ask(None, "get_total_doc_cnt")

    @property
    def num_calls(self) -> int:
        return sum(self.alike.values()) + sum(self.differences.values()) + len(self.unexplained)

    def find(self) -> None:
        ngram = self.ngram(0, 8)
        self.ask(None, "find", ngram)
        self.ask(None, "count", ngram)

    def prob(self) -> None:
        prompt = self.ngram(0, 5)
        ends = [self.pair.end, self.pair.separator]
        token = self.draw.choice(ends) if self.draw.random() < 0.2 else (self.window(1, 1) or ends)[0]
        about = {"prompt": prompt, "token": token}
        self.ask(rows.explain_prob, "prob", prompt, token, about=about)
        self.ask(rows.explain_prob, "infgram_prob", prompt, token, about=about)

    def prompt(self, most: int) -> list[int]:
        """One that infini-gram survives: where documents run backwards, it reads before the file for some."""
        while True:
            prompt = self.ngram(1, most) if self.draw.random() < 0.98 else []
            if not self.pair.backwards:
                return prompt
            if prompt and prompt[-1] != self.pair.separator and self.pair.theirs.count(prompt[-1:])["count"]:
                return prompt

    def ntd(self) -> None:
        prompt = self.prompt(4)
        self.ask(rows.explain_ntd, "ntd", prompt, self.draw.choice([10, 1000, 10**9]), about={"prompt": prompt})

    def infgram(self) -> None:
        prompt = self.prompt(10)
        self.ask(rows.explain_ntd, "infgram_ntd", prompt, self.draw.choice([10, 1000]), about={"prompt": prompt})

    def creativity(self) -> None:
        text = self.text()
        self.ask(rows.explain_creativity, "creativity", text, about={"tokens": text})

    def attribute(self) -> None:
        text = [token for token in self.text() if token != self.pair.separator]
        delimiters = self.window(0, 2)
        least, most = self.draw.randint(0, 4), self.draw.choice([1, 10, 300])
        about = {"tokens": text, "delimiters": delimiters, "least": least, "most": most}
        self.ask(rows.explain_attribute, "attribute", text, delimiters, least, most, False, about=about)

    def boolean(self) -> None:
        cnf = [
            [self.term() for _ in range(self.draw.choice([1, 1, 2]))] for _ in range(self.draw.choice([1, 2, 2, 3, 4]))
        ]
        if self.draw.random() < 0.6:  # more likely near each other
            around = [token for token in self.window(60, 60) if self.pair.theirs.count([token])["count"] <= 4000]
            cnf = [[[token]] for token in self.draw.sample(around, min(len(around), len(cnf)))] or cnf
        if self.draw.random() < 0.1:  # a term that lies in another
            longest = max(cnf[0], key=len)
            cnf[0] = [longest, *([longest[1:]] if self.pair.theirs.count(longest[1:])["count"] <= 4000 else [])]
        frequency, distance = self.draw.choice([100, 50000]), self.draw.choice([1, 5, 20, 100, 1000])
        about = {"cnf": cnf, "max_diff_tokens": distance, "max_clause_freq": frequency}
        method = self.draw.choice(["find_cnf", "find_cnf", "count_cnf"])
        about["counts_only"] = method == "count_cnf"
        self.ask(rows.explain_cnf, method, cnf, frequency, distance, about=about)

    def documents(self) -> None:
        (shard, rank), length = self.place(), self.draw.randint(1, 40)
        about = {"needle": 1}
        pointer = rank * self.pair.files.layout.width // 2 * 2 + (self.draw.random() < 0.05)
        self.ask(rows.explain_rank_error, "get_doc_by_rank", shard, rank, length, about=about)
        self.ask(rows.explain_pointer_error, "get_doc_by_ptr", shard, pointer, length, about=about)

    def around(self) -> None:
        (shard, rank), needle, context = self.place(), self.draw.randint(0, 5), self.draw.randint(1, 20)
        about = {"needle": needle}
        pointer = rank * self.pair.files.layout.width // 2 * 2 + (self.draw.random() < 0.05)
        self.ask(rows.explain_rank_error, "get_doc_by_rank_2", shard, rank, needle, context, about=about)
        self.ask(rows.explain_pointer_error, "get_doc_by_ptr_2", shard, pointer, needle, context, about=about)

    def numbers(self) -> None:
        number = self.draw.randrange(self.pair.theirs.get_total_doc_cnt())
        length = self.draw.randint(1, 60)
        about = {"number": number, "length": length}
        self.ask(rows.explain_beginning, "get_doc_by_ix", number, length, about=about)
        self.ask(rows.explain_beginning, "get_doc_by_ix_2", number, length, about=about)

    def search(self) -> None:
        ngram = self.ngram(1, 6)
        maxnum, length = self.draw.randint(1, 4), self.draw.randint(1, 40)
        about = {"ngram": ngram, "maxnum": maxnum, "length": length}
        self.ask(rows.explain_search, "search_docs", ngram, maxnum, length, about=about)

    def many(self) -> None:
        places, width = [self.place() for _ in range(3)], self.pair.files.layout.width
        about = {"places": places, "length": 9}
        self.ask(rows.explain_ranks, "get_docs_by_ranks", places, 9, about=about)
        for name, requests, extra in [
            ("get_docs_by_ptrs", [(s, rank * width) for s, rank in places], (9,)),
            ("get_docs_by_ranks_2", [(s, rank, 2, 5) for s, rank in places], ()),
            ("get_docs_by_ptrs_2", [(s, rank * width, 2, 5) for s, rank in places], ()),
        ]:
            self.ask(partial(explain_each, needle=2 if not extra else 1), name, requests, *extra)

    def errors(self) -> None:
        wrong = self.draw.choice([-1, True, None, 1.5, "1", 10**12, (1,), [[1]]])
        needle = {"needle": 1}
        self.ask(None, "count", wrong)
        self.ask(None, "ntd", [1], wrong if wrong is not None else 0)
        self.ask(None, "prob", [1], wrong)
        self.ask(None, "find_cnf", wrong)
        self.ask(None, "attribute", [1], [2], wrong if wrong != 10**12 else -2, 5, False)
        self.ask(rows.explain_rank_error, "get_doc_by_rank", 0, wrong, about=needle)
        self.ask(rows.explain_pointer_error, "get_doc_by_ptr", 0, wrong, about=needle)
        self.ask(None, "get_doc_by_ix", wrong)


def explain_each(pair: Pair, ours: Any, theirs: Any, *, needle: int) -> str:
    """The row of the first document that differs; all must be explained."""
    if isinstance(theirs, dict):
        return rows.explain_pointer_error(pair, ours if isinstance(ours, dict) else {}, theirs, needle)
    found = [
        rows.explain_document(pair, one, other, needle) for one, other in zip(ours, theirs, strict=True) if one != other
    ]
    return found[0]


def _call(engine: Any, method: str, arguments: tuple[Any, ...]) -> Any:
    try:
        return getattr(engine, method)(*arguments)
    except AttributeError as error:  # get_docs_by_ranks of 2.6.0
        return error


def end_tokens(files: Files) -> list[int]:
    """What to call a document's end: an id that does not occur, and one that often does."""
    counts = Counter(token for stream in files.streams for token in stream.tolist())
    del counts[files.layout.separator]
    unused = next(token for token in range(files.layout.separator - 1, -1, -1) if token not in counts)
    return [unused, counts.most_common(3)[-1][0]]


def ask_layout(
    layout: Layout, folder: Path, texts: list[str], documents: Documents, calls: int, seed: int
) -> list[Asker]:
    from infini_gram.engine import InfiniGramEngine as Theirs

    path = build(folder / layout.name, layout, texts, documents)
    files = Files(path, layout)
    askers = []
    for number, end in enumerate(end_tokens(files)):
        options = layout.options(end)
        pair = Pair(InfiniGramEngine(str(path), **options), Theirs(str(path), **options), files, end)
        asker = Asker(pair, random.Random(f"{seed} {layout.name} {number}"))
        asker.run(calls)
        note(f"{layout.name}: {asker.num_calls:,} calls, {len(asker.unexplained)} unexplained")
        askers.append(asker)
    return askers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("text", type=Path, help="a JSONL file")
    parser.add_argument("folder", type=Path, help="for the indexes")
    parser.add_argument("--size", type=int, default=1_500_000, help="tokens, or bytes, of each index")
    parser.add_argument("--calls", type=int, default=24_000, help="in all")
    parser.add_argument("--seed", type=int, default=0, help="all draws depend on it alone")


def main() -> None:
    parser = new_parser(__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    texts = read_texts(arguments.text, arguments.size)
    documents = read_documents(arguments.corpus, arguments.size)
    each = arguments.calls // (2 * len(LAYOUTS)) + 1
    askers = [
        asker
        for layout in LAYOUTS
        for asker in ask_layout(layout, arguments.folder.resolve(), texts, documents, each, arguments.seed)
    ]
    alike = sum((asker.alike for asker in askers), Counter())
    differences = sum((asker.differences for asker in askers), Counter())
    unexplained = [text for asker in askers for text in asker.unexplained]
    by_row = Counter[str]()
    for (_, row), times in differences.items():
        by_row[row] += times
    methods = sorted({*alike, *(method for method, _ in differences)})
    calls = [
        [method, alike[method], sum(times for (name, _), times in differences.items() if name == method)]
        for method in methods
    ]
    tables = {
        "Calls": markdown_table(["method", "alike", "different, explained"], calls),
        "Differences": markdown_table(["row", "calls"], [[row, times] for row, times in by_row.most_common()]),
    }
    found = {
        "calls": {method: [same, other] for method, same, other in calls},
        "rows": dict(by_row),
        "unexplained": unexplained,
    }
    write_results(arguments.results, "compat", arguments, found, tables)
    if unexplained:
        sys.exit("\n".join([f"{len(unexplained)} differences that no row explains:", *unexplained[:20]]))


if __name__ == "__main__":
    main()
