"""Loading panels: every fault told with file, line and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.agents import PanelError, Policy, Seat, load_panel, panel_names, prompt_hashes
from tracejury.console import app

GOOD = """\
endpoints:
  mine:
    base_url: http://127.0.0.1:8000/v1
    model: m
judges:
  - name: data
    judge: data
  - name: facts
    judge: facts
    endpoint: mine
"""


def load(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(PanelError) as raised:
        load_panel(path)
    return str(raised.value).replace(str(path), "mine.yaml")


def test_the_shipped_panels_load_and_say_what_they_are() -> None:
    assert set(panel_names()) >= {"embedded", "mixed", "ollama", "openai", "paper", "vllm"}
    for name in panel_names():
        panel = load_panel(name, keys=False)
        assert panel.name == name
        assert panel.description
        assert set(prompt_hashes(panel)) >= {j.name for j in panel.judges if j.endpoint}


def test_the_paper_s_panel_repeats_its_protocol() -> None:
    panel = load_panel("paper", keys=False)
    assert (len(panel.judges), panel.show_gold, panel.show_earlier, panel.segmenter) == (1, True, False, "numbered")
    assert panel.resolver is None
    assert panel.policy is Policy.CONSENSUS
    assert panel.retrieval.sources == ()


def test_three_providers_sit_on_the_mixed_panel() -> None:
    panel = load_panel("mixed", keys=False)
    voting = [j.endpoint for j in panel.judges if j.seat is Seat.VOTE]
    assert len({panel.endpoints[e].base_url for e in voting if e}) == 3


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert load_panel(path).name == "mine"


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("judge: facts", "judge: fatcs"), 9, "did you mean 'facts'"),
        (("endpoint: mine", "endpoint: yours"), 10, "no endpoint 'yours'"),
        (("model: m", "model: m\n    modell: m"), 5, "unknown field"),
        (("    model: m\n", ""), 2, "Field required"),
        (("judge: facts\n    endpoint: mine", "judge: facts"), 8, "give it `endpoint: mine`"),
        (("judge: data", "judge: data\n    endpoint: mine"), 8, "asks no model"),
        (("judge: data", "judge: data\n    params: {nonsense: 1}"), 8, "nonsense"),
        (("judges:", "reply_tokens: many\njudges:"), 5, "integer"),
        (("name: facts", "name: data"), 8, "same name"),
        (("judges:", "judges: ["), 6, "not YAML"),
        (("model: m", "model: m\n    api_key_env: TRACEJURY_NO_SUCH_KEY"), 5, "export TRACEJURY_NO_SUCH_KEY"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, change: tuple[str, str], line: int, says: str) -> None:
    message = load(tmp_path, GOOD.replace(*change))
    assert message.startswith(f"mine.yaml:{line}: "), message
    assert says in message


def test_keys_are_not_needed_to_look_at_a_panel(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace("model: m", "model: m\n    api_key_env: TRACEJURY_NO_SUCH_KEY"))
    assert load_panel(path, keys=False).endpoints["mine"].api_key_env == "TRACEJURY_NO_SUCH_KEY"


def test_an_unknown_panel_lists_the_known_ones() -> None:
    with pytest.raises(PanelError, match=r"known: .*embedded, local, mixed"):
        load_panel("embeded")
    with pytest.raises(PanelError, match="no such file"):
        load_panel("somewhere/else.yaml")


def test_the_listings(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert '"name": "embedded"' in run(app.app, ["panels", "list", "--json"]).stdout
    output = run(app.app, ["panels", "judges", "--json"]).stdout
    assert '"judge": "data"' in output
    assert '"asks": "no model"' in output
    assert run(app.app, ["panels", "show", "nonsense"]).exit_code == 1
