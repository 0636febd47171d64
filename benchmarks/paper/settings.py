"""How large everything is: of the whole run, and of the quick one."""

from __future__ import annotations

from dataclasses import dataclass

#: Which part of each domain's sources is for what, by size.
SHARES = {"reference": 0.66, "neural": 0.14, "validation": 0.08, "test": 0.12}

#: The reference at its whole size, at half of it, and so on down to 2^-8.
HALVINGS = 8


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        domain_bytes: at most so much text of each domain.
        largest_source: a source has at most this share of its domain: folders are split until they do, or cut.
        longest_document: longer ones, in characters, are tables more often than text.
        shortest_document: shorter ones, in characters, say little.
        vocabulary: tokens of the tokenizer.
        tokenizer_bytes: text that the tokenizer is trained on.
        test_documents: of each domain.
        validation_documents: of each domain.
        fewest_tokens: of an evaluated document.
        most_tokens: so many of its first tokens are evaluated, as in the paper.
        train_halvings: neural models are trained on as much as this nested part of the reference has.
        epochs: how often.
        sizes: by name, width of the embedding and of the recurrent layer.
        machine_documents: how many are continued by the model.
        machine_tokens: at most so long, the prompt included.
        seed: all draws depend on it alone.
    """

    domain_bytes: int = 170_000_000
    largest_source: float = 0.005
    longest_document: int = 100_000
    shortest_document: int = 100
    vocabulary: int = 8192
    tokenizer_bytes: int = 30_000_000
    test_documents: int = 200
    validation_documents: int = 120
    fewest_tokens: int = 128
    most_tokens: int = 1024
    train_halvings: int = 5
    epochs: int = 2
    sizes: tuple[tuple[str, int, int], ...] = (("small", 128, 256), ("large", 256, 640))
    machine_documents: int = 160
    machine_tokens: int = 512
    seed: int = 0


WHOLE = Settings()
QUICK = Settings(
    domain_bytes=12_000_000,
    vocabulary=4096,
    tokenizer_bytes=4_000_000,
    test_documents=80,
    validation_documents=40,
    most_tokens=512,
    train_halvings=3,
    sizes=(("small", 64, 128), ("large", 128, 320)),
    machine_documents=40,
    machine_tokens=256,
)
