"""Small neural language models: a recurrent layer between embeddings and a softmax in parts, trained on the spot."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from common import note
from paper.references import Texts, Tokens, Workplace
from paper.settings import HALVINGS, Settings

_STREAMS, _LENGTH = 32, 64  # of a step: so many tokens of so many streams
_RATE, _WARM_UP, _LARGEST_STEP = 3e-3, 100, 1.0
_SAVED_EVERY = 60.0  # seconds
_BATCH = 32  # texts that are scored at once

#: What a text begins with is what ends the one before it.
State = Tensor | None


@dataclass(frozen=True)
class Plan:
    """A model to be trained.

    Attributes:
        size: its name in the settings.
        data: "half", text of other sources than the reference's; "narrow", the same of one domain only; "reference", a
            part of the reference itself.
    """

    size: str
    data: str

    @property
    def name(self) -> str:
        return f"{self.size}-{self.data}"


def plans(settings: Settings) -> list[Plan]:
    """Both sizes on other sources than the reference's; the smaller one on the reference, and on one domain only too.

    The largest is the first, as it takes the longest.
    """
    small, large = (name for name, _, _ in settings.sizes)
    return [Plan(large, "half"), Plan(small, "half"), Plan(small, "reference"), Plan(small, "narrow")]


class GruModel(nn.Module):
    """P(token | all before it), exact, over the vocabulary and the document's end, which is its last id."""

    def __init__(self, vocabulary: int, embedding: int, width: int) -> None:
        super().__init__()
        self.end = vocabulary
        self.embed = nn.Embedding(vocabulary + 1, embedding)
        self.recurrent = nn.GRU(embedding, width, batch_first=True)
        self.project = nn.Linear(width, embedding)
        cutoffs = [vocabulary // 8, vocabulary // 2]
        # Frequent tokens have small ids, as they were merged first: the rare get fewer dimensions.
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(embedding, vocabulary + 1, cutoffs, div_value=2.0)

    def forward(self, tokens: Tensor, state: State = None) -> tuple[Tensor, Tensor]:
        """Hidden rows (batch, length, embedding) that say what follows each token, and the state after the last."""
        hidden, state = self.recurrent(self.embed(tokens), state)
        return self.project(hidden), state

    def logprobs(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Natural logs, (batch, length)."""
        flat: Tensor = self.softmax(hidden.flatten(0, 1), targets.flatten()).output
        return flat.view(targets.shape)

    @property
    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def new_model(plan: Plan, settings: Settings) -> GruModel:
    torch.manual_seed(settings.seed)
    _, embedding, width = next(size for size in settings.sizes if size[0] == plan.size)
    return GruModel(settings.vocabulary, embedding, width)


# --- training


def training_documents(workplace: Workplace, data: str) -> NDArray[np.int64]:
    """As many tokens as the nested part of the reference has that is halved `train_halvings` times, shuffled."""
    kept = HALVINGS + 1 - workplace.settings.train_halvings
    parts = {domain: np.concatenate(workplace.blocks(domain)[:kept]) for domain in workplace.evaluated_domains}
    sizes = {domain: workplace.num_tokens(part) for domain, part in parts.items()}
    if data == "reference":
        found = list(parts.values())
    elif data == "half":
        found = [_first_tokens(workplace, domain, size) for domain, size in sizes.items()]
    else:
        found = [_first_tokens(workplace, workplace.narrow_domain, sum(sizes.values()))]
    return np.random.default_rng(workplace.settings.seed).permutation(np.concatenate(found))


def _first_tokens(workplace: Workplace, domain: str, num_tokens: int) -> NDArray[np.int64]:
    """Documents of other sources than the reference's, so many that they have these tokens, if there are."""
    numbers = workplace.shuffled("neural", domain)
    ends = np.cumsum(np.diff(workplace.offsets)[numbers])
    return numbers[: int(np.searchsorted(ends, num_tokens)) + 1]


def _stream(workplace: Workplace, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    end = np.array([workplace.settings.vocabulary], np.uint16)
    pieces = [end, *(piece for number in numbers for piece in (workplace.document(int(number)), end))]
    return np.concatenate(pieces).astype(np.int64)


def train(workplace: Workplace, plan: Plan, seconds: float = math.inf) -> bool:
    """Trains a model, or goes on where it was left.

    Returns:
        Whether it is done; after so many seconds it is left, to go on another time.
    """
    settings = workplace.settings
    done = workplace.folder / "models" / f"{plan.name}.pt"
    if done.exists():
        return True
    done.parent.mkdir(exist_ok=True)
    checkpoint = done.with_suffix(".checkpoint")
    model = new_model(plan, settings)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01)
    stream = _stream(workplace, training_documents(workplace, plan.data))
    steps_an_epoch = (len(stream) - _STREAMS) // (_STREAMS * _LENGTH)
    total = steps_an_epoch * settings.epochs
    step, spent = 0, 0.0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, spent = saved["step"], saved["seconds"]
    started = last_saved = time.monotonic()
    losses: list[float] = []
    state: State = None
    for inputs, targets, begins in _pieces(stream, step, total, steps_an_epoch):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / _WARM_UP) * (0.01 + 0.99 * (1 - step / total))
        hidden, state = model(inputs, None if begins or state is None else state.detach())
        loss = -model.logprobs(hidden, targets).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_STEP)
        optimizer.step()
        step += 1
        losses.append(loss.item())
        now = time.monotonic()
        if now - last_saved > _SAVED_EVERY or now - started > seconds:
            _save(checkpoint, model, optimizer, step, spent + now - started)
            last_saved = now
            note(f"{plan.name}: step {step} of {total}, perplexity {math.exp(np.mean(losses)):.1f}")
            losses.clear()
            if now - started > seconds and step < total:
                return False
    facts = {
        "parameters": model.num_parameters,
        "training_tokens": len(stream),
        "epochs": settings.epochs,
        "seconds": round(spent + time.monotonic() - started),
    }
    done.with_suffix(".json").write_text(json.dumps(facts), "utf-8")
    torch.save(model.state_dict(), done.with_suffix(".partial"))
    done.with_suffix(".partial").rename(done)
    checkpoint.unlink(missing_ok=True)
    return True


