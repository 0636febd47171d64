"""How much of a text stands in the corpus: creativity and attribute."""

from __future__ import annotations

from anygram.compat.infini_gram import checks
from anygram.compat.infini_gram.attribution import describe_span, find_spans, match_ends
from anygram.compat.infini_gram.base import EngineBase, failed
from anygram.compat.infini_gram.models import (
    AttributionResponse,
    CreativityResponse,
    InfiniGramEngineResponse,
    QueryIdsType,
)


class TracingMethods(EngineBase):
    """The methods that compare a text with the corpus."""

    def creativity(self, input_ids: QueryIdsType) -> InfiniGramEngineResponse[CreativityResponse]:
        """For each token, where the longest n-gram from there on that occurs ends."""
        if error := self._check_ids("input_ids", input_ids):
            return failed(error)
        return {"rs": match_ends(self._source, input_ids)}

    def attribute(
        self, input_ids: QueryIdsType, delim_ids: QueryIdsType, min_len: int, max_cnt: int, enforce_bow: bool
    ) -> InfiniGramEngineResponse[AttributionResponse]:
        """The longest spans of a text that occur, at most `max_cnt` times, with all their places.

        Cost: O(length of the text), and O(occurrences) of the spans that are given.
        """
        error = (
            self._check_ids("input_ids", input_ids)
            or self._check_ids("delim_ids", delim_ids)
            or checks.not_negative(min_len=min_len)
            or checks.positive(max_cnt=max_cnt)
            or checks.flag("enforce_bow", enforce_bow)
        )
        if error:
            return failed(error)
        spans = find_spans(
            self._source,
            input_ids,
            delimiters=frozenset(delim_ids),
            word_beginnings=self._word_beginnings if enforce_bow else None,
            min_length=min_len,
            max_count=max_cnt,
        )
        return {"spans": [describe_span(self._source, input_ids, span, self._log_probabilities) for span in spans]}
