"""The same inside a pipeline of datatrove: `DecontaminationFilter` drops documents as `anygram.decontaminate` does.

    DecontaminationFilter(benchmarks, rule="bff", *, fields=None, id_field=None, exclusion_writer=None)

benchmarks, rule, fields and id_field are those of `anygram.decontaminate`; the benchmarks are read by each task of the
pipeline, when its first document comes. A kept document is not touched. A dropped one gets `contamination_score`,
`contamination_rule` and `contaminated_items` in its metadata, for the exclusion writer, which is one of datatrove's.

Needs the extra `datatrove`. The class is made when it is first named, since what it is derived from may not be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anygram.analysis.contamination.benchmarks import BenchmarkSource, Fields, read_benchmarks
from anygram.analysis.decontamination.rules import Filter, TrainingRule, parse_training_rule
from anygram.errors import MissingExtraError

if TYPE_CHECKING:
    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter


def __getattr__(name: str) -> Any:
    if name != "DecontaminationFilter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Kept under its name, by which pickle finds it in the tasks of a pipeline.
    step = globals()[name] = _step()
    return step


def _step() -> Any:
    try:
        from datatrove.pipeline.filters.base_filter import BaseFilter
    except ImportError as error:
        raise MissingExtraError(f"this needs datatrove: pip install 'anygram[datatrove]' ({error})") from None

    class DecontaminationFilter(BaseFilter):  # type: ignore[misc]  # datatrove has no types
        """Drops the documents that hold evaluations; see the module."""

        name = "🧼 anygram decontamination"

        def __init__(
            self,
            benchmarks: BenchmarkSource,
            rule: str | TrainingRule = "bff",
            *,
            fields: Fields | None = None,
            id_field: str | None = None,
            exclusion_writer: DiskWriter | None = None,
        ) -> None:
            super().__init__(exclusion_writer)
            self.rule = parse_training_rule(rule) if isinstance(rule, str) else rule
            self.benchmarks = benchmarks
            self.fields = fields
            self.id_field = id_field
            self._judge: Filter | None = None
            self._names: list[str] = []

        def filter(self, doc: Document) -> bool | tuple[bool, str]:
            """Whether to keep the document, and by which rule not."""
            if self._judge is None:
                sets = read_benchmarks(self.benchmarks, fields=self.fields, id_field=self.id_field)
                items = [item for benchmark in sets for item in benchmark.items]
                self._names = [f"{item.benchmark}/{item.id}" for item in items]
                self._judge = self.rule.filter(items)
            judgement = self._judge(doc.text)
            if not judgement.dropped:
                return True
            doc.metadata["contamination_score"] = judgement.score
            doc.metadata["contamination_rule"] = repr(self.rule)
            doc.metadata["contaminated_items"] = [self._names[item] for item in judgement.items]
            return False, self.rule.name

        def __getstate__(self) -> dict[str, object]:
            """The step as it travels to its tasks: what was read stays behind."""
            return self.__dict__ | {"_judge": None, "_names": []}

    DecontaminationFilter.__qualname__ = DecontaminationFilter.__name__
    return DecontaminationFilter
