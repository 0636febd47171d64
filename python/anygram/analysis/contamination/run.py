"""Contamination from end to end: benchmarks read, rules asked, documents looked up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from anygram.analysis.contamination.benchmarks import (
    Benchmark,
    BenchmarkSource,
    Fields,
    read_benchmarks,
    results_of,
)
from anygram.analysis.contamination.calibration import calibration_table, canaries
from anygram.analysis.contamination.checkpoint import Checkpoints
from anygram.analysis.contamination.contexts import look_up
from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.report import ContaminationReport, CorpusFacts, RuleFacts
from anygram.errors import InputError, InvalidQueryError

if TYPE_CHECKING:
    from anygram.analysis.contamination.rules import Rule
    from anygram.index import Index

#: Called with a stage, what is done of it, and how much there is.
Progress: TypeAlias = Callable[[str, int, int | None], None]

_Results: TypeAlias = Mapping[str, tuple[float, ...]]


def contamination(
    index: Index,
    benchmarks: BenchmarkSource,
    rules: str | Rule | Sequence[str | Rule] = "all",
    *,
    fields: Fields | None = None,
    id_field: str | None = None,
    results: object = None,
    calibrate: bool | int = False,
    seed: int = 0,
    resume: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ContaminationReport:
    """Which items of benchmarks stand in a corpus, by published rules, with the evidence.

    Args:
        index: the corpus.
        benchmarks: one set, or {name: set}. A set is a path (JSON lines, Parquet, a folder of a dataset), an iterable
            of mappings, a Dataset, or anything with an Arrow C stream.
        rules: "all"; or a rule, or several: by name with parameters ("llama2:length=20"), or as an object.
        fields: which field of a record holds the question, the choices, the answer and the passage:
            {"question": "prompt"}; or that for each benchmark by its name. None to recognise them.
        id_field: the field that names an item; None to recognise it.
        results: how a model did on the items: a number for each in order, {id: number}, the name of a field of the
            records; or {benchmark: one of these}. With them the report compares clean and dirty items.
        calibrate: also plant canaries (100 of each kind, or as many as the number says) and tell how many each rule
            finds.
        seed: for what is drawn by chance.
        resume: a folder that keeps what was judged, so that a run that was stopped goes on where it was.
        threads: how many CPUs to use; None for all.
        progress: called with a stage, what is done of it, and how much there is.

    Cost: the rules that the index answers take time by the items' length; the others read every document once.

    Raises:
        InputError: a benchmark or the results cannot be read; the message tells file and line.
        InvalidQueryError: a rule is unknown, or the index has no tokenizer.
    """
    chosen = _chosen(rules)
    sets = read_benchmarks(benchmarks, fields=fields, id_field=id_field)
    names = [benchmark.name for benchmark in sets]
    if len(set(names)) < len(names):
        raise InputError(f"two benchmarks are called {max(names, key=names.count)!r}: name them, as {{name: set}}")
    known = {one.name: found for one in sets if (found := results_of(one, results)) is not None}
    if results is not None and not known:
        raise InputError(f"the results are of none of the benchmarks {', '.join(map(repr, names))}")
    planted = canaries(index, 100 if calibrate is True else calibrate, seed) if calibrate else []
    judging = _Judging(index, chosen, known, None if resume is None else Checkpoints(resume, index.id))
    verdicts = judging.judge([*sets, *planted], threads, progress)
    table = calibration_table(verdicts, [rule.name for rule in chosen]) if planted else None
    of_sets = {name: verdicts[name] for name in names}
    return ContaminationReport(
        corpus=_corpus_facts(index),
        benchmarks=sets,
        rules=[_rule_facts(rule, judging.ways.get(rule.name, "")) for rule in chosen],
        verdicts=of_sets,
        results=known,
        calibration=table,
        notes=judging.notes,
        found=look_up(index, _pairs(sets, of_sets), progress),
    )


class _Judging:
    """Rules over benchmarks, with what was kept of an earlier run."""

    def __init__(self, index: Index, rules: Sequence[Rule], results: _Results, checkpoints: Checkpoints | None) -> None:
        self.ways: dict[str, str] = {}
        self.notes: list[str] = []
        self._index = index
        self._rules = rules
        self._results = results
        self._checkpoints = checkpoints

    def judge(
        self, benchmarks: Sequence[Benchmark], threads: int | None, progress: Progress | None
    ) -> dict[str, dict[str, Sequence[Verdict]]]:
        """The verdicts by benchmark and rule."""
        verdicts: dict[str, dict[str, Sequence[Verdict]]] = {}
        for benchmark in benchmarks:
            kept = self._kept(benchmark)
            missing = [rule for rule in self._rules if rule.name not in kept]
            if missing:
                kept.update(self._judge_one(benchmark, missing, threads, progress))
            verdicts[benchmark.name] = kept
        if self._checkpoints is not None:
            self._note_checkpoints(self._checkpoints)
        return verdicts

    def _kept(self, benchmark: Benchmark) -> dict[str, Sequence[Verdict]]:
        kept: dict[str, Sequence[Verdict]] = {}
        for rule in self._rules if self._checkpoints is not None else ():
            assert self._checkpoints is not None
            found = self._checkpoints.read(benchmark, rule, self._results.get(benchmark.name))
            if found is not None:
                kept[rule.name], self.ways[rule.name] = found
        return kept

    def _judge_one(
        self, benchmark: Benchmark, rules: Sequence[Rule], threads: int | None, progress: Progress | None
    ) -> dict[str, Sequence[Verdict]]:
        from anygram.analysis.contamination.rules import judge

        results = self._results.get(benchmark.name)
        answer = judge(self._index, benchmark.items, rules, threads=threads, progress=progress, results=results)
        for rule in rules:
            self.ways[rule.name] = answer.ways[rule.name]
            if self._checkpoints is not None:
                found = answer.verdicts[rule.name]
                self._checkpoints.write(benchmark, rule, results, found, answer.ways[rule.name])
        self.notes += [note for note in answer.notes if note not in self.notes]
        return dict(answer.verdicts)

    def _note_checkpoints(self, checkpoints: Checkpoints) -> None:
        if checkpoints.num_read:
            self.notes.append(f"{checkpoints.num_read} judgements were kept from an earlier run")
        if checkpoints.num_refused:
            self.notes.append(f"{checkpoints.num_refused} checkpoints were damaged, and were judged anew")


def _chosen(rules: str | Rule | Sequence[str | Rule]) -> list[Rule]:
    from anygram.analysis.contamination.rules import ALL_RULES, parse_rule

    if isinstance(rules, str) and rules == "all":
        return list(ALL_RULES)
    given = [rules] if isinstance(rules, str) or not isinstance(rules, Sequence) else list(rules)
    chosen: list[Rule] = []
    for rule in given:
        if rule == "all":
            chosen += ALL_RULES
        else:
            chosen.append(parse_rule(rule) if isinstance(rule, str) else rule)
    if not chosen:
        raise InvalidQueryError("no rule at all: give names, or 'all'")
    names = [rule.name for rule in chosen]
    if len(set(names)) < len(names):
        raise InvalidQueryError(f"the rule {max(names, key=names.count)!r} was given twice")
    return chosen


def _pairs(
    benchmarks: Sequence[Benchmark], verdicts: Mapping[str, Mapping[str, Sequence[Verdict]]]
) -> Iterator[tuple[Item, Verdict]]:
    for benchmark in benchmarks:
        for verdict in chain.from_iterable(verdicts[benchmark.name].values()):
            yield benchmark.items[verdict.item], verdict


def _rule_facts(rule: Rule, way: str) -> RuleFacts:
    return RuleFacts(rule.name, rule.unit, rule.normalisation, str(rule.threshold), rule.source, way)


def _corpus_facts(index: Index) -> CorpusFacts:
    path = index.path
    where = "in memory" if path is None else ", ".join(map(str, path)) if isinstance(path, list) else str(path)
    tokenizer = "none" if index.tokenizer is None else index.tokenizer.spec
    return CorpusFacts(index.id, where, index.num_tokens, index.num_documents, tokenizer)
