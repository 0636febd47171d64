"""Documents to drop: each rule against one written from its definition, and on both sides of each boundary."""

import gzip
import json
import pickle

import naive_rules as naive
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import DOCUMENTS, ITEMS

import anygram
from anygram.analysis.contamination.items import Item
from anygram.analysis.decontamination import documents
from anygram.analysis.decontamination.decon import Decon
from anygram.analysis.decontamination.documents import Documents
from anygram.analysis.decontamination.grams import SEGMENTS
from anygram.analysis.decontamination.rules import Bff, Dolma, Tulu3, parse_training_rule
from anygram.analysis.decontamination.texts import GivenTexts
from anygram.errors import InputError, InvalidQueryError
from anygram.gram_finder import GramFinder
from anygram.scanning import GramFamily
from anygram.segments import segments


def items_of(*texts):
    return [Item("set", number, str(number), {"question": text}) for number, text in enumerate(texts)]


def grams_of(words, length):
    return [tuple(words[begin : begin + length]) for begin in range(len(words) - length + 1)]


def numbered(begin, end):
    return " ".join(f"w{number}" for number in range(begin, end))


# --- from the definitions, one document and one item at a time


def naive_bff(rule, items, text):
    known = {gram for item in items for gram in grams_of(segments(item.text), rule.length)}
    grams = grams_of(segments(text), rule.length)
    share = sum(gram in known for gram in grams) / len(grams) if grams else 0.0
    return bool(grams) and share > 0 and share >= rule.threshold, share


def naive_dolma(rule, items, text):
    known = {paragraph for item in items for paragraph in item.text.split("\n")}
    found = [
        paragraph
        for paragraph in text.split("\n")
        if paragraph in known and len(segments(paragraph)) >= rule.least_words and any(map(str.isalnum, paragraph))
    ]
    return bool(found), float(len(found))


def naive_tulu3(rule, items, text):
    def fold(text):
        return [word.casefold() for word in segments(text) if any(map(str.isalnum, word))]

    document = set(grams_of(fold(text), rule.length))
    best = 0.0
    for item in items:
        prompt = fold(item.fields.get("question", item.text))
        matched = [
            any(
                tuple(prompt[begin : begin + rule.length]) in document
                for begin in range(max(0, place - rule.length + 1), min(place, len(prompt) - rule.length) + 1)
            )
            for place in range(len(prompt))
        ]
        best = max(best, sum(matched) / len(prompt) if prompt else 0.0)
    return best > rule.threshold, best


def naive_decon(rule, items, text):
    """The contamination rule's score, of distinct items, where a passage without a question is the question."""
    used = []
    for item in items:
        fields = dict(item.fields)
        if not naive.decon_words(fields.get("question", "")):
            fields["question"] = fields.pop("passage", "")
        known = {role: naive.decon_words(fields.get(role, "")) for role in ("question", "answer", "passage")}
        if known not in [one for one, _ in used]:
            used.append((known, Item(item.benchmark, item.number, item.id, fields)))
    judged = naive.decon([text], [item for _, item in used], rule, least_items=2)
    best = max((one[1] for one in judged if one is not None), default=0.0)
    return best >= rule.score, best


WORDS = st.lists(st.sampled_from(["a", "b", "B", "c.", "d,e", "é", "—", "\n"]), max_size=24).map(" ".join)
FIELDS = st.fixed_dictionaries({"question": WORDS}, optional={"answer": WORDS, "passage": WORDS})


