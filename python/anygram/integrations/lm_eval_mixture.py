"""A Hugging Face model with the ∞-gram mixed in, as a model of lm-evaluation-harness.

Importing this module registers the model `anygram-mixture`, which takes the arguments of the harness's own `hf`, and::

    arguments = "pretrained=my-model,index=my-index,sparse=0.8,other=0.3"
    lm_eval.simple_evaluate("anygram-mixture", model_args=arguments, tasks=["lambada_openai"])

From the shell, `python -m anygram.integrations.lm_eval_mixture` takes the arguments of `lm_eval`.
"""

from __future__ import annotations

from typing import Any

import torch
from lm_eval.api.registry import register_model
from lm_eval.models.huggingface import HFLM
from transformers import LogitsProcessorList

from anygram.analysis.mixture import Mixture
from anygram.integrations.transformers import MixtureLogitsProcessor
from anygram.opening import open as open_index


@register_model("anygram-mixture")
class AnygramMixtureLM(HFLM):  # type: ignore[misc]  # lm_eval has no types
    """The harness's `hf`, each of whose distributions is mixed with the ∞-gram's.

    Args:
        index: the folder of an index that was built with the model's tokenizer.
        sparse: the ∞-gram's weight where it is sparse, of `anygram.Mixture`.
        other: its weight elsewhere.
        **options: of `hf`: pretrained, dtype, device, batch_size and so on. Models that are no decoders are not mixed.

    Cost: a search for each token of each prompt, besides the model's own.
    """

    def __init__(self, index: str, sparse: float, other: float, **options: Any) -> None:
        super().__init__(**options)
        self._processor = MixtureLogitsProcessor(
            open_index(index), Mixture(float(sparse), float(other)), eos_token_id=self.eot_token_id
        )

    def _model_call(self, inps: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        """The log probabilities after each token: float (batch, length, vocabulary)."""
        logits: torch.Tensor = super()._model_call(inps, *arguments, **options).float()
        for place in range(inps.shape[1]):
            logits[:, place] = self._processor(inps[:, : place + 1], logits[:, place])
        return logits

    def _model_generate(self, context: torch.Tensor, max_length: int, stop: list[str], **options: Any) -> torch.Tensor:
        processors = LogitsProcessorList([self._processor, *(options.pop("logits_processor", None) or [])])
        return super()._model_generate(context, max_length, stop, logits_processor=processors, **options)


if __name__ == "__main__":
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()
