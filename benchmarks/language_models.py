"""Kneser-Ney: how many tokens a second are scored, and what a model takes; beside KenLM, of the same text.

KenLM's builder is no part of its package: `lmplz` and `build_binary` are looked for on the PATH, or given. Without them
anygram is alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import anygram
from builds import build_anygram, write_cut
from common import Summary, add_rounds, interleave, new_parser, note, seconds_of, warm, write_results
from corpus import Corpus, Tokens
from findings import Line, lines_table, one, plain_lines

_ORDER = 5
#: KenLM keeps logarithms to base 10 as 4-byte floats, of probabilities and of backoffs, and adds them up.
_TOLERANCE = 2e-4


class Kenlm(NamedTuple):
    """KenLM's programs, and where its files go."""

    lmplz: Path
    build_binary: Path
    folder: Path
    memory: str

    def build(self, text: Path, order: int) -> tuple[Any, float, int]:
        """The model (its hash table), the seconds it took, and its bytes."""
        import kenlm

        arpa, binary = self.folder / "model.arpa", self.folder / f"model-{order}.bin"
        estimate = [self.lmplz, "-o", order, "-S", self.memory, "-T", self.folder, "--text", text, "--arpa", arpa]
        started = time.perf_counter()
        for command in ([*estimate, "--discount_fallback"], [self.build_binary, "probing", arpa, binary]):
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
        seconds = time.perf_counter() - started
        arpa.unlink()
        return kenlm.Model(str(binary)), seconds, binary.stat().st_size


def sentence(document: Tokens) -> str:
    """A document as KenLM has it: a word for each id."""
    return " ".join(f"w{token}" for token in document.tolist())


def documents_of(corpus: Corpus, begin: int, end: int) -> list[Tokens]:
    """Documents by number."""
    starts = np.concatenate([[0], corpus.ends[:-1] + 1])
    pieces = zip(starts[begin:end].tolist(), corpus.ends[begin:end].tolist(), strict=True)
    return [np.array(corpus.stream[start:stop]) for start, stop in pieces]


def kenlm_logs(model: Any, text: str) -> NDArray[np.float64]:
    return np.array([found[0] for found in model.full_scores(text, bos=True, eos=True)])


def compare(index: anygram.Index, order: int, model: Any, texts: list[Tokens], sentences: list[str]) -> float:
    """The largest difference of a token's log10; stops if it is too large."""
    ours = anygram.language_model(index, "kneser-ney", order).logprobs_batch(texts, end=True)
    worst = max(
        float(np.abs(found / np.log(10) - kenlm_logs(model, text)).max())
        for found, text in zip(ours, sentences, strict=True)
    )
    if worst > _TOLERANCE:
        raise SystemExit(f"order {order}: anygram and KenLM differ by {worst}; nothing is timed")
    return worst