@pytest.mark.parametrize(
    ("rule", "naive"),
    [
        (Bff(length=3, threshold=0.5), naive_bff),
        (Bff(length=1, threshold=0.8), naive_bff),
        (Dolma(least_words=2), naive_dolma),
        (Tulu3(length=2), naive_tulu3),
        (
            Decon(
                length=2,
                min_words=3,
                min_distinct_words=2,
                max_misses=2,
                perfect_until=6,
                usual_from=12,
                passage_window=6,
                long_answer_window=5,
            ),
            naive_decon,
        ),
        (
            Decon(
                length=1,
                answer_length=2,
                passage_length=1,
                min_words=1,
                min_distinct_words=1,
                short_answer=1,
                perfect_until=0,
                usual_from=3,
                score=0.4,
                short_answer_window=2,
            ),
            naive_decon,
        ),
    ],
    ids=repr,
)
def test_as_defined(rule, naive):
    @given(st.lists(FIELDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=3).map(" ".join))
    def same(fields, text):
        items = [Item("set", number, str(number), one) for number, one in enumerate(fields)]
        judge = rule.filter(items)
        judgement = judge(text)
        dropped, score = naive(rule, items, text)
        assert judgement.score == pytest.approx(score)
        # Sums of logarithms may differ in their last digit at the threshold itself.
        if abs(score - getattr(rule, "threshold", getattr(rule, "score", -1))) > 1e-9:
            assert judgement.dropped == dropped
        assert bool(judgement.items) == (judgement.score > 0) or rule.name == "decon"
        # Texts that are judged together, and documents of an index, are judged as each by itself.
        texts = [text, "", f"{text} a {text}"]
        each = [judge(one) for one in texts]
        assert judge.judge(GivenTexts(texts, threads=2)) == each
        index = anygram.build(texts, tokenizer="bytes")
        assert judge.judge(next(Documents(index).batches())) == each

    same()


TEXTS = st.text(alphabet="aB1 .'_,-:\n\t\x1c\x85\xa0\xad\u0300\u200b\u200d\u3000ßΣς\u0645\u05d0\U0001f1e9\U0001f468字")


@given(TEXTS)
def test_words_are_cut_in_the_core_as_in_python(text):
    words = [word.encode() for word in segments(text)]
    view = SEGMENTS.view(text)
    assert view.encoded == b"\xff".join(words)
    finder = GramFinder(GramFamily(SEGMENTS, view.encoded, view.byte_begins, view.byte_ends))
    places = finder.find(["", text])
    assert places.num_units.tolist() == [0, len(words)]
    assert places.num_bytes.tolist() == [0, len(text.encode())]
    assert places.units.tolist() == list(range(len(words)))
    assert [words[gram] for gram in places.grams.tolist()] == words


