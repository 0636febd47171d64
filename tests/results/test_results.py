"""Results: equal when their answers are, plain as JSON, safe to show, and tables for whoever reads Arrow."""

import json
import math
import pickle

import numpy as np
import pytest

from anygram.errors import InvalidQueryError
from anygram.results import Context, Continuations, Document, Matches, Occurrence, Probability, Scores, Spans
from anygram.types import DOCUMENT_END

WORDS = ["to", "be", "or", "not", "<script>alert(1)</script>", "\x1b[31mred"]


def decode(tokens):
    return " ".join(WORDS[token] for token in tokens)


def continuations(**changes):
    fields = {
        "tokens": [1, 2, DOCUMENT_END],
        "counts": [5, 3, 2],
        "probs": [0.5, 0.3, 0.2],
        "prompt_count": 10,
        "suffix_length": 1,
        "num_distinct": 3,
    }
    return Continuations(**(fields | changes))


def scores(**changes):
    fields = {
        "tokens": [0, 1],
        "probs": [0.25, math.nan],
        "prompt_counts": [8, 0],
        "continuation_counts": [2, 0],
        "suffix_lengths": [0, 1],
        "sparse": [False, True],
    }
    return Scores(**(fields | changes))


def matches():
    return Matches([2, 1, 0], [3, 7, 0], query=[0, 1, 2], decode=decode)


def spans():
    return Spans([0, 1], [2, 3], [4, 1], query=[0, 1, 2], decode=decode)


CORPUS = np.array([3, 0, 1, 2, 3, 0, 1])


def read(document, begin, end):
    assert document == 7
    return CORPUS[begin:end]


def occurrence(offset=1):
    return Occurrence(document=7, offset=offset, shard=0, rank=4, position=9, length=2, read=read, decode=decode)


def document():
    return Document(3, [0, 1, 4], {"url": "https://x.test", "score": math.nan}, "a.jsonl", "doc-3", decode)


TABLES = [
    continuations(),
    scores(),
    scores(top_tokens=[[1, 0], [2, 3]], top_probs=[[0.5, 0.2], [1, 0]]),
    matches(),
    spans(),
]
RESULTS = [*TABLES, Probability(math.nan, 0, 0, 2), occurrence(), occurrence().context(2), document()]


def name(result):
    return type(result).__name__


@pytest.mark.parametrize("result", RESULTS, ids=name)
def test_a_pickled_result_is_equal(result):
    copy = pickle.loads(pickle.dumps(result))
    assert copy == result
    assert copy.to_dict() == result.to_dict()


@pytest.mark.parametrize("result", RESULTS, ids=name)
def test_to_dict_is_json_without_nan(result):
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert json.loads(text) == result.to_dict()


@pytest.mark.parametrize("result", RESULTS, ids=name)
def test_results_cannot_be_changed(result):
    for field in result.__slots__:
        with pytest.raises(AttributeError):
            setattr(result, field, None)
        value = getattr(result, field)
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable
    assert not hasattr(result, "__dict__")


@pytest.mark.parametrize("result", RESULTS, ids=name)
def test_repr_and_html_never_pass_on_markup_or_control_characters(result):
    assert "\x1b" not in repr(result)
    assert "<script" not in result._repr_html_()
    assert "\x1b" not in result._repr_html_()


@pytest.mark.parametrize("table", TABLES, ids=name)
def test_tables_are_arrow(table):
    expected = {column: values.tolist() for column, values in table.columns().items()}
    pyarrow = pytest.importorskip("pyarrow")
    assert str(pyarrow.table(table).to_pydict()) == str(expected)
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(table).shape == (len(table), len(expected))
    assert str(polars.DataFrame(table).to_dict(as_series=False)) == str(expected)


EMPTY_SCORES = scores(**{column: [] for column in scores().columns() if column != "agrees"})


@pytest.mark.parametrize("table", [Matches([], []), Spans([], [], []), EMPTY_SCORES], ids=name)
def test_empty_tables(table):
    assert len(table) == 0
    assert repr(table)
    nanoarrow = pytest.importorskip("nanoarrow")
    assert len(nanoarrow.Array(table)) == 0


def test_equality_is_of_answers():
    assert continuations() == continuations(decode=decode)
    assert continuations() != continuations(counts=[5, 2, 2])
    assert continuations() != continuations(counts=[5, 3, 2, 1], tokens=[0, 1, 2, 3], probs=[0, 0, 0, 0])
    assert scores() == scores()
    assert matches() != spans()
    assert Probability(math.nan, 0, 0, 2) == Probability(math.nan, 0, 0, 2)
    assert Probability(math.nan, 0, 0, 2) != Probability(0.0, 1, 0, 2)


