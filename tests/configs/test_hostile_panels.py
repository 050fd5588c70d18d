"""Panels that attack their reader, or hold a key: each is refused with file and line, and no key is repeated."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tracejury.agents import PanelError, load_panel

ENDPOINT = (
    "judges: [{name: f, judge: facts, endpoint: m}]\nendpoints:\n  m: {model: x, base_url: 'http://localhost:1/v1', "
)


def bomb() -> str:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (bomb(), "once its aliases are put in"),
        (f"judges: {'[' * 5000}{']' * 5000}", "levels deep"),
        (f"seed: {'9' * 5000}", "a value cannot be read"),
        ("judges: [{name: d, judge: data}]\njudges: [{name: e, judge: data}]", ":2: the key 'judges' stands twice"),
        ("judges: [{name: d, judge: data, name: e}]", "the key 'name' stands twice"),
        (ENDPOINT + "params: {extra_headers: {Authorization: HIDDEN-1}}}", "extra_headers.Authorization holds a key"),
        (ENDPOINT + "params: {extra_body: {note: Bearer HIDDEN-1}}}", "extra_body.note holds a key"),
        (ENDPOINT + "params: {X-Api-Key: HIDDEN-1}}", "X-Api-Key holds a key"),
        (ENDPOINT + "api_key_env: sk-live-HIDDEN-1}", "no name of an environment variable"),
        (ENDPOINT.replace("/v1", "/v1?api_key=HIDDEN-1") + "}", "parameter 'api_key'"),
        ("judges: [{name: d, judge: data, params: {token: HIDDEN-1}}]", "token holds a key"),
    ],
)
def test_a_hostile_panel_is_refused_at_once(tmp_path: Path, text: str, complaint: str) -> None:
    panel = tmp_path / "panel.yaml"
    panel.write_text(text)
    began = time.process_time()
    with pytest.raises(PanelError) as refused:
        load_panel(panel, keys=False)
    assert complaint in str(refused.value)
    assert "HIDDEN" not in str(refused.value)
    assert str(panel) + ":" in str(refused.value)
    assert time.process_time() - began < 2


def test_ordinary_settings_are_no_keys(tmp_path: Path) -> None:
    panel = tmp_path / "panel.yaml"
    panel.write_text(ENDPOINT + "params: {max_tokens: 5, top_p: 0.9, user: the basic metabolic panel}}")
    assert load_panel(panel).endpoints["m"].params["max_tokens"] == 5
