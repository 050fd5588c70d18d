"""Teaching and sampling over a real wire, serving: what is kept, what a kill costs, what is told."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.models import CallRecord, CallStore, ChatReply, ChatRequest, Endpoint, Gateway, Price
from tracejury.traces import Batch, Question, read
from tracejury.training import (
    Generator,
    RecipeError,
    SampleSpec,
    Student,
    TeachSpec,
    expected_cost,
    sample_endpoint,
    sample_in_process,
    serving,
    teach,
)
from tracejury.training.notebook import Notebook

pytestmark = pytest.mark.train

QUESTIONS = [Question(stem=f"Case {i}?", options={"A": "yes", "B": "no"}, gold="A") for i in range(6)]
RIGHT = "1. The sign is present.\n\nThe answer is (A)."


class Scripted:
    """A teacher that says what it is told to, in order, and remembers what it was asked."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.prompts: list[str] = []

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.prompts.append(str(request.messages[0].parts[0]))
        text = self.replies.pop(0)
        call = CallRecord(
            id="c", key="k", purpose="teach", endpoint="e", model="m", started="", latency_s=0, attempts=1, raw=text
        )
        return ChatReply(text, None, (call,))


def ask(teacher: Any, out: Path, questions: list[Question] = QUESTIONS[:1], **spec: Any) -> dict[str, Any]:
    endpoint = Endpoint(name="t", model="teacher", reply_format="text")
    return asyncio.run(teach(questions, endpoint, teacher, out, spec=TeachSpec(**spec)))


def test_teacher_is_told_the_answer_after_so_many_misses(tmp_path: Path) -> None:
    wrong = "1. The sign is absent.\n\nThe answer is (B)."
    teacher = Scripted(wrong, "no idea", RIGHT, RIGHT, "1. Quite another way of seeing it.\n\nThe answer is (A).")
    manifest = ask(teacher, tmp_path, misses=2)
    assert ["correct answer is (A)" in p for p in teacher.prompts] == [False, False, True, True, True]
    assert manifest["drops"] == {"no answer found": 1, "too similar": 1, "wrong answer": 1}
    traces = [f for f in read("native", tmp_path) if hasattr(f, "arm")]
    assert [(t.meta["hint_used"], t.meta["try"], t.arm, t.model) for t in traces] == [
        (True, 2, "teacher", "teacher"),
        (True, 4, "teacher", "teacher"),
    ]


