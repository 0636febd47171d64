"""The dictionaries that the engine returns and takes, by infini-gram's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypedDict, TypeVar

QueryIdsType: TypeAlias = Sequence[int]
CnfType: TypeAlias = Sequence[Sequence[Sequence[int]]]


class ErrorResponse(TypedDict):
    """What every method returns for arguments that it does not take."""

    error: str


T = TypeVar("T")
InfiniGramEngineResponse: TypeAlias = ErrorResponse | T


class FindResponse(TypedDict):
    """How often an n-gram occurs, and its ranks ``(begin, end)`` in each shard."""

    cnt: int
    segment_by_shard: list[tuple[int, int]]


class FindCnfResponse(TypedDict):
    """How many places satisfy a CNF, and each shard's pointers to them; no list at all if a clause never occurs."""

    cnt: int
    approx: bool
    ptrs_by_shard: list[list[int]]


class CountResponse(TypedDict):
    """A number of occurrences."""

    count: int
    approx: bool


class ProbResponse(TypedDict):
    """A probability; -1.0 after a prompt that does not occur."""

    prompt_cnt: int
    cont_cnt: int
    prob: float


class DistTokenResult(TypedDict):
    """One token of a distribution."""

    cont_cnt: int
    prob: float


class NtdResponse(TypedDict):
    """What follows a prompt, by token id, ascending."""

    prompt_cnt: int
    result_by_token_id: dict[int, DistTokenResult]
    approx: bool


class InfGramProbResponse(ProbResponse):
    """A probability after the longest suffix of the prompt that occurs."""

    suffix_len: int


class InfGramNtdResponse(NtdResponse):
    """What follows the longest suffix of the prompt that occurs."""

    suffix_len: int


class DocResult(TypedDict):
    """A document, or a window of it."""

    doc_ix: int
    doc_len: int
    disp_len: int
    needle_offset: int
    metadata: str
    token_ids: list[int]
    blocked: bool


class SearchDocsResponse(TypedDict):
    """Documents drawn from all occurrences; `idxs` are the numbers of these occurrences."""

    cnt: int
    approx: bool
    idxs: list[int]
    documents: list[DocResult]


class CreativityResponse(TypedDict):
    """For each token, where the longest n-gram from there on that occurs ends."""

    rs: list[int]


class AttributionDoc(TypedDict):
    """Where a span occurs: a shard, and a byte offset in its token stream."""

    s: int
    ptr: int


class AttributionSpan(TypedDict):
    """Tokens ``[l, r)`` of the input that occur in the corpus, and where."""

    l: int  # noqa: E741  # infini-gram's name
    r: int
    length: int
    count: int
    unigram_logprob_sum: float
    docs: list[AttributionDoc]


class AttributionResponse(TypedDict):
    """The spans of a text that occur."""

    spans: list[AttributionSpan]


class GetDocsByPtrsRequestWithTakedown(TypedDict):
    """One span's documents to fetch."""

    docs: list[AttributionDoc]
    span_ids: list[int]
    needle_len: int
    max_ctx_len: int
