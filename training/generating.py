"""Sample chains from weights in this process: with transformers anywhere, with Unsloth's fast inference on a GPU.

This module imports only the standard library, pydantic and the training stack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.training.backends import Backend, pad_ready, prepare
from tracejury.training.recipe import RecipeError


class SampledReply(NamedTuple):
    """One sampled reply."""

    text: str
    tokens: int
    """Number of generated tokens, the end of turn included."""
    finish_reason: str
    """`stop`, or `length` where the token limit cut the reply off."""


class Generator:
    """A student held in memory.

    Args:
        weights: A folder of whole weights, or one of an adapter (whose base its config names), or a hub name.
        base: The adapter's base weights, where they have moved since its config was written.
        backend: `unsloth` switches its fast inference on.
    """

    def __init__(self, weights: str, *, base: str | None = None, backend: Backend = "trl") -> None:
        prepare(backend, Path(weights) / "compiled")
        self._hold(*_load(weights, base, backend))

    @classmethod
    def of(cls, model: Any, tokenizer: Any) -> Generator:
        """Return a generator of a model that is in memory already, such as one in training."""
        import copy

        generator = cls.__new__(cls)
        # A trainer pads its own batches with this tokenizer.
        generator._hold(model, pad_ready(copy.deepcopy(tokenizer)))
        return generator

    def _hold(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.device = next(model.parameters()).device
        self.tokenizer.padding_side = "left"

    def draw(
        self, prompts: Sequence[str], n: int, *, temperature: float, top_p: float, max_tokens: int, seed: int
    ) -> list[list[SampledReply]]:
        """Sample `n` replies to each rendered prompt, all in one batch.

        The seed fixes the whole batch: the same prompts with the same seed on the same hardware give the same replies.
        """
        import torch

        inputs = self.tokenizer(list(prompts), return_tensors="pt", padding=True, add_special_tokens=False)
        inputs = inputs.to(self.device)
        inputs.pop("token_type_ids", None)
        torch.manual_seed(seed)
        sampled = temperature > 0
        training = self.model.training
        self.model.eval()
        with torch.inference_mode():
            tokens = self.model.generate(
                **inputs,
                do_sample=sampled,
                temperature=temperature if sampled else None,
                top_p=top_p if sampled else None,
                top_k=None if not sampled else 0,
                num_return_sequences=n,
                max_new_tokens=max_tokens,
                pad_token_id=self.tokenizer.pad_token_id,
                use_cache=True,
            )
        self.model.train(training)
        replies = [self._until_stop(row) for row in tokens[:, inputs["input_ids"].shape[1] :].tolist()]
        return [replies[i * n : (i + 1) * n] for i in range(len(prompts))]

    def free_cache(self) -> None:
        """Return what a failed batch has left to the device, where the device keeps it."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _until_stop(self, tokens: list[int]) -> SampledReply:
        ends = self.model.generation_config.eos_token_id
        stops = {self.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        for position, token in enumerate(tokens):
            if token in stops:
                text = self.tokenizer.decode(tokens[:position], skip_special_tokens=True)
                return SampledReply(text.strip(), position + 1, "stop")
        return SampledReply(self.tokenizer.decode(tokens, skip_special_tokens=True).strip(), len(tokens), "length")


def batch_seed(seed: int, *names: str) -> int:
    """Return a batch's seed, from the run's seed and the batch's content: the order of batches does not matter."""
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _load(weights: str, base: str | None, backend: Backend) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter = (Path(weights) / "adapter_config.json").is_file()
    if backend == "unsloth":
        from unsloth import FastLanguageModel

        model, tokenizer = FastLanguageModel.from_pretrained(model_name=weights, load_in_4bit=False)
        return FastLanguageModel.for_inference(model), pad_ready(tokenizer)
    gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if gpu else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights)
        if adapter:
            from peft import PeftConfig, PeftModel

            base_weights = base or str(PeftConfig.from_pretrained(weights).base_model_name_or_path)
            model = AutoModelForCausalLM.from_pretrained(base_weights, dtype=dtype)
            model = PeftModel.from_pretrained(model, weights).merge_and_unload()
        else:
            model = AutoModelForCausalLM.from_pretrained(weights, dtype=dtype)
    except OSError as error:
        raise RecipeError(
            f"{weights}: no student could be loaded ({str(error).splitlines()[0][:200]}). Name the folder that "
            "`tracejury student train` wrote (adapter/, model/ or merged/), and --base if the base model has moved."
        ) from error
    return model.to("cuda" if gpu else "cpu").eval(), pad_ready(tokenizer)
