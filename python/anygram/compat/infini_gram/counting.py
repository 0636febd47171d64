"""How often: find, count, prob, ntd and the ∞-gram forms of these."""

from __future__ import annotations

from collections.abc import Sequence

from anygram.compat.infini_gram import checks
from anygram.compat.infini_gram.base import EngineBase, chosen, failed
from anygram.compat.infini_gram.cnf import find_places
from anygram.compat.infini_gram.models import (
    CnfType,
    CountResponse,
    FindCnfResponse,
    FindResponse,
    InfGramNtdResponse,
    InfGramProbResponse,
    InfiniGramEngineResponse,
    NtdResponse,
    ProbResponse,
    QueryIdsType,
)


class CountingMethods(EngineBase):
    """The methods that count."""

    def find(self, input_ids: QueryIdsType) -> InfiniGramEngineResponse[FindResponse]:
        """How often an n-gram occurs, and its ranks in each shard."""
        if error := self._check_ids("input_ids", input_ids):
            return failed(error)
        return {"cnt": self._source.count(input_ids), "segment_by_shard": self._source.segments(input_ids)}

    def find_cnf(
        self, cnf: CnfType, max_clause_freq: int | None = None, max_diff_tokens: int | None = None
    ) -> InfiniGramEngineResponse[FindCnfResponse]:
        """The places that satisfy a boolean query: all of them, whatever `max_clause_freq` says."""
        if error := self._check_boolean(cnf, max_clause_freq, max_diff_tokens):
            return failed(error)
        places = find_places(self._source, cnf, chosen(max_diff_tokens, self.max_diff_tokens))
        pointers = [(positions * self.token_width).tolist() for positions in places or []]
        return {"cnt": sum(map(len, pointers)), "approx": False, "ptrs_by_shard": pointers}

    def count(self, input_ids: QueryIdsType) -> InfiniGramEngineResponse[CountResponse]:
        """How often an n-gram occurs; of the empty one, all tokens and a separator for each document."""
        if error := self._check_ids("input_ids", input_ids):
            return failed(error)
        return {"count": self._source.count(input_ids), "approx": False}

    def count_cnf(
        self, cnf: CnfType, max_clause_freq: int | None = None, max_diff_tokens: int | None = None
    ) -> InfiniGramEngineResponse[CountResponse]:
        """How many places satisfy a boolean query."""
        if error := self._check_boolean(cnf, max_clause_freq, max_diff_tokens):
            return failed(error)
        places = find_places(self._source, cnf, chosen(max_diff_tokens, self.max_diff_tokens))
        return {"count": sum(map(len, places or [])), "approx": False}

    def prob(self, prompt_ids: QueryIdsType, cont_id: int) -> InfiniGramEngineResponse[ProbResponse]:
        """How likely a token follows the prompt. `eos_token_id` stands for the end of a document, as in `ntd`."""
        if error := self._check_prompt_and_token(prompt_ids, cont_id):
            return failed(error)
        return self._probability(prompt_ids, cont_id)

    def ntd(self, prompt_ids: QueryIdsType, max_support: int | None = None) -> InfiniGramEngineResponse[NtdResponse]:
        """What follows the prompt: exact, whatever `max_support` says."""
        if error := self._check_prompt(prompt_ids, max_support):
            return failed(error)
        return self._distribution(prompt_ids)

    def infgram_prob(self, prompt_ids: QueryIdsType, cont_id: int) -> InfiniGramEngineResponse[InfGramProbResponse]:
        """`prob` after the longest suffix of the prompt that occurs."""
        if error := self._check_prompt_and_token(prompt_ids, cont_id):
            return failed(error)
        suffix = self._suffix(prompt_ids)
        return {**self._probability(suffix, cont_id), "suffix_len": len(suffix)}

    def infgram_ntd(
        self, prompt_ids: QueryIdsType, max_support: int | None = None
    ) -> InfiniGramEngineResponse[InfGramNtdResponse]:
        """`ntd` after the longest suffix of the prompt that occurs."""
        if error := self._check_prompt(prompt_ids, max_support):
            return failed(error)
        suffix = self._suffix(prompt_ids)
        return {**self._distribution(suffix), "suffix_len": len(suffix)}

    # --- helpers

    def _check_boolean(self, cnf: object, max_clause_freq: object, max_diff_tokens: object) -> str | None:
        limits = checks.positive(
            max_clause_freq=chosen(max_clause_freq, self.max_clause_freq),
            max_diff_tokens=chosen(max_diff_tokens, self.max_diff_tokens),
        )
        return limits or self._check_cnf(cnf)

    def _check_prompt(self, prompt_ids: object, max_support: object) -> str | None:
        limits = checks.positive(max_support=chosen(max_support, self.max_support))
        return limits or self._check_ids("prompt_ids", prompt_ids)

    def _check_prompt_and_token(self, prompt_ids: object, cont_id: object) -> str | None:
        # An empty prompt is taken all the same, as theirs is.
        prompt = self._check_ids("prompt_ids", prompt_ids, "non-empty list")
        return prompt or checks.below("cont_id", cont_id, self.token_id_max + 1, f"[0, {self.token_id_max}]")

    def _probability(self, prompt: Sequence[int], token: int) -> ProbResponse:
        prompt_count = self._source.count(prompt)
        if not prompt_count:
            return {"prompt_cnt": 0, "cont_cnt": 0, "prob": -1.0}
        count = self._source.follows(prompt, token)
        if token == self._eos_token_id != self._source.separator:
            count += self._source.follows(prompt, self._source.separator)
        return {"prompt_cnt": prompt_count, "cont_cnt": count, "prob": count / prompt_count}

    def _distribution(self, prompt: Sequence[int]) -> NtdResponse:
        counts = self._source.following(prompt)
        ends = counts.pop(self._source.separator, 0)
        if ends:
            counts[self._eos_token_id] = counts.get(self._eos_token_id, 0) + ends
        total = sum(counts.values())
        return {
            "prompt_cnt": total,
            "result_by_token_id": {
                token: {"cont_cnt": count, "prob": count / total} for token, count in sorted(counts.items())
            },
            "approx": False,
        }

    def _suffix(self, prompt: Sequence[int]) -> Sequence[int]:
        return prompt[len(prompt) - self._source.longest_suffix(prompt) :]
