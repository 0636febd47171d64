"""What the ∞-gram costs a token that transformers generates: with and without MixtureLogitsProcessor.

The model is small and untrained: what a step of it costs is not the point, and is stated beside. Needs torch and
transformers, which `requirements.txt` does not bring: `python benchmarks/generation.py tokens.bin FOLDER`.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
import transformers

import anygram
from anygram.integrations.transformers import MixtureLogitsProcessor
from common import Summary, add_rounds, add_seed, interleave, new_parser, note, seconds_of, write_results
from corpus import Corpus, draw_window
from findings import Line, lines_table, plain_lines

_CALLS = 20  # of the processor alone, that are timed together


def model_of(vocab_size: int) -> transformers.PreTrainedModel:
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=vocab_size, n_positions=1024, n_embd=64, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    return transformers.GPT2LMHeadModel(config).eval()


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("index", type=Path, help="an index of it")
    parser.add_argument("--vocab-size", type=int, default=65_536, help="of the model")
    parser.add_argument("--torch-threads", type=int, default=1, help="what torch computes with")
    parser.add_argument("--new-tokens", type=int, default=100)
    parser.add_argument("--prompt-length", type=int, default=200)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8], help="texts that are made at once")
    add_rounds(parser, 5)
    add_seed(parser)
    arguments = parser.parse_args()
    measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    corpus = Corpus(arguments.corpus)
    random = np.random.default_rng(arguments.seed)
    torch.set_num_threads(arguments.torch_threads)
    model = model_of(arguments.vocab_size)
    lines = []
    with anygram.open(arguments.index) as index:
        processor = MixtureLogitsProcessor(index, anygram.Mixture(sparse=0.8, other=0.3), eos_token_id=0)
        for batch in arguments.batches:
            note(f"batches of {batch}")
            prompts = torch.tensor([draw_window(corpus, arguments.prompt_length, random) for _ in range(batch)])
            options = {
                "min_new_tokens": arguments.new_tokens,
                "max_new_tokens": arguments.new_tokens,
                "do_sample": True,
                "pad_token_id": 0,
            }
            generate = partial(model.generate, prompts, attention_mask=torch.ones_like(prompts), **options)
            runs = {"without": generate, "with": partial(generate, logits_processor=[processor])}
            for run in runs.values():
                run()
            taken = interleave({name: partial(seconds_of, run) for name, run in runs.items()}, arguments.rounds)
            scale = 1e3 / arguments.new_tokens
            without, mixed = ([scale * seconds for seconds in taken[name]] for name in runs)
            overhead = Summary.of(more - less for more, less in zip(mixed, without, strict=True))
            lines += [
                Line(f"a step of generate, {batch} texts, without the processor", "ms", Summary.of(without)),
                Line(f"a step of generate, {batch} texts, with it", "ms", Summary.of(mixed)),
                Line(f"what the processor adds to a step, {batch} texts", "ms", overhead),
            ]
            scores = torch.randn(batch, arguments.vocab_size)
            call = partial(lambda texts, logits: [processor(texts, logits) for _ in range(_CALLS)], prompts, scores)
            soft = partial(lambda logits: [logits.log_softmax(dim=-1) for _ in range(_CALLS)], scores)
            for name, run in {"a call of the processor": call, "of it, the softmax that any needs": soft}.items():
                run()
                found = Summary.of(1e3 * seconds_of(run) / _CALLS for _ in range(arguments.rounds))
                lines.append(Line(f"{name}, {batch} texts from the corpus", "ms", found))
    title = f"{corpus.num_tokens:,} tokens, a vocabulary of {arguments.vocab_size:,}, "
    title += (
        f"prompts of {arguments.prompt_length} tokens, {arguments.new_tokens} new ones; torch {torch.__version__}, "
    )
    title += f"transformers {transformers.__version__}"
    found = {"lines": plain_lines(lines), "corpus": corpus.facts, "torch": torch.__version__}
    write_results(arguments.results, "generation", arguments, found, {title: lines_table(lines)})


if __name__ == "__main__":
    main()
