"""The rendered prompt of every call is in the ledger, as it was sent; what prompts share is stored once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from jury_of_words import question, trace
from local_panel import GOOD, write_panel, write_traces
from pydantic import BaseModel
from servers.model_server import ModelServer
from sqlalchemy import func, select

from tracejury.agents import Ask, Case, Draft, JudgePanel, JudgeSpec, Label, Panel
from tracejury.console.viewer.prompts import prompts_of
from tracejury.graphs import RunContext, adjudicate, build_graph
from tracejury.ledger import Ledger
from tracejury.models import CALL_TABLES, CallStore, Data, Endpoint, Gateway, Message

STEPS = [["The cough is acute since it has lasted three days.", "A cough of three days needs no tomography."]]
PART = CALL_TABLES.tables["model_prompt_part"]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("prompts")
    write_traces(folder, STEPS)
    with ModelServer(reply=GOOD) as server:
        write_panel(folder, server.url)
        store = f"sqlite:///{folder}/ledger.db"
        asyncio.run(adjudicate(folder / "traces.jsonl", folder / "panel.yaml", store=store, name="r"))
    return Ledger(store)


def test_every_call_has_the_prompt_that_was_sent(ledger: Ledger) -> None:
    run = ledger.run("r")
    for judged, judged_question, _ in ledger.traces(run):
        for deliberation in ledger.deliberations(run, judged.id):
            prompts = prompts_of(ledger, deliberation)
            assert [prompt.purpose for prompt in prompts] == [call.purpose for call in deliberation.calls]
            for prompt in prompts:
                text = "\n".join(message.content for message in prompt.messages)
                assert judged_question.stem in text
                assert deliberation.case is not None
                assert deliberation.case.step in text
                assert "<data_" in text
            # The last part differs by judge, so the whole prompts do.
            assert len({prompt.messages for prompt in prompts}) == len(prompts)


def test_a_shared_part_is_stored_once(ledger: Ledger) -> None:
    run = ledger.run("r")
    prompts = [
        prompt
        for trace, _, _ in ledger.traces(run)
        for deliberation in ledger.deliberations(run, trace.id)
        for prompt in prompts_of(ledger, deliberation)
    ]
    with ledger.engine.connect() as connection:
        stored = connection.execute(select(func.sum(func.length(PART.c.text)))).scalar_one()
        vignettes = connection.execute(
            select(func.count()).select_from(PART).where(PART.c.text.contains("cough for three days"))
        ).scalar_one()
    characters = sum(len(message.content) for prompt in prompts for message in prompt.messages)
    assert len(prompts) == 4
    assert vignettes == 1
    assert stored < 0.6 * characters


class Reply(BaseModel):
    """Any reply."""

    findings: list[str]


class AwaitsFirst:
    """A judge that awaits something before it asks, as a stranger's judge may."""

    kind, summary, needs_endpoint = "awaits_first", "for tests", True

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        await asyncio.sleep(0)
        assert ask is not None
        await ask((Message(role="user", parts=("How are you?", Data(label="step", text=case.step))),), Reply)
        return Draft(label=Label.UNCLEAR)


def test_a_judge_that_awaits_before_it_asks_has_its_prompt_too(tmp_path: Path) -> None:
    async def main(url: str) -> Any:
        store = CallStore(f"sqlite:///{tmp_path}/ledger.db")
        endpoint = Endpoint(name="e", model="m", base_url=url)
        panel = Panel(
            name="p", endpoints={"e": endpoint}, judges=(JudgeSpec(name="j", judge="awaits_first", endpoint="e"),)
        )
        async with Gateway(store, secret=b"s" * 32) as gateway:
            run_context = RunContext(JudgePanel(panel, chats=gateway, judges={"j": AwaitsFirst()}))
            out = await build_graph(run_context).ainvoke({"question": question(), "trace": trace(STEPS[0])})
        store.close()
        return out["deliberations"]

    with ModelServer(reply={"findings": ["fine"]}) as server:
        deliberations = asyncio.run(main(server.url))
    ledger = Ledger(f"sqlite:///{tmp_path}/other.db")
    calls = CallStore(f"sqlite:///{tmp_path}/ledger.db")
    ledger.engine = calls.engine
    for deliberation in deliberations:
        (prompt,) = prompts_of(ledger, deliberation)
        assert prompt.messages[-1].content.startswith("How are you?")
    calls.close()
