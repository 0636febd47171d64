"""One figure, what it is compared with, and the goal that it is held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from common import Summary, markdown_table


@dataclass(frozen=True)
class Goal:
    """A bound on a figure, or on its ratio to the peer's.

    Attributes:
        bound: what the figure is held against.
        kind: "ratio", at least so many times as good as the peer; "most" or "least", of the figure itself.
    """

    bound: float
    kind: str

    def show(self) -> str:
        signs = {"ratio": f"≥ {self.bound:g}×", "most": f"≤ {self.bound:g}", "least": f"≥ {self.bound:g}"}
        return signs[self.kind]


def times(bound: float) -> Goal:
    """At least so many times as good as the peer."""
    return Goal(bound, "ratio")


def at_most(bound: float) -> Goal:
    return Goal(bound, "most")


def at_least(bound: float) -> Goal:
    return Goal(bound, "least")


@dataclass(frozen=True)
class Line:
    """What one question cost, or what something weighs.

    Attributes:
        question: what was asked.
        unit: of both figures; less is better, unless it ends in "/s".
        anygram: the figure of anygram.
        peer: that of the peer, if it was asked the same.
        goal: what it was to be, if something was wanted.
    """

    question: str
    unit: str
    anygram: Summary
    peer: Summary | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as good as the peer."""
        if self.peer is None:
            return None
        ours, theirs = self.anygram.median, self.peer.median
        if not (ours and theirs):
            return None  # what costs nothing is no number of times as good
        more_is_better = self.unit.endswith("/s")
        return ours / theirs if more_is_better else theirs / ours

    @property
    def reached(self) -> bool | None:
        if self.goal is None:
            return None
        if self.goal.kind == "ratio":
            return self.ratio is not None and self.ratio >= self.goal.bound
        if self.goal.kind == "most":
            return self.anygram.median <= self.goal.bound
        return self.anygram.median >= self.goal.bound

    def row(self) -> Sequence[object]:
        ratio = "" if self.ratio is None else f"{self.ratio:,.3g}" if self.ratio < 100 else f"{self.ratio:,.0f}"
        verdict = {None: "", True: "yes", False: "**no**"}[self.reached]
        goal = self.goal.show() if self.goal else ""
        return (
            self.question,
            self.unit,
            self.anygram.show(),
            self.peer.show() if self.peer else "",
            ratio,
            goal,
            verdict,
        )

    def plain(self) -> dict[str, Any]:
        goal = None if self.goal is None else {"bound": self.goal.bound, "kind": self.goal.kind}
        return {
            "question": self.question,
            "unit": self.unit,
            "anygram": self.anygram,
            "peer": self.peer,
            "ratio": self.ratio,
            "goal": goal,
            "reached": self.reached,
        }


def lines_table(lines: Iterable[Line], peer: str = "infini-gram") -> str:
    """As Markdown: medians with the least and the most of all rounds."""
    header = ["question", "unit", "anygram", peer, "times as good", "goal", "reached"]
    return markdown_table(header, (line.row() for line in lines))


def plain_lines(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [line.plain() for line in lines]


def one(value: float) -> Summary:
    """What was counted or measured once."""
    return Summary.of([value])
