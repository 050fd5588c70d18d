"""Special tokens of the served model's own tokenizer are broken in everything that is data."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from tracejury.agents import Case, ContextStep, PanelError, load_panel
from tracejury.agents.prompting import case_messages, prompt
from tracejury.models import (
    CallStore,
    Endpoint,
    Gateway,
    OfflineGateway,
    is_fetched,
    look_alikes,
    neutralise,
    render,
    special_tokens,
)
from tracejury.retrieval import Passage

ODD, FIM = "[[~X~]]", "<fim_pad>"
TAG = "0123456789ab"
ORDINARY = ["the", "\n", "  ", "a", ".", "PAD", "[1]", "[12]", "<b>", "</sub>", "(a)", "->", "***", "<=", "|x|", "~10"]
CLINICAL = (
    "The PAD patient [1] has p <0.05, H<sub>2</sub>O\n\n***\n(a) ABI <= 0.9 -> refer [12]; |x| ~10 mg [sic], {IV} "
    "3 << 4, 5 > 3, [PO] or the other."
)


def gguf(tokens: dict[str, int], version: int = 3) -> bytes:
    """Return the header of a GGUF with these tokens and their types, between entries of other types."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def entry(key: str, kind: int, value: bytes) -> bytes:
        return text(key) + struct.pack("<I", kind) + value

    def listed(item: int, values: list[bytes]) -> bytes:
        return struct.pack("<IQ", item, len(values)) + b"".join(values)

    entries = [
        entry("general.architecture", 8, text("tiny")),
        entry("tiny.rope", 6, struct.pack("<f", 1.5)),
        entry("nested", 9, listed(9, [listed(8, [text("a"), text("b")]), listed(5, [struct.pack("<i", 7)])])),
        entry("tokenizer.ggml.scores", 9, listed(6, [struct.pack("<f", 0.0)] * len(tokens))),
        entry("tokenizer.ggml.tokens", 9, listed(8, [text(token) for token in tokens])),
        entry("tokenizer.ggml.token_type", 9, listed(5, [struct.pack("<i", kind) for kind in tokens.values()])),
        entry("tokenizer.chat_template", 8, text("{{ messages }}")),
    ]
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(entries)) + b"".join(entries)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer's folder: odd tokens in one file each, among words that are listed as tokens of their own."""
    listed = [{"id": n, "content": word, "special": False} for n, word in enumerate([*ORDINARY, FIM])]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": listed, "model": {"vocab": {"<x_y>": 3}}}))
    config = {
        "model_max_length": 4096,
        "added_tokens_decoder": {"7": {"content": ODD, "special": True}},
        "eos_token": {"__type": "AddedToken", "content": "]~end]"},
        "additional_special_tokens": ["{|tool|}"],
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "special_tokens_map.json").write_text(json.dumps({"pad_token": "__pad__", "unk_token": "unknown"}))
    (tmp_path / "added_tokens.json").write_text(json.dumps({"\u00abturn\u00bb": 9, "word": 10}))
    return tmp_path


def at(path: Path, **fields: Any) -> Endpoint:
    return Endpoint(name="e", model="m", tokenizer=str(path), **fields)


def test_tokens_come_from_all_files_of_a_folder_and_words_are_left_out(folder: Path) -> None:
    assert special_tokens(at(folder)) == (FIM, ODD, "]~end]", "{|tool|}", "__pad__", "\u00abturn\u00bb")
    assert special_tokens(Endpoint(name="e", model=str(folder))) == special_tokens(at(folder))
    assert special_tokens(Endpoint(name="e", model="gpt-4.1")) == ()


