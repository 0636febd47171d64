"""Tokenizers of models on the Hugging Face hub, by name."""

from __future__ import annotations

from pathlib import Path

from anygram.errors import InputError


def fetch_tokenizer(name: str) -> Path:
    """The tokenizer.json of a model, from the hub's cache on this machine, or fetched into it.

    Args:
        name: "OWNER/MODEL", and "@REVISION" behind it for one that stays the same.

    Raises:
        InputError: the model does not exist, has no tokenizer.json, may not be read, or cannot be reached.
    """
    # A part of the library `tokenizers`: it depends on it.
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError

    model, _, revision = name.partition("@")
    try:
        return Path(huggingface_hub.hf_hub_download(model, "tokenizer.json", revision=revision or None))
    # What the network refuses is of the classes of the library below it, which has changed from one release to another.
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"the tokenizer.json of {name!r} could not be fetched from the hub ({reason}); where there is no network, "
            "give the path of the file itself; a model that asks for consent needs a token (HF_TOKEN)"
        ) from error
