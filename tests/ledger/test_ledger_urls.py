"""A database password is never shown nor written, wherever a ledger's URL goes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_panel import write_traces
from sqlalchemy.engine import URL, make_url
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.graphs import Cluster
from tracejury.graphs.cluster.joining import store_for
from tracejury.ledger import Ledger
from tracejury.models import CallStore
from tracejury.storage import hide_password

PASSWORD = "s3cret-planted-9731"


@given(password=st.text(min_size=6, max_size=30).filter(lambda p: "***" not in p), in_query=st.booleans())
def test_no_password_is_left_in_a_url_that_is_shown(password: str, in_query: bool) -> None:
    place = {"query": {"password": password}} if in_query else {"password": password}
    url = URL.create("postgresql", "me", host="h.example.org", database="d", **place)  # type: ignore[arg-type]
    whole = url.render_as_string(hide_password=False)
    bare = URL.create("postgresql", "me", host="h.example.org", database="d").render_as_string()
    hidden = hide_password(whole)
    assert "***" in hidden
    assert hidden.replace("?password=***", "").replace(":***", "") == bare


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{PASSWORD}@127.0.0.1:9/d",
        f"postgresql://me@127.0.0.1:9/d?password={PASSWORD}",
        f"postgresql+nodriver://me:{PASSWORD}@127.0.0.1:9/d",
        f"mysql://me:{PASSWORD}@127.0.0.1:9/d",
        f"me:{PASSWORD}@nowhere",
    ],
)
def test_a_ledger_that_cannot_be_opened_is_told_without_it(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for command in (["ledger", "runs"], ["ledger", "status"], ["doctor"]):
        result = CliRunner().invoke(app, [*command, "--store", url])
        assert result.exit_code == 1 or command == ["doctor"], result.output
        assert PASSWORD not in result.output
        assert "Traceback" not in result.output
    assert PASSWORD not in caplog.text


def test_a_run_on_postgres_writes_and_says_it_nowhere(
    postgres_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server asks for no password, so any will do."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    store = postgres_server.database().replace("postgres@", f"postgres:{PASSWORD}@")
    traces = write_traces(tmp_path, [["He weighs 70 kg and is given 2 mg/kg, so 140 mg."]])
    (tmp_path / "panel.yaml").write_text("judges: [{name: data, judge: data}]\n")
    output = ""
    for command in (
        ["adjudicate", str(traces), "--panel", "panel.yaml", "--run", "r"],
        ["ledger", "runs"],
        ["show", "nobody"],
        ["export", "r", "--out", "rows.jsonl"],
        ["ledger", "status"],
        ["ledger", "upgrade"],
        ["doctor"],
    ):
        output += CliRunner().invoke(app, [*command, "--store", store]).output
    assert ":***@" in output
    assert "no run called 'nobody'" in output
    assert PASSWORD not in output + caplog.text
    ledger = Ledger(store)
    assert len(list(ledger.rows(ledger.run("r")))) == 1
    assert PASSWORD not in repr(ledger.run("r")) + ledger.url
    CallStore(ledger.engine).close()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()


def test_the_workers_of_a_cluster_are_given_it(postgres_server: Any) -> None:
    """A password that is hidden from people opens the ledger for processes all the same."""
    url = make_url(postgres_server.database()).set(password=PASSWORD).render_as_string(hide_password=False)
    ledger = Ledger(url)
    store, clerked = store_for(ledger, Cluster())
    ledger.close()
    assert not clerked
    assert make_url(store).password == PASSWORD