def test_tokens_come_from_the_header_of_a_gguf(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    # Normal tokens are not special, whatever they look like; nor are bytes.
    path.write_bytes(gguf({"the": 4, "\n": 4, ODD: 3, FIM: 4, "[X_Y]": 1, "<0x0A>": 6, "<b>": 4}) + b"weights")
    for endpoint in (
        at(path),
        Endpoint(name="e", kind="embedded", model=str(path)),
        Endpoint(name="e", model=str(path)),
    ):
        assert special_tokens(endpoint) == (ODD, FIM)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_header_that_is_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    path, whole = tmp_path / "m.gguf", gguf({ODD: 3, FIM: 4})
    path.write_bytes(whole[: int(share * whole.rindex(b"tokenizer.chat_template"))])
    with pytest.raises(ValueError, match=r"tokenizer at .*m\.gguf cannot be read"):
        special_tokens(at(path))


def test_lengths_that_no_file_has_cost_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    key = b"tokenizer.ggml.tokens"
    header = b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, len(key)) + key
    for count in (2**62, 2**24):
        path.write_bytes(header + struct.pack("<IIQ", 9, 8, count))
        with pytest.raises(ValueError, match="cannot be read"):
            special_tokens(at(path))


@pytest.mark.parametrize("offline", [False, True])
def test_the_server_gets_no_special_token_of_its_model(
    asking: Any, folder: Path, tmp_path: Path, offline: bool
) -> None:
    asking.endpoint = asking.endpoint.model_copy(update={"tokenizer": str(folder)})
    text = f"Give aspirin.{ODD}{FIM.upper()}\uff1cfim_pad\uff1e {CLINICAL}"
    store = CallStore(f"sqlite:///{tmp_path}/calls.db")

    async def main() -> str:
        if offline:
            async with OfflineGateway(store, secret=b"s") as collecting:
                with pytest.raises(Exception, match="collected"):
                    await collecting.chat(asking.about(text))
                (pending,) = collecting.pending.values()
                return str(pending.body["messages"])
        async with Gateway(store, secret=b"s") as gateway:
            await gateway.chat(asking.about(text))
        return str(asking.server.counts()["last_messages"])

    prompt_text = asyncio.run(main())
    assert "Give aspirin.([~X~]](FIM_PAD>(fim_pad>" in prompt_text
    assert repr(CLINICAL)[1:-1] in prompt_text, "ordinary text stays, though its words are tokens"


def test_every_kind_of_text_in_a_case_is_covered(folder: Path) -> None:
    odd = f"text {ODD} text {FIM}"
    passage = Passage(source="s", title="t", text=odd, citation="c", license="l")
    case = Case(
        step_id="s_1", trace_id="t_1", stem=odd, options={"A": odd}, context=(ContextStep(index=0, text=odd),),
        step_index=1, step=odd, passages=(passage,),
    )  # fmt: skip
    forged = look_alikes(special_tokens(at(folder)))
    rendered = str(render(case_messages(case, prompt("facts").text), TAG, forged))
    assert rendered.count("([~X~]] text (fim_pad>") == 5
    assert ODD not in rendered
    assert FIM not in rendered


def test_breaking_a_token_makes_no_other() -> None:
    tokens = ("[[~X~]]", "([~X~]]", "<(a|b)>", "\u2581<a\u2581b>".strip("\u2581"))
    forged = look_alikes(tokens)
    for token in (*tokens, "<a b>"):
        broken = neutralise(f"1 {token} 2", TAG, forged)
        assert not any(other in broken for other in (*tokens, "<a b>"))
        assert neutralise(broken, TAG, forged) == broken


def test_tokens_of_the_patterns_add_nothing() -> None:
    assert look_alikes(("<|im_start|>", "</s>", "<unused7>", "<start_of_turn>")) is look_alikes(())


def test_a_missing_tokenizer_stops_the_panel_at_its_line(tmp_path: Path) -> None:
    panel = tmp_path / "p.yaml"
    panel.write_text(
        "endpoints:\n  e:\n    model: m\n    base_url: http://127.0.0.1:9/v1\n    tokenizer: nowhere\n"
        "judges:\n  - {name: j, judge: facts, endpoint: e}\n"
    )
    with pytest.raises(PanelError, match=r"p\.yaml:5: .*tokenizer at nowhere cannot be read"):
        load_panel(panel)


def test_the_small_models_own_tokens_are_read() -> None:
    if not is_fetched("smollm2-135m"):
        pytest.skip("the weights are not fetched")
    tokens = special_tokens(Endpoint(name="e", kind="embedded", model="smollm2-135m"))
    assert {"<|im_start|>", "<|im_end|>", "<gh_stars>"} <= {*tokens}
