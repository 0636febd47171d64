"""infini-gram's two engines: the same constructors, methods, dictionaries and error strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anygram.compat.infini_gram import checks
from anygram.compat.infini_gram.base import failed
from anygram.compat.infini_gram.counting import CountingMethods
from anygram.compat.infini_gram.documents import window
from anygram.compat.infini_gram.models import (
    DocResult,
    GetDocsByPtrsRequestWithTakedown,
    InfiniGramEngineResponse,
)
from anygram.compat.infini_gram.searching import DocumentMethods
from anygram.compat.infini_gram.tracing import TracingMethods


class InfiniGramEngine(CountingMethods, DocumentMethods, TracingMethods):
    """Answers about an index that infini-gram built.

    Args:
        index_dir: its directory, or a list of directories that are opened as one.
        eos_token_id: the id that stands for a document's end in distributions.
        vocab_size: ids below it are listed by `compute_unigram_counts`.
        version: 4, or 5 if the documents run backwards.
        token_dtype: "u8", "u16" or "u32".
        load_to_ram: reads the files into memory first.
        ds_prefetch_depth: accepted; there is nothing to tune.
        sa_prefetch_depth: accepted.
        od_prefetch_depth: accepted.
        bow_ids_path: a file with the ids that begin a word, one on each line.
        attribution_block_size: accepted.
        precompute_unigram_logprobs: lets `attribute` sum the tokens' log probabilities.
        prev_shards_by_index_dir: accepted; opening a directory again costs next to nothing.
        max_support: accepted; distributions are exact.
        max_clause_freq: accepted; boolean queries are exact.
        max_diff_tokens: how far apart the clauses of a boolean query may be.
        maxnum: how many documents a search gives.
        max_disp_len: how many tokens of a document are shown.
        seed: the same seed makes the same searches draw the same documents.

    Raises:
        AssertionError: an option is of the wrong type, or out of range.
        ValueError: the token type is none of the three.
        AnygramError: there is no index, it is damaged, or it is of another version or token type.
    """

    def __init__(
        self,
        index_dir: list[str] | str,
        eos_token_id: int,
        vocab_size: int = 65535,
        version: int = 4,
        token_dtype: str = "u16",
        load_to_ram: bool = False,
        ds_prefetch_depth: int = 0,
        sa_prefetch_depth: int = 0,
        od_prefetch_depth: int = 0,
        bow_ids_path: str | None = None,
        attribution_block_size: int = 512,  # noqa: ARG002  # theirs; there is nothing to tune
        precompute_unigram_logprobs: bool = False,
        prev_shards_by_index_dir: Mapping[str, Any] | None = None,
        max_support: int = 1000,
        max_clause_freq: int = 50000,
        max_diff_tokens: int = 100,
        maxnum: int = 1,
        max_disp_len: int = 1000,
        *,
        seed: int = 0,
    ) -> None:
        self._open(
            index_dir,
            [],
            eos_token_id,
            vocab_size,
            version,
            token_dtype,
            load_to_ram,
            (ds_prefetch_depth, sa_prefetch_depth, od_prefetch_depth),
            bow_ids_path,
            precompute_unigram_logprobs,
            prev_shards_by_index_dir,
            (max_support, max_clause_freq, max_diff_tokens, maxnum, max_disp_len),
            seed,
        )


class InfiniGramEngineDiff(InfiniGramEngine):
    """Answers about an index less another: a corpus without the documents that were taken down.

    Every question is answered about what is left. Documents that were taken down are given with `blocked` True and no
    tokens, and are not drawn by searches. Ranks and pointers stay those of the index.

    Args:
        index_dir: as in `InfiniGramEngine`.
        index_dir_diff: the directory, or the directories, of the index of the documents that were taken down; an empty
            list for none.
        eos_token_id: as in `InfiniGramEngine`, like all further ones.
    """

    def __init__(
        self,
        index_dir: list[str] | str,
        index_dir_diff: list[str] | str,
        eos_token_id: int,
        vocab_size: int = 65535,
        version: int = 4,
        token_dtype: str = "u16",
        load_to_ram: bool = False,
        ds_prefetch_depth: int = 0,
        sa_prefetch_depth: int = 0,
        od_prefetch_depth: int = 0,
        bow_ids_path: str | None = None,
        attribution_block_size: int = 512,  # noqa: ARG002  # theirs; there is nothing to tune
        precompute_unigram_logprobs: bool = False,
        prev_shards_by_index_dir: Mapping[str, Any] | None = None,
        max_support: int = 1000,
        max_clause_freq: int = 50000,
        max_diff_tokens: int = 100,
        maxnum: int = 1,
        max_disp_len: int = 1000,
        *,
        seed: int = 0,
    ) -> None:
        self._open(
            index_dir,
            index_dir_diff,
            eos_token_id,
            vocab_size,
            version,
            token_dtype,
            load_to_ram,
            (ds_prefetch_depth, sa_prefetch_depth, od_prefetch_depth),
            bow_ids_path,
            precompute_unigram_logprobs,
            prev_shards_by_index_dir,
            (max_support, max_clause_freq, max_diff_tokens, maxnum, max_disp_len),
            seed,
        )

    def get_docs_by_ptrs_2_grouped(
        self, requests: list[GetDocsByPtrsRequestWithTakedown]
    ) -> InfiniGramEngineResponse[list[list[DocResult]]]:
        """The documents of several spans. Also blocked are those that show what a document taken down would show."""
        if error := checks.first(map(self._check_request, requests)):
            return failed(error)
        return [self._unblocked(request) for request in requests]

    def _check_request(self, request: GetDocsByPtrsRequestWithTakedown) -> str | None:
        return checks.not_negative(
            needle_len=request["needle_len"], max_ctx_len=request["max_ctx_len"]
        ) or checks.first(self._check_pointer(place["s"], place["ptr"]) for place in request["docs"])

    def _unblocked(self, request: GetDocsByPtrsRequestWithTakedown) -> list[DocResult]:
        needle, context = request["needle_len"], request["max_ctx_len"]
        hidden = self._windows_taken_down(request["span_ids"], needle, context)
        found = []
        for place in request["docs"]:
            document = self._around(place["s"], place["ptr"] // self.token_width, needle, context)
            if tuple(document["token_ids"]) in hidden:
                document = {**document, "token_ids": [], "blocked": True}
            found.append(document)
        return found

    def _windows_taken_down(self, span: list[int], needle: int, context: int) -> set[tuple[int, ...]]:
        removed = self._removed
        if removed is None:
            return set()
        return {
            tuple(window(removed, s, position, before=context, after=needle + context, needle=needle)["token_ids"])
            for s, (begin, end) in enumerate(removed.segments(span))
            for position in removed.shards[s].positions(begin, end).tolist()
        }
