"""Language models against their definitions, over dictionaries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
import oracle
from anygram.analysis.language_models import Infinity, KneserNey, StupidBackoff
from naive_kneser_ney import BEGIN, END, NaiveKneserNey
from strategies import Documents, shard_counts, small_corpora, texts

END_ID = anygram.DOCUMENT_END


@st.composite
def corpora_with_text(draw: st.DrawFn) -> tuple[Documents, list[int]]:
    documents = draw(small_corpora())
    return documents, draw(texts(documents))[:30]


def frequent(documents: Documents) -> Documents:
    """So many copies that n-grams occur more often than the facts of them are read from the index."""
    return [*documents * 60, *documents]


@pytest.mark.parametrize("prepare", [list, frequent])
@settings(max_examples=settings.default.max_examples // 2)
@given(corpora_with_text(), st.integers(1, 5), st.booleans(), shard_counts(), st.sampled_from(["fast", "lean"]))
def test_kneser_ney_is_that_of_the_definition(
    prepare: object, question: tuple[Documents, list[int]], order: int, at_start: bool, shards: int, profile: str
) -> None:
    documents, text = question
    documents = prepare(documents)  # type: ignore[operator]
    naive = NaiveKneserNey(documents, order)
    with anygram.build(documents, tokenizer=None, shards=shards, profile=profile) as index:  # type: ignore[arg-type]
        model = anygram.language_model(index, "kneser-ney", order)
        assert isinstance(model, KneserNey)
        logprobs = model.logprobs(text, at_start=at_start, end=True)
        probs = model.probs(text, at_start=at_start)
        seen = index.token_counts() > 0
    history = [BEGIN] if at_start else []
    expected = [naive.prob([*history, *text[:i]], token) for i, token in enumerate([*text, END])]
    np.testing.assert_allclose(np.exp(logprobs), expected, rtol=1e-12)
    expected = [naive.prob([*history, *text], token) for token in [*range(len(seen)), END]]
    np.testing.assert_allclose(probs, expected, rtol=1e-12)
    unknown = naive.prob([*history, *text], 999)
    assert math.isclose(probs[:-1][seen].sum() + probs[-1] + unknown, 1.0)
    np.testing.assert_allclose([d[1:] for d in model.discounts], [d[1:] for d in naive.discounts[1:]], rtol=1e-12)


@given(corpora_with_text(), st.one_of(st.none(), st.integers(1, 4)), shard_counts())
def test_the_infinity_gram_is_the_score(question: tuple[Documents, list[int]], order: int | None, shards: int) -> None:
    documents, text = question
    with anygram.build(documents, tokenizer=None, shards=shards) as index:
        model = anygram.language_model(index, order=order)
        assert isinstance(model, Infinity)
        scores = index.score(text, order=order, end=True)
        np.testing.assert_allclose(np.exp(model.logprobs(text, end=True)), scores.probs, rtol=1e-12)
        probs = model.probs(text)
        assert math.isclose(probs.sum(), 1.0)
        assert probs[-1] == scores.probs[-1]
        found = model.evaluate([text], end=True)
        assert found.num_zero == (scores.probs == 0).sum()
        assert math.isinf(found.perplexity) == bool(found.num_zero)


def naive_stupid_backoff(documents: Documents, prompt: list[int], token: int, order: int) -> float:
    for backoffs, length in enumerate(range(min(order - 1, len(prompt)), -1, -1)):
        context = prompt[len(prompt) - length :]
        follows = oracle.Oracle(documents).following(context)
        if token in follows:
            return float(0.4**backoffs * follows.count(token) / len(follows))
    return 0.0


@given(corpora_with_text(), st.integers(1, 4), shard_counts())
def test_stupid_backoff_is_that_of_the_definition(
    question: tuple[Documents, list[int]], order: int, shards: int
) -> None:
    documents, text = question
    with anygram.build(documents, tokenizer=None, shards=shards) as index:
        model = anygram.language_model(index, "stupid-backoff", order)
        assert isinstance(model, StupidBackoff)
        logscores = model.logscores(text, end=True)
        scores = model.scores(text)
    expected = [naive_stupid_backoff(documents, text[:i], token, order) for i, token in enumerate([*text, END_ID])]
    np.testing.assert_allclose(np.exp(logscores), expected, rtol=1e-12)
    ids = [*range(len(scores) - 1), END_ID]
    np.testing.assert_allclose(scores, [naive_stupid_backoff(documents, text, i, order) for i in ids], rtol=1e-12)


@pytest.fixture(scope="module")
def plays() -> anygram.Index:
    return anygram.build(["to be or not to be", "to be is to do", "do be do be do", ""], tokenizer="words")


def test_scores_are_no_probabilities(plays: anygram.Index) -> None:
    model = anygram.language_model(plays, "stupid-backoff")
    for ask in (model.probs, model.logprobs, model.perplexity):
        with pytest.raises(anygram.InvalidQueryError, match="scores, not probabilities"):
            ask("to be")  # type: ignore[operator]


def test_perplexity_and_bits_per_byte(plays: anygram.Index) -> None:
    model = anygram.language_model(plays, "kneser-ney", 3)
    logprobs = model.logprobs("to be do")
    found = model.evaluate(["to be do"])
    assert found.num_tokens == 3
    assert found.num_bytes == 8
    assert found.share_zero == 0
    assert math.isclose(found.perplexity, math.exp(-logprobs.mean()))
    assert math.isclose(model.bits_per_byte(["to be do"]), -logprobs.sum() / math.log(2) / 8)
    assert math.isclose(model.bits_per_byte([plays.encode("to be do")]), found.bits_per_byte)
    assert math.isnan(model.perplexity([]))
    without = anygram.build([[1, 2, 3]], tokenizer=None)
    with pytest.raises(anygram.InvalidQueryError, match="bits per byte"):
        anygram.language_model(without, "kneser-ney").bits_per_byte([[1, 2]])


@pytest.mark.parametrize("kind", ["infinity", "kneser-ney", "stupid-backoff"])
def test_generation(plays: anygram.Index, kind: str) -> None:
    model = anygram.language_model(plays, kind)  # type: ignore[arg-type]
    first = model.generate("to", num_return_sequences=4, seed=5, max_new_tokens=6)
    assert first == model.generate("to", num_return_sequences=4, seed=5, max_new_tokens=6)
    assert len({text.text for text in first}) > 1
    assert all(len(text.tokens) <= 6 for text in first)
    assert all(len(text.logprobs) == len(text.tokens) + text.ended for text in first)
    greedy = model.generate("to", temperature=0, max_new_tokens=3)[0]
    assert greedy.text is not None
    assert greedy.text.startswith("be")
    assert greedy == model.generate("to", top_k=1, max_new_tokens=3)[0]
    assert greedy == model.generate("to", top_p=1e-9, max_new_tokens=3)[0]
    assert not len(model.generate("to", max_new_tokens=0)[0].tokens)


@settings(max_examples=settings.default.max_examples // 2)
@given(
    corpora_with_text(),
    st.sampled_from(["infinity", "kneser-ney", "stupid-backoff"]),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.one_of(st.none(), st.integers(1, 3)),
    st.integers(0, 99),
)
def test_what_is_made_is_drawn_from_the_distribution(
    question: tuple[Documents, list[int]], kind: str, order: int, temperature: float, top_k: int | None, seed: int
) -> None:
    documents, text = question
    with anygram.build(documents, tokenizer=None) as index:
        model = anygram.language_model(index, kind, order)  # type: ignore[arg-type]
        made = model.generate(text[:5], max_new_tokens=8, temperature=temperature, top_k=top_k, seed=seed)[0]
        tokens = [*made.tokens.tolist(), *([END_ID] if made.ended else [])]
        assert len(made.logprobs) == len(tokens)
        for place, (token, logprob) in enumerate(zip(tokens, made.logprobs.tolist(), strict=True)):
            before = [*text[:5], *tokens[:place]]
            if isinstance(model, StupidBackoff):
                probs = model.scores(before) / model.scores(before).sum()
            else:
                probs = model.probs(before)
                # Kneser-Ney gives each id that does not occur the unknown token's share.
                seen = np.append(index.token_counts() > 0, True)
                unknown = 0.0 if isinstance(model, Infinity) else model.logprobs([*before, 999])[-1]
                share = 0.0 if isinstance(model, Infinity) else math.exp(unknown)
                assert math.isclose(probs[seen].sum() + share, 1.0, rel_tol=1e-9)
            drawn = probs[-1] if token == END_ID else probs[token]
            assert math.isclose(math.exp(logprob), drawn, rel_tol=1e-9)
            most = 1 if temperature == 0 else top_k
            if most is not None:
                assert (probs > drawn * (1 + 1e-9)).sum() < most


def test_a_string_ends_what_is_made(plays: anygram.Index) -> None:
    model = anygram.language_model(plays, "kneser-ney", 3)
    arguments = {"max_new_tokens": 30, "num_return_sequences": 5, "seed": 2}
    whole = model.generate("to", **arguments)  # type: ignore[arg-type]
    cut = model.generate("to", stop_strings=["do", "not"], **arguments)  # type: ignore[arg-type]
    for one, other in zip(whole, cut, strict=True):
        assert one.text is not None
        assert other.text is not None
        assert one.text.startswith(other.text)
        stopped = [other.text.endswith(stop) for stop in ("do", "not")]
        assert any(stopped) or other.text == one.text
        assert other.text.count("do") + other.text.count("not") <= 1
    assert any(len(one.tokens) < len(other.tokens) for one, other in zip(cut, whole, strict=True))
    ids = anygram.build([[1, 2]], tokenizer=None)
    with pytest.raises(anygram.InvalidQueryError, match="stop_strings"):
        anygram.language_model(ids).generate([1], stop_strings="x")


def test_sampling_follows_the_distribution(plays: anygram.Index) -> None:
    model = anygram.language_model(plays)
    made = model.generate("to be", max_new_tokens=1, num_return_sequences=3000, seed=1)
    ended = sum(text.ended for text in made) / 3000
    assert abs(ended - 1 / 3) < 0.04


@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature": -1.0},
        {"temperature": math.nan},
        {"top_k": 0},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"max_new_tokens": -1},
        {"num_return_sequences": 0},
        {"seed": -1},
    ],
)
def test_generation_refuses_what_it_cannot_do(plays: anygram.Index, arguments: dict[str, object]) -> None:
    with pytest.raises(anygram.InvalidQueryError, match=next(iter(arguments))):
        anygram.language_model(plays).generate("to", **arguments)  # type: ignore[arg-type]


def test_an_unknown_kind_or_order(plays: anygram.Index) -> None:
    with pytest.raises(anygram.InvalidQueryError, match="kind is"):
        anygram.language_model(plays, "katz")  # type: ignore[arg-type]
    with pytest.raises(anygram.InvalidQueryError, match="order"):
        anygram.language_model(plays, "kneser-ney", 0)
