"""An index, and the questions that it answers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Self, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from anygram import _core
from anygram.arguments import Ngram, Ngrams, Where, document_number, each_ngram, integer, optional_integer
from anygram.errors import (
    IndexFormatError,
    InvalidQueryError,
)
from anygram.filters.recent import Recent
from anygram.machine import available_cpus
from anygram.manifest import (
    Manifest,
    publish,
    sync_folder,
)
from anygram.occurrences import Occurrences, StringOccurrences
from anygram.results import (
    Continuations,
    Decode,
    Document,
    GroupCounts,
    Hits,
    Matches,
    NearMatches,
    NearSpans,
    Probabilities,
    Probability,
    Scores,
    Spans,
)
from anygram.results.base import read_only
from anygram.shard import Shard
from anygram.strings import Match, StringFinder, is_text, token_texts
from anygram.text_scans import TextScans
from anygram.types import Int64Array, Ragged, TokenArray, Tokenizer

if TYPE_CHECKING:
    from anygram.filters.columns import Columns
    from anygram.metadata import MetadataReader

LoadMode: TypeAlias = Literal["mmap", "ram"]

_Result = TypeVar("_Result")

# Conditions that are remembered with what they chose, a bit for each document.
_REMEMBERED_FILTERS = 16


class OpenedPart(NamedTuple):
    """One opened index folder."""

    manifest: Manifest
    tokenizer: Tokenizer | None
    shards: list[_core.Shard]


class Index(TextScans):
    """A corpus that answers how often any n-gram occurs, what follows it, and where it stands.

    Made by `anygram.open` and `anygram.build`. It does not change, and may be used from many threads at once. Counts
    are of overlapping occurrences and never cross documents; everything is exact. A question about a str encodes it
    literally, by the index's tokenizer. Each question has a `_batch` form; those of counts, continuations and texts run
    on all of the index's threads.
    """

    def __init__(
        self,
        parts: Sequence[OpenedPart],
        *,
        paths: Sequence[Path] | None,
        load: LoadMode,
        threads: int | None,
        given_tokenizer: Tokenizer | None = None,
    ) -> None:
        self._manifests = [part.manifest for part in parts]
        self._paths = paths
        self._load: LoadMode = load
        self._threads = threads
        self._given_tokenizer = given_tokenizer
        self._tokenizer = parts[0].tokenizer or given_tokenizer
        self._decode: Decode | None = None if self._tokenizer is None else self._tokenizer.decode
        self._shards = [shard for part in parts for shard in part.shards]
        self._metadata: list[MetadataReader | None] = [_metadata(shard) for shard in self._shards]
        self._core: _core.Index = _core.Index(self._shards, threads or 0)
        self._filters: Recent[_core.DocumentFilter] = Recent(_REMEMBERED_FILTERS)
        self._string_finder: StringFinder | None = None

    # --- what it is

    @property
    def num_tokens(self) -> int:
        """Tokens of all documents; their ends are not counted."""
        return sum(manifest.num_tokens for manifest in self._manifests)

    @property
    def num_documents(self) -> int:
        """Documents, empty ones included."""
        return sum(manifest.num_documents for manifest in self._manifests)

    @property
    def num_shards(self) -> int:
        """Independently sorted parts."""
        return sum(len(manifest.shards) for manifest in self._manifests)

    @property
    def vocab_size(self) -> int:
        """Token ids are below this."""
        return max(manifest.vocab_size for manifest in self._manifests)

    @property
    def token_width(self) -> int:
        """Bytes of one token on the disk."""
        return max(manifest.token_width for manifest in self._manifests)

    @property
    def profile(self) -> str:
        """How it trades size for speed: "fast" or "lean"; both, with a comma, if indexes were opened that differ."""
        return ",".join(sorted({manifest.profile for manifest in self._manifests}))

    @property
    def num_bytes(self) -> int:
        """Size of the shards' files."""
        return sum(shard.num_bytes for shard in self._shards)

    @property
    def id(self) -> str:
        """A hash of what the index consists of: equal for equal indexes."""
        return "+".join(manifest.id for manifest in self._manifests)

    @property
    def path(self) -> Path | list[Path] | None:
        """The folder it was opened from; a list if there were several; None for an index in memory."""
        if self._paths is None:
            return None
        return self._paths[0] if len(self._paths) == 1 else list(self._paths)

    @property
    def tokenizer(self) -> Tokenizer | None:
        """What turns text into token ids; None for a corpus of ids."""
        return self._tokenizer

    @property
    def round_trips(self) -> bool:
        """Whether the text of each document is exactly the text it was built from."""
        entries = [manifest.tokenizer for manifest in self._manifests]
        return all(entry is not None and entry.round_trips for entry in entries)

    @property
    def shards(self) -> list[Shard]:
        """The shards, in the order of their documents."""
        firsts = np.cumsum([0, *(shard.num_documents for shard in self._shards)]).tolist()
        return [self._shard(number, first) for number, first in enumerate(firsts[:-1])]

    def _shard(self, number: int, first_document: int) -> Shard:
        return Shard(self._shards[number], first_document)

    def encode(self, text: str) -> Int64Array:
        """The token ids of a text: literally, without special tokens or an added space.

        Raises:
            InvalidQueryError: the index has no tokenizer.
        """
        return read_only(self._encoder("encode text").encode(text), np.int64)

    def decode(self, tokens: Sequence[int] | NDArray[np.integer[Any]]) -> str:
        """The text of token ids.

        Raises:
            InvalidQueryError: the index has no tokenizer.
        """
        return self._encoder("decode tokens").decode(tokens)  # type: ignore[arg-type]  # any array of ids will do

    # --- how often

    def count(
        self, ngram: Ngram, *, match: Match = "tokens", ignore_case: bool = False, where: Where | None = None
    ) -> int:
        """How often the n-gram occurs; of the empty one, the number of tokens.

        Args:
            ngram: what to count.
            match: "tokens": the n-gram's tokens, a str being encoded; "text": a str wherever it stands in the text of
                the documents, inside of tokens and across their borders. That takes about a millisecond for most
                strings of 8 characters and more, and some nanoseconds a token of the corpus, divided among the threads,
                for others.
            ignore_case: with match="text", take letters for the same that differ in case only.
            where: count only in documents that fulfil a condition on their fields, such as
                ``"source = 'web' AND year >= 2020"``, or for which a boolean array has True; O(occurrences) then.

        Raises:
            InvalidQueryError: it holds something that is no token id, or is text and the index has no tokenizer; or
                the condition does not parse, names an unknown field, or compares one with what it never holds.
        """
        if match != "tokens" or ignore_case:
            return self._finder(match, ignore_case).count(ngram, self._filter(where), ignore_case=ignore_case)
        if isinstance(ngram, str):
            ngram = self._encode(ngram)
        if where is None:
            return self._core.count(ngram)
        return self._core.count_filtered(ngram, self._filter(where))

    def count_batch(
        self, ngrams: Ngrams, *, match: Match = "tokens", ignore_case: bool = False, where: Where | None = None
    ) -> Int64Array:
        """`count` of each: int64 (n,)."""
        if match != "tokens" or ignore_case:
            finder, chosen = self._finder(match, ignore_case), self._filter(where)
            counts = [finder.count(text, chosen, ignore_case=ignore_case) for text in each_ngram(ngrams)]
            return read_only(counts, np.int64)
        if where is None:
            return self._core.count_batch(self._ngrams(ngrams))
        return self._core.count_filtered_batch(self._ngrams(ngrams), self._filter(where))

    def document_count(
        self, ngram: Ngram, *, match: Match = "tokens", ignore_case: bool = False, where: Where | None = None
    ) -> int:
        """How many documents hold the n-gram; of the empty one, those that have a token. O(occurrences).

        The arguments are those of `count`.
        """
        if match != "tokens" or ignore_case:
            return self._finder(match, ignore_case).document_count(ngram, self._filter(where), ignore_case=ignore_case)
        return self._core.document_count(self._tokens(ngram), self._filter(where))

    def document_count_batch(
        self, ngrams: Ngrams, *, match: Match = "tokens", ignore_case: bool = False, where: Where | None = None
    ) -> Int64Array:
        """`document_count` of each: int64 (n,)."""
        if match != "tokens" or ignore_case:
            finder, chosen = self._finder(match, ignore_case), self._filter(where)
            counts = [finder.document_count(text, chosen, ignore_case=ignore_case) for text in each_ngram(ngrams)]
            return read_only(counts, np.int64)
        return self._core.document_count_batch(self._ngrams(ngrams), self._filter(where))

    def count_by(
        self,
        ngram: Ngram,
        field: str,
        *,
        match: Match = "tokens",
        ignore_case: bool = False,
        where: Where | None = None,
        top: int | None = None,
    ) -> GroupCounts:
        """How often the n-gram occurs in the documents of each value of a field, the most frequent first.

        The counts of all groups sum to `count`. Documents without the field, or where it is null, are a group too.

        Args:
            ngram: what to count.
            field: a metadata field, or one in an object (``meta.lang``); "source" or "id" of the document where no
                field has that name.
            match: as in `count`.
            ignore_case: as in `count`.
            where: only in documents that fulfil it, as in `count`.
            top: give so many groups only.

        Cost: O(occurrences + documents).

        Raises:
            InvalidQueryError: as in `count`; also if no document has that field, or `top` is less than 1.
        """
        from anygram.filters.groups import group_documents

        limit = optional_integer(top, "top", 1)
        chosen = self._filter(where)
        values, groups = group_documents(field, self._columns())
        if match != "tokens" or ignore_case:
            documents, counts = self._finder(match, ignore_case).documents(ngram, chosen, ignore_case=ignore_case)
        else:
            found = self.find(ngram, where=where)
            documents, counts = found.documents(), found.document_counts
        lengths = self._core.document_lengths()
        if chosen is not None:
            mask = chosen.mask()
            groups, lengths, of_found = groups[mask], lengths[mask], groups[documents]
        else:
            of_found = groups[documents]
        size = len(values)
        columns = {
            "counts": _sums(of_found, counts, size),
            "document_counts": np.bincount(of_found, minlength=size),
            "num_documents": np.bincount(groups, minlength=size),
            "num_tokens": _sums(groups, lengths, size),
        }
        present = np.flatnonzero(columns["num_documents"])
        # Of equal counts the value that appears first; null is the last.
        is_null = np.array([value is None for value in values], np.bool_)[present]
        order = present[np.lexsort((is_null, -columns["counts"][present]))][:limit]
        with np.errstate(invalid="ignore", divide="ignore"):
            per_million = columns["counts"][order] * 1e6 / columns["num_tokens"][order]
        return GroupCounts(
            field,
            tuple(values[number] for number in order.tolist()),
            **{name: column[order] for name, column in columns.items()},
            per_million=per_million,
            total=int(counts.sum()),
            num_groups=len(present),
        )

    def token_counts(self) -> Int64Array:
        """How often each token occurs: int64 (vocab_size,).

        Raises:
            InvalidQueryError: the vocabulary is so large that the array would not be of use; ask `continuations(())`.
        """
        if self.vocab_size > 1 << 28:
            raise InvalidQueryError(
                f"an array of counts for {self.vocab_size} ids would take {self.vocab_size * 8 / 1e9:.1f} GB; "
                "continuations(()) lists those that occur"
            )
        counts = self.continuations(()).dense(self.vocab_size, values="counts")
        return read_only(counts, np.int64)

    # --- what follows

    def probability(self, prompt: Ngram, token: int | str, *, backoff: bool = False) -> Probability:
        """How likely `token` comes right after the prompt.

        Args:
            prompt: what stands before it.
            token: a token id, or `DOCUMENT_END`; or text that is one token.
            backoff: use the longest suffix of the prompt that occurs, over all shards (the ∞-gram), not all of it.

        Raises:
            InvalidQueryError: as in `count`; also if `token` is no token.
        """
        return _probability(self._core.probability(self._tokens(prompt), self._token(token), backoff))

    def probability_batch(
        self, prompts: Ngrams, tokens: Iterable[int | str], *, backoff: bool = False
    ) -> Probabilities:
        """`probability` of each token after the prompt of the same number."""
        ids = map(self._token, tokens)
        return _probabilities(self._core.probability_batch(self._ngrams(prompts), ids, backoff))

    def continuations(self, prompt: Ngram, *, backoff: bool = False, top_k: int | None = None) -> Continuations:
        """What comes right after the prompt, and how often. Exact; the cost goes by distinct continuations.

        Args:
            prompt: what stands before it.
            backoff: as in `probability`.
            top_k: give the most frequent only (of equals, the smaller token); they are listed by token all the same.

        Raises:
            InvalidQueryError: as in `count`; also if `top_k` is less than 1.
        """
        limit = None if top_k is None else integer(top_k, "top_k", 1)
        return _continuations(self._core.continuations(self._tokens(prompt), backoff, limit), top_k, self._decode)

    def continuations_batch(
        self, prompts: Ngrams, *, backoff: bool = False, top_k: int | None = None
    ) -> list[Continuations]:
        """`continuations` of each."""
        answers = self._core.continuations_batch(self._ngrams(prompts), backoff, optional_integer(top_k, "top_k", 1))
        decode = self._decode
        return [_continuations(answer, top_k, decode) for answer in answers]

    def score(self, tokens: Ngram, *, order: int | None = None, top_k: int = 0, end: bool = False) -> Scores:
        """Each token of a text given all before it: row i is `probability(tokens[:i], tokens[i], backoff=True)`.

        One pass, whose cost grows with the length of the text alone.

        Args:
            tokens: the text.
            order: use at most order - 1 tokens of each prompt: 5 is the 5-gram model (with backoff).
            top_k: also give the k most frequent continuations at each place; costs as much as listing them.
            end: also give a row for the end of the document.

        Raises:
            InvalidQueryError: as in `count`; also if `order` is less than 1 or `top_k` less than 0.
        """
        options = optional_integer(order, "order", 1), integer(top_k, "top_k", 0), end
        return _scores(self._core.score(self._tokens(tokens), *options), self._decode)

    def score_batch(
        self, texts: Ngrams, *, order: int | None = None, top_k: int = 0, end: bool = False
    ) -> list[Scores]:
        """`score` of each."""
        options = optional_integer(order, "order", 1), integer(top_k, "top_k", 0), end
        decode = self._decode
        return [_scores(answer, decode) for answer in self._core.score_batch(self._ngrams(texts), *options)]

    def kneser_ney(
        self, order: int, *, save: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> _core.KneserNey:
        """The counts of `anygram.language_model(index, "kneser-ney", order)`, which is what to ask for.

        Raises:
            InvalidQueryError: the order is less than 1; or `save`, and the index has no folder of its own.
            IndexFormatError: what is kept beside the index is not what was written.
            IndexIOError: it cannot be kept.
        """
        from anygram.kept_counts import kept_kneser_ney

        folder = None if self._paths is None or len(self._paths) != 1 else self._paths[0]
        return kept_kneser_ney(
            self._core, self.id, folder, integer(order, "order", 1), save, self._load == "ram", progress
        )

    # --- how much of a text

    def longest_matches(self, tokens: Ngram, *, min_count: int = 1) -> Matches:
        """At each token of a text, the longest n-gram from there on that occurs anywhere, and its count.

        Args:
            tokens: the text.
            min_count: n-grams that occur less often are no matches.

        Raises:
            InvalidQueryError: as in `count`; also if `min_count` is less than 1.
        """
        answer = self._core.longest_matches(self._tokens(tokens), integer(min_count, "min_count", 1))
        return _matches(answer, self._decode)

    def longest_matches_batch(self, texts: Ngrams, *, min_count: int = 1) -> list[Matches]:
        """`longest_matches` of each."""
        answers = self._core.longest_matches_batch(self._ngrams(texts), integer(min_count, "min_count", 1))
        decode = self._decode
        return [_matches(answer, decode) for answer in answers]

    def spans(self, tokens: Ngram, *, min_length: int = 1, max_count: int | None = None) -> Spans:
        """The maximal matching spans of a text: n-grams that occur and that no longer one of it that occurs contains.

        Args:
            tokens: the text.
            min_length: leave out those that are shorter.
            max_count: leave out those that occur more often.

        Raises:
            InvalidQueryError: as in `count`; also if `min_length` is less than 1 or `max_count` negative.
        """
        bounds = integer(min_length, "min_length", 1), optional_integer(max_count, "max_count", 0)
        return _spans(self._core.spans(self._tokens(tokens), *bounds), self._decode)

    def spans_batch(self, texts: Ngrams, *, min_length: int = 1, max_count: int | None = None) -> list[Spans]:
        """`spans` of each."""
        bounds = integer(min_length, "min_length", 1), optional_integer(max_count, "max_count", 0)
        decode = self._decode
        return [_spans(answer, decode) for answer in self._core.spans_batch(self._ngrams(texts), *bounds)]

    def near_spans(
        self,
        tokens: Ngram,
        *,
        min_length: int = 10,
        exact_prefix: int = 10,
        max_substitutions: int = 4,
        min_count: int = 1,
    ) -> NearSpans:
        """The stretches of a text that stand in the corpus but for some tokens: its skipgrams.

        Such a stretch has the same tokens as a stretch of a document of the same length, but for some, none of which
        are among its first `exact_prefix` or its last. It is as long as it can be from its begin on.

        Args:
            tokens: the text.
            min_length: leave out shorter ones.
            exact_prefix: so many tokens at its begin are not substituted.
            max_substitutions: so many others may be.
            min_count: how often its first min(min_length, exact_prefix) tokens occur at least.

        Cost: O(occurrences of such beginnings), but for those that the token before continues to the left.

        Raises:
            InvalidQueryError: as in `count`; also if a length or count is less than 1, or `max_substitutions` negative.
        """
        return self.near_spans_batch(
            [self._tokens(tokens)],
            min_length=min_length,
            exact_prefix=exact_prefix,
            max_substitutions=max_substitutions,
            min_count=min_count,
        )[0]

    def near_spans_batch(
        self,
        texts: Ngrams,
        *,
        min_length: int = 10,
        exact_prefix: int = 10,
        max_substitutions: int = 4,
        min_count: int = 1,
    ) -> list[NearSpans]:
        """`near_spans` of each."""
        answers = self._core.near_spans_batch(
            self._ngrams(texts),
            integer(min_length, "min_length", 1),
            integer(exact_prefix, "exact_prefix", 1),
            integer(max_substitutions, "max_substitutions", 0),
            integer(min_count, "min_count", 1),
        )
        return [
            NearSpans(begins, ends, substitutions, documents, matched, longest)
            for matched, longest, begins, ends, substitutions, documents in answers
        ]

    # --- where

    def near_matches(self, ngram: Ngram, *, max_substitutions: int, limit: int | None = 10_000) -> NearMatches:
        """Where the n-gram stands, but for at most so many of its tokens, within a document.

        Of `max_substitutions` + 1 pieces of the n-gram, one stands unchanged in each such place: the pieces are found
        by the index, and what is around them is compared. So it is exact.

        Args:
            ngram: what to look for.
            max_substitutions: how many of its tokens may be others: fewer than it has.
            limit: give only the first so many places, by document and offset; None for all. `NearMatches.complete`
                tells whether all are given.

        Cost: O(occurrences of the pieces), whatever the limit.

        Raises:
            InvalidQueryError: as in `count`; also if `max_substitutions` is negative, or not below the n-gram's length.
        """
        ids = self._tokens(ngram)
        most = optional_integer(limit, "limit", 1)
        columns = self._core.near_matches(ids, integer(max_substitutions, "max_substitutions", 0))
        complete = most is None or len(columns[0]) <= most
        documents, offsets, substitutions = (column[:most] for column in columns)
        read, decode = self._document_tokens, self._decode
        return NearMatches(documents, offsets, substitutions, complete, len(ids), read, decode)

    @overload
    def find(
        self, ngram: Ngram, *, match: Literal["tokens"] = "tokens", ignore_case: bool = ..., where: Where | None = ...
    ) -> Occurrences: ...

    @overload
    def find(
        self, ngram: Ngram, *, match: Literal["text"], ignore_case: bool = ..., where: Where | None = ...
    ) -> StringOccurrences: ...

    @overload
    def find(
        self, ngram: Ngram, *, match: Match, ignore_case: bool = ..., where: Where | None = ...
    ) -> Occurrences | StringOccurrences: ...

    def find(
        self, ngram: Ngram, *, match: Match = "tokens", ignore_case: bool = False, where: Where | None = None
    ) -> Occurrences | StringOccurrences:
        """Where the n-gram stands: all occurrences, looked up as they are asked for.

        Args:
            ngram: what to find.
            match: as in `count`; with "text", all occurrences are found at once, in the order of the documents.
            ignore_case: as in `count`.
            where: only in documents that fulfil it, as in `count`.

        Raises:
            InvalidQueryError: as in `count`.
        """
        if match != "tokens" or ignore_case:
            return self._find_string(ngram, match, ignore_case, where)
        ids = self._tokens(ngram)
        return self._occurrences(
            self._core.find(ids), len(ids), where, self._filter(where), lambda: np.asarray(ids, np.int64)
        )

    def search(
        self,
        query: str,
        *,
        within: int | None = None,
        ordered: bool = False,
        where: Where | None = None,
        limit: int | None = None,
    ) -> Hits:
        """Windows of documents that hold all of several things.

        For example ``'"natural language" AND (model OR system) NOT review'``. A hit is a window that holds a match of
        every clause (what AND joins), and that no smaller window inside of it does as well. Terms are encoded
        literally, each on its own, as in `count`.

        Args:
            query: words, phrases in double quotes and token ids in brackets (``[5 6 7]``), joined by AND, OR and NOT.
            within: any two of a window's matches are at most so many tokens apart, between their nearest edges; and NOT
                then excludes the windows that a term stands so near to, instead of the documents that hold it.
            ordered: the matches stand in the order of the clauses, none overlapping the one before.
            where: only in documents that fulfil it, as in `count`.
            limit: end with the documents that reach so many windows; `Hits.complete` then tells whether all were found.

        Cost: O(occurrences of all terms).

        Raises:
            InvalidQueryError: the query does not parse (the message shows the place), a term cannot be encoded, or a
                number is negative.
        """
        from anygram.query_language import parse_query

        if not isinstance(query, str):
            raise InvalidQueryError(f"a search query is a str, found {type(query).__name__}")
        parsed = parse_query(query)
        found = self._core.search(
            [[self._term(term) for term in clause] for clause in parsed.clauses],
            [self._term(term) for term in parsed.excluded],
            optional_integer(within, "within", 0),
            bool(ordered),
            optional_integer(limit, "limit", 1),
            self._filter(where),
        )
        return Hits(*found, read=self._document_tokens, decode=self._decode)

    @overload
    def find_batch(
        self, ngrams: Ngrams, *, match: Literal["tokens"] = "tokens", ignore_case: bool = ..., where: Where | None = ...
    ) -> list[Occurrences]: ...

    @overload
    def find_batch(
        self, ngrams: Ngrams, *, match: Literal["text"], ignore_case: bool = ..., where: Where | None = ...
    ) -> list[StringOccurrences]: ...

    @overload
    def find_batch(
        self, ngrams: Ngrams, *, match: Match, ignore_case: bool = ..., where: Where | None = ...
    ) -> list[Occurrences] | list[StringOccurrences]: ...

    def find_batch(
        self, ngrams: Ngrams, *, match: Match = "tokens", ignore_case: bool = False, where: Where | None = None
    ) -> list[Occurrences] | list[StringOccurrences]:
        """`find` of each."""
        if match != "tokens" or ignore_case:
            return [self._find_string(text, match, ignore_case, where) for text in each_ngram(ngrams)]
        queries = self._ngrams(ngrams)
        chosen = self._filter(where)
        return [
            self._occurrences(intervals, length, where, chosen, partial(queries.ngram, number))
            for number, (length, intervals) in enumerate(
                zip(queries.lengths, self._core.find_batch(queries), strict=True)
            )
        ]

    def document(self, number: int) -> Document:
        """A document, by its number: from 0, in the order of the input.

        Raises:
            DocumentNotFoundError: there is none of that number.
        """
        return self.documents([number])[0]

    def documents(self, numbers: Iterable[int]) -> list[Document]:
        """`document` of each; all are read in one call, on all threads."""
        checked = [document_number(number, self.num_documents) for number in numbers]
        wanted = np.array(checked, np.int64)
        tokens, offsets = self._core.document_spans(wanted, np.zeros_like(wanted), np.full_like(wanted, 2**62))
        bounds = offsets.tolist()
        return [self._document(number, tokens[bounds[row] : bounds[row + 1]]) for row, number in enumerate(checked)]

    def _document(self, number: int, tokens: Int64Array) -> Document:
        shard, local = self._core.shard_of(number)
        reader = self._metadata[shard]
        return Document(
            number=number,
            tokens=tokens,
            metadata={} if reader is None else reader[local],
            source=None if reader is None else reader.source(local),
            id=str(number) if reader is None else reader.id(local, number),
            decode=self._decode,
        )

    # --- its life

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Self:
        """Writes a copy of the index into a folder.

        Returns:
            The copy, opened as this one was.

        Raises:
            IndexExistsError: the folder is taken.
            InvalidQueryError: the index was opened from several folders.
        """
        from anygram.workplace import workplace

        if len(self._manifests) != 1:
            raise InvalidQueryError(
                "an index opened from several folders cannot be saved as one: combine them (anygram.combine)"
            )
        folder = Path(path)
        manifest = self._manifests[0]
        with workplace(folder, overwrite=overwrite) as place:
            for shard, entry in zip(self._shards, manifest.shards, strict=True):
                _save_shard(shard, place / entry.id)
            publish(folder, manifest, self._tokenizer, place, is_whole=is_whole, sync=True)
        from anygram.opening import open_index

        return open_index(type(self), [folder], self._load, self._threads, None)

    def close(self) -> None:
        """Ends the use of the index's files; further questions raise InvalidQueryError."""
        self._shards = []
        self._metadata = []
        self._filters = Recent(_REMEMBERED_FILTERS)
        self._string_finder = None
        self._core = _Closed()  # type: ignore[assignment]  # every question ends there

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        if self._paths is None:
            raise InvalidQueryError("an index in memory cannot be pickled: save it first, and pickle the saved one")
        paths = [str(path) for path in self._paths]
        from anygram.opening import reopen

        return reopen, (paths, self.id, self._load, self._threads, self._given_tokenizer)

    def __repr__(self) -> str:
        shards = "1 shard" if self.num_shards == 1 else f"{self.num_shards} shards"
        where = "in memory" if self._paths is None else ", ".join(map(str, self._paths))
        return (
            f"Index({self.num_tokens:,} tokens, {self.num_documents:,} documents, {shards}, "
            f"tokenizer {self._tokenizer.spec if self._tokenizer else 'none'}, {where})"
        )

    # --- helpers

    def _encoder(self, purpose: str) -> Tokenizer:
        if self._tokenizer is None:
            raise InvalidQueryError(
                f"the index has no tokenizer to {purpose}: give token ids, or open it with tokenizer=..."
            )
        return self._tokenizer

    def _encode(self, text: str) -> TokenArray:
        return self._encoder("encode a str").encode(text)

    def _tokens(self, ngram: Ngram) -> Sequence[int] | NDArray[np.integer[Any]]:
        return self._encode(ngram) if isinstance(ngram, str) else ngram

    def _term(self, term: str | tuple[int, ...]) -> Sequence[int] | NDArray[np.integer[Any]]:
        tokens = self._tokens(term)
        if not len(tokens):
            raise InvalidQueryError(f"the term {term!r} has no token in this index's tokenizer")
        return tokens

    def _token(self, token: int | str) -> int:
        if not isinstance(token, str):
            return token
        ids = self._encode(token)
        if len(ids) != 1:
            raise InvalidQueryError(f"a continuation is one token, and {token!r} is {len(ids)}: {ids.tolist()}")
        return int(ids[0])

    def _ngrams(self, ngrams: Ngrams) -> _core.Ngrams:
        if isinstance(ngrams, Ragged):
            return _core.Ngrams.from_arrays(ngrams.values, ngrams.offsets)
        if isinstance(ngrams, np.ndarray) and ngrams.ndim == 2:
            return _core.Ngrams.from_rows(ngrams)
        return _core.Ngrams.from_sequences(each_ngram(ngrams), self._encode)

    def _finder(self, match: str, ignore_case: bool) -> StringFinder:
        """What finds strings; reads all tokens' bytes when it is first asked for."""
        is_text(match, ignore_case=ignore_case)
        if self._string_finder is None:
            tokenizer = self._encoder("find text")
            tokens = _core.TokenBytes(*token_texts(tokenizer, min(self.vocab_size, tokenizer.vocab_size)))
            self._string_finder = StringFinder(self._core, tokens, tokenizer)
        return self._string_finder

    def _find_string(self, text: Ngram, match: str, ignore_case: bool, where: Where | None) -> StringOccurrences:
        def question() -> bytes:
            return b"\0".join([self.id.encode(), repr((text, ignore_case)).encode(), _condition(where)])

        return self._finder(match, ignore_case).find(
            text,
            self._filter(where),
            ignore_case=ignore_case,
            read=self._document_tokens,
            decode=self._decode,
            question=question,
        )

    def _filter(self, where: Where | None) -> _core.DocumentFilter | None:
        """The documents that `where` chooses; None for all.

        A filter answers ``number in filter``, ``len(filter)`` (how many documents it chooses) and ``filter.mask()``:
        bool (num_documents,). The core's questions take it as it is, or None. Conditions are remembered, so that asking
        again costs nothing; a new one costs a look at its columns of all documents.

        Raises:
            InvalidQueryError: as in `count`.
        """
        if where is None:
            return None
        if isinstance(where, str):
            return self._filters.get(where, lambda: self._new_filter(where))
        return self._new_filter(where)

    def _new_filter(self, where: Where) -> _core.DocumentFilter:
        from anygram.filters.where import documents_of

        return _core.DocumentFilter(self._core, documents_of(where, self._columns()))

    def _columns(self) -> Columns:
        from anygram.filters.columns import Columns, Part

        sizes = [shard.num_documents for shard in self._shards]
        firsts = np.cumsum([0, *sizes]).tolist()
        return Columns(list(map(Part, self._metadata, firsts, sizes)))

    def _occurrences(
        self,
        intervals: list[tuple[int, int]],
        length: int,
        where: Where | None,
        chosen: _core.DocumentFilter | None,
        ngram: Callable[[], Int64Array],
    ) -> Occurrences:
        def question() -> bytes:
            return b"\0".join([self.id.encode(), ngram().tobytes(), _condition(where)])

        return Occurrences(self._core, intervals, length, self._document_tokens, self._decode, chosen, question)

    def _document_tokens(self, document: int, begin: int, end: int) -> Int64Array:
        return self._core.document_tokens(document, begin, end)


class _Closed:
    """What stands for the core of an index that was closed."""

    def __getattr__(self, name: str) -> NoReturn:
        raise InvalidQueryError("the index is closed: open it again")


def _condition(where: Where | None) -> bytes:
    """What tells a condition from others."""
    return where.tobytes() if isinstance(where, np.ndarray) else repr(where).encode()


def _sums(groups: Int64Array, numbers: Int64Array, size: int) -> Int64Array:
    """The sum of the numbers of each group, exact."""
    sums = np.zeros(size, np.int64)
    np.add.at(sums, groups, numbers)
    return sums


def _maker(kind: type[_Result]) -> Callable[..., _Result]:
    """What makes results as they are to be: of a tuple of their first fields, which the core gave, and the others."""
    return _core.result_maker(kind, tuple(field.name for field in dataclasses.fields(kind)))  # type: ignore[arg-type]


_probability = _maker(Probability)
_probabilities = _maker(Probabilities)
_continuations = _maker(Continuations)
_scores = _maker(Scores)
_matches = _maker(Matches)
_spans = _maker(Spans)


def is_whole(shard: Path) -> bool:
    """Whether a shard's folder holds what was written; reads all of it."""
    try:
        return not _core.verify_shard(str(shard), False, available_cpus())
    except (IndexFormatError, FileNotFoundError):
        return False


def _save_shard(shard: _core.Shard, folder: Path) -> None:
    if folder.exists():  # an equal shard was saved already
        return
    folder.mkdir()
    for name, content in shard.files():
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(folder)


def _metadata(shard: _core.Shard) -> MetadataReader | None:
    payload = shard.section_bytes("metadata")
    if not len(payload):
        return None
    from anygram.metadata import MetadataReader

    return MetadataReader(payload)
