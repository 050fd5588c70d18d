"""Weights to start from: a random Qwen3 of any shape, or a GGUF in a form that can be trained."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tracejury.storage import replacing_folder
from tracejury.training.recipe import RecipeError, Shape

# Qwen3's conversation format: ChatML, and an empty think block where thinking is switched off.
CHATML = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.role == 'assistant' and enable_thinking is defined and not enable_thinking %}<think>

</think>

{% endif %}{{ message.content }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think>

</think>

{% endif %}{% endif -%}"""
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")


def identity_of(weights: str) -> str:
    """Return a name for weights: a hub name unchanged, a folder by a hash of its files' sizes and first mebibytes."""
    folder = Path(weights)
    if not folder.is_dir():
        return weights
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.iterdir() if p.suffix in {".json", ".safetensors"}):
        digest.update(f"{file.name}:{file.stat().st_size}".encode())
        with file.open("rb") as content:
            digest.update(content.read(1 << 20))
    return f"{folder.name}@{digest.hexdigest()[:20]}"


def require_weights(weights: str) -> None:
    """Refuse what is meant as a folder and is none, which the hub would be asked for, again and again, for a minute.

    Raises:
        RecipeError: There is no such folder, and the name is none of the hub's (`OWNER/NAME`).
    """
    place = Path(weights)
    on_the_hub = len(place.parts) == 2 and not place.is_absolute() and not place.parent.exists()
    if not place.is_dir() and not on_the_hub:
        raise RecipeError(
            f"{weights}: no such folder. Name the folder that `tracejury student train` wrote (adapter/, model/ or "
            "merged/), or a model of the hub as OWNER/NAME."
        )


def make_random_student(folder: Path, shape: Shape, texts: Iterable[str], seed: int = 42) -> Path:
    """Write a randomly initialised Qwen3 and a byte-level BPE tokenizer trained on `texts`; return `folder`.

    The same shape, texts and seed give the same weights. The folder appears when it is complete.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    if (folder / "config.json").is_file():
        return folder
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=min(shape.vocab_size, 32_000),
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, clean_up_tokenization_spaces=False)
    tokenizer.add_special_tokens({"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})
    tokenizer.chat_template = CHATML
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=shape.vocab_size,
            hidden_size=shape.hidden_size,
            intermediate_size=shape.intermediate_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            head_dim=shape.head_dim,
            tie_word_embeddings=shape.tied,
            max_position_embeddings=8192,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    return _save(model.to(torch.bfloat16) if shape.bf16 else model, tokenizer, folder)


def make_trainable(gguf: Path, folder: Path) -> Path:
    """Write a GGUF as a folder of float32 weights that can be trained, once; return `folder`.

    TRL refuses a model whose config has a quantisation section, so the model is rebuilt without that section.

    Raises:
        RecipeError: There is no such file.
    """
    if (folder / "config.json").is_file():
        return folder
    if not gguf.is_file():
        raise RecipeError(f"{gguf}: no such file. Get the weights with `tracejury models fetch`.")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    quantised = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = quantised.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = type(quantised)(config)
    model.load_state_dict(quantised.state_dict())
    return _save(model, tokenizer, folder)


def _save(model: object, tokenizer: object, folder: Path) -> Path:
    with replacing_folder(folder) as partial:
        model.save_pretrained(partial)  # type: ignore[attr-defined]
        tokenizer.save_pretrained(partial)  # type: ignore[attr-defined]
    return folder
