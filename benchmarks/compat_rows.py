"""Why two answers differ: each difference is one of the table in docs/compat-infini-gram.md, or unexplained.

A difference is explained if anygram's answer is the one that its definition gives, found here by other means (scans of
infini-gram's files, its `count`), and infini-gram's is off in the way that the row says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compat_indexes import Files

Answer = Any
Cnf = Sequence[Sequence[Sequence[int]]]


class UnexplainedError(Exception):
    """A difference that no row explains."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise UnexplainedError(what)


@dataclass
class Pair:
    """The two engines over one index, and its files."""

    ours: Any
    theirs: Any
    files: Files
    end: int

    @property
    def backwards(self) -> bool:
        return self.files.layout.backwards

    @property
    def separator(self) -> int:
        return self.files.layout.separator

    # --- the truth, by scans and by their count

    def starts(self, ngram: Sequence[int]) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
        """The positions of an n-gram in each shard, in the table's order."""
        segments = self.theirs.find(list(ngram))["segment_by_shard"]
        return [table[begin:end] for table, (begin, end) in zip(self.files.tables, segments, strict=True)]

    def following(self, prompt: Sequence[int]) -> Counter[int]:
        """What follows a prompt; the separator for a document's end."""
        found: Counter[int] = Counter()
        for stream, starts in zip(self.files.streams, self.starts(prompt), strict=True):
            places = starts - 1 if self.backwards else starts + len(prompt)
            if not len(prompt):
                places = np.arange(len(stream))
            inside = (places >= 0) & (places < len(stream))
            found.update(stream[places[inside]].tolist())
            found[self.separator] += int((~inside).sum())
        return +found

    def match_ends(self, tokens: list[int]) -> list[int]:
        ends, end = [], 0
        for begin in range(len(tokens)):
            end = max(end, begin)
            while end < len(tokens) and self.theirs.count(tokens[begin : end + 1])["count"]:
                end += 1
            ends.append(end)
        return ends


# --- distributions


def explain_ntd(pair: Pair, ours: Answer, theirs: Answer, prompt: list[int], **_: Any) -> str:
    suffix = prompt[len(prompt) - ours.get("suffix_len", len(prompt)) :]
    require(ours.get("suffix_len") == theirs.get("suffix_len"), "another suffix")
    require(ours["prompt_cnt"] == theirs["prompt_cnt"] and not ours["approx"], "another prompt_cnt")
    truth = pair.following(suffix)
    literal = truth[pair.end]
    truth[pair.end] += truth.pop(pair.separator, 0)
    found = Counter({token: row["cont_cnt"] for token, row in ours["result_by_token_id"].items()})
    require(found == +truth and list(found) == sorted(found), "not what follows")
    if theirs["approx"]:
        return "ntd is sampled"
    if pair.backwards:
        return "ntd of v5"
    last = [
        starts[-1:] if len(suffix) else []
        for stream, starts in zip(pair.files.streams, pair.starts(suffix), strict=True)
        if len(stream) - len(suffix) in starts
    ]
    require(bool(literal or last), "neither the end token nor a shard's end follows")
    return "ntd where ends do not stand together"


def explain_prob(pair: Pair, ours: Answer, theirs: Answer, prompt: list[int], token: int) -> str:
    require(ours["prompt_cnt"] == theirs["prompt_cnt"], "another prompt_cnt")
    require(ours.get("suffix_len") == theirs.get("suffix_len"), "another suffix")
    truth = pair.following(prompt[len(prompt) - ours.get("suffix_len", len(prompt)) :])
    if token == pair.end:
        require(ours["cont_cnt"] == truth[pair.end] + truth[pair.separator], "not what follows")
        return "prob of the end token"
    require(token == pair.separator, "no end was asked for")
    require(theirs["cont_cnt"] < ours["cont_cnt"] == truth[pair.separator], "not what follows")
    return "prob of the separator"


# --- texts


def explain_creativity(pair: Pair, ours: Answer, theirs: Answer, tokens: list[int]) -> str:
    require(ours["rs"] == pair.match_ends(tokens), "not the longest matches")
    if pair.backwards:
        return "matches in v5"
    for begin, (right, wrong) in enumerate(zip(ours["rs"], theirs["rs"], strict=True)):
        if right != wrong:
            segments = pair.theirs.find(tokens[begin:])["segment_by_shard"]
            require(wrong < right and (0, 0) in segments, f"no smallest suffix at {begin}")
    return "matches with the smallest suffix"


