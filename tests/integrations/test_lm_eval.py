"""lm-evaluation-harness with a model over a small index, and tasks that lie beside it."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import anygram

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports warns of what is to come
    lm_eval = pytest.importorskip("lm_eval")

    from anygram.integrations.lm_eval import AnygramLM

TEXTS = ["to be or not to be that is the question", "to be is to do", "to do is to be", "do be do be do"] * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("harness") / "index"
    anygram.build(TEXTS, path, tokenizer="words").close()
    return path


def asked(*arguments: object) -> SimpleNamespace:
    return SimpleNamespace(args=arguments)


def argmax_is(model: object, prompt: Sequence[int], token: int) -> bool:
    return int(np.argmax(model.probs(prompt))) == token  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["kneser-ney", "infinity"])
def test_log_likelihoods_are_the_models(folder: Path, kind: str) -> None:
    lm = AnygramLM(index=str(folder), kind=kind, order=3, batch_size=1)  # type: ignore[arg-type]
    with anygram.open(folder) as index:
        model = anygram.language_model(index, kind, 3)  # type: ignore[arg-type]
        pairs = [("to be or", " not to be"), ("", "to do"), ("to be ", "or do"), ("that is", " zzz"), ("do be", "")]
        found = lm.loglikelihood([asked(*pair) for pair in pairs])
        for (context, continuation), (logprob, is_greedy) in zip(pairs, found, strict=True):
            tokens, begin = index.encode(context + continuation), len(index.encode(context))
            expected = model.logprobs(tokens)[begin:].sum()
            assert logprob == expected or math.isclose(logprob, expected)
            greedy = all(argmax_is(model, tokens[:i], tokens[i]) for i in range(begin, len(tokens)))
            assert is_greedy == greedy
        rolling = lm.loglikelihood_rolling([asked(text) for text in ("to be or not", "")])
        assert rolling == [model.logprobs("to be or not").sum(), 0.0]


def test_what_is_made_ends_where_it_is_told(folder: Path) -> None:
    lm = AnygramLM(index=str(folder), order=3)
    with anygram.open(folder) as index:
        text = anygram.language_model(index, "kneser-ney", 3).generate("to", temperature=0, max_new_tokens=12)[0].text
    assert text
    made = lm.generate_until([
        asked("to", {"max_gen_toks": 12}),
        asked("to", {"max_gen_toks": 12, "until": ["is"]}),
        asked("to", {"max_gen_toks": 0}),
        asked("to", {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 0, "until": "be"}),
    ])  # fmt: skip
    assert made[:3] == [text, text.partition("is")[0], ""]
    assert "be" not in made[3]


def test_a_task_of_the_harness(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = [
        {"question": "to be or", "choices": ["not", "question", "do"], "answer": 0},
        {"question": "do be do", "choices": ["question", "be", "or"], "answer": 1},
    ]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {
        "task": "small",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lm_eval.tasks import TaskManager

        found = lm_eval.simple_evaluate(
            "anygram",
            model_args={"index": str(folder), "kind": "kneser-ney", "order": 3},
            tasks=[task],
            task_manager=TaskManager(include_defaults=False),
            bootstrap_iters=0,
        )
    assert found["results"]["small"]["acc,none"] == 1.0


def test_what_cannot_be_evaluated_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(anygram.InvalidQueryError, match="scores"):
        AnygramLM(index=str(folder), kind="stupid-backoff")
    anygram.build([[1, 2]], tmp_path / "ids", tokenizer=None).close()
    with pytest.raises(anygram.InvalidQueryError, match="tokenizer"):
        AnygramLM(index=str(tmp_path / "ids"))
