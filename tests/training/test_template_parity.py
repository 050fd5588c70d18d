"""A sampled request and a training row of the same question become the same tokens, rendered by two implementations.

The request is captured at an endpoint and rendered by llama.cpp (its own template engine); the row is rendered by
transformers. The templates are written in the manner of Qwen3, Llama 3.1 and Mistral; the vocabulary is the embedded
model's, and both texts are cut by llama.cpp's tokenizer.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers.model_server import ModelServer
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from tracejury.models import CallStore, Endpoint, Gateway, fetch
from tracejury.traces import Question
from tracejury.training import SampleSpec, Student, load_recipe, sample_endpoint
from tracejury.training.chat import render

pytestmark = pytest.mark.train

CHAIN = "1. The sign is present.\n\nThe answer is (A)."
QUESTION = Question(stem="Case 1: fever and {cough} <b>?", options={"A": "yes", "B": "no"}, gold="A")
TEMPLATES = {
    "qwen3-8b": (
        "{%- for m in messages %}<|im_start|>{{ m.role }}\n"
        "{{ m.content.split('</think>')[-1].lstrip('\n') if m.role == 'assistant' else m.content }}<|im_end|>\n"
        "{%- endfor %}"
        "{%- if add_generation_prompt %}<|im_start|>assistant\n"
        "{%- if enable_thinking is defined and enable_thinking is false %}\n<think>\n\n</think>\n\n{% endif %}"
        "{%- endif %}"
    ),
    "llama-3.1-8b": (
        "{%- for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
        "{{ m.content | trim }}<|eot_id|>{%- endfor %}"
        "{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
    ),
    "mistral-7b": (
        "{%- for m in messages %}{%- if m.role == 'user' %}[INST] {{ m.content }}[/INST]"
        "{%- else %} {{ m.content | trim }}</s>{%- endif %}{%- endfor %}"
    ),
}
SERVER = """
import sys, threading, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.chat_template, params.use_jinja = sys.argv[1], sys.argv[2], True
params.hostnames, params.port, params.n_parallel, params.n_ctx, params.ui = ["127.0.0.1"], 0, 1, 256, False
server = xllamacpp.Server(params)
print("address", server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server(template: str) -> Iterator[str]:
    weights = next(path for path in Path(fetch("smollm2-135m")).parent.rglob("*.gguf"))
    command = [sys.executable, "-c", SERVER, str(weights), template]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield next(line.split()[1] for line in process.stdout if line.startswith("address "))
        finally:
            process.kill()


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def captured_request(server: ModelServer, student: Student, folder: Path) -> dict[str, Any]:
    """Sample one chain from an endpoint, and return the body that it was sent."""
    endpoint = Endpoint(name="m", model="m", base_url=server.url, reply_format="text")

    async def run() -> None:
        async with Gateway(CallStore(f"sqlite:///{folder}/calls.db"), secret=b"s") as gateway:
            spec = SampleSpec(n=1)
            await sample_endpoint([QUESTION], endpoint, gateway, folder, arm="a", student=student, spec=spec)

    server.reset(reply={"text": CHAIN})
    asyncio.run(run())
    counts = server.counts()
    return {**counts["last_fields"], "messages": counts["last_messages"]}


@pytest.mark.parametrize("recipe", TEMPLATES)
def test_request_and_training_row_have_the_same_tokens(recipe: str, model_server: ModelServer, tmp_path: Path) -> None:
    student = load_recipe(recipe).student
    body = captured_request(model_server, student, tmp_path)
    (message,) = body["messages"]
    words = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, chat_template=TEMPLATES[recipe], eos_token="</s>")
    row = render(tokenizer, student, message["content"], CHAIN)
    with llama_server(TEMPLATES[recipe]) as address:
        asked = {name: body[name] for name in ("messages", "chat_template_kwargs") if name in body}
        prompt = post(f"{address}/apply-template", asked)["prompt"]

        def ids(text: str) -> list[int]:
            return list(post(f"{address}/tokenize", {"content": text, "parse_special": True})["tokens"])

        assert ids(prompt) == ids(row.prompt)
        assert len(ids(prompt)) > 30
        # The row goes on where the prompt ends: no token spans the border, and the completion ends the turn.
        assert ids(row.prompt + row.completion)[: len(ids(prompt))] == ids(prompt)
        without = post(f"{address}/apply-template", {"messages": body["messages"]})["prompt"]
        assert (ids(without) != ids(row.prompt)) == (student.think == "empty")