def explain_attribute(
    pair: Pair, ours: Answer, _: Answer, tokens: list[int], delimiters: list[int], least: int, most: int
) -> str:
    expected: list[tuple[int, int]] = []
    last = 0
    for begin, longest in enumerate(pair.match_ends(tokens)):
        stops = [place + 1 for place in range(begin, longest) if tokens[place] in delimiters]
        end = min([longest, *stops])
        if end - begin >= least and pair.theirs.count(tokens[begin:end])["count"] <= most and end > last:
            expected.append((begin, end))
            last = end
    require([(span["l"], span["r"]) for span in ours["spans"]] == expected, "not the spans")
    for span in ours["spans"]:
        width = pair.files.layout.width
        starts = pair.starts(tokens[span["l"] : span["r"]])
        places = [{"s": s, "ptr": start * width} for s, each in enumerate(starts) for start in each.tolist()]
        require(span["docs"] == places and span["count"] == len(places), "not the places")
    if pair.backwards:
        return "matches in v5"
    require(pair.ours.creativity(tokens) != pair.theirs.creativity(tokens), "the matches are the same")
    return "matches with the smallest suffix"


# --- boolean queries


@dataclass(frozen=True)
class Rules:
    """How clauses are joined: infini-gram's ways, changed one after another into anygram's."""

    within_documents: bool = False
    all_matches: bool = False
    rarest_of_index: bool = False
    innermost: bool = False


STEPS = {
    "AND over a document's end": Rules(within_documents=True),
    "AND looks at the nearest only": Rules(within_documents=True, all_matches=True),
    "the rarest clause of each shard": Rules(within_documents=True, all_matches=True, rarest_of_index=True),
    "terms that lie in each other": Rules(True, True, True, True),
}


def explain_cnf(
    pair: Pair, ours: Answer, theirs: Answer, cnf: Cnf, max_diff_tokens: int, max_clause_freq: int, counts_only: bool
) -> str:
    matches = [[pair.starts(term) for term in clause] for clause in cnf]
    shards = range(len(pair.files.streams))
    sizes = [[sum(len(term[s]) for term in clause) for s in shards] for clause in matches]

    def answer(rules: Rules) -> Any:
        pointers = [join(pair, cnf, matches, sizes, s, max_diff_tokens, rules) for s in shards]
        if not all(map(sum, sizes)):
            pointers = []
        total = sum(map(len, pointers))
        if counts_only:
            return {"count": total, "approx": False}
        return {"cnt": total, "approx": False, "ptrs_by_shard": pointers}

    require(ours == answer(STEPS["terms that lie in each other"]), "not the places")
    if any(size > math.ceil(max_clause_freq / len(shards)) for clause in sizes for size in clause):
        return "AND is sampled"
    before = answer(Rules())
    require(theirs == before, "infini-gram is not as it was thought to be")
    for row, rules in STEPS.items():
        now = answer(rules)
        if now != before:
            return row
    raise UnexplainedError("no rule makes the difference")


def join(
    pair: Pair, cnf: Cnf, matches: list[Any], sizes: list[list[int]], s: int, reach: int, rules: Rules
) -> list[int]:
    """The pointers of a shard, in plain loops."""
    clauses = range(len(cnf))
    order = sorted(
        clauses, key=(lambda clause: sum(sizes[clause])) if rules.rarest_of_index else (lambda c: sizes[c][s])
    )
    documents, width = pair.files.documents[s], pair.files.layout.width
    places = {clause: np.sort(np.concatenate([term[s] for term in matches[clause]])) for clause in clauses}
    found: list[tuple[int, int, int]] = []
    for term, starts in zip(cnf[order[0]], matches[order[0]], strict=True):
        for start in starts[s].tolist():
            window = _window(start, [places[clause] for clause in order[1:]], reach, documents, rules)
            if window is not None and (rules.within_documents or documents[window[0]] == documents[window[1]]):
                found.append((window[0], start, start + len(term)))
    if rules.innermost:
        spans = {(start, end) for _, start, end in found}
        inner = _innermost(spans)
        kept = [each for each in found if each[1:] in inner]
        found = list(dict.fromkeys(kept))
    return [begin * width for begin, _, _ in found]


