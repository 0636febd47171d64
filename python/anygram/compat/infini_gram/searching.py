"""Documents: drawn from what a query finds, or by rank, pointer or number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from anygram.compat.infini_gram import checks
from anygram.compat.infini_gram.base import EngineBase, chosen, failed
from anygram.compat.infini_gram.cnf import find_places, needle_length
from anygram.compat.infini_gram.documents import beginning, split, window
from anygram.compat.infini_gram.models import (
    CnfType,
    DocResult,
    InfiniGramEngineResponse,
    QueryIdsType,
    SearchDocsResponse,
)


class DocumentMethods(EngineBase):
    """The methods that give documents."""

    def search_docs(
        self, input_ids: QueryIdsType, maxnum: int | None = None, max_disp_len: int | None = None
    ) -> InfiniGramEngineResponse[SearchDocsResponse]:
        """Documents of occurrences of an n-gram, drawn without replacement; each call draws anew."""
        maxnum, length = chosen(maxnum, self.maxnum), chosen(max_disp_len, self.max_disp_len)
        error = checks.positive(maxnum=maxnum, max_disp_len=length) or self._check_ids("input_ids", input_ids)
        if error:
            return failed(error)
        segments = self._source.segments(input_ids)
        before, after = split(length, len(input_ids))
        idxs: list[int] = []
        found: list[DocResult] = []
        for number in self._shuffled(sum(end - begin for begin, end in segments)):
            if len(found) == maxnum:
                break
            s, offset = _place([end - begin for begin, end in segments], number)
            position = self._shard(s).position(segments[s][0] + offset)
            document = window(self._source, s, position, before=before, after=after, needle=len(input_ids))
            if not document["blocked"]:
                idxs.append(number)
                found.append(document)
        return {"cnt": self._source.count(input_ids), "approx": False, "idxs": idxs, "documents": found}

    def search_docs_cnf(
        self,
        cnf: CnfType,
        maxnum: int | None = None,
        max_disp_len: int | None = None,
        max_clause_freq: int | None = None,
        max_diff_tokens: int | None = None,
    ) -> InfiniGramEngineResponse[SearchDocsResponse]:
        """Documents of places that satisfy a boolean query, drawn without replacement."""
        maxnum, length = chosen(maxnum, self.maxnum), chosen(max_disp_len, self.max_disp_len)
        distance = chosen(max_diff_tokens, self.max_diff_tokens)
        error = checks.positive(
            maxnum=maxnum,
            max_disp_len=length,
            max_clause_freq=chosen(max_clause_freq, self.max_clause_freq),
            max_diff_tokens=distance,
        ) or self._check_cnf(cnf)
        if error:
            return failed(error)
        places = find_places(self._source, cnf, distance) or []
        sizes = list(map(len, places))
        idxs = list(islice(self._shuffled(sum(sizes)), maxnum))
        found = []
        for number in idxs:
            s, offset = _place(sizes, number)
            position = int(places[s][offset])
            needle = needle_length(self._source, s, position, cnf)
            before, after = split(length, needle)
            found.append(window(self._source, s, position, before=before, after=after, needle=needle))
        return {"cnt": sum(sizes), "approx": False, "idxs": idxs, "documents": found}

    # --- by rank or pointer, half of the tokens on either side

    def get_doc_by_rank(
        self, s: int, rank: int, max_disp_len: int | None = None
    ) -> InfiniGramEngineResponse[DocResult]:
        """The document where a rank of a shard stands."""
        length = chosen(max_disp_len, self.max_disp_len)
        error = checks.positive(max_disp_len=length) or self._check_rank(s, rank)
        return failed(error) if error else self._half_and_half(s, self._shard(s).position(rank), length)

    def get_docs_by_ranks(
        self, list_of_s_and_rank: list[tuple[int, int]], max_disp_len: int | None = None
    ) -> InfiniGramEngineResponse[list[DocResult]]:
        """`get_doc_by_rank` of each."""
        length = chosen(max_disp_len, self.max_disp_len)
        errors = (self._check_rank(s, rank) for s, rank in list_of_s_and_rank)
        if error := checks.positive(max_disp_len=length) or checks.first(errors):
            return failed(error)
        return [self._half_and_half(s, self._shard(s).position(rank), length) for s, rank in list_of_s_and_rank]

    def get_doc_by_ptr(self, s: int, ptr: int, max_disp_len: int | None = None) -> InfiniGramEngineResponse[DocResult]:
        """The document where a pointer into a shard stands."""
        length = chosen(max_disp_len, self.max_disp_len)
        error = checks.positive(max_disp_len=length) or self._check_pointer(s, ptr)
        return failed(error) if error else self._half_and_half(s, ptr // self.token_width, length)

    def get_docs_by_ptrs(
        self, list_of_s_and_ptr: list[tuple[int, int]], max_disp_len: int | None = None
    ) -> InfiniGramEngineResponse[list[DocResult]]:
        """`get_doc_by_ptr` of each."""
        length = chosen(max_disp_len, self.max_disp_len)
        errors = (self._check_pointer(s, ptr) for s, ptr in list_of_s_and_ptr)
        if error := checks.positive(max_disp_len=length) or checks.first(errors):
            return failed(error)
        return [self._half_and_half(s, ptr // self.token_width, length) for s, ptr in list_of_s_and_ptr]

    # --- by rank or pointer, around a needle of known length

    def get_doc_by_rank_2(
        self, s: int, rank: int, needle_len: int, max_ctx_len: int
    ) -> InfiniGramEngineResponse[DocResult]:
        """The document where a rank stands: the needle, and as many tokens on either side."""
        error = checks.not_negative(needle_len=needle_len, max_ctx_len=max_ctx_len) or self._check_rank(s, rank)
        return failed(error) if error else self._around(s, self._shard(s).position(rank), needle_len, max_ctx_len)

    def get_docs_by_ranks_2(
        self, requests: list[tuple[int, int, int, int]]
    ) -> InfiniGramEngineResponse[list[DocResult]]:
        """`get_doc_by_rank_2` of each."""
        errors = (
            checks.not_negative(needle_len=needle, max_ctx_len=context) or self._check_rank(s, rank)
            for s, rank, needle, context in requests
        )
        if error := checks.first(errors):
            return failed(error)
        return [
            self._around(s, self._shard(s).position(rank), needle, context) for s, rank, needle, context in requests
        ]

    def get_doc_by_ptr_2(
        self, s: int, ptr: int, needle_len: int, max_ctx_len: int
    ) -> InfiniGramEngineResponse[DocResult]:
        """The document where a pointer stands: the needle, and as many tokens on either side."""
        error = checks.not_negative(needle_len=needle_len, max_ctx_len=max_ctx_len) or self._check_pointer(s, ptr)
        return failed(error) if error else self._around(s, ptr // self.token_width, needle_len, max_ctx_len)

    def get_docs_by_ptrs_2(
        self, requests: list[tuple[int, int, int, int]]
    ) -> InfiniGramEngineResponse[list[DocResult]]:
        """`get_doc_by_ptr_2` of each."""
        errors = (
            checks.not_negative(needle_len=needle, max_ctx_len=context) or self._check_pointer(s, ptr)
            for s, ptr, needle, context in requests
        )
        if error := checks.first(errors):
            return failed(error)
        return [self._around(s, ptr // self.token_width, needle, context) for s, ptr, needle, context in requests]

    # --- by number

    def get_doc_by_ix(self, doc_ix: int, max_disp_len: int | None = None) -> InfiniGramEngineResponse[DocResult]:
        """The beginning of the document of that number."""
        length = chosen(max_disp_len, self.max_disp_len)
        error = checks.positive(max_disp_len=length) or self._check_document(doc_ix)
        return failed(error) if error else beginning(self._source, doc_ix, length)

    def get_docs_by_ixs(
        self, list_of_doc_ix: list[int], max_disp_len: int | None = None
    ) -> InfiniGramEngineResponse[list[DocResult]]:
        """`get_doc_by_ix` of each."""
        length = chosen(max_disp_len, self.max_disp_len)
        errors = map(self._check_document, list_of_doc_ix)
        if error := checks.positive(max_disp_len=length) or checks.first(errors):
            return failed(error)
        return [beginning(self._source, number, length) for number in list_of_doc_ix]

    def get_doc_by_ix_2(self, doc_ix: int, max_ctx_len: int) -> InfiniGramEngineResponse[DocResult]:
        """The beginning of the document of that number."""
        error = checks.not_negative(max_ctx_len=max_ctx_len) or self._check_document(doc_ix)
        return failed(error) if error else beginning(self._source, doc_ix, max_ctx_len)

    def get_docs_by_ixs_2(self, requests: list[tuple[int, int]]) -> InfiniGramEngineResponse[list[DocResult]]:
        """`get_doc_by_ix_2` of each."""
        errors = (
            checks.not_negative(max_ctx_len=context) or self._check_document(number) for number, context in requests
        )
        if error := checks.first(errors):
            return failed(error)
        return [beginning(self._source, number, context) for number, context in requests]

    # --- helpers

    def _half_and_half(self, s: int, position: int, length: int) -> DocResult:
        before, after = split(length)
        return window(self._source, s, position, before=before, after=after, needle=1)

    def _around(self, s: int, position: int, needle: int, context: int) -> DocResult:
        return window(self._source, s, position, before=context, after=needle + context, needle=needle)

    def _shuffled(self, size: int) -> Iterator[int]:
        """The numbers below `size` in random order. Cost: by how many are taken."""
        moved: dict[int, int] = {}
        for place in range(size):
            other = self._random.randrange(place, size)
            yield moved.get(other, other)
            moved[other] = moved.get(place, place)


def _place(sizes: Sequence[int], number: int) -> tuple[int, int]:
    """Which of several lists holds an element of their concatenation, and where."""
    for which, size in enumerate(sizes):
        if number < size:
            return which, number
        number -= size
    raise AssertionError("the sizes hold as many as the sum says")