def _pieces(
    stream: NDArray[np.int64], step: int, total: int, steps_an_epoch: int
) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """What each step reads, what follows it, and whether another epoch begins: streams that stand side by side."""
    width = steps_an_epoch * _LENGTH
    streams = torch.from_numpy(stream[: _STREAMS * width]).view(_STREAMS, width)
    following = torch.from_numpy(stream[1 : _STREAMS * width + 1]).view(_STREAMS, width)
    for number in range(step, total):
        begin = number % steps_an_epoch * _LENGTH
        columns = slice(begin, begin + _LENGTH)
        yield streams[:, columns], following[:, columns], begin == 0


def _save(path: Path, model: GruModel, optimizer: torch.optim.Optimizer, step: int, seconds: float) -> None:
    partial = path.with_suffix(".saving")
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds}
    torch.save(saved, partial)
    partial.rename(path)


# --- asking


def load(workplace: Workplace, plan: Plan) -> GruModel:
    model = new_model(plan, workplace.settings)
    model.load_state_dict(torch.load(workplace.folder / "models" / f"{plan.name}.pt", weights_only=True))
    return model.eval()


def score(workplace: Workplace, plan: Plan) -> None:
    """Writes scores/NAME-SPLIT.npy: the model's natural log probability of each evaluated token."""
    folder = workplace.folder / "scores"
    folder.mkdir(exist_ok=True)
    model = load(workplace, plan)
    for split in ("validation", "test"):
        np.save(folder / f"{plan.name}-{split}.npy", token_logprobs(model, workplace.evaluated(split).tokens))


@torch.inference_mode()
def token_logprobs(model: GruModel, texts: list[Tokens]) -> NDArray[np.float64]:
    """Of each token given all before it, all texts one after another."""
    found: list[NDArray[np.float64]] = [np.empty(0)] * len(texts)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    for begin in range(0, len(order), _BATCH):
        chosen = order[begin : begin + _BATCH]
        length = max(len(texts[number]) for number in chosen)
        rows = torch.full((len(chosen), length + 1), model.end)
        for row, number in enumerate(chosen):
            rows[row, 1 : len(texts[number]) + 1] = torch.from_numpy(texts[number].astype(np.int64))
        hidden, _ = model(rows[:, :-1])
        logprobs = model.logprobs(hidden, rows[:, 1:]).double().numpy()
        for row, number in enumerate(chosen):
            found[number] = logprobs[row, : len(texts[number])]
    return np.concatenate(found)


def read_scores(workplace: Workplace, plan: Plan, split: str) -> NDArray[np.float64]:
    return np.load(workplace.folder / "scores" / f"{plan.name}-{split}.npy")


def by_text(values: NDArray[np.float64], texts: Texts) -> list[NDArray[np.float64]]:
    return np.split(values, np.cumsum(texts.lengths)[:-1])
