"""transformers with a small model that is made on the spot."""

from __future__ import annotations

import numpy as np
import pytest

import anygram

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from anygram.integrations.transformers import CorpusDrafter, MixtureLogitsProcessor  # noqa: E402  # needs the above

VOCABULARY = 20


@pytest.fixture(scope="module")
def model() -> object:
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_positions=128, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    return transformers.GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="module")
def index() -> anygram.Index:
    draw = np.random.default_rng(1)
    documents = draw.integers(1, VOCABULARY, (30, 40)).tolist()
    return anygram.build([*documents, [3, 4, 5, 6, 7, 8, 9]], tokenizer=None)


def test_the_processor_gives_the_mixture(index: anygram.Index) -> None:
    mixture = anygram.Mixture(sparse=0.7, other=0.2)
    processor = MixtureLogitsProcessor(index, mixture, eos_token_id=0)
    prompts = torch.tensor([[3, 4, 5, 6], [7, 8, 9, 2], [2, 7, 8, 9]])
    logits = torch.randn(3, VOCABULARY)
    mixed = processor(prompts, logits).exp().double().numpy()
    for row, prompt in enumerate(prompts.tolist()):
        found = index.continuations(prompt, backoff=True)
        weight = 0.7 if found.num_distinct == 1 else 0.2
        infinity = np.zeros(VOCABULARY)
        infinity[np.where(found.tokens == anygram.DOCUMENT_END, 0, found.tokens)] = found.probs
        expected = weight * infinity + (1 - weight) * logits[row].double().softmax(-1).numpy()
        np.testing.assert_allclose(mixed[row], expected, rtol=1e-5)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-5)


def test_weight_0_changes_nothing(model: object, index: anygram.Index) -> None:
    prompt = torch.tensor([[3, 4, 5]])
    processor = MixtureLogitsProcessor(index, anygram.Mixture(0.0, 0.0))
    arguments = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0}
    alone = model.generate(prompt, **arguments)  # type: ignore[attr-defined]
    assert model.generate(prompt, logits_processor=[processor], **arguments).equal(alone)  # type: ignore[attr-defined]


def test_a_model_with_another_vocabulary_is_refused(index: anygram.Index) -> None:
    processor = MixtureLogitsProcessor(index, anygram.Mixture(1.0, 1.0))
    with pytest.raises(anygram.InvalidQueryError, match="share a tokenizer"):
        processor(torch.tensor([[3, 4, 5]]), torch.zeros(1, 5))


def test_drafts_change_no_greedy_text(model: object, index: anygram.Index) -> None:
    arguments = {"max_new_tokens": 30, "do_sample": False, "pad_token_id": 0}
    # An index of the model's own texts: its drafts are often right.
    prompts = [[3, 4, 5], [7], [2, 2, 2, 9]]
    texts = [model.generate(torch.tensor([prompt]), **arguments) for prompt in prompts]  # type: ignore[attr-defined]
    own = anygram.build([text[0].tolist() for text in texts], tokenizer=None)
    for drafts_from in (index, own):
        drafter = CorpusDrafter(drafts_from, min_suffix_length=1)
        for prompt, expected in zip(prompts, texts, strict=True):
            made = model.generate(torch.tensor([prompt]), custom_generate=drafter, **arguments)  # type: ignore[attr-defined]
            assert made.equal(expected)
    assert drafter.num_accepted > 0
    assert drafter.num_steps < sum(text.shape[1] for text in texts) - sum(map(len, prompts))


def test_drafts_change_no_distribution(model: object) -> None:
    prompt = [3, 4]
    own = anygram.build([[3, 4, 5, 6]] * 2, tokenizer=None)
    torch.manual_seed(3)
    made = []
    for _ in range(300):
        text = model.generate(  # type: ignore[attr-defined]
            torch.tensor([prompt]), custom_generate=CorpusDrafter(own), max_new_tokens=1, do_sample=True, top_k=0
        )
        made.append(int(text[0, 2]))
    logits = model(torch.tensor([prompt])).logits[0, -1]  # type: ignore[operator]
    expected = logits.softmax(-1).detach().numpy()
    found = np.bincount(made, minlength=VOCABULARY) / 300
    assert np.abs(found - expected).max() < 0.08


def test_a_batch_is_refused(model: object, index: anygram.Index) -> None:
    with pytest.raises(anygram.InvalidQueryError, match="one text"):
        model.generate(torch.tensor([[1], [2]]), custom_generate=CorpusDrafter(index), max_new_tokens=1)  # type: ignore[attr-defined]
