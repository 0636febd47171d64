"""The ∞-gram inside Hugging Face transformers: mixed into what a model says, or drafting what it verifies.

Token ids of the model and of the index must be the same: build the index with the model's tokenizer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor
from transformers.cache_utils import Cache, DynamicCache

from anygram.analysis.mixture import Mixture
from anygram.arguments import integer
from anygram.errors import InvalidQueryError
from anygram.index import Index
from anygram.results import Continuations
from anygram.results.base import Float64Array
from anygram.types import DOCUMENT_END, Int64Array


class MixtureLogitsProcessor(LogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """Mixes the ∞-gram's distribution into a model's, at each token that `generate` makes.

    ``model.generate(..., logits_processor=[MixtureLogitsProcessor(index, mixture)])``. The mixture is of the model's
    probabilities as they reach this processor: before temperature, top_k and top_p, which come later.

    Args:
        index: the corpus.
        mixture: the weights of the ∞-gram.
        eos_token_id: the id that ends a text, which the document's end counts for; None: its share is lost.
        prompt_length: how many of the last tokens the ∞-gram may look at; None for all.
    """

    def __init__(
        self, index: Index, mixture: Mixture, *, eos_token_id: int | None = None, prompt_length: int | None = None
    ) -> None:
        self._index = index
        self._mixture = mixture
        self._eos_token_id = eos_token_id
        self._prompt_length = prompt_length

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """The log probabilities of the mixture: float (batch, vocabulary).

        Args:
            input_ids: long (batch, length), all tokens so far.
            scores: float (batch, vocabulary), the model's logits.
        """
        mixed = scores.log_softmax(dim=-1)
        if self._mixture.sparse == self._mixture.other == 0:
            return mixed
        prompts = input_ids if self._prompt_length is None else input_ids[:, -self._prompt_length :]
        found = self._index.continuations_batch(prompts.cpu().numpy(), backoff=True)
        for row, continuations in zip(mixed, found, strict=True):
            weight = self._mixture.sparse if continuations.num_distinct == 1 else self._mixture.other
            if weight == 0 or not continuations.prompt_count:
                continue
            places, probs = self._within(continuations, scores.shape[-1])
            tokens = torch.from_numpy(places).to(row.device)
            infinity = torch.from_numpy(probs).to(row)
            # Most of the vocabulary has the model's share alone: only where the ∞-gram has one is there more to do.
            own = (weight * infinity + (1 - weight) * row[tokens].exp()).log()
            row.add_(math.log1p(-weight) if weight < 1 else -math.inf)
            row[tokens] = own
        return mixed

    def _within(self, continuations: Continuations, size: int) -> tuple[Int64Array, Float64Array]:
        """The tokens that the model has a place for, each once, and the ∞-gram's probability of each."""
        tokens, probs = continuations.tokens, continuations.probs
        if len(tokens) and tokens[-1] == DOCUMENT_END:  # the end comes last
            end, tokens, probs = probs[-1], tokens[:-1], probs[:-1]
            if self._eos_token_id is not None:
                place = int(np.searchsorted(tokens, self._eos_token_id))
                if place == len(tokens) or tokens[place] != self._eos_token_id:
                    tokens, probs = np.insert(tokens, place, self._eos_token_id), np.insert(probs, place, 0.0)
                probs = probs + end * (np.arange(len(probs)) == place)
        if len(tokens) and tokens[-1] >= size:
            raise InvalidQueryError(
                f"the index has token {tokens[-1]}, and the model a vocabulary of {size}: they do not share a tokenizer"
            )
        return np.array(tokens), np.array(probs)  # torch takes no arrays that are read-only