def time_scoring(folder: Path, theirs: Any, texts: list[Tokens], sentences: list[str], rounds: int) -> list[Line]:
    """Tokens a second, ends included."""
    number = sum(map(len, texts)) + len(texts)
    lines = []
    with anygram.open(folder, threads=1) as single, anygram.open(folder) as index:
        for threads, opened in {"one core": single, "all cores": index}.items():
            model = anygram.language_model(opened, "kneser-ney", _ORDER)
            runs: dict[str, Callable[[], object]] = {"anygram": partial(model.logprobs_batch, texts, end=True)}
            if theirs is not None and threads == "one core":
                runs["kenlm"] = lambda: [theirs.score(text) for text in sentences]
            for run in runs.values():
                run()
            found = interleave({name: partial(seconds_of, run) for name, run in runs.items()}, rounds)
            summaries = [Summary.of(number / seconds for seconds in found[name]) for name in runs]
            lines.append(Line(f"order {_ORDER}, whole texts, {threads}", "tokens/s", *summaries))
        prompts = [text[: len(text) // 2].tolist() for text in texts[:50]]
        distributions = partial(lambda: [model.probs(prompt) for prompt in prompts])
        distributions()
        taken = Summary.of(1e3 * seconds_of(distributions) / len(prompts) for _ in range(rounds))
        lines.append(Line(f"order {_ORDER}, the distribution after a prompt, over all ids", "ms", taken))
    return lines


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for the indexes and models, which are removed again")
    parser.add_argument("--tokens", type=int, default=20_000_000, help="of the corpus, from its beginning: to count")
    parser.add_argument("--scored-tokens", type=int, default=500_000, help="of its end: to score")
    parser.add_argument("--orders", type=int, nargs="*", default=[2, 3, 4], help="to compare, besides 5")
    parser.add_argument("--lmplz", type=Path, default=shutil.which("lmplz"), help="KenLM's estimator")
    parser.add_argument("--build-binary", type=Path, default=shutil.which("build_binary"), help="KenLM's converter")
    parser.add_argument("--kenlm-memory", default="4G", help="of lmplz")
    add_rounds(parser, 5)
    arguments = parser.parse_args()

    whole = Corpus(arguments.corpus)
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    first = int(np.searchsorted(whole.ends, len(whole.stream) - arguments.scored_tokens))
    texts = documents_of(whole, first, whole.num_documents)
    sentences = list(map(sentence, texts))
    tokens = write_cut(whole.stream, min(arguments.tokens, int(whole.ends[first - 1])), folder / "tokens.bin")
    corpus = Corpus(tokens)
    ours = folder / "anygram"
    note("building")
    build_anygram(tokens, ours)
    warm(ours)

    theirs = None
    built: dict[int, tuple[float, int]] = {}
    differences: dict[int, float] = {}
    if arguments.lmplz and arguments.build_binary:
        kenlm = Kenlm(arguments.lmplz, arguments.build_binary, folder, arguments.kenlm_memory)
        text = folder / "text.txt"
        with text.open("w", encoding="ascii") as file:
            file.writelines(f"{sentence(document)}\n" for document in documents_of(corpus, 0, corpus.num_documents))
        with anygram.open(ours) as index:
            for order in sorted({*arguments.orders, _ORDER}):
                note(f"KenLM, order {order}")
                theirs, *cost = kenlm.build(text, order)
                built[order] = (cost[0], cost[1])
                note(f"comparing: order {order}")
                differences[order] = compare(index, order, theirs, texts, sentences)
        text.unlink()

    with anygram.open(ours) as index:
        made = seconds_of(partial(anygram.language_model, index, "kneser-ney", _ORDER, save=True))
        opening = partial(anygram.language_model, index, "kneser-ney", _ORDER)
        opened = Summary.of(1e3 * seconds_of(opening) for _ in range(arguments.rounds))
        kept = next((ours / "language_models").iterdir()).stat().st_size
        size = index.num_bytes + kept
    peer_cost = built.get(_ORDER)
    lines = [
        Line(f"order {_ORDER}, making a model, all cores", "s", one(made), one(peer_cost[0]) if peer_cost else None),
        Line(f"order {_ORDER}, opening what was kept", "ms", opened),
        Line(
            f"order {_ORDER}, model on the disk (anygram: the index too, {kept / 1e6:,.0f} MB of it counts)",
            "bytes a token",
            one(size / corpus.num_tokens),
            one(peer_cost[1] / corpus.num_tokens) if peer_cost else None,
        ),
        *time_scoring(ours, theirs, texts, sentences, arguments.rounds),
    ]
    shutil.rmtree(folder)
    agreed = ", ".join(f"{order}: {difference:.1e}" for order, difference in differences.items())
    title = f"{corpus.num_tokens:,} tokens counted, {sum(map(len, texts)):,} others scored; "
    title += f"largest difference of a log10 by order: {agreed or 'without a peer'}"
    found = {"lines": plain_lines(lines), "corpus": corpus.facts, "differences": json.loads(json.dumps(differences))}
    write_results(arguments.results, "language_models", arguments, found, {title: lines_table(lines, "KenLM")})


if __name__ == "__main__":
    main()