class TestBoundaries:
    def test_bff_counts_the_documents_grams_and_its_last_one(self):
        judge = Bff(length=13).filter(items_of(numbered(0, 200)))
        # 20 n-grams of the document; 16 of them, 80 %, in the evaluation.
        at = numbered(0, 28) + " x y z v"
        assert judge(at) == (True, 0.8, (0,))
        assert judge(at + " u").dropped is False
        # Exactly as many words as an n-gram: one n-gram, the last one.
        assert judge(numbered(5, 18)) == (True, 1.0, (0,))
        assert judge(numbered(5, 17)) == (False, 0.0, ())
        # A short item within a long document, and the other way round.
        assert judge(numbered(0, 30) + " " + " ".join("xyz" * 40)).dropped is False
        assert judge(numbered(0, 13).upper()).score == 0.0

    def test_dolma_wants_thirteen_words_and_the_very_paragraph(self):
        judge = Dolma().filter(items_of(f"{numbered(0, 13)}\n{numbered(0, 12)}\n{'- ' * 20}"))
        assert judge(f"x\n{numbered(0, 13)}\ny").dropped
        assert not judge(f"x {numbered(0, 13)}").dropped
        assert not judge(f"{numbered(0, 13)} ").dropped
        assert not judge(numbered(0, 12)).dropped
        assert not judge("- " * 20).dropped

    def test_tulu3_wants_more_than_half_from_one_document(self):
        judge = Tulu3().filter(items_of(numbered(0, 20)))
        assert judge(numbered(0, 10)) == (False, 0.5, (0,))
        assert judge(numbered(0, 11)).dropped
        assert judge(f"{numbered(0, 8)} x {numbered(12, 20)}") == (True, 0.8, (0,))
        assert not judge(numbered(0, 7)).dropped
        assert judge(numbered(0, 11).upper().replace(" ", ", ")).dropped

    @pytest.mark.parametrize("place", [3, 11, 29])
    def test_substitutions(self, place):
        words = numbered(0, 30).split()
        words[place] = "other"
        text = " ".join(words)
        assert not Dolma().filter(items_of(numbered(0, 30)))(text).dropped
        assert Tulu3().filter(items_of(numbered(0, 30)))(text).dropped
        # Of 18 n-grams of 13 words, so many have the changed one in them.
        spoilt = min(place, 17) - max(0, place - 12) + 1
        assert Bff().filter(items_of(numbered(0, 30)))(text).score == pytest.approx((18 - spoilt) / 18)

    def test_decon_wants_the_answer_of_a_short_question(self):
        item = Item("set", 0, "0", {"question": numbered(0, 14), "answer": numbered(100, 108)})
        others = items_of(numbered(200, 230), numbered(300, 330))
        judge = Decon().filter([item, *others])
        assert judge(f"{numbered(0, 14)} {numbered(100, 108)}") == (True, 1.0, (0,))
        assert not judge(numbered(0, 14)).dropped
        assert not judge(f"{numbered(100, 108)} {numbered(0, 14)}").dropped
        assert not judge(f"{numbered(0, 14)} {' '.join('x' * 200)} {numbered(100, 108)}").dropped

    def test_decon_passes_over_items_that_say_little(self):
        assert not Decon().filter(items_of(numbered(0, 19)))(numbered(0, 19)).dropped
        assert Decon().filter(items_of(numbered(0, 20)))(numbered(0, 20)).dropped
        assert not Decon().filter(items_of("a b c " * 20))("a b c " * 20).dropped
        nearly = f"{numbered(0, 10)} other {numbered(11, 20)}"
        assert not Decon().filter(items_of(numbered(0, 20)))(nearly).dropped
        assert Decon().filter(items_of(numbered(0, 60)))(f"{numbered(0, 30)} other {numbered(31, 60)}").dropped

    def test_matches_of_two_documents_are_not_pooled(self):
        halves = [numbered(0, 9), numbered(9, 20)]
        dropped = anygram.decontaminate(halves, [{"question": numbered(0, 20)}], "tulu3")
        assert dropped.document.tolist() == [1]
        assert not len(
            anygram.decontaminate([numbered(0, 9), numbered(9, 18)], [{"question": numbered(0, 20)}], "tulu3")
        )


