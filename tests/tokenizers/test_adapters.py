from __future__ import annotations

import io
import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

import anygram
import tokenizers
from anygram.errors import IndexFormatError, InputError, InvalidQueryError, MissingExtraError
from anygram.tokenizers import MISSING_TOKENIZER, load_tokenizer, open_tokenizer
from anygram.tokenizers.huggingface import HuggingFaceTokenizer
from anygram.tokenizers.literal import byte_characters
from anygram.tokenizers.sentencepiece import SentencePieceTokenizer
from anygram.tokenizers.text import character_offsets
from anygram.tokenizers.tiktoken import TiktokenTokenizer
from anygram.types import Tokenizer

TEXTS = ["", "return", " the cat", "a<|end|>b <s>", "naïve 日本 👩\u200d👩\u200d👧", "a\x00b", "\ufeff x\r\n\n  y", "▁"]
SPECIAL = ["<|end|>", "<s>"]


def byte_level(**changes: Any) -> dict[str, Any]:
    """A byte-level BPE with a few merges, which does all it can to be not literal."""
    vocabulary = {character: number for number, character in enumerate(SPECIAL + list(byte_characters()))}
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("c", "a"), ("ca", "t")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    added = [
        {"id": number, "content": content, "special": True}
        | dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
        for number, content in enumerate(SPECIAL)
    ]
    byte = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "<|end|>",
        },
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        },
        "decoder": byte,
        "model": {
            "type": "BPE", "dropout": 0.9, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
            "vocab": vocabulary, "merges": [" ".join(merge) for merge in merges],
        },
    } | changes  # fmt: skip


def sentence_piece(metaspace: bool) -> dict[str, Any]:
    """A BPE with spaces written as ▁ and a fallback to bytes, as Llama's, in both of its spellings."""
    pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdehrtun", "th", "the", "▁the"]
    merges = ["t h", "th e", "▁ the"]
    prepend = {"type": "Prepend", "prepend": "▁"}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    decoders = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]  # fmt: skip
    return byte_level(
        truncation=None,
        padding=None,
        added_tokens=[],
        post_processor=None,
        normalizer=None if metaspace else {"type": "Sequence", "normalizers": [prepend, replace]},
        pre_tokenizer=space if metaspace else None,
        decoder={"type": "Sequence", "decoders": [{"type": "ByteFallback"}, space] if metaspace else decoders},
        model={
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
            "vocab": {piece: number for number, piece in enumerate(pieces)}, "merges": merges,
        },
    )  # fmt: skip


def hugging_face(content: dict[str, Any]) -> HuggingFaceTokenizer:
    return HuggingFaceTokenizer(json.dumps(content).encode())


def encoding() -> tiktoken.Encoding:
    """Bytes and a few merges, and a special token that must stay ordinary text."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for merge in (b"th", b"the", b" the", "é".encode(), "日".encode()[:2]):
        ranks[merge] = len(ranks)
    return tiktoken.Encoding(
        "tiny", pat_str=r"\s?\p{L}+|\s|[^\s\p{L}]+", mergeable_ranks=ranks, special_tokens={"<|end|>": 300}
    )


@cache
def sentence_piece_model() -> bytes:
    """A model that puts a space before texts, takes spaces away, and falls back to bytes."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" the cat and the hat", "return to the cat", "é naïve"] * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=300,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    return model.getvalue()


ALL: list[Tokenizer] = [
    open_tokenizer("bytes"),  # type: ignore[list-item]
    open_tokenizer("words"),  # type: ignore[list-item]
    hugging_face(byte_level()),
    hugging_face(sentence_piece(metaspace=True)),
    hugging_face(sentence_piece(metaspace=False)),
    TiktokenTokenizer(encoding(), "tiktoken:tiny"),
    SentencePieceTokenizer(sentence_piece_model(), "sentencepiece:folder/tiny.model"),
]
names = ["bytes", "words", "byte-level", "metaspace", "prepend", "tiktoken", "sentencepiece"]
every = pytest.mark.parametrize("tokenizer", ALL, ids=names)
exact = pytest.mark.parametrize("tokenizer", [ALL[0], *ALL[2:]], ids=[names[0], *names[2:]])