def _window(start: int, others: list[Any], reach: int, documents: Any, rules: Rules) -> tuple[int, int] | None:
    low = high = begin = end = start
    if rules.within_documents:
        ends = [np.searchsorted(documents, documents[start], side) for side in ("left", "right")]
        others = [each[slice(*np.searchsorted(each, ends))] for each in others]
    for places in others:
        near = places[np.searchsorted(places, low - reach) : np.searchsorted(places, high + reach, "right")]
        left, right = int(np.searchsorted(places, end)) - 1, int(np.searchsorted(places, begin))
        is_left = left >= 0 and places[left] >= begin - reach
        is_right = right < len(places) and places[right] <= end + reach
        if rules.all_matches:
            if not len(near):
                return None
            low, high = min(low, int(near[0])), max(high, int(near[-1]))
        elif not (is_left or is_right):
            return None
        new_begin = min(begin, int(places[left])) if is_left else begin
        end = max(end, int(places[right])) if is_right else end
        begin = new_begin
        if not (is_left or is_right):
            begin, end = low, high
        if not rules.all_matches:
            low, high = begin, end
    return begin, end


def _innermost(spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    ordered = sorted(spans, key=lambda span: (span[0], -span[1]))
    kept = set()
    least = math.inf
    for start, end in reversed(ordered):  # those that start later, and of equal starts the shorter, come before
        if end < least:
            kept.add((start, end))
            least = end
    return kept


# --- documents


def explain_document(pair: Pair, ours: Answer, theirs: Answer, needle: int) -> str:
    require({**ours, "needle_offset": 0} == {**theirs, "needle_offset": 0}, "another document")
    wrapped = 2**64 // pair.files.layout.width - 1
    offset = -1 if theirs["needle_offset"] == wrapped else theirs["needle_offset"]
    if pair.backwards:
        require(ours["needle_offset"] == ours["disp_len"] - offset - max(1, needle), "not mirrored")
        return "documents of v5"
    require(ours["needle_offset"] == offset == -1, "another needle_offset")
    return "needle_offset of a separator"


def explain_beginning(pair: Pair, ours: Answer, theirs: Answer, number: int, length: int) -> str:
    require(pair.backwards, "another document")
    whole = pair.theirs.get_doc_by_ix(number, 10**9)
    require(ours == {**theirs, "token_ids": whole["token_ids"][:length]}, "not the beginning")
    return "documents of v5"


def explain_search(pair: Pair, ours: Answer, theirs: Answer, ngram: list[int], maxnum: int, length: int) -> str:
    segments = pair.theirs.find(ngram)["segment_by_shard"]
    ranks = [(s, rank) for s, (begin, end) in enumerate(segments) for rank in range(begin, end)]
    require(ours["cnt"] == theirs["cnt"] == len(ranks) > 0, "another count")
    require(len(ours["idxs"]) == len(set(ours["idxs"])) == len(ours["documents"]) == min(maxnum, len(ranks)), "drawn")
    for number, document in zip(ours["idxs"], ours["documents"], strict=True):
        if len(ngram) > (length + 1) // 2:
            begin = document["needle_offset"]
            is_whole = document["token_ids"][begin : begin + len(ngram)] == ngram
            require(is_whole or pair.separator in ngram, "the needle is cut off")
            continue
        expected = pair.theirs.get_doc_by_rank(*ranks[number], length)
        if document != expected:
            explain_document(pair, document, expected, len(ngram))
    return "search_docs draws without replacement"


def explain_ranks(pair: Pair, ours: Answer, theirs: Answer, places: list[tuple[int, int]], length: int) -> str:
    require(isinstance(theirs, AttributeError), "infini-gram answers")
    require(ours == [pair.ours.get_doc_by_rank(*place, length) for place in places], "other documents")
    return "get_docs_by_ranks"


def explain_pointer_error(pair: Pair, ours: Answer, theirs: Answer, needle: int) -> str:
    if "error" in theirs and "even" in theirs["error"]:
        require(pair.files.layout.width == 1 or "multiple of 2" in ours.get("error", ""), "another error")
        return "pointers need not be even"
    return explain_document(pair, ours, theirs, needle)


def explain_rank_error(pair: Pair, ours: Answer, theirs: Answer, needle: int) -> str:
    if "error" in theirs:
        require(ours == {"error": theirs["error"].replace("ptr", "rank")}, "another error")
        return "the error string names the rank"
    return explain_document(pair, ours, theirs, needle)
