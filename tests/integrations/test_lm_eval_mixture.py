"""A small model that is made on the spot, mixed with an index, in lm-evaluation-harness."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import anygram

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports warns of what is to come
    pytest.importorskip("lm_eval")
    pytest.importorskip("accelerate")
    from anygram.integrations.lm_eval_mixture import AnygramMixtureLM

TEXTS = ["to be or not to be", "to be is to do", "to do is to be", "do be do be do"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["<end>", "<unknown>", "to", "be", "or", "not", "is", "do"]
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unknown>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(path))
    return transformers.PreTrainedTokenizerFast(tokenizer_file=str(path), eos_token="<end>", bos_token="<end>"), path


@pytest.fixture(scope="module")
def folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mixture") / "index"
    anygram.build(TEXTS, path, tokenizer=str(tokenizer[1])).close()
    return path


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=8, n_positions=64, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    return transformers.GPT2LMHeadModel(config).eval()


def opened(model: Any, tokenizer: Any, folder: Path, sparse: float, other: float) -> AnygramMixtureLM:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AnygramMixtureLM(
            index=str(folder), sparse=sparse, other=other, pretrained=model, tokenizer=tokenizer[0], device="cpu"
        )


def asked(*arguments: object) -> SimpleNamespace:
    return SimpleNamespace(args=arguments, arguments=arguments)


@pytest.mark.parametrize(("sparse", "other"), [(0.0, 0.0), (0.8, 0.3)])
def test_the_log_likelihood_is_the_mixtures(
    model: Any, tokenizer: Any, folder: Path, sparse: float, other: float
) -> None:
    lm = opened(model, tokenizer, folder, sparse, other)
    pairs = [("to be or", " not to be"), ("do be do", " is"), ("to", " be is to do"), ("be", " zzz")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = lm.loglikelihood([asked(*pair) for pair in pairs], disable_tqdm=True)
    with anygram.open(folder) as index:
        for (context, continuation), (logprob, _) in zip(pairs, found, strict=True):
            tokens = index.encode(context + continuation).tolist()
            with torch.no_grad():
                own = model(torch.tensor([tokens])).logits[0].double().softmax(-1).numpy()
            expected = 0.0
            for place in range(len(index.encode(context)), len(tokens)):
                known = index.continuations(tokens[:place], backoff=True)
                weight = sparse if known.num_distinct == 1 else other
                infinity = np.zeros(8)
                infinity[np.where(known.tokens == anygram.DOCUMENT_END, 0, known.tokens)] = known.probs
                expected += math.log(weight * infinity[tokens[place]] + (1 - weight) * own[place - 1, tokens[place]])
            assert math.isclose(logprob, expected, rel_tol=1e-4)


def test_what_is_made_is_the_corpus_where_its_weight_is_1(model: Any, tokenizer: Any, folder: Path) -> None:
    lm = opened(model, tokenizer, folder, 1.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = lm.generate_until([asked("to be or", {"until": ["</s>"], "max_gen_toks": 3})], disable_tqdm=True)
    assert made[0].split() == ["not", "to", "be"]
