"""Text that a model writes: the first tokens of human documents, continued by several ways of decoding."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paper.neural import GruModel, Plan, load
from paper.references import Texts, Tokens, Workplace

#: Tokens of the human document that are given.
PROMPT = 50

_BATCH = 64


@dataclass(frozen=True)
class Decoding:
    """How the next token is drawn: at temperature 0 it is the most probable one.

    Attributes:
        temperature: what log probabilities are divided by.
        top_p: of the most probable tokens, as few as have so much of the probability.
    """

    temperature: float
    top_p: float = 1.0


#: From the least random to the most. The paper does not say its temperature and its share.
DECODINGS = {
    "greedy": Decoding(0.0),
    "temperature 0.7": Decoding(0.7),
    "nucleus 0.9": Decoding(1.0, 0.9),
    "temperature 1": Decoding(1.0),
}


def human_texts(workplace: Workplace) -> Texts:
    """The documents that are continued: of each domain as many, each longer than the prompt, and cut."""
    settings = workplace.settings
    texts = workplace.evaluated("test")
    each = settings.machine_documents // len(workplace.evaluated_domains)
    chosen = np.zeros(len(texts.tokens), bool)
    for domain in workplace.evaluated_domains:
        of_domain = np.flatnonzero((texts.domains == domain) & (texts.lengths >= 2 * PROMPT))
        chosen[np.random.default_rng(settings.seed).permutation(of_domain)[:each]] = True
    kept = texts.where(chosen)
    return Texts(kept.numbers, [one[: settings.machine_tokens] for one in kept.tokens], kept.domains, kept.sources)


def write(workplace: Workplace, *models: Plan) -> None:
    """Writes machine.json: by the model's size and the way of decoding, the tokens of each text with its prompt."""
    human = human_texts(workplace)
    found: dict[str, dict[str, list[list[int]]]] = {}
    for plan in models:
        model = load(workplace, plan)
        found[plan.size] = {}
        for name, decoding in DECODINGS.items():
            generator = torch.Generator().manual_seed(workplace.settings.seed)
            found[plan.size][name] = [text.tolist() for text in continued(model, human.tokens, decoding, generator)]
    (workplace.folder / "machine.json").write_text(json.dumps(found), "utf-8")


def read(workplace: Workplace, size: str) -> dict[str, list[Tokens]]:
    found = json.loads((workplace.folder / "machine.json").read_text("utf-8"))[size]
    return {name: [np.array(text, np.uint16) for text in texts] for name, texts in found.items()}


@torch.inference_mode()
def continued(
    model: GruModel, texts: list[Tokens], decoding: Decoding, generator: torch.Generator
) -> list[NDArray[np.int64]]:
    """Each text's prompt, continued to the text's own length, or until the model ends it."""
    found = []
    for begin in range(0, len(texts), _BATCH):
        batch = texts[begin : begin + _BATCH]
        prompts = torch.from_numpy(np.stack([text[:PROMPT] for text in batch]).astype(np.int64))
        rows = torch.cat([torch.full((len(batch), 1), model.end), prompts], dim=1)
        hidden, state = model(rows)
        drawn = []
        for _ in range(max(len(text) for text in batch) - PROMPT):
            token = _draw(model.softmax.log_prob(hidden[:, -1]), decoding, generator)
            drawn.append(token)
            hidden, state = model(token[:, None], state)
        made = torch.stack(drawn, dim=1).numpy()
        for text, row in zip(batch, made, strict=True):
            ends = np.flatnonzero(row == model.end)
            length = min(len(text) - PROMPT, int(ends[0]) if len(ends) else len(row))
            found.append(np.concatenate([text[:PROMPT].astype(np.int64), row[:length]]))
    return found


def _draw(logprobs: Tensor, decoding: Decoding, generator: torch.Generator) -> Tensor:
    """A token for each row of natural logs: (batch,)."""
    if decoding.temperature == 0:
        return logprobs.argmax(dim=-1)
    probs = torch.softmax(logprobs / decoding.temperature, dim=-1)
    if decoding.top_p < 1:
        ordered, places = probs.sort(dim=-1, descending=True)
        ordered[ordered.cumsum(dim=-1) - ordered >= decoding.top_p] = 0  # what the more probable ones do not fill
        probs = torch.zeros_like(probs).scatter_(-1, places, ordered)
    return torch.multinomial(probs, 1, generator=generator).squeeze(-1)
