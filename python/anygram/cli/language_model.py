"""`anygram language-model`."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from anygram.cli.options import IndexPath, Json, delivery, open_index
from anygram.cli.output import show_facts
from anygram.cli.progress import reporting
from anygram.cli.sizes import format_seconds


def language_model(
    index: IndexPath,
    order: Annotated[int, typer.Option(min=1, metavar="N", help="The longest n-grams, in tokens.")] = 5,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Count what a Kneser-Ney model asks of an index, and keep it beside the index: it is then there at once."""
    import anygram

    started = time.perf_counter()
    with open_index(index) as opened, reporting(quiet) as progress:

        def scanned(done: int, total: int) -> None:
            if progress is not None:
                progress("scanning", done, total)

        model = anygram.language_model(opened, "kneser-ney", order, save=True, progress=scanned)
        discounts = model.discounts  # type: ignore[attr-defined]  # it is of that kind
    answer: dict[str, Any] = {
        "path": str(index),
        "kind": "kneser-ney",
        "order": order,
        "discounts": [amounts._asdict() for amounts in discounts],
        "seconds": time.perf_counter() - started,
    }

    def show() -> None:
        facts = {"model": f"kneser-ney of order {order}, kept with {index}"}
        for k, amounts in enumerate(discounts, 1):
            usual = "" if amounts.estimated else " (the usual ones: there is too little to estimate them from)"
            facts[f"discounts {k}"] = f"{amounts.d1:.4f} {amounts.d2:.4f} {amounts.d3:.4f}{usual}"
        facts["time"] = format_seconds(answer["seconds"])
        show_facts(facts)

    delivery(json).deliver("language-model", answer, {}, show)