@every
def test_it_keeps_the_protocol(tokenizer: Tokenizer) -> None:
    assert isinstance(tokenizer, Tokenizer)
    ragged = tokenizer.encode_batch(TEXTS)
    assert [tokens.tolist() for tokens in ragged] == [tokenizer.encode(text).tolist() for text in TEXTS]
    assert tokenizer.encode_batch([]).values.tolist() == []
    assert len(tokenizer.hash) == 64
    for loaded in (
        load_tokenizer(tokenizer.kind, tokenizer.save(), tokenizer.spec),
        pickle.loads(pickle.dumps(tokenizer)),
    ):
        assert (loaded.kind, loaded.spec, loaded.hash) == (tokenizer.kind, tokenizer.spec, tokenizer.hash)
        assert loaded.vocab_size == tokenizer.vocab_size
        assert loaded.encode_batch(TEXTS) == ragged


@exact
@pytest.mark.parametrize("text", [text for text in TEXTS if text != "▁"])
def test_text_comes_back_as_it_was(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokenizer.encode(text)
    assert tokenizer.decode(tokens) == text
    assert b"".join(map(tokenizer.token_bytes, tokens.tolist())) == text.encode()
    assert max(tokens.tolist(), default=0) < tokenizer.vocab_size
    assert tokenizer.round_trips([text], tokenizer.encode_batch([text]))


@exact
def test_offsets_are_the_characters_of_each_token(tokenizer: Tokenizer) -> None:
    text = " the é日 the"
    tokens, offsets = tokenizer.encode_with_offsets(text)
    assert tokens.tolist() == tokenizer.encode(text).tolist()
    assert offsets.dtype == np.int64
    assert offsets.shape == (len(tokens), 2)
    for token, (begin, end) in zip(tokens.tolist(), offsets.tolist(), strict=True):
        assert tokenizer.token_bytes(token) in text[begin:end].encode()
    assert tokenizer.encode_with_offsets("")[1].shape == (0, 2)


@every
def test_a_lone_surrogate_has_no_encoding(tokenizer: Tokenizer) -> None:
    for encode in (tokenizer.encode, tokenizer.encode_with_offsets, lambda text: tokenizer.encode_batch([text])):
        with pytest.raises(InvalidQueryError, match="surrogate"):
            encode("a\ud800")
        with pytest.raises(InvalidQueryError, match="str"):
            encode(5)  # type: ignore[arg-type]


@every
def test_an_id_without_text_is_shown_as_such(tokenizer: Tokenizer) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in tokenizer.decode([tokenizer.vocab_size, 2**32 - 2])
    assert tokenizer.token_bytes(tokenizer.vocab_size) == "\N{REPLACEMENT CHARACTER}".encode()
    assert tokenizer.decode([]) == ""


def test_special_tokens_are_ordinary_text_and_nothing_is_added() -> None:
    tokenizer = hugging_face(byte_level())
    text = "<s>the<|end|>"
    assert b"".join(map(tokenizer.token_bytes, tokenizer.encode(text).tolist())) == text.encode()
    assert not set(tokenizer.encode(text).tolist()) & {0, 1}
    assert tokenizer.encode("a").tolist() == [tokenizer.encode("ba").tolist()[1]]
    # Decoding shows those that a corpus of ids holds.
    assert tokenizer.decode([0, 1]) == "<|end|><s>"


def test_what_round_trips_is_known_from_the_parts() -> None:
    assert hugging_face(byte_level()).round_trip is True
    assert hugging_face(byte_level(normalizer={"type": "NFC"})).round_trip is None
    assert hugging_face(sentence_piece(metaspace=True)).round_trip is None
    greedy = {"id": 261, "content": "x", "special": False, "single_word": False, "rstrip": False, "normalized": False}
    assert hugging_face(byte_level(added_tokens=[greedy | {"lstrip": True}])).round_trip is None
    taken_for_a_byte = {"id": 300, "content": "é", "special": False, "lstrip": False}
    rest = dict.fromkeys(["single_word", "rstrip", "normalized"], False)
    assert hugging_face(byte_level(added_tokens=[taken_for_a_byte | rest])).round_trip is None


def test_a_text_that_does_not_come_back_is_found() -> None:
    tokenizer = hugging_face(byte_level(normalizer={"type": "NFC"}))
    good, bad = "cat", "cafe\u0301"
    assert tokenizer.round_trips([good], tokenizer.encode_batch([good]))
    assert not tokenizer.round_trips([good, bad], tokenizer.encode_batch([good, bad]))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_byte_level_gives_any_text_back(text: str) -> None:
    tokenizer = ALL[2]
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_added_tokens_count_in_the_vocabulary() -> None:
    base = hugging_face(byte_level())
    library = tokenizers.Tokenizer.from_str(json.dumps(byte_level()))
    library.add_tokens(["xyzzy"])
    tokenizer = open_tokenizer(library)
    assert tokenizer is not None
    assert tokenizer.vocab_size == base.vocab_size + 1
    assert tokenizer.encode("xyzzy").tolist() == [base.vocab_size]
    assert library.truncation is not None  # the user's object is left alone


def test_a_path_or_its_folder_opens(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(byte_level()))
    for spec in (path, str(path), tmp_path):
        tokenizer = open_tokenizer(spec)
        assert tokenizer is not None
        assert tokenizer.hash == hugging_face(byte_level()).hash
    path.write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        open_tokenizer(path)


def test_none_is_no_tokenizer() -> None:
    assert open_tokenizer(None) is None
    assert open_tokenizer("none") is None


@pytest.mark.parametrize("spec", ["wrods", "hg:gpt2", "sentencepiece:x.model", "\0", 5, b"bytes"])
def test_an_unknown_one_says_what_there_is(spec: object) -> None:
    with pytest.raises(InputError, match=r"'words'.*'bytes'.*path to a tokenizer\.json"):
        open_tokenizer(spec)
    assert "path to a tokenizer.json" in MISSING_TOKENIZER


def test_bytes_has_255_ids() -> None:
    tokenizer = ALL[0]
    assert (tokenizer.vocab_size, tokenizer.encode("é").tolist()) == (255, [0xC3, 0xA9])
    assert tokenizer.decode([0x61, 0xC3]) == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("bytes", b"x"),
        ("words", b"\xff"),
        ("words", b"[]"),
        ("words", b'{"tokenizer":"words:fold","words":[]}'),
        ("words", b'{"tokenizer":"words","words":[1]}'),
        ("words", b'{"tokenizer":"words","words":["a","a"]}'),
        ("words", b"[" * 100_000),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b"[]"),
        ("tokenizer.json", b"\xff"),
        ("tiktoken", b"{}"),
        ("tiktoken", b'{"name":"x","pattern":"x","ranks":[["!",1]],"special_tokens":[]}'),
        ("sentencepiece", b"x"),
        ("other", b""),
    ],
)
def test_content_of_another_kind_is_refused(kind: str, content: bytes) -> None:
    with pytest.raises(IndexFormatError):
        load_tokenizer(kind, content)


