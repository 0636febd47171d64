"""Every rule against its definition, on random corpora and on both sides of each boundary."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from pathlib import Path

import naive_rules as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
from anygram import rules
from anygram.analysis.contamination.engine import Judgements, judge
from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.normalisers import FOLDED_WORDS
from anygram.scanning import GramFamily, Normaliser

NUM_CORPORA = 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 25

DEFINITIONS = {
    "gpt2": naive.gpt2,
    "gpt3": naive.gpt3,
    "lm_eval": naive.lm_eval,
    "palm": naive.palm,
    "gpt4": naive.gpt4,
    "tulu3": naive.tulu3,
    "infini_gram_mini": naive.infini_gram_mini,
    "decon": naive.decon,
    "wimbd": naive.wimbd,
    "quip": naive.quip,
}
CONTAM = [name for name in rules.ALL_RULES if name.startswith("contam")]


def judgement(verdict: Verdict) -> naive.Judgement:
    if not verdict.applicable:
        assert math.isnan(verdict.score)
        assert (verdict.contaminated, verdict.label, verdict.evidence) == (False, "not applicable", ())
        return None
    return verdict.contaminated, verdict.score, verdict.label


def same(found: naive.Judgement, expected: naive.Judgement) -> bool:
    if found is None or expected is None:
        return found is expected
    return (found[0], found[2]) == (expected[0], expected[2]) and math.isclose(found[1], expected[1], rel_tol=1e-12)


WORDS = [
    "the",
    "The",
    "cat,",
    "sat",
    "ON",
    "mat.",
    "don't",
    "Straße",
    "ΣΑΣ",
    "3.14",
    "e\u0301te",
    "a_b",
    "—",
    "日本",
    "カタ",
]
ODD = ["\u200d", "\u00ad", "'", '"', "א", "ℹ", "🇫", "\x1c", "\u0085", "\u3000", "İ", "ﬁ", "\u0300", ":", "1,5"]


def random_text(draw: random.Random, size: int) -> str:
    words = [draw.choice(WORDS if draw.random() < 0.95 else ODD) for _ in range(size)]
    return "".join(word + draw.choice([" "] * 9 + ["\n", "", "  "]) for word in words)


def random_corpus(seed: int) -> tuple[list[str], list[Item]]:
    """Documents over few words, and items that are taken from them, changed here and there, or not from them."""
    draw = random.Random(seed)
    documents = [random_text(draw, draw.choice([0, 3, 30, 80])) for _ in range(draw.randrange(1, 6))]
    items = []
    for number in range(draw.randrange(1, 8)):
        fields = {}
        for role in ("passage", "question", "choices", "answer"):
            if role != "question" and draw.random() < 0.5:
                continue
            size = draw.choice([0, 2, 8, 15, 40])
            document = draw.choice(documents)
            begin = draw.randrange(len(document) + 1)
            text = document[begin : begin + 6 * size] if draw.random() < 0.7 else random_text(draw, size)
            for _ in range(draw.choice([0, 0, 1, 4])):
                place = draw.randrange(len(text) + 1)
                text = text[:place] + draw.choice(WORDS) + text[place + 3 :]
            fields[role] = text
        items.append(Item(draw.choice(["one", "two"]), number, str(number), fields))
    # An item that a document has as a whole, as passage, question and answer.
    words = naive.decon_words(documents[0])
    if len(words) > 25:
        parts = {"passage": words[:10], "question": words[10:22], "answer": words[22:25]}
        items.append(Item("one", 99, "99", {role: " ".join(part) for role, part in parts.items()}))
    return documents, items


def check(found: list[Verdict], expected: list[naive.Judgement], items: Sequence[Item], name: str) -> None:
    for verdict, wanted, item in zip(found, expected, items, strict=True):
        assert same(judgement(verdict), wanted), (name, item, judgement(verdict), wanted)
        for evidence in verdict.evidence:
            assert 0 <= evidence.begin < evidence.end <= len(item.fields[evidence.field])
            assert list(evidence.documents) == sorted(set(evidence.documents))
            assert len(evidence.documents) in range(1, 11)


@pytest.mark.parametrize("seed", range(NUM_CORPORA))
def test_rules_on_texts_judge_as_they_are_defined(seed: int) -> None:
    documents, items = random_corpus(seed)
    tokenizer = ["bytes", "words:fold"][seed % 2]
    index = anygram.build(documents, tokenizer=tokenizer, shards=1 + seed % 3)
    texts = documents if tokenizer == "bytes" else [index.document(i).text or "" for i in range(len(documents))]
    found = judge(index, items, [kind() for name, kind in rules.ALL_RULES.items() if name in DEFINITIONS])
    for name, definition in DEFINITIONS.items():
        # An index of folded words answers from its words, the scan from what they are rendered as: the same.
        own = tokenizer == "words:fold" and name in {"palm", "tulu3", "wimbd"}
        assert found.ways[name] == ("index" if own else "scan")
        check(found.verdicts[name], definition(documents if own else texts, items), items, name)


def planted_corpus(seed: int) -> tuple[list[str], list[Item]]:
    """Items over few words, and documents that have their parts one behind the other, changed here and there."""
    draw = random.Random(seed)
    words = [f"w{number}" for number in range(draw.choice([5, 30, 200]))]
    items = []
    for number in range(draw.randrange(1, 8)):
        sizes = {"passage": [0, 1, 3, 4, 15, 60], "question": [1, 3, 5, 8, 15, 60], "answer": [0, 1, 2, 3, 4, 6, 25]}
        texts = {role: " ".join(draw.choices(words, k=draw.choice(size))) for role, size in sizes.items()}
        kept = {role: text for role, text in texts.items() if role == "question" or draw.random() < 0.6}
        items.append(Item("one", number, str(number), kept))
    documents = []
    for _ in range(draw.randrange(1, 5)):
        document: list[str] = []
        for item in draw.choices(items, k=draw.randrange(5)):
            for role in draw.sample(ROLES, 3) if draw.random() < 0.2 else ROLES:
                part = item.fields.get(role, "").split()
                for _ in range(draw.choice([0, 0, 0, 1, 3]) if part else 0):
                    part[draw.randrange(len(part))] = draw.choice(words)
                document += part[: draw.randrange(len(part) + 1)] if draw.random() < 0.2 else part
                document += draw.choices(words, k=draw.choice([0, 0, 0, 2, 12, 49, 60, 110]))
        documents.append(" ".join(document))
    return documents, items


ROLES = ("passage", "question", "answer")


@pytest.mark.parametrize("seed", range(2 * NUM_CORPORA))
def test_decon_judges_as_it_is_defined(seed: int) -> None:
    documents, items = planted_corpus(seed)
    index = anygram.build(documents, tokenizer="bytes", shards=1 + seed % 2)
    rule = rules.Decon() if seed % 4 else rules.Decon(length=3, max_misses=4, score=0.5, perfect_until=5, usual_from=9)
    check(judge(index, items, [rule]).verdicts[rule.key], naive.decon(documents, items, rule), items, f"decon {seed}")


@pytest.mark.parametrize("seed", range(NUM_CORPORA))
def test_rules_on_tokens_judge_as_they_are_defined(seed: int) -> None:
    draw = random.Random(seed)
    letters = "ab" if seed % 2 else "abcdefg"
    documents = ["".join(draw.choices(letters, k=draw.choice([0, 5, 40]))) for _ in range(draw.randrange(1, 6))]
    texts = []
    for _ in range(6):
        text = list(draw.choice(documents)[draw.randrange(5) :][: draw.choice([3, 12, 30])])
        for _ in range(draw.choice([0, 1, 3]) if text else 0):
            text[draw.randrange(len(text))] = draw.choice(letters)
        texts.append("".join(text))
    items = [Item("one", number, str(number), {"question": text}) for number, text in enumerate(texts)]
    index = anygram.build(documents, tokenizer="bytes", shards=1 + seed % 3)
    corpus, encoded = [list(d.encode()) for d in documents], [list(text.encode()) for text in texts]
    length, budget, exact, min_count = (
        draw.randrange(1, 7),
        draw.randrange(4),
        draw.randrange(1, 7),
        draw.randrange(1, 4),
    )
    llama = rules.Llama2(length=length, skip_budget=budget, exact_prefix=exact)
    chosen: list[rules.Rule] = [llama]
    for name in CONTAM:
        budgeted = {"skip_budget": budget} if "extend" in name or "longest" in name else {}
        chosen.append(rules.ALL_RULES[name](length=length, min_count=min_count, **budgeted))  # type: ignore[call-arg]
    found = judge(index, items, chosen)
    check(found.verdicts[llama.key], naive.llama2(corpus, encoded, length, budget, exact), items, "llama2")
    for rule in chosen[1:]:
        expected = [naive.contam(rule.name, corpus, text, length, min_count, budget) for text in encoded]
        check(found.verdicts[rule.key], expected, items, rule.key)


@pytest.mark.parametrize("seed", range(NUM_CORPORA))
def test_near_matches_are_all_of_them(seed: int) -> None:
    draw = random.Random(seed)
    corpus = [draw.choices(range(3), k=draw.choice([0, 4, 30])) for _ in range(draw.randrange(1, 6))]
    index = anygram.build(corpus, tokenizer="none", shards=1 + seed % 3)
    ngram = draw.choices(range(3), k=draw.randrange(1, 9))
    most = draw.randrange(len(ngram))
    found = index.near_matches(ngram, max_substitutions=most)
    rows = list(zip(found.documents.tolist(), found.offsets.tolist(), found.substitutions.tolist(), strict=True))
    assert rows == naive.near_matches(corpus, ngram, most)
    assert found.complete
    few = index.near_matches(ngram, max_substitutions=most, limit=2)
    assert list(few.documents) == [document for document, _, _ in rows[:2]]
    assert few.complete == (len(rows) <= 2)


def test_near_matches_have_more_tokens_than_substitutions() -> None:
    index = anygram.build([[1, 2, 3]], tokenizer="none")
    with pytest.raises(anygram.InvalidQueryError, match="fewer"):
        index.near_matches([1, 2], max_substitutions=2)
    with pytest.raises(anygram.InvalidQueryError, match="max_substitutions"):
        index.near_matches([1, 2], max_substitutions=-1)


# --- both sides of each boundary


def one(documents: list[str], rule: rules.Rule, fields: dict[str, str], tokenizer: str = "bytes") -> Verdict:
    return all_of(documents, [rule], [fields], tokenizer).verdicts[rule.key][0]


def all_of(
    documents: list[str], chosen: list[rules.Rule], fields: list[dict[str, str]], tokenizer: str = "bytes"
) -> Judgements:
    index = anygram.build(documents, tokenizer=tokenizer)
    return judge(index, [Item("b", number, str(number), each) for number, each in enumerate(fields)], chosen)


def numbered(begin: int, end: int) -> str:
    return " ".join(f"word{number}" for number in range(begin, end))


def substituted(text: str, *places: int) -> str:
    words = text.split()
    for place in places:
        words[place] = f"other{place}"
    return " ".join(words)


@pytest.mark.parametrize(
    ("places", "score"),
    [
        ((), 1.0),
        ((10,), 29 / 30),  # right after the first ten
        ((9,), 20 / 30),  # among them: only what begins behind it
        ((29,), 29 / 30),  # the last is trailing
        ((11, 14, 17, 20), 26 / 30),  # four
        ((11, 14, 17, 19, 20), 19 / 30 - 4 / 30),  # a fifth ends the span before it; behind it too few are left
        ((2,), 27 / 30),
    ],
)
def test_llama2_spends_its_budget(places: tuple[int, ...], score: float) -> None:
    text = numbered(0, 30)
    found = one([text], rules.Llama2(), {"question": substituted(text, *places)}, "words")
    if places == (11, 14, 17, 19, 20):
        expected = naive.llama2([list(range(30))], [[-1 if i in places else i for i in range(30)]])[0]
        assert expected is not None
        score = expected[1]
    assert found.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("matched", "size", "label"),
    [(19, 100, "clean"), (20, 100, "not clean"), (79, 100, "not clean"), (80, 100, "dirty")],
)
def test_llama2_has_its_own_sides(matched: int, size: int, label: str) -> None:
    text = f"{numbered(0, matched)} {' '.join(f'new{i}' for i in range(size - matched))}"
    assert one([numbered(0, matched)], rules.Llama2(), {"question": text}, "words").label == label


def test_too_short_is_not_applicable() -> None:
    short = {"question": "one two three four five six seven"}
    for kind in rules.ALL_RULES.values():
        verdict = one([numbered(0, 30)], kind(), short, "words")
        assert verdict.applicable == (kind.name in {"gpt4", "wimbd", "quip"}), kind.name
    for kind in rules.ALL_RULES.values():
        assert not one([numbered(0, 30)], kind(), {"question": ""}, "words").applicable, kind.name
        assert not one([numbered(0, 30)], kind(), {}, "words").applicable, kind.name


def test_gpt4_takes_a_short_text_as_a_whole() -> None:
    documents = ["It is said: one, two; three!"]
    assert one(documents, rules.Gpt4(), {"question": "one two three"}).contaminated
    assert not one(documents, rules.Gpt4(), {"question": "one two Three"}).contaminated
    assert one(documents, rules.Gpt4(), {"question": "one two three", "answer": "never seen"}).contaminated


def test_palm_takes_70_percent() -> None:
    # Of ten 8-grams, the first seven (then six) are in the corpus.
    text = numbered(0, 17)
    assert one([numbered(0, 14)], rules.Palm(), {"question": text}).score == pytest.approx(0.7)
    assert one([numbered(0, 14)], rules.Palm(), {"question": text}).contaminated
    assert not one([numbered(0, 13)], rules.Palm(), {"question": text}).contaminated


def test_tulu3_takes_more_than_half_of_one_document() -> None:
    text = numbered(0, 20)
    half = one([numbered(0, 10)], rules.Tulu3(), {"question": text})
    assert (half.contaminated, half.score) == (False, 0.5)
    assert one([numbered(0, 11)], rules.Tulu3(), {"question": text}).contaminated
    pooled = one([numbered(0, 10), numbered(10, 20)], rules.Tulu3(), {"question": text})
    assert (pooled.contaminated, pooled.score) == (False, 0.5)


def test_wimbd_takes_all_fields_of_one_document() -> None:
    fields = {"question": "the first premise", "choices": "one choice\nanother choice", "answer": "never seen"}
    apart = ["It has the first premise.", "It has one choice and another choice."]
    assert not one(apart, rules.Wimbd(), fields).contaminated
    assert one([" ".join(apart)], rules.Wimbd(), fields).contaminated


@pytest.mark.parametrize(("words", "label"), [(1, "clean"), (2, "suspicious"), (7, "suspicious"), (8, "dirty")])
def test_infini_gram_mini_has_its_own_sides(words: int, label: str) -> None:
    # Ten words of nine characters and ten of 50: ten substrings begin at words and fit.
    text = " ".join([f"{number:09d}" for number in range(14)] + ["x" * 9])
    starts = [10 * number for number in range(10) if 10 * number + 50 <= len(text)]
    assert len(starts) == 10
    found = one([text[: starts[words - 1] + 50]], rules.InfiniGramMini(), {"question": text[:149][: starts[-1] + 50]})
    assert (found.score, found.label) == (words / 10, label)


@pytest.mark.parametrize("name", [name for name in rules.ALL_RULES if name != "wimbd"])
def test_nothing_is_matched_across_documents(name: str) -> None:
    text = numbered(0, 16)
    halves = [numbered(0, 7), numbered(7, 16)]
    whole = one([text], rules.ALL_RULES[name](), {"question": text}, "words")
    parts = one(halves, rules.ALL_RULES[name](), {"question": numbered(4, 14)}, "words")
    if whole.applicable:
        assert parts.score < whole.score or not parts.applicable


def test_gpt3_takes_the_fifth_percentile() -> None:
    fields = [{"question": numbered(0, size)} for size in [9] * 2 + [40] * 19]
    found = all_of([numbered(0, 9)], [rules.Gpt3()], fields)
    assert found.notes["gpt3"] == ("b: N = 9",)
    assert all(verdict.contaminated for verdict in found.verdicts["gpt3"])
    found = all_of([numbered(0, 9)], [rules.Gpt3()], [{"question": numbered(0, 40)}])
    assert found.notes["gpt3"] == ("b: N = 13",)
    found = all_of([numbered(0, 9)], [rules.Gpt3()], [{"question": "too short"}])
    assert found.notes["gpt3"] == ("b: N = 8",)
    assert not found.verdicts["gpt3"][0].applicable


# --- results


def test_llama2_tests_subsets() -> None:
    fields = [{"question": numbered(100 * number, 100 * number + 20)} for number in range(40)]
    documents = [each["question"] for each in fields[:20]]
    index = anygram.build(documents, tokenizer="words")
    items = [Item("b", number, str(number), each) for number, each in enumerate(fields)]
    results = [1.0] * 20 + [0.0] * 20
    found = judge(index, items, [rules.Llama2()], results={"large": results, "none": [math.nan] * 40})
    statistics = found.statistics["llama2"]
    by_subset = {one.subset: one for one in statistics if isinstance(one, rules.SubsetResult) and one.model == "large"}
    assert [(name, one.size, one.mean) for name, one in by_subset.items()] == [
        ("clean", 20, 0.0),
        ("not clean", 20, 1.0),
        ("not dirty", 20, 0.0),
        ("dirty", 20, 1.0),
    ]
    assert by_subset["dirty"].z == pytest.approx(0.5 / (0.5 / math.sqrt(20)))
    tests = {one.model: one.significant for one in statistics if isinstance(one, rules.SubsetTest)}
    assert tests == {"large": True, "none": False}
    with pytest.raises(anygram.InvalidQueryError, match="a number for each of 40 items"):
        judge(index, items, [rules.Llama2()], results=[1.0])


def test_contam_fits_a_cutoff() -> None:
    fields = [{"question": numbered(100 * number, 100 * number + 20)} for number in range(40)]
    index = anygram.build([numbered(100 * n, 100 * n + (20 if n < 10 else 10)) for n in range(20)], tokenizer="words")
    items = [Item("b", number, str(number), each) for number, each in enumerate(fields)]
    results = [1.0] * 10 + [0.2, 0.1] * 5 + [0.3, 0.2] * 10
    found = judge(index, items, [rules.ContamLongestMatch()], results=results)
    (fitted,) = found.statistics["contam_longest_match"]
    assert isinstance(fitted, rules.FittedCutoff)
    assert (fitted.cutoff, fitted.clean) == (0.5, 30)
    assert fitted.gain == pytest.approx(16.5 / 40 - 6.5 / 30)
    assert [one.contaminated for one in found.verdicts["contam_longest_match"]] == [True] * 10 + [False] * 30
    given = judge(index, items, [rules.ContamLongestMatch(cutoff=0.4)])
    assert [one.contaminated for one in given.verdicts["contam_longest_match:cutoff=0.4"]] == [True] * 20 + [False] * 20


# --- names


def test_rules_are_parsed() -> None:
    assert rules.parse_rule("llama2:length=20,skip_budget=3") == rules.Llama2(length=20, skip_budget=3)
    assert rules.parse_rule("contam_token_match:cutoff=0.5") == rules.ContamTokenMatch(cutoff=0.5)
    for name, kind in rules.ALL_RULES.items():
        assert rules.parse_rule(name) == kind()
        assert kind().key == name
        assert kind().threshold
        assert kind().unit
        assert kind().normalisation
        assert kind().source
    assert rules.parse_rule(rules.Palm(share=0.25).key) == rules.Palm(share=0.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lama2", "the rules are llama2, "),
        ("llama2:size=2", "length, skip_budget"),
        ("llama2:length", "write llama2:NAME=VALUE"),
        ("llama2:length=x", "an int, found 'x'"),
        ("llama2:length=0", "an int from 1 up"),
        ("llama2:length=5,length=6", "twice"),
        ("palm:share=2", "from 0 to 1"),
        ("wimbd:length=2", "none at all"),
        ("decon:score=0", "above 0"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, message: str) -> None:
    with pytest.raises(anygram.InvalidQueryError, match=message):
        rules.parse_rule(text)


def test_what_cannot_be_judged_is_refused() -> None:
    items = [Item("b", 0, "0", {"question": "a"})]
    index = anygram.build(["a b"], tokenizer="words")
    with pytest.raises(anygram.InvalidQueryError, match="given twice"):
        judge(index, items, [rules.Llama2(), rules.Llama2()])
    with pytest.raises(anygram.InvalidQueryError, match="expected a rule"):
        judge(index, items, ["llama2"])  # type: ignore[list-item]
    with pytest.raises(anygram.InvalidQueryError, match="no tokenizer"):
        judge(anygram.build([[1]], tokenizer="none"), items, [rules.Palm()])


# --- the scan by itself

CHARACTERS = st.one_of(
    st.sampled_from([*"ab '.:,_1\n", *ODD[:-1], *'שא"ァｱℹ😀🇩🇪\u200b\u2060²']), st.characters(codec="utf-8")
)


def units_in_core(texts: list[str], normaliser: Normaliser, index: anygram.Index) -> np.ndarray:
    view = normaliser.view(texts[0])
    family = GramFamily(normaliser, view.encoded, view.byte_begins, view.byte_ends)
    return index.scan_grams([family]).counts


@given(st.text(CHARACTERS, max_size=30))
@settings(max_examples=150)
def test_folded_words_are_those_of_unicode(text: str) -> None:
    """The view, the definition and the core cut a text alike: each word is counted as often as it is there."""
    words = naive.folded_words(text)
    view = FOLDED_WORDS.view(text)
    assert view.encoded == b"\xff".join(word.encode() for word in words)
    if words:
        counts = units_in_core([text], FOLDED_WORDS, anygram.build([text], tokenizer="bytes"))
        assert counts.tolist() == [words.count(word) for word in words]


def test_the_scan_reads_broken_texts_as_python_does(tmp_path: Path) -> None:
    broken = [
        b"ab\xff\xe0\x80c",
        b"\xf0\x9f\x98",
        b"\xed\xa0\x80x",
        b"\xc3",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82\xe2\x82\xac",
    ]
    corpus = [[min(byte, 254) for byte in text] for text in broken]  # 0xFF is no id
    index = anygram.open(_folder(tmp_path, corpus), tokenizer="bytes")
    everything = Normaliser("all", "characters", lambda c: c)
    decoded = [bytes(text).decode("utf-8", "replace") for text in corpus]
    for text in decoded:
        view = everything.view(text)
        counts = index.scan_grams([GramFamily(everything, view.encoded, view.byte_begins, view.byte_ends)]).counts
        assert counts.tolist() == [sum(other.count(c) for other in decoded) for c in text]


def _folder(path: Path, corpus: list[list[int]]) -> Path:
    anygram.build(corpus, path / "index", tokenizer="none")
    return path / "index"


def test_the_scan_reports_its_progress_and_takes_threads() -> None:
    index = anygram.build([numbered(0, 50)] * 20, tokenizer="bytes")
    seen: list[tuple[int, int]] = []
    found = judge(
        index,
        [Item("b", 0, "0", {"question": numbered(0, 20)})],
        [rules.Palm()],
        threads=1,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert found.verdicts["palm"][0].contaminated
    assert found.verdicts["palm"][0].evidence[0].documents == tuple(range(10))
    assert seen[-1] == (index.num_tokens, index.num_tokens)
