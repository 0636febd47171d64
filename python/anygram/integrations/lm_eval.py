"""An index as a model of lm-evaluation-harness (PyPI `lm_eval`).

Importing this module registers the model `anygram`::

    lm_eval.simple_evaluate("anygram", model_args="index=my-index,kind=kneser-ney,order=5", tasks=["lambada_openai"])

From the shell, `python -m anygram.integrations.lm_eval` takes the arguments of `lm_eval`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from anygram.analysis.language_models import Kind, language_model
from anygram.arguments import optional_integer
from anygram.errors import InvalidQueryError
from anygram.index import Index
from anygram.opening import open as open_index


@register_model("anygram")
class AnygramLM(LM):  # type: ignore[misc]  # lm_eval has no types
    """A language model over an index, with its own tokenizer.

    A text is a document: what is scored is given all before it, whatever its length, and nothing is truncated. With
    the ∞-gram, most texts have a token of probability 0, and so a log likelihood of -inf.

    Args:
        index: the folder of an index that has a tokenizer.
        kind: "kneser-ney" or "infinity", as in `anygram.language_model`.
        order: as there.
        seed: of what is drawn, if a task draws.
        threads: how many CPUs to use; None for all.
    """

    def __init__(
        self,
        index: str,
        kind: Kind = "kneser-ney",
        order: int | None = None,
        seed: int = 0,
        threads: int | None = None,
        **_: Any,  # batch_size, device and the like, which say nothing here
    ) -> None:
        super().__init__()
        if kind == "stupid-backoff":
            raise InvalidQueryError("stupid backoff gives scores, not probabilities: there is nothing to evaluate")
        opened: Index = open_index(index, threads=optional_integer(threads, "threads", 1))
        if opened.tokenizer is None:
            raise InvalidQueryError(f"{index} is an index of token ids; the tasks are texts, which need a tokenizer")
        self._index = opened
        self._seed = seed
        self._model = language_model(opened, kind, order)

    @property
    def tokenizer_name(self) -> str:
        """What the index's tokenizer is called."""
        return self._index.tokenizer.spec if self._index.tokenizer else ""

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:  # noqa: ARG002
        """Of each (context, continuation) the log probability, and whether each token of it is the most likely one."""
        texts = [self._encoded(*request.args) for request in requests]
        scored = self._model.logprobs_batch([tokens for tokens, _ in texts])
        answers = []
        for (tokens, begin), logprobs in zip(texts, scored, strict=True):
            own = logprobs[begin:]
            answers.append((float(own.sum()), self._is_greedy(tokens, begin, own)))
        return answers

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:  # noqa: ARG002
        """The log probability of each text, as a document's beginning."""
        texts = [self._index.encode(request.args[0]) for request in requests]
        return [float(logprobs.sum()) for logprobs in self._model.logprobs_batch(texts)]

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:  # noqa: ARG002
        """What the model makes of each context, up to the first of the strings that end it."""
        return [self._generated(*request.args) for request in requests]

    def _encoded(self, context: str, continuation: str) -> tuple[list[int], int]:
        """The tokens of both as one text, and where the continuation begins: spaces between the two belong to it."""
        stripped = context.rstrip()
        whole = self._index.encode(context + continuation)
        return list(map(int, whole)), len(self._index.encode(stripped)) if stripped else 0

    def _is_greedy(self, tokens: list[int], begin: int, logprobs: np.ndarray) -> bool:
        for place, logprob in zip(range(begin, len(tokens)), logprobs, strict=True):
            if logprob > np.log(0.5):
                continue
            if np.isneginf(logprob) or int(np.argmax(self._model.probs(tokens[:place]))) != tokens[place]:
                return False
        return True

    def _generated(self, context: str, options: Mapping[str, Any]) -> str:
        until = options.get("until") or []
        stops = [until] if isinstance(until, str) else [stop for stop in until if stop]
        draws = bool(options.get("do_sample", False))
        made = self._model.generate(
            context,
            max_new_tokens=options.get("max_gen_toks", options.get("max_new_tokens", 256)),
            temperature=float(options.get("temperature", 1.0)) if draws else 0.0,
            top_k=options.get("top_k") or None,
            top_p=float(options.get("top_p", 1.0)),
            stop_strings=stops,
            seed=self._seed,
        )[0]
        text = made.text or ""
        ends = [text.find(stop) for stop in stops if stop in text]
        return text[: min(ends)] if ends else text


if __name__ == "__main__":
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()