def test_numbers_hash_and_arrays_do_not():
    assert len({Probability(float("nan"), 0, 0, 2), Probability(float("nan"), 0, 0, 2)}) == 1
    assert len({occurrence(), occurrence(), occurrence(4)}) == 2
    with pytest.raises(TypeError, match="Continuations"):
        hash(continuations())


def test_columns_have_the_promised_types_and_one_length():
    table = scores(top_tokens=[[1, 0], [2, 3]], top_probs=[[0.5, 0.2], [1, 0]])
    kinds = {column: values.dtype.name for column, values in table.columns().items()}
    assert kinds == {
        "tokens": "int64",
        "probs": "float64",
        "prompt_counts": "int64",
        "continuation_counts": "int64",
        "suffix_lengths": "int64",
        "sparse": "bool",
        "agrees": "bool",
        "top_tokens": "int64",
        "top_probs": "float64",
    }
    with pytest.raises(ValueError, match="length"):
        continuations(counts=[1])


def test_agrees_is_more_than_half():
    table = scores(probs=[0.5, 0.51])
    assert table.agrees.tolist() == [False, True]
    assert scores().agrees.tolist() == [False, False]  # nan agrees with nothing


class TestDense:
    def test_the_end_is_left_out(self):
        assert continuations().dense(4).tolist() == [0, 0.5, 0.3, 0]
        assert continuations().dense(3, values="counts").tolist() == [0, 5, 3]
        assert continuations().dense(3, values="counts").dtype == np.int64

    @pytest.mark.parametrize("values", ["probs", "counts"])
    def test_a_token_that_does_not_fit_is_an_error(self, values):
        with pytest.raises(InvalidQueryError, match=r"token 2 .* size of 2"):
            continuations().dense(2, values=values)

    def test_an_unseen_prompt_has_no_distribution(self):
        unseen = continuations(tokens=[], counts=[], probs=[], prompt_count=0, num_distinct=0)
        assert np.isnan(unseen.dense(3)).all()
        assert unseen.dense(3, values="counts").tolist() == [0, 0, 0]

    def test_a_wrong_word_is_refused(self):
        with pytest.raises(InvalidQueryError, match="values"):
            continuations().dense(3, values="count")


def test_the_most_frequent_are_shown_first():
    lines = repr(continuations(decode=decode)).splitlines()
    assert lines[0] == "Continuations: 3 distinct; prompt_count=10, suffix_length=1"
    assert lines[2].split() == ["5", "0.5000", "1", "'be'"]
    assert lines[4].endswith("(document end)")
    assert "2 most frequent of 9" in repr(continuations(tokens=[1, 2], counts=[5, 3], probs=[0.5, 0.3], num_distinct=9))


def test_spans_and_matches_show_their_words():
    assert "'to be'" in repr(matches())
    assert "'be or'" in repr(spans())
    assert "1 2" in repr(Spans([1], [3], [1], query=[0, 1, 2]))


class TestContext:
    def test_cut_at_the_documents_ends(self):
        context = occurrence().context(3)
        assert (context.before.tolist(), context.match.tolist(), context.after.tolist()) == ([3], [0, 1], [2, 3, 0])
        assert occurrence(5).context(1).after.tolist() == []
        assert occurrence().context(0).text == "to be"

    def test_text(self):
        assert occurrence().context(1).text == "not to be or"
        assert occurrence().context(1).texts == ("not", " to be", " or")
        assert str(occurrence().context(1)) == "not[ to be] or"
        assert str(Context([3], [0, 1], [2])) == "3 [0 1] 2"

    def test_a_character_across_seams_belongs_to_the_match(self):
        halves = "é".encode()
        context = Context([halves[0]], [halves[1]], [], lambda tokens: bytes(tokens).decode(errors="replace"))
        assert context.text == "é"
        assert context.texts == ("", "é", "")

    def test_parts_that_cannot_be_cut_apart_are_decoded_alone(self):
        # A decoder that looks at the whole.
        context = Context([3], [1], [2], lambda tokens: f"{len(tokens)}:{decode(tokens)};")
        assert context.texts == ("1:not;", "1:be;", "1:or;")

    def test_a_negative_width_and_a_lost_index_are_errors(self):
        with pytest.raises(InvalidQueryError, match="width"):
            occurrence().context(-1)
        with pytest.raises(InvalidQueryError, match=r"index\.document\(7\)"):
            pickle.loads(pickle.dumps(occurrence())).context()

    def test_control_characters_are_not_printed(self):
        assert "\x1b" not in str(Context([0], [5], [1], decode))


def test_a_document_keeps_its_text_when_pickled():
    copy = pickle.loads(pickle.dumps(document()))
    assert copy.text == document().text == f"to be {WORDS[4]}"
    assert document().to_dict()["metadata"] == {"url": "https://x.test", "score": None}
    assert Document(0, []).text is None
    assert len(document()) == 3
