"""The verbs, and what `anygram` says without one."""

from __future__ import annotations

from typing import Annotated

import typer

from anygram.cli import exits
from anygram.cli.agreement import agreement
from anygram.cli.bench import bench
from anygram.cli.build import build
from anygram.cli.combine import combine
from anygram.cli.contamination import contamination
from anygram.cli.convert import convert
from anygram.cli.count import count
from anygram.cli.decontaminate import decontaminate
from anygram.cli.demo import demo
from anygram.cli.document import document
from anygram.cli.find import find
from anygram.cli.info import info
from anygram.cli.probability import continuations, probability
from anygram.cli.score import score
from anygram.cli.search import search
from anygram.cli.verify import verify

_GREETING = """\
anygram counts and finds any n-gram of a corpus, exactly. To see it work, copy these:

  anygram demo                                                index text that is on this machine
  anygram build corpus.jsonl -o my-index --tokenizer words    index your own
  anygram count my-index "to be"                              and ask it

anygram --help lists all verbs."""

app = typer.Typer(
    # Plain help needs no rich, which would take longer to load than everything else here.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import anygram

        typer.echo(f"anygram {anygram.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _anygram(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="ANYGRAM_DEBUG", help="Show where an error comes from.")
    ] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Exact n-gram counts, continuations, probabilities and occurrences over a corpus.

    Exit codes: 0 ok, 1 a check found something, 2 usage, 3 input, 4 index, 5 resources, 130 interrupted.
    """
    exits.debug = debug
    if context.invoked_subcommand is None:
        typer.echo(_GREETING)


def _add(verb: exits.Verb, summary: str, example: str) -> None:
    # \b keeps help from joining the lines of the example.
    command = app.command(short_help=summary, epilog=f"\b\nExample:\n  {example}")
    command(exits.handled(verb))


_add(build, "Index a corpus.", "anygram build corpus.jsonl.gz -o my-index --tokenizer words --id-field id")
_add(info, "What an index holds.", "anygram info my-index")
_add(verify, "Check that an index is whole.", "anygram verify my-index --deep")
_add(combine, "Make one index of parts.", "anygram combine part-0 part-1 part-2 -o my-index")
_add(
    convert,
    "Change an index's profile, or whose files it is.",
    "anygram convert my-index -o my-lean-index --profile lean",
)
_add(count, "How often texts occur.", 'anygram count my-index "to be" "or not to be"')
_add(probability, "How likely a token comes next.", 'anygram probability my-index "or not to" "be" --backoff')
_add(continuations, "What comes next.", 'anygram continuations my-index "to be or" --top-k 5')
_add(score, "Each token of a text under the ∞-gram.", 'anygram score my-index "to be or not to be" -o scores.csv')
_add(find, "Where texts occur, in context.", 'anygram find my-index "to be" --limit 5 --width 10')
_add(search, "What stands together.", "anygram search my-index 'question AND (be OR die) NOT slings' --within 9")
_add(document, "Documents by number.", "anygram document my-index 0 1")
_add(
    contamination,
    "Which items of benchmarks stand in a corpus.",
    "anygram contamination my-index humaneval.jsonl --rule llama2 -o report.html",
)
_add(
    decontaminate,
    "Which documents to drop for benchmarks' sake.",
    "anygram decontaminate corpus.jsonl humaneval.jsonl --rule bff --kept clean.jsonl",
)
_add(
    agreement,
    "How far a corpus agrees with texts, token by token.",
    "anygram agreement my-index human.jsonl nucleus.jsonl --by source -o report.html",
)
_add(demo, "Index text that is on this machine.", "anygram demo")
_add(bench, "How fast an index answers here.", "anygram bench my-index")
