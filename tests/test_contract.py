"""What things mean, sentence by sentence: each test is named after what it holds the engine to."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

import anygram
import plain
from anygram import DOCUMENT_END
from anygram.errors import InputError, InvalidQueryError

A, B, C, UNSEEN = 0, 1, 2, 77
DOCUMENTS = [[A, B, A, B], [], [B, C], [A, A, A]]


def build(documents: object, tokenizer: object = None, **options: object) -> anygram.Index:
    return anygram.build(documents, tokenizer=tokenizer, **options)


@pytest.fixture(scope="module", params=[1, 3], ids=["one shard", "three shards"])
def index(request: pytest.FixtureRequest) -> anygram.Index:
    return build(DOCUMENTS, shards=request.param)


@pytest.fixture(scope="module")
def words() -> anygram.Index:
    return build(["to be or not to be", "that is the question"], "words")


# Totals and counts


def test_num_tokens_counts_the_documents_tokens_only(index: anygram.Index) -> None:
    assert index.num_tokens == 9


def test_num_documents_counts_empty_documents_too(index: anygram.Index) -> None:
    assert index.num_documents == 4


def test_count_of_no_tokens_is_num_tokens(index: anygram.Index) -> None:
    assert index.count(()) == index.num_tokens


def test_counts_are_overlapping_occurrences(index: anygram.Index) -> None:
    assert index.count([A, A]) == 2


def test_counts_are_never_across_documents(index: anygram.Index) -> None:
    assert index.count([B, B]) == 0
    assert index.count([C, A]) == 0


def test_document_count_is_how_many_documents_hold_it(index: anygram.Index) -> None:
    assert index.document_count([A]) == 2
    assert index.document_count([B]) == 2
    assert index.document_count([UNSEEN]) == 0


def test_token_counts_are_the_unigrams(index: anygram.Index) -> None:
    assert index.token_counts().tolist() == [5, 3, 1]


def test_where_a_user_asks_for_a_limit_the_result_says_so_in_a_field(index: anygram.Index) -> None:
    limited = index.continuations([B], top_k=1)
    assert (len(limited), limited.top_k, limited.num_distinct) == (1, 1, 3)
    assert index.continuations([B]).top_k is None


def test_top_k_are_the_most_frequent_and_of_equals_the_smaller_tokens(index: anygram.Index) -> None:
    assert index.continuations([B]).counts.tolist() == [1, 1, 1]
    assert index.continuations([B], top_k=2).tokens.tolist() == [A, C]
    assert index.continuations([A], top_k=2).tokens.tolist() == [A, B]


# The end of a document


def test_document_end_is_the_largest_32_bit_number() -> None:
    assert DOCUMENT_END == anygram.DOCUMENT_END == 2**32 - 1


def test_the_end_of_a_document_is_a_continuation(index: anygram.Index) -> None:
    found = index.continuations([B])
    assert found.tokens.tolist() == [A, C, DOCUMENT_END]
    assert found.counts.tolist() == [1, 1, 1]


def test_the_end_is_allowed_as_the_token_of_a_probability(index: anygram.Index) -> None:
    assert index.probability([A], DOCUMENT_END) == anygram.Probability(1 / 5, 5, 1, 1)
    assert index.probability([], DOCUMENT_END) == anygram.Probability(4 / 13, 13, 4, 0)


QUESTIONS: dict[str, Callable[[anygram.Index, object], object]] = {
    "count": lambda index, ngram: index.count(ngram),
    "document_count": lambda index, ngram: index.document_count(ngram),
    "probability": lambda index, ngram: index.probability(ngram, A),
    "continuations": lambda index, ngram: index.continuations(ngram),
    "score": lambda index, ngram: index.score(ngram),
    "longest_matches": lambda index, ngram: index.longest_matches(ngram),
    "spans": lambda index, ngram: index.spans(ngram),
    "find": lambda index, ngram: index.find(ngram),
    "count_batch": lambda index, ngram: index.count_batch([[A], ngram]),
    "score_batch": lambda index, ngram: index.score_batch([[A], ngram]),
}
each_question = pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())


@each_question
@pytest.mark.parametrize("ngram", [[DOCUMENT_END], [A, DOCUMENT_END], [DOCUMENT_END, A]])
def test_the_end_inside_an_ngram_or_a_prompt_is_an_invalid_query(
    index: anygram.Index, ask: Callable[[anygram.Index, object], object], ngram: list[int]
) -> None:
    with pytest.raises(InvalidQueryError):
        ask(index, ngram)


def test_the_empty_prompt_has_prompt_count_num_tokens_and_num_documents(index: anygram.Index) -> None:
    assert index.probability((), A) == anygram.Probability(5 / 13, 13, 5, 0)
    assert index.continuations(()).prompt_count == 13


def test_the_counts_over_all_continuations_sum_to_prompt_count_and_the_probs_to_1(index: anygram.Index) -> None:
    for prompt in [[], [A], [B], [A, B], [C]]:
        found = index.continuations(prompt)
        assert found.counts.sum() == found.prompt_count
        assert found.probs.sum() == pytest.approx(1.0)


def test_a_prompt_that_occurs_only_at_document_ends_does_not_back_off_further(index: anygram.Index) -> None:
    assert index.probability([B, C], A, backoff=True) == anygram.Probability(0.0, 1, 0, 2)
    assert index.probability([B, C], DOCUMENT_END, backoff=True) == anygram.Probability(1.0, 1, 1, 2)


# Backoff and scores


def test_an_unseen_prompt_has_prompt_count_0_and_prob_nan(index: anygram.Index) -> None:
    found = index.probability([C, C], A)
    assert math.isnan(found.prob)
    assert (found.prompt_count, found.continuation_count) == (0, 0)
    assert len(index.continuations([C, C])) == 0


def test_backoff_takes_the_longest_suffix_of_the_prompt_that_occurs(index: anygram.Index) -> None:
    assert index.probability([C, UNSEEN, B, A, B], A, backoff=True) == anygram.Probability(0.0, 1, 0, 3)
    assert index.probability([C, A], A, backoff=True) == index.probability([A], A)
    assert index.probability([A, UNSEEN], A, backoff=True) == index.probability([], A)


def test_backoff_is_over_all_shards_together() -> None:
    index = build([[A, A, B], [C, B]], shards=2)
    assert index.num_shards == 2
    assert index.probability([C, A, B], DOCUMENT_END, backoff=True).suffix_length == 2
    assert index.probability([A, C, B], DOCUMENT_END, backoff=True).suffix_length == 2
    assert index.probability([B, B], DOCUMENT_END, backoff=True) == anygram.Probability(1.0, 2, 2, 1)


@pytest.mark.parametrize("prompt", [[], [A], [C, C], [UNSEEN] * 9])
def test_without_backoff_suffix_length_is_the_prompts_length(index: anygram.Index, prompt: list[int]) -> None:
    assert index.probability(prompt, A).suffix_length == len(prompt)
    assert index.continuations(prompt).suffix_length == len(prompt)


def test_score_at_each_position_is_the_probability_after_what_came_before(index: anygram.Index) -> None:
    tokens = [A, B, UNSEEN, B, C, A]
    scores = index.score(tokens)
    assert scores.tokens.tolist() == tokens
    for place, row in enumerate(plain.score(scores)):
        one = index.probability(tokens[:place], tokens[place], backoff=True)
        assert row.probability == plain.probability(one)


def test_position_0_of_a_score_has_the_empty_prompt(index: anygram.Index) -> None:
    assert index.score([B]).prompt_counts.tolist() == [index.num_tokens + index.num_documents]
    assert index.score([B]).suffix_lengths.tolist() == [0]


def test_agrees_is_prob_above_one_half() -> None:
    index = build([[A, B], [A, B], [A, C], [C, A], [C, B]])
    for tokens, prob, agrees in [([A, B], 0.5, False), ([C, A], 1 / 3, False), ([A, B, DOCUMENT_END], 1.0, True)]:
        scores = index.score(tokens[:2], end=True)
        assert (scores.probs[len(tokens) - 1], scores.agrees[len(tokens) - 1]) == (prob, agrees)


def test_sparse_is_exactly_one_distinct_continuation_and_the_end_counts_as_one() -> None:
    index = build([[A, B], [A, B], [C, B], [C]], shards=2)
    assert index.score([A, B]).sparse.tolist() == [False, True]
    assert index.score([C, B]).sparse.tolist() == [False, False]
    assert index.score([A, B], end=True).sparse.tolist() == [False, True, True]


def test_order_5_is_the_5_gram() -> None:
    index = build([[A, B, C] * 5])
    assert index.score([A, B, C] * 3).suffix_lengths.tolist() == list(range(9))
    assert index.score([A, B, C] * 3, order=5).suffix_lengths.tolist() == [0, 1, 2, 3, 4, 4, 4, 4, 4]
    assert index.score([A, B, C] * 3, order=1).suffix_lengths.tolist() == [0] * 9


def test_top_k_of_a_score_gives_the_top_tokens_and_their_probs(index: anygram.Index) -> None:
    scores = index.score([B, C], top_k=2)
    assert scores.top_tokens.tolist() == [[A, DOCUMENT_END], [A, C]]
    assert scores.top_probs.tolist() == [[5 / 13, 4 / 13], [1 / 3, 1 / 3]]
    assert index.score([B, C]).top_tokens is None


def test_end_adds_one_more_row_for_the_end(index: anygram.Index) -> None:
    scores = index.score([B, C], end=True)
    assert scores.tokens.tolist() == [B, C, DOCUMENT_END]
    assert scores.probs.tolist()[2] == 1.0
    assert index.score([], end=True).probs.tolist() == [4 / 13]
    assert len(index.score([])) == 0


def test_longest_matches_are_the_longest_ngrams_that_occur_anywhere(index: anygram.Index) -> None:
    found = index.longest_matches([B, A, B, C, UNSEEN, C])
    assert found.lengths.tolist() == [3, 2, 2, 1, 0, 1]
    assert found.counts.tolist() == [1, 2, 1, 1, 0, 1]


def test_longest_matches_count_over_all_shards() -> None:
    index = build([[A, B], [A, B], [A, B, C]], shards=3)
    assert index.longest_matches([A, B]).counts.tolist() == [3, 3]


def test_spans_are_the_maximal_matching_spans(index: anygram.Index) -> None:
    found = index.spans([A, B, C, UNSEEN, A, A])
    assert plain.spans(found) == [(0, 2, 2), (1, 3, 1), (4, 6, 2)]
    assert plain.spans(index.spans([A, B, C, UNSEEN, A, A], max_count=1)) == [(1, 3, 1)]
    assert plain.spans(index.spans([A, B, C, UNSEEN, C], min_length=2)) == [(0, 2, 2), (1, 3, 1)]


# Which ids are legal


@pytest.mark.parametrize("token", [UNSEEN, 3, 255, 256, 65535, 2**24, 2**31, 2**32 - 2])
def test_ids_from_0_to_the_largest_are_legal_and_count_0_when_unseen(index: anygram.Index, token: int) -> None:
    assert index.count([token]) == index.document_count([token]) == len(index.find([A, token])) == 0
    assert index.probability([A], token) == anygram.Probability(0.0, 5, 0, 1)


@each_question
@pytest.mark.parametrize(
    "ngram",
    [
        [-1],
        [A, 1.0],
        [True],
        [[A], [B]],
        [None],
        ["a"],
        [2**32],
        [2**70],
        5,
        None,
        np.array([0.0]),
        np.array([True]),
        np.array([-1]),
        np.array([[A, B]]),
        np.array(0),
        np.array([2**32 - 1], np.uint32),
    ],
    ids=repr,
)
def test_negative_float_bool_or_nested_ids_are_invalid_queries(
    index: anygram.Index, ask: Callable[[anygram.Index, object], object], ngram: object
) -> None:
    with pytest.raises(InvalidQueryError):
        ask(index, ngram)


@pytest.mark.parametrize("token", [-1, 1.0, True, 2**32, None, [A], "a"], ids=repr)
def test_the_token_of_a_probability_is_checked_too(index: anygram.Index, token: object) -> None:
    with pytest.raises(InvalidQueryError):
        index.probability([A], token)


@pytest.mark.parametrize("options", [{"order": 0}, {"order": -1}, {"top_k": -1}, {"order": 1.5}], ids=repr)
def test_options_of_a_score_are_checked(index: anygram.Index, options: dict[str, int]) -> None:
    with pytest.raises(InvalidQueryError):
        index.score([A, B], **options)


def test_other_options_are_checked(index: anygram.Index) -> None:
    with pytest.raises(InvalidQueryError):
        index.longest_matches([A], min_count=0)
    with pytest.raises(InvalidQueryError):
        index.spans([A], min_length=0)
    with pytest.raises(InvalidQueryError):
        index.spans([A], max_count=-1)
    with pytest.raises(InvalidQueryError):
        index.continuations([A], top_k=-1)
    with pytest.raises(InvalidQueryError):
        index.find([A]).sample(-1)


# Text


def test_a_str_is_encoded_by_the_indexs_tokenizer(words: anygram.Index) -> None:
    assert words.count("to be") == words.count(words.encode("to be")) == 2
    assert words.probability("to be", "or").prob == 0.5
    assert words.score("to be or").suffix_lengths.tolist() == [0, 1, 2]


def test_no_special_tokens_are_added_and_their_strings_are_ordinary_text() -> None:
    index = build(["a b a", "<s> a"], special_tokenizer())
    assert index.encode("a b").tolist() == [1, 2]
    assert index.document(1).tokens.tolist() == index.encode("<s> a").tolist() == [3, 4, 5, 1]
    assert index.count("<s>") == 1
    assert index.count([0]) == 0


def special_tokenizer() -> object:
    """A tokenizer that wraps what it encodes in <s>, unless told not to."""
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    from tokenizers import Tokenizer

    tokenizer = Tokenizer(WordLevel({"<s>": 0, "a": 1, "b": 2, "<": 3, "s": 4, ">": 5, "?": 6}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return tokenizer


def test_without_a_tokenizer_a_str_is_an_invalid_query_that_says_what_to_do(index: anygram.Index) -> None:
    with pytest.raises(InvalidQueryError, match="tokenizer"):
        index.count("to be")


@pytest.mark.parametrize("text", ["to be\n", "", "naïve 🦜 日本", "\x00\x7f", " two  spaces "])
def test_text_is_exact_for_bytes(text: str) -> None:
    index = build(["other", text], "bytes")
    assert index.document(1).text == text
    assert index.vocab_size == 255
    assert index.document(1).tokens.tolist() == list(text.encode())


def test_text_is_none_without_a_tokenizer(index: anygram.Index) -> None:
    assert index.document(0).text is None


def test_text_is_a_readable_rendering_for_words(words: anygram.Index) -> None:
    assert words.document(0).text.split() == ["to", "be", "or", "not", "to", "be"]


def test_words_numbers_its_vocabulary_in_a_way_that_does_not_depend_on_threads_or_shards() -> None:
    texts = [f"word{number % 7} word{number % 11} the" for number in range(60)]
    one = build(texts, "words", threads=1, shards=1)
    other = build(texts, "words", threads=4, shards=3)
    assert [one.encode(text).tolist() for text in texts] == [other.encode(text).tolist() for text in texts]
    assert one.token_counts().tolist() == other.token_counts().tolist()


# Arrays


def arrays_of(index: anygram.Index) -> Iterator[tuple[str, np.ndarray]]:
    found = index.find([A])
    yield "token_counts", index.token_counts()
    yield "count_batch", index.count_batch([[A]])
    yield "document_count_batch", index.document_count_batch([[A]])
    yield "documents", found.documents()
    yield "document_counts", found.document_counts
    yield "document.tokens", index.document(0).tokens
    for result in [
        index.continuations([A]),
        index.score([A, B], top_k=2),
        index.longest_matches([A, B]),
        index.spans([A, B]),
    ]:
        yield from result.columns().items()


def test_counts_tokens_and_offsets_are_int64_and_probs_float64(index: anygram.Index) -> None:
    for name, array in arrays_of(index):
        expected = np.float64 if "probs" in name else np.bool_ if name in ("sparse", "agrees") else np.int64
        assert array.dtype == expected, name


def test_arrays_are_read_only(index: anygram.Index) -> None:
    for name, array in arrays_of(index):
        assert array.size, name
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


# The index as an object


def test_an_index_is_used_from_many_threads_at_once(index: anygram.Index) -> None:
    queries = [[A, B], [B, C], [A, A], [C], []]
    expected = plain.answers(index, queries)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(lambda _: plain.answers(index, queries), range(40)))


def test_open_of_several_counts_add_and_documents_are_numbered_in_list_order(tmp_path: Path) -> None:
    build([[A, B], [C]], path=tmp_path / "first").close()
    build([[A, B, B]], path=tmp_path / "second").close()
    with anygram.open([tmp_path / "first", tmp_path / "second"]) as index:
        assert (index.num_tokens, index.num_documents) == (6, 3)
        assert index.count([A, B]) == 2
        assert index.document(2).tokens.tolist() == [A, B, B]
        assert index.find([A, B]).documents().tolist() == [0, 2]
    with anygram.open([tmp_path / "second", tmp_path / "first"]) as index:
        assert index.document(0).tokens.tolist() == [A, B, B]


def test_open_of_several_backs_off_over_all_together(tmp_path: Path) -> None:
    build([[A, A, B]], path=tmp_path / "first").close()
    build([[C, B]], path=tmp_path / "second").close()
    with anygram.open([tmp_path / "first", tmp_path / "second"]) as index:
        assert index.probability([C, A, B], DOCUMENT_END, backoff=True) == anygram.Probability(1.0, 1, 1, 2)
        assert index.probability([A, C, B], DOCUMENT_END, backoff=True) == anygram.Probability(1.0, 1, 1, 2)


def test_find_order_is_fixed_for_a_generation(tmp_path: Path) -> None:
    built = build(DOCUMENTS, path=tmp_path / "index", shards=2)
    with anygram.open(tmp_path / "index") as opened:
        assert list(opened.find([A])) == list(built.find([A]))


def test_load_ram_and_mmap_answer_the_same(tmp_path: Path) -> None:
    build(DOCUMENTS, path=tmp_path / "index", shards=2).close()
    queries = [[A, B], [B], [A, A], [C, A]]
    with anygram.open(tmp_path / "index", load="ram") as ram, anygram.open(tmp_path / "index", load="mmap") as mapped:
        assert plain.answers(ram, queries) == plain.answers(mapped, queries)


def test_attributes(tmp_path: Path) -> None:
    path = tmp_path / "index"
    with build(["to be or not to be"], "words", path=path, profile="lean") as index:
        assert (index.num_tokens, index.num_documents, index.num_shards, index.profile) == (6, 1, 1, "lean")
        assert Path(index.path) == path
        assert index.vocab_size >= 4
        assert index.tokenizer.encode("to").tolist() == index.encode("to").tolist()
        assert index.num_bytes >= sum(file.stat().st_size for file in path.glob("shards/*/*"))
        assert index.id
        assert len(index.shards) == 1
    with anygram.open(path) as again:
        assert again.id == index.id


def test_an_index_in_memory_has_no_path(index: anygram.Index) -> None:
    assert index.path is None


def test_a_closed_index_says_so(tmp_path: Path) -> None:
    with build(DOCUMENTS, path=tmp_path / "index") as index:
        pass
    with pytest.raises((anygram.AnygramError, ValueError), match="closed"):
        index.count([A])
    index.close()


# How one n-gram and many are given


@pytest.mark.parametrize(
    "ngram",
    [[A, B], (A, B), np.array([A, B]), np.array([A, B], np.uint8), np.array([A, B], np.uint32), [np.int64(A), B]],
    ids=repr,
)
def test_one_ngram_is_a_sequence_of_ints_or_an_integer_array(index: anygram.Index, ngram: object) -> None:
    assert index.count(ngram) == 2


@pytest.mark.parametrize(
    "ngrams",
    [
        [[A, B], [B, C]],
        ((A, B), (B, C)),
        np.array([[A, B], [B, C]]),
        np.array([[A, B], [B, C]], np.uint16),
        [np.array([A, B]), [B, C]],
        anygram.Ragged([A, B, B, C], [0, 2, 4]),
    ],
    ids=["lists", "tuples", "int64 array", "uint16 array", "mixed", "Ragged"],
)
def test_many_ngrams_are_a_sequence_a_2d_array_or_a_ragged(index: anygram.Index, ngrams: object) -> None:
    assert index.count_batch(ngrams).tolist() == [2, 1]


def test_many_ngrams_are_an_arrow_list_array(index: anygram.Index) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    for values in [pyarrow.int64(), pyarrow.int32(), pyarrow.uint32()]:
        for lists in [pyarrow.list_(values), pyarrow.large_list(values)]:
            ngrams = pyarrow.array([[C], [A, B], [], [B, C]], lists)
            assert index.count_batch(ngrams).tolist() == [1, 2, 9, 1]
            assert index.count_batch(ngrams[1:]).tolist() == [2, 9, 1]


def test_many_ngrams_are_texts(words: anygram.Index) -> None:
    assert words.count_batch(["to be", "not", "parrot"]).tolist() == [2, 1, 0]


def test_a_str_is_not_many_ngrams(words: anygram.Index) -> None:
    with pytest.raises(InvalidQueryError):
        words.count_batch("to be")


def test_no_ngrams_have_no_answers(index: anygram.Index) -> None:
    assert index.count_batch([]).tolist() == []
    assert index.count_batch([[]]).tolist() == [9]


# Documents as they are given


def test_documents_are_an_iterable_of_texts() -> None:
    assert build(iter(["a b", "b"]), "words").count("b") == 2


def test_documents_are_an_iterable_of_id_sequences() -> None:
    index = build(iter([[A, B], (A,), np.array([B], np.uint16), []]))
    assert index.token_counts().tolist() == [2, 2]
    assert index.num_documents == 4


def test_documents_are_an_iterable_of_mappings() -> None:
    index = build([{"text": "a b", "year": 1999, "name": "x"}, {"text": "b", "year": 2001}], "words")
    assert index.count("b") == 2
    assert dict(index.document(0).metadata) == {"year": 1999, "name": "x"}
    assert dict(index.document(1).metadata) == {"year": 2001}


def test_documents_are_an_iterable_of_mappings_of_tokens() -> None:
    index = build([{"tokens": [A, B], "year": 1999}, {"tokens": []}])
    assert index.document(0).tokens.tolist() == [A, B]
    assert dict(index.document(0).metadata) == {"year": 1999}
    assert dict(index.document(1).metadata) == {}


def test_a_bare_str_is_refused() -> None:
    with pytest.raises(InputError, match="one str"):
        build("to be or not to be", "words")


def test_no_document_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no document"):
        build([])


def test_one_empty_document_is_an_index() -> None:
    index = build([[]])
    assert (index.num_tokens, index.num_documents, index.count([]), index.count([A])) == (0, 1, 0, 0)
    assert index.probability([A], DOCUMENT_END, backoff=True) == anygram.Probability(1.0, 1, 1, 0)
    assert index.continuations([]).tokens.tolist() == [DOCUMENT_END]
    assert len(index.find([])) == 0
    assert index.score([A]).prompt_counts.tolist() == [1]


# Results


def test_occurrences_have_a_length_and_are_indexed_and_sliced(index: anygram.Index) -> None:
    found = index.find([A])
    assert len(found) == len(list(found)) == 5
    assert found[-1] == list(found)[4]
    assert list(found[1:3]) == list(found)[1:3]
    assert list(found[::-2]) == list(found)[::-2]
    with pytest.raises(IndexError):
        found[5]


def test_a_sample_is_drawn_without_replacement_and_the_same_for_a_seed(index: anygram.Index) -> None:
    found = index.find([A])
    assert plain.find(found.sample(3, seed=7)) == plain.find(found.sample(3, seed=7))
    assert len(set(plain.find(found.sample(3, seed=7)))) == 3
    assert plain.find(found.sample(99)) == plain.find(found)
    assert len({tuple(plain.find(found.sample(2, seed=seed))) for seed in range(30)}) > 5


def test_an_occurrence_says_where_it_stands_and_what_is_around_it(words: anygram.Index) -> None:
    (one,) = words.find("not")
    assert (one.document, one.offset, one.shard) == (0, 3, 0)
    context = one.context(width=2)
    assert context.match.tolist() == words.encode("not").tolist()
    assert context.before.tolist() == words.encode("be or").tolist()
    assert context.after.tolist() == words.encode("to be").tolist()
    assert len(one.context(width=0).before) == 0


def test_a_document_has_its_tokens_text_metadata_source_id_and_number(words: anygram.Index) -> None:
    document = words.document(1)
    assert document.number == 1
    assert document.text == "that is the question"
    assert document.tokens.tolist() == words.encode("that is the question").tolist()
    assert [other.number for other in words.documents([1, 0, 1])] == [1, 0, 1]
    assert (document.source, dict(document.metadata)) == (None, {})
    assert document.id == "1"


def test_continuations_are_dense_for_who_wants_that(index: anygram.Index) -> None:
    dense = index.continuations([B]).dense(index.vocab_size)
    assert dense.tolist() == [1 / 3, 0.0, 1 / 3]
    with pytest.raises(InvalidQueryError):
        index.continuations([B]).dense(2)


def test_a_shard_has_intervals_positions_and_documents() -> None:
    index = build([[A, B], [B, A]], shards=2)
    assert [shard.num_tokens for shard in index.shards] == [2, 2]
    shard = index.shards[1]
    begin, end = shard.interval([B])
    assert end - begin == 1
    assert shard.position(begin) == 0
    assert shard.interval([C])[0] == shard.interval([C])[1]
    assert [shard.document_at(position) for position in range(3)] == [0, 0, 0]


RESULTS: dict[str, Callable[[anygram.Index], object]] = {
    "probability": lambda index: index.probability("to", "be"),
    "continuations": lambda index: index.continuations("to"),
    "score": lambda index: index.score("to be"),
    "longest_matches": lambda index: index.longest_matches("to be"),
    "spans": lambda index: index.spans("to be"),
    "occurrence": lambda index: index.find("to")[0],
    "document": lambda index: index.document(0),
}
each_result = pytest.mark.parametrize("ask", RESULTS.values(), ids=RESULTS.keys())


@each_result
def test_results_are_frozen(words: anygram.Index, ask: Callable[[anygram.Index], object]) -> None:
    result = ask(words)
    field = next(iter(result.__dataclass_fields__))
    with pytest.raises(FrozenInstanceError):
        setattr(result, field, None)


@each_result
def test_results_have_a_repr_html_and_to_dict(words: anygram.Index, ask: Callable[[anygram.Index], object]) -> None:
    result = ask(words)
    assert "<table" in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict()))


@pytest.mark.parametrize("name", ["continuations", "score", "longest_matches", "spans", "occurrence", "document"])
def test_a_repr_shows_text(words: anygram.Index, name: str) -> None:
    assert "be" in repr(RESULTS[name](words))


def test_tables_hand_out_the_arrow_c_stream(words: anygram.Index) -> None:
    nanoarrow = pytest.importorskip("nanoarrow")
    for result in [words.continuations("to"), words.score("to be"), words.longest_matches("to"), words.spans("to")]:
        assert nanoarrow.ArrayStream(result).read_all().to_pylist()


def test_the_example_of_the_readme() -> None:
    index = anygram.build(["to be or not to be"], tokenizer="words")
    assert index.count("to be") == 2