def test_teaching_stops_at_its_tries_and_says_when_nothing_was_kept(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no chain was kept.*'no answer found': 3"):
        ask(Scripted(*["hm"] * 3), tmp_path, tries=3)


def test_cost_is_bounded_before_anything_is_asked() -> None:
    endpoint = Endpoint(name="t", model="m", price=Price(prompt=1.0, completion=2.0))
    least, most = expected_cost(QUESTIONS, endpoint, TeachSpec(keep=2, tries=20, max_tokens=100))
    assert (least.calls, most.calls) == (12, 120)
    assert least.usd < most.usd
    assert most.usd == pytest.approx((most.prompt_tokens + 2 * 120 * 100) / 1e6, abs=1e-4)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tracejury.models import CallStore, Endpoint, Gateway
from tracejury.training import SampleSpec, Student, TeachSpec, read_questions, sample_endpoint, teach
what, url, out = sys.argv[1], sys.argv[2], Path(sys.argv[3])
questions = read_questions([out / "asked.jsonl"])
endpoint = Endpoint(name="m", model="m", base_url=url, reply_format="text", max_concurrency=1)
def die(done, *_):
    if done == 3 and "--whole" not in sys.argv:
        os.kill(os.getpid(), signal.SIGKILL)
async def run():
    async with Gateway(CallStore(f"sqlite:///{out}/calls.db"), secret=b"s") as gateway:
        if what == "teach":
            await teach(questions, endpoint, gateway, out / what, spec=TeachSpec(keep=1, parallel=1), progress=die)
        else:
            student = Student(model="m")
            await sample_endpoint(
                questions, endpoint, gateway, out / what, arm="a", student=student, spec=SampleSpec(n=1), progress=die
            )
asyncio.run(run())
"""


@pytest.mark.parametrize("what", ["teach", "sample"])
def test_kill_loses_nothing_and_pays_for_nothing_twice(model_server: ModelServer, tmp_path: Path, what: str) -> None:
    model_server.reset(reply={"text": RIGHT})
    lines = [
        {"kind": "question", "id": str(i), **q.model_dump(include={"stem", "options", "gold"})}
        for i, q in enumerate(QUESTIONS)
    ]
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-c", KILLED, what, model_server.url, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, timeout=200).returncode == -signal.SIGKILL
    assert not (tmp_path / what / "manifest.json").exists()
    done = subprocess.run([*command, "--whole"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    traces = [f for f in read("native", tmp_path / what) if hasattr(f, "arm")]
    assert len(traces) == len({t.question_id for t in traces}) == len(QUESTIONS)
    assert {t.answer for t in traces} == {"A"}
    assert set(model_server.counts()["paid"].values()) == {1}


def test_failed_chains_are_asked_again_and_never_become_traces(model_server: ModelServer, tmp_path: Path) -> None:
    model_server.reset(reply={"text": "I cannot tell."}, match={"Case 1?": ["404", "ok"]})
    endpoint = Endpoint(name="m", model="lora", base_url=model_server.url, reply_format="text")

    async def run() -> dict[str, Any]:
        async with Gateway(CallStore(f"sqlite:///{tmp_path}/calls.db"), secret=b"s") as gateway:
            return await sample_endpoint(
                QUESTIONS[:3],
                endpoint,
                gateway,
                tmp_path,
                arm="distilled",
                student=Student(model="lora"),
                spec=SampleSpec(n=1, max_tokens=50),
            )

    first = asyncio.run(run())
    assert (first["status"], first["failed_calls"], first["drawn"]) == ("incomplete", {"refused": 1}, 2)
    second = asyncio.run(run())
    assert (second["traces"], second["unparsable_answers"]) == (3, 3)


def test_sampling_in_process_goes_on_after_a_kill_with_the_same_traces(
    corpus: Path, recipe: Any, tmp_path: Path
) -> None:
    spec = SampleSpec(n=2, max_tokens=12, cache_tokens=300)
    draw = {"model": "tiny", "arm": "base", "spec": spec}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    weights = str(corpus / "student")
    manifest = sample_in_process(QUESTIONS[:4], weights, recipe.student, whole, **draw)
    assert manifest["traces"] == 8
    # What a kill leaves: one batch done, half a line of the next.
    cut.mkdir()
    lines = (whole / "drawn.progress").read_text().splitlines(keepends=True)
    assert len(lines) >= 3
    (cut / "drawn.progress").write_text(lines[0] + lines[1][:20])
    (cut / "inputs.json").write_text((whole / "inputs.json").read_text())
    sample_in_process(QUESTIONS[:4], weights, recipe.student, cut, **draw)
    assert (cut / "traces.jsonl").read_text() == (whole / "traces.jsonl").read_text()
    with pytest.raises(RecipeError, match="was begun with different spec"):
        sample_in_process(QUESTIONS[:4], weights, recipe.student, cut, **(draw | {"spec": SampleSpec(n=3)}))
    # The progress is no data: whoever reads the folder finds the traces alone.
    with Batch.open(whole) as batch:
        assert (len(batch), len(list(batch.questions())), batch.problems) == (8, 4, ())


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), MemoryError()])
def test_batches_are_halved_where_memory_runs_out(
    error: Exception, corpus: Path, recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    room = 3
    draw_all = Generator.draw

    def draw(self: Generator, prompts: list[str], n: int, **sampling: Any) -> Any:
        sizes.append(len(prompts))
        if len(prompts) > room:
            raise error
        return draw_all(self, prompts, n, **sampling)

    monkeypatch.setattr(Generator, "draw", draw)
    weights, given = str(corpus / "student"), {"model": "tiny", "arm": "base"}
    roomy = SampleSpec(n=4, max_tokens=12)
    manifest = sample_in_process(QUESTIONS[:2], weights, recipe.student, tmp_path / "roomy", spec=roomy, **given)
    assert sizes == [8, 4, 2, 2, 2, 2]
    assert manifest["traces"] == 8
    # The chains are those of a run whose budget was as low from the start.
    tight = roomy.model_copy(update={"cache_tokens": manifest["cache_tokens"]})
    sample_in_process(QUESTIONS[:2], weights, recipe.student, tmp_path / "tight", spec=tight, **given)
    assert (tmp_path / "tight" / "traces.jsonl").read_text() == (tmp_path / "roomy" / "traces.jsonl").read_text()
    room = 0
    with pytest.raises(RecipeError, match=r"a single chain of \d+ tokens does not fit into memory"):
        sample_in_process(QUESTIONS[:1], weights, recipe.student, tmp_path / "none", spec=roomy, **given)


def test_weights_that_are_nowhere_are_told_at_once(recipe: Any, tmp_path: Path) -> None:
    given = {"model": "m", "arm": "a", "spec": SampleSpec(n=1)}
    for weights in ("nowhere", str(tmp_path / "student" / "merged")):
        with pytest.raises(RecipeError, match=r"no such folder\. Name the folder that `tracejury student train` wrote"):
            sample_in_process(QUESTIONS[:1], weights, recipe.student, tmp_path / "out", **given)


def test_notebook_cuts_off_a_half_written_line(tmp_path: Path) -> None:
    (tmp_path / "n.jsonl").write_text('{"a": 1}\n{"a": 2')
    with Notebook(tmp_path / "n.jsonl") as notebook:
        notebook.add({"a": 3})
        assert list(notebook.entries()) == [{"a": 1}, {"a": 3}]


def test_serving_takes_the_right_program(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no weights to serve.*tracejury student train"):
        serving(tmp_path)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen3-8B", "r": 16}')
    command = serving(tmp_path, port=8001, name="s").command
    assert command[-2:] == ("--generation-config", "vllm")
    (tmp_path / "inputs.json").write_text(json.dumps({"recipe": {"student": {"model": "q", "think": "empty"}}}))
    no_thinking = json.dumps({"enable_thinking": False})
    assert serving(tmp_path, name="s").command[-2:] == ("--default-chat-template-kwargs", no_thinking)
    assert command[:3] == ("vllm", "serve", "Qwen/Qwen3-8B")
    assert f"s={adapter}" in command
    assert command[command.index("--served-model-name") + 1] == serving(tmp_path, name="s").base_model == "s-base"
    assert command[command.index("--max-lora-rank") + 1] == "16"
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "config.json").write_text("{}")
    assert serving(tmp_path).command[2] == str(tmp_path / "merged")
    (tmp_path / "m.gguf").write_bytes(b"")
    found = serving(tmp_path / "m.gguf", port=9)
    assert found.command[-2:] == ("--chat-template-kwargs", no_thinking)
    assert (found.command[0], found.model, found.base_url) == ("llama-server", "m", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("recipe", "served_by", "fields"),
    [
        ("qwen3-8b", "vllm", {"top_k": -1, "chat_template_kwargs": {"enable_thinking": False}}),
        ("qwen3-8b", "llama.cpp", {"top_k": 0, "chat_template_kwargs": {"enable_thinking": False}}),
        ("llama-3.1-8b", "vllm", {"top_k": -1, "chat_template_kwargs": None}),
        ("qwen3-8b", "plain", {"top_k": None, "chat_template_kwargs": None}),
    ],
)
def test_a_request_carries_what_the_recipe_says_of_the_template(
    model_server: ModelServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    recipe: str,
    served_by: str,
    fields: dict[str, Any],
) -> None:
    model_server.reset(reply={"text": RIGHT})
    question = {"kind": "question", "id": "1", **QUESTIONS[0].model_dump(include={"stem", "options", "gold"})}
    (tmp_path / "asked.jsonl").write_text(json.dumps(question) + "\n")
    out = tmp_path / "sampled"
    command = [
        *("student", "sample", str(tmp_path / "asked.jsonl"), "--out", str(out), "--recipe", recipe, "-n", "1"),
        *("--model", "m", "--base-url", model_server.url, "--served-by", served_by),
    ]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    sent = model_server.counts()["last_fields"]
    assert {name: sent.get(name) for name in fields} == fields
    assert ("prompted otherwise than in training" in caplog.text) == (served_by == "plain")
    assert sent["top_p"] == 0.95
    recorded = json.loads((out / "manifest.json").read_text())["request_fields"]
    assert {name: recorded.get(name) for name in fields} == fields


def test_a_stop_lets_tries_that_have_begun_finish_and_the_resume_repeats_none(tmp_path: Path) -> None:
    stopping = asyncio.Event()

    class StopsAtThird(Scripted):
        async def chat(self, request: ChatRequest) -> ChatReply:
            if len(self.prompts) == 2:
                stopping.set()
            await asyncio.sleep(0)
            return await super().chat(request)

    teacher = StopsAtThird(*[RIGHT] * 6)
    given: dict[str, Any] = {"spec": TeachSpec(keep=1, parallel=2)}
    endpoint = Endpoint(name="t", model="teacher", reply_format="text")
    stopped = asyncio.run(teach(QUESTIONS, endpoint, teacher, tmp_path, stopping=stopping, **given))  # type: ignore[arg-type]
    assert stopped["status"] == "incomplete"
    assert not (tmp_path / "manifest.json").exists()
    begun = len(teacher.prompts)
    assert begun == len((tmp_path / "tries.progress").read_text().splitlines()) < 6
    done = asyncio.run(teach(QUESTIONS, endpoint, teacher, tmp_path, **given))  # type: ignore[arg-type]
    assert (done["traces"], done["calls"], len(set(teacher.prompts))) == (6, 6, 6)


@pytest.mark.parametrize("command", ["teach", "sample", "distill"])
def test_air_gapped_students_refuse_a_model_on_another_machine_before_they_work(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    question = {"kind": "question", "id": "1", **QUESTIONS[0].model_dump(include={"stem", "options", "gold"})}
    (tmp_path / "asked.jsonl").write_text(json.dumps(question) + "\n")
    elsewhere, out = "http://10.1.2.3:8000/v1", str(tmp_path / "out")
    panel = Path(__file__).resolve().parents[2] / "configs" / "experiments" / "tiny" / "panel.yaml"
    experiment = {
        "name": "gap", "recipe": "tiny", "panel": str(panel), "evaluation": {"path": "asked.jsonl"},
        "teacher": {"chains": {"path": "asked.jsonl"}},
        "student_endpoint": {"name": "student", "model": "m", "base_url": elsewhere},
    }  # fmt: skip
    (tmp_path / "gap.yaml").write_text(json.dumps(experiment))
    arguments = {
        "teach": [str(tmp_path / "asked.jsonl"), "--model", "m", "--base-url", elsewhere],
        "sample": [str(tmp_path / "asked.jsonl"), "--model", "m", "--base-url", elsewhere],
        "distill": [str(tmp_path / "gap.yaml")],
    }
    refused = CliRunner().invoke(app, ["student", command, *arguments[command], "--out", out, "--air-gapped"])
    assert refused.exit_code == 1
    message = " ".join(refused.stderr.split())
    assert f"is at {elsewhere}, which is not this machine. Serve the model here" in message
    assert not (tmp_path / "out" / "inputs.json").exists()


def test_an_open_port_of_another_machine_is_closed_to_air_gapped_training(tmp_path: Path) -> None:
    """The guard is below every library: a socket to another machine is refused, loopback is not."""
    script = (
        "import socket\n"
        "from tracejury.console.air_gap import close_network_to_all_but\n"
        "close_network_to_all_but([])\n"
        "with socket.create_server(('127.0.0.1', 0)) as here:\n"
        "    socket.create_connection(here.getsockname()).close()\n"
        "socket.create_connection(('10.1.2.3', 80), timeout=1)\n"
    )
    tried = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert tried.returncode == 1
    assert "--air-gapped: '10.1.2.3' is not this machine" in tried.stderr