@pytest.mark.parametrize(("tokenizer", "spec"), [(ALL[5], "tiktoken:tiny"), (ALL[6], "sentencepiece:tiny.model")])
def test_an_index_keeps_its_tokenizer(tokenizer: Tokenizer, spec: str, tmp_path: Path) -> None:
    anygram.build(["the cat", "the hat"], tmp_path / "index", tokenizer=tokenizer)
    with anygram.open(tmp_path / "index") as index:
        assert index.tokenizer is not None
        assert (index.tokenizer.spec, index.tokenizer.hash) == (spec, tokenizer.hash)
        assert index.count("the") == 2
        assert index.document(1).text == "the hat"


def test_objects_of_the_libraries_are_tokenizers() -> None:
    model = sentencepiece.SentencePieceProcessor(model_proto=sentence_piece_model())
    for found, expected in ((open_tokenizer(encoding()), ALL[5]), (open_tokenizer(model), ALL[6])):
        assert found is not None
        assert (found.kind, found.hash) == (expected.kind, expected.hash)

    class Fast:  # as the fast tokenizers of `transformers`
        backend_tokenizer = tokenizers.Tokenizer.from_str(json.dumps(byte_level()))

    fast = open_tokenizer(Fast())
    assert fast is not None
    assert fast.encode(" the cat").tolist() == ALL[2].encode(" the cat").tolist()