class TestCorpora:
    def test_an_index_and_its_files_give_the_same(self, tmp_path):
        path = tmp_path / "corpus.jsonl.gz"
        path.write_bytes(gzip.compress("".join(json.dumps(one) + "\n" for one in DOCUMENTS).encode()))
        corpus = anygram.read_corpus(path)
        index = anygram.build(corpus, tokenizer="bytes")
        results = [
            anygram.decontaminate(one, {"b": ITEMS}, "tulu3:length=4")
            for one in (path, [path], corpus, DOCUMENTS, index)
        ]
        for result in results:
            assert (result.document.tolist(), result.num_documents) == ([0, 1], 4)
            assert result.num_bytes == sum(len(one["text"].encode()) for one in DOCUMENTS)
            assert result.benchmark.tolist() == ["b", "b"]
        assert results[0].line.tolist() == [1, 2]
        assert results[0].source.tolist() == [str(path)] * 2

    @pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
    def test_the_kept_documents_are_as_they_were(self, tmp_path, suffix):
        output = tmp_path / f"kept{suffix}"
        records = [{"body": "ä" * number, "id": number, "more": {"x": [None, 1.5, "\x1b"]}} for number in range(4)]
        records.append({"body": ITEMS[0]["question"], "id": 9})
        source = tmp_path / "corpus.jsonl"
        source.write_text("".join(json.dumps(one) + "\n" for one in records))
        dropped = anygram.decontaminate(source, ITEMS, "bff:length=5", output=output, text_field="body")
        assert dropped.id.tolist() == ["9"]
        assert [one.metadata | {"body": one.text} for one in anygram.read_corpus(output, text_field="body")] == records[
            :-1
        ]

    def test_small_batches_give_what_one_does(self, monkeypatch):
        texts = [f"{numbered(number, number + 30)} {DOCUMENTS[number % 3]['text']}" for number in range(200)]
        index = anygram.build(texts, tokenizer="bytes", shards=2)
        for rule in (
            "tulu3:length=4",
            "bff:length=4,threshold=0.1",
            "decon:length=3,min_words=4",
            "dolma:least_words=3",
        ):
            at_once = anygram.decontaminate(texts, {"b": ITEMS}, rule, threads=1)
            with monkeypatch.context() as small:
                small.setattr(documents, "_BATCH_CHARACTERS", 2000)
                small.setattr(documents, "_FIRST_DOCUMENTS", 1)
                assert anygram.decontaminate(texts, {"b": ITEMS}, rule, threads=2) == at_once
                of_index = anygram.decontaminate(index, {"b": ITEMS}, rule)
            assert of_index.document.tolist() == at_once.document.tolist()
            assert of_index.items.tolist() == at_once.items.tolist()
            assert of_index.num_bytes == at_once.num_bytes

    def test_what_cannot_be(self, tmp_path):
        for call, error, message in (
            (lambda: parse_training_rule("nope"), InvalidQueryError, "bff, dolma, tulu3, decon"),
            (lambda: parse_training_rule("bff:size=3"), InvalidQueryError, "has the parameters length, threshold"),
            (lambda: parse_training_rule("bff:length=x"), InvalidQueryError, "length is a number"),
            (lambda: parse_training_rule("bff:length=0"), InvalidQueryError, "from 1 up"),
            (lambda: parse_training_rule("tulu3:threshold=2"), InvalidQueryError, "from 0 to 1"),
            (lambda: anygram.decontaminate(["x"], ITEMS, output=tmp_path / "x.csv"), InputError, "are written as"),
            (lambda: anygram.decontaminate([[1, 2]], ITEMS), InputError, "token ids"),
            (
                lambda: anygram.decontaminate(anygram.build([[1]], tokenizer="none"), ITEMS),
                InvalidQueryError,
                "no tokenizer",
            ),
            (
                lambda: anygram.decontaminate(anygram.build(["a b"], tokenizer="words"), ITEMS, output="x.jsonl"),
                InvalidQueryError,
                "renderings",
            ),
        ):
            with pytest.raises(error, match=message):
                call()
        assert parse_training_rule("decon:score=0.9,length=4") == Decon(score=0.9, length=4)


def test_a_step_of_datatrove():
    pytest.importorskip("datatrove")
    from datatrove.data import Document

    from anygram.analysis.decontamination.datatrove import DecontaminationFilter

    step = DecontaminationFilter({"b": ITEMS}, "tulu3:length=4")
    documents = [Document(text=one["text"], id=str(number)) for number, one in enumerate(DOCUMENTS)]
    kept = list(pickle.loads(pickle.dumps(step)).run(iter(documents)))
    assert [document.id for document in kept] == ["2", "3"]
    assert documents[0].metadata["contaminated_items"] == ["b/copied"]
    assert "contamination_score" not in documents[2].metadata


def test_without_datatrove_it_is_told_what_to_install(monkeypatch):
    import sys

    import anygram.analysis.decontamination.datatrove as step

    monkeypatch.setitem(sys.modules, "datatrove.pipeline.filters.base_filter", None)
    monkeypatch.delitem(vars(step), "DecontaminationFilter", raising=False)
    with pytest.raises(anygram.MissingExtraError, match=r"anygram\[datatrove\]"):
        step.DecontaminationFilter  # noqa: B018  # naming it is what fails
    with pytest.raises(AttributeError):
        step.Nothing  # noqa: B018
