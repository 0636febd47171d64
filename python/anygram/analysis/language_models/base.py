"""What all language models over an index have in common."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from anygram.analysis.language_models.sampling import Choices, Sampler
from anygram.arguments import Ngram, Ngrams, each_ngram, integer
from anygram.errors import InvalidQueryError
from anygram.index import Index
from anygram.results.base import Decode, Float64Array, Result, read_only
from anygram.types import DOCUMENT_END, Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Evaluation(Result):
    """How well a language model foretells texts.

    Attributes:
        perplexity: exp of the mean negative log probability of a token; inf if one has probability 0.
        bits_per_byte: negative log2 probability of all tokens, divided by the UTF-8 bytes of the texts; comparable
            between tokenizers. nan for texts that are token ids of an index without a tokenizer.
        num_tokens: tokens scored, the documents' ends among them if they were asked for.
        num_bytes: UTF-8 bytes of the texts; 0 if unknown.
        num_zero: tokens that have probability 0.
        perplexity_of_rest: perplexity over the tokens that have not.
    """

    perplexity: float
    bits_per_byte: float
    num_tokens: int
    num_bytes: int
    num_zero: int
    perplexity_of_rest: float

    @property
    def share_zero(self) -> float:
        """The share of tokens that have probability 0; nan without tokens."""
        return self.num_zero / self.num_tokens if self.num_tokens else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Generation(Result):
    """A text that a language model made.

    Attributes:
        tokens: int64 (n,), what was made, without the prompt and without the document's end.
        logprobs: float64 (m,), the model's own log probability of each, before temperature, top_k and top_p; one more
            for the end if `ended`.
        ended: whether the model ended the document; else `max_new_tokens` were made.
        text: the tokens decoded; None without a tokenizer.
    """

    tokens: Int64Array
    logprobs: Float64Array
    ended: bool
    text: str | None


class LanguageModel(abc.ABC):
    """A distribution over what comes next, from the counts of an index. Made by `anygram.language_model`.

    Probabilities over the vocabulary are arrays of vocab_size + 1 places: the last one is the end of the document.

    Attributes:
        index: where the counts come from.
        order: the longest n-grams that are used, in tokens; None if there is no limit.
    """

    kind: ClassVar[str]

    def __init__(self, index: Index, order: int | None) -> None:
        if index.vocab_size > 1 << 28:
            raise InvalidQueryError(f"a distribution over {index.vocab_size} ids is too large to be of use")
        self.index = index
        self.order = order

    @abc.abstractmethod
    def probs(self, prompt: Ngram = (), *, at_start: bool = True) -> Float64Array:
        """The probability of each token after a prompt: float64 (vocab_size + 1,), the document's end last.

        Args:
            prompt: what stands before it.
            at_start: whether the prompt begins a document. Kneser-Ney looks at that, the others do not.
        """

    @abc.abstractmethod
    def logprobs(self, tokens: Ngram, *, at_start: bool = True, end: bool = False) -> Float64Array:
        """The natural log of the probability of each token of a text given all before it: float64 (n,).

        Args:
            tokens: the text.
            at_start: as in `probs`.
            end: one more row, for the end of the document.
        """

    def probs_batch(self, prompts: Ngrams, *, at_start: bool = True) -> Float64Array:
        """`probs` of each: float64 (n, vocab_size + 1)."""
        rows = [self.probs(prompt, at_start=at_start) for prompt in each_ngram(prompts)]
        return read_only(np.stack(rows) if rows else np.empty((0, self.index.vocab_size + 1)), np.float64)

    def logprobs_batch(self, texts: Ngrams, *, at_start: bool = True, end: bool = False) -> list[Float64Array]:
        """`logprobs` of each."""
        return [self.logprobs(text, at_start=at_start, end=end) for text in each_ngram(texts)]

    def evaluate(self, texts: Ngrams, *, end: bool = False) -> Evaluation:
        """Perplexity and bits per byte of texts, each of them a document.

        Args:
            texts: str or token ids.
            end: also score the documents' ends.
        """
        asked = list(each_ngram(texts))
        return evaluation(self.logprobs_batch(asked, end=end), self._num_bytes(asked))

    def perplexity(self, texts: Ngrams, *, end: bool = False) -> float:
        """`evaluate(texts).perplexity`: exp of the mean negative log probability of a token."""
        return self.evaluate(texts, end=end).perplexity

    def bits_per_byte(self, texts: Ngrams, *, end: bool = False) -> float:
        """`evaluate(texts).bits_per_byte`.

        Raises:
            InvalidQueryError: the texts are token ids, and the index has no tokenizer to say how many bytes they are.
        """
        found = self.evaluate(texts, end=end)
        if not found.num_bytes:
            raise InvalidQueryError("bits per byte need texts, or an index with a tokenizer")
        return found.bits_per_byte

    def generate(
        self,
        prompt: Ngram = (),
        *,
        max_new_tokens: int = 100,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        num_return_sequences: int = 1,
        stop_strings: str | Sequence[str] | None = None,
        seed: int = 0,
    ) -> list[Generation]:
        """Texts that go on from a prompt.

        Args:
            prompt: what stands before them; the beginning of a document.
            max_new_tokens: their greatest length.
            temperature: probabilities are taken to the power 1 / temperature; 0 always takes the most likely token (of
                equals, the smallest id).
            top_k: draw from the k most likely tokens only.
            top_p: draw from the fewest tokens that together have at least this probability.
            num_return_sequences: how many.
            stop_strings: strings that end a text: as soon as it holds one of them, which it keeps.
            seed: the same seed gives the same texts.

        Raises:
            InvalidQueryError: an argument is out of its range, or there are stop strings and no tokenizer.
        """
        sampler = Sampler(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
        integer(max_new_tokens, "max_new_tokens", 0)
        before = self._ids(prompt)
        number = integer(num_return_sequences, "num_return_sequences", 1)
        stops = (stop_strings,) if isinstance(stop_strings, str) else tuple(stop_strings or ())
        if stops and self.index.tokenizer is None:
            raise InvalidQueryError("stop_strings need an index with a tokenizer, which says what text tokens are")
        return [self._generate(before, max_new_tokens, stops, sampler.stream(i)) for i in range(number)]

    def _generate(self, before: list[int], max_new_tokens: int, stops: tuple[str, ...], sampler: Sampler) -> Generation:
        made: list[int] = []
        logprobs: list[float] = []
        ended = False
        while len(made) < max_new_tokens and not ended:
            choices = self._choices(before + made)
            if not len(choices.tokens):
                break
            token, prob = sampler.draw(choices)
            logprobs.append(float(np.log(prob)))
            ended = token == DOCUMENT_END
            if not ended:
                made.append(token)
                if stops and any(stop in self.index.decode(made) for stop in stops):
                    break
        return Generation(
            tokens=read_only(np.array(made, dtype=np.int64), np.int64),
            logprobs=read_only(np.array(logprobs), np.float64),
            ended=ended,
            text=self.index.decode(made) if self.index.tokenizer else None,
        )

    def _choices(self, prompt: Sequence[int]) -> Choices:
        """The tokens that may come next, ascending, the end last."""
        probs = self.probs(prompt)
        tokens = np.flatnonzero(probs)
        chosen = probs[tokens]
        if len(tokens) and tokens[-1] == len(probs) - 1:
            tokens[-1] = DOCUMENT_END
        return Choices(tokens, chosen)

    def _ids(self, prompt: Ngram) -> list[int]:
        if isinstance(prompt, str):
            return list(map(int, self.index.encode(prompt)))
        return [int(token) for token in prompt]

    def _num_bytes(self, texts: Iterable[Ngram]) -> int:
        decode: Decode | None = self.index.decode if self.index.tokenizer else None
        total = 0
        for text in texts:
            if not isinstance(text, str):
                if decode is None:
                    return 0
                text = decode(text)  # type: ignore[arg-type]  # any ids will do  # noqa: PLW2901
            total += len(text.encode("utf-8", "surrogatepass"))
        return total

    def __repr__(self) -> str:
        order = "" if self.order is None else f", order={self.order}"
        return f"{type(self).__name__}({self.index!r}{order})"


def evaluation(logprobs: Sequence[Float64Array], num_bytes: int) -> Evaluation:
    """What log probabilities (natural) of texts of so many bytes amount to."""
    joined = np.concatenate(logprobs) if len(logprobs) else np.empty(0)
    finite = joined[np.isfinite(joined)]
    with np.errstate(over="ignore"):
        perplexity = float(np.exp(-joined.mean())) if len(joined) else float("nan")
        of_rest = float(np.exp(-finite.mean())) if len(finite) else float("nan")
    return Evaluation(
        perplexity=perplexity,
        bits_per_byte=float(-joined.sum() / np.log(2) / num_bytes) if num_bytes else float("nan"),
        num_tokens=len(joined),
        num_bytes=num_bytes,
        num_zero=int(np.isneginf(joined).sum()),
        perplexity_of_rest=of_rest,
    )


def logs(probs: Float64Array) -> Float64Array:
    """Natural logs; of 0, -inf."""
    with np.errstate(divide="ignore"):
        return read_only(np.log(probs), np.float64)