def test_sentencepiece_models_open_by_path_and_are_literal(tmp_path: Path) -> None:
    path = tmp_path / "tiny.model"
    path.write_bytes(sentence_piece_model())
    tokenizer = open_tokenizer(f"sentencepiece:{path}")
    assert tokenizer is not None
    assert tokenizer.hash == ALL[6].hash
    for text in ("the", " the", "the  cat ", " "):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode([1, *tokenizer.encode("the").tolist(), 2]) == "the"  # control tokens have no text
    path.write_bytes(b"x")
    with pytest.raises(InputError, match="sentencepiece model"):
        open_tokenizer(f"sentencepiece:{path}")


def test_tiktoken_knows_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="cl100k_base"):
        open_tokenizer("tiktoken:wrods")
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: encoding())
    tokenizer = open_tokenizer("tiktoken:cl100k_base")
    assert tokenizer is not None
    assert (tokenizer.spec, tokenizer.hash) == ("tiktoken:cl100k_base", ALL[5].hash)

    def unreachable(_: str) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(tiktoken, "get_encoding", unreachable)
    with pytest.raises(InputError, match=r"no route.*TIKTOKEN_CACHE_DIR"):
        open_tokenizer("tiktoken:cl100k_base")


def test_a_name_of_the_hub_is_looked_up_in_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = tmp_path / "models--someone--tiny"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("0" * 40)
    (model / "snapshots" / ("0" * 40)).mkdir(parents=True)
    (model / "snapshots" / ("0" * 40) / "tokenizer.json").write_text(json.dumps(byte_level()))
    tokenizer = open_tokenizer("hf:someone/tiny")
    assert tokenizer is not None
    assert (tokenizer.spec, tokenizer.hash) == ("hf:someone/tiny", ALL[2].hash)
    for name in ("someone/other", "someone/tiny@1.0", "/"):
        with pytest.raises(InputError, match="could not be fetched"):
            open_tokenizer(f"hf:{name}")


@pytest.mark.parametrize("library", ["tiktoken", "sentencepiece"])
def test_a_library_that_is_not_installed_is_named(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'anygram\[{library}\]'"):
        load_tokenizer(library, b"")


@given(st.text(max_size=8), st.lists(st.integers(0, 40), max_size=4))
def test_offsets_in_bytes_become_those_of_whole_characters(text: str, cuts: list[int]) -> None:
    text = text.encode(errors="ignore").decode()
    encoded = text.encode()
    bounds = sorted({0, len(encoded), *(cut for cut in cuts if cut <= len(encoded))})
    begins, ends = np.array(bounds[:-1], np.int64), np.array(bounds[1:], np.int64)
    offsets = character_offsets(encoded, begins, ends).tolist()
    for (begin, end), byte_begin, byte_end in zip(offsets, begins, ends, strict=True):
        places = np.cumsum([0, *(len(character.encode()) for character in text)])
        holding = [n for n in range(len(text)) if places[n] < byte_end and places[n + 1] > byte_begin]
        assert [begin, end] == [holding[0], holding[-1] + 1]
