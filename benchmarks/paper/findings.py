"""What an experiment hands back: conditions that are met or not, figures, tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Condition:
    """Something that the paper found, as it is judged here: without tolerance.

    Attributes:
        item: which experiment it belongs to, and a letter.
        statement: what is to hold.
        found: the figures.
        met: whether it does; None where a figure is reported and nothing asserted.
        paper: what the paper says of it.
        remark: what was looked at, where it does not hold or needs a word.
    """

    item: str
    statement: str
    found: str
    met: bool | None
    paper: str = ""
    remark: str = ""

    @property
    def verdict(self) -> str:
        return {None: "reported", True: "yes", False: "**no**"}[self.met]


@dataclass
class Findings:
    """What was found.

    Attributes:
        conditions: in their order.
        figures: as plain data.
        tables: in Markdown, by their title.
    """

    conditions: list[Condition] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return {"conditions": [asdict(one) for one in self.conditions], **self.figures}


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def numbers(values: Sequence[float], digits: int = 3) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)