class CorpusDrafter:
    """Assisted generation without an assistant: the corpus proposes what comes next, and the model verifies it.

    ``model.generate(..., custom_generate=CorpusDrafter(index))``. While the longest suffix of the text that occurs has
    one continuation only, that is the draft; the model then reads all of it in one step, and keeps what it would have
    said itself. What is made is exactly what the model makes alone: the same tokens when it is greedy, the same
    distribution when it draws. One text at a time.

    Args:
        index: the corpus.
        num_draft_tokens: the longest draft.
        min_suffix_length: draft only where a suffix of at least so many tokens occurs.

    Attributes:
        num_steps: how often models were asked, since this was made.
        num_drafted: tokens that were proposed.
        num_accepted: those of them that were kept.
    """

    def __init__(self, index: Index, *, num_draft_tokens: int = 10, min_suffix_length: int = 2) -> None:
        self._index = index
        self._num_draft_tokens = integer(num_draft_tokens, "num_draft_tokens", 1)
        self._min_suffix_length = integer(min_suffix_length, "min_suffix_length", 0)
        self.num_steps = 0
        self.num_drafted = 0
        self.num_accepted = 0

    def draft(self, tokens: Sequence[int]) -> list[int]:
        """What follows a text in the corpus, as long as it is certain."""
        made: list[int] = []
        text = list(tokens)
        while len(made) < self._num_draft_tokens:
            found = self._index.continuations(text, backoff=True, top_k=1)
            is_certain = found.num_distinct == 1 and found.suffix_length >= self._min_suffix_length
            if not is_certain or found.tokens[0] == DOCUMENT_END:
                break
            made.append(int(found.tokens[0]))
            text.append(made[-1])
        return made

    def __call__(
        self,
        model: Any,
        input_ids: torch.LongTensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **_: Any,
    ) -> torch.LongTensor:
        """The decoding loop that `generate` calls."""
        if input_ids.shape[0] != 1:
            raise InvalidQueryError(f"CorpusDrafter makes one text at a time, found a batch of {input_ids.shape[0]}")
        with torch.no_grad():
            return self._decode(model, input_ids, logits_processor, stopping_criteria, generation_config)

    def _decode(
        self,
        model: Any,
        input_ids: torch.LongTensor,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
    ) -> torch.LongTensor:
        cache: Cache = DynamicCache()
        # What older releases call past_key_values.
        named = {"cache" if "cache" in signature(model.forward).parameters else "past_key_values": cache}
        while True:
            draft = self.draft(input_ids[0].tolist())
            room = generation_config.max_length - input_ids.shape[1] - 1
            draft = draft[: max(0, room)]
            candidate = torch.cat([input_ids, input_ids.new_tensor([draft])], dim=1)
            unread = candidate[:, cache.get_seq_length() :]
            logits = model(unread, use_cache=True, **named).logits[:, -len(draft) - 1 :]
            self.num_steps += 1
            self.num_drafted += len(draft)
            for place in range(len(draft) + 1):
                scores = logits_processor(input_ids, logits[:, place].float())
                proposed = draft[place] if place < len(draft) else None
                token, is_accepted = self._verify(scores[0], proposed, draws=generation_config.do_sample)
                input_ids = torch.cat([input_ids, input_ids.new_tensor([[token]])], dim=1)
                self.num_accepted += is_accepted
                if bool(stopping_criteria(input_ids, None).all()):
                    return input_ids
                if not is_accepted:
                    break
            num_wrong = candidate.shape[1] - (input_ids.shape[1] - 1)
            if num_wrong:
                cache.crop(-num_wrong)

    @staticmethod
    def _verify(scores: torch.Tensor, proposed: int | None, *, draws: bool) -> tuple[int, bool]:
        """The next token, and whether it is the one proposed (or, with none proposed, False)."""
        if not draws:
            token = int(scores.argmax())
            return token, token == proposed
        probs = scores.softmax(dim=-1)
        if proposed is not None:
            if float(torch.rand(())) < float(probs[proposed]):
                return proposed, True
            probs[proposed] = 0  # what is left is what the model would say, given that it is not the proposed one
        return int(torch.multinomial(probs, 1)), False
