"""What our orchestration costs: 500 steps x 3 judges against a local server with 200 ms latency, 64 calls in flight.

    python benchmarks/orchestration.py --peers FOLDER    # inspect_ai and openevals, by `pip install --target FOLDER`
    python benchmarks/orchestration.py --steps 1000 10000 50000 --memory   # growth of memory, instant server

Each contender runs in a process of its own, in turn, several rounds; medians are kept. `ideal` is the time that the
latency alone takes. Ours writes the ledger, checks quotes and applies the policy; the others only ask and parse.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import operator
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
RESULTS = ROOT / "benchmarks" / "results"
JUDGES = 3
IN_FLIGHT = 64
LATENCY_S = 0.2
PROMPT = "A vignette of some length. " * 40 + "Judge this step: the cough has lasted three days, case {n}.{i}."


def ours(url: str, steps: int, judges: int = JUDGES) -> None:
    from local_panel import panel_body, write_traces

    from tracejury.agents import Panel
    from tracejury.graphs import adjudicate

    with tempfile.TemporaryDirectory() as folder:
        per = 10
        texts = [[f"The cough has lasted three days, case {n}.{i}." for i in range(per)] for n in range(steps // per)]
        traces = write_traces(Path(folder), texts)
        body = panel_body(url, endpoint={"max_concurrency": IN_FLIGHT, "timeout_s": 60.0})
        body["endpoints"]["local"]["name"] = "local"
        body["judges"].append({"name": "safety", "judge": "safety", "endpoint": "local"})
        body["judges"] = body["judges"][:judges]
        _, tally = asyncio.run(adjudicate(traces, Panel(**body), store=f"sqlite:///{folder}/l.db"))
    assert tally.outcomes["supported"] == steps, tally.outcomes


class State(TypedDict):
    """The state of the bare graph."""

    steps: list[str]
    done: Annotated[list[Any], operator.add]


def bare(url: str, steps: int) -> None:
    """LangGraph's map-reduce, ChatOpenAI and the aiohttp client, by hand: the least that the stack costs."""
    import openai
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    from tracejury.agents.replies import judge_reply
    from tracejury.models.schemas import reply_format

    schema = judge_reply(512)

    async def main() -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)
        async with openai.DefaultAioHttpClient() as client:
            chat = ChatOpenAI(model="m", base_url=url, api_key="none", http_async_client=client, max_retries=0)
            model = chat.bind(response_format=reply_format("json_schema", schema, False))

            async def one(step: str, judge: int) -> Any:
                async with slots:
                    reply = await model.ainvoke([("system", "You judge."), ("user", f"{step} {judge}")])
                return schema.model_validate_json(str(reply.content))

            async def hear(sent: dict[str, str]) -> dict[str, list[Any]]:
                return {"done": [await asyncio.gather(*(one(sent["step"], j) for j in range(JUDGES)))]}

            graph = StateGraph(State)
            graph.add_node("hear", hear)
            graph.add_conditional_edges(START, lambda s: [Send("hear", {"step": t}) for t in s["steps"]], ["hear"])
            graph.add_edge("hear", END)
            run = graph.compile()
            traces = [[PROMPT.format(n=n, i=i) for i in range(10)] for n in range(steps // 10)]
            made = await asyncio.gather(*(run.ainvoke({"steps": t, "done": []}) for t in traces))
        assert sum(len(m["done"]) for m in made) == steps

    asyncio.run(main())


def inspect_ai(url: str, steps: int) -> None:
    os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", "INSPECT_DISPLAY": "none"}
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import GenerateConfig, ResponseSchema
    from inspect_ai.scorer import Score, Target, mean, scorer
    from inspect_ai.solver import Generate, TaskState, solver
    from inspect_ai.util import json_schema

    from tracejury.agents.replies import JudgeReply

    form = ResponseSchema(name="reply", json_schema=json_schema(JudgeReply))

    @solver
    def jury() -> Any:
        from inspect_ai.model import get_model

        async def solve(state: TaskState, generate: Generate) -> TaskState:
            model = get_model()
            asked = [
                model.generate(f"{state.input_text} {j}", config=GenerateConfig(response_schema=form))
                for j in range(JUDGES)
            ]
            replies = await asyncio.gather(*asked)
            state.metadata["labels"] = [JudgeReply.model_validate_json(r.completion).label for r in replies]
            return state

        return solve

    @scorer(metrics=[mean()])
    def voted() -> Any:
        async def score(state: TaskState, target: Target) -> Score:
            return Score(value=float(len(state.metadata["labels"])))

        return score

    data = [Sample(input=PROMPT.format(n=k // 10, i=k % 10)) for k in range(steps)]
    task = Task(dataset=data, solver=jury(), scorer=voted())
    with tempfile.TemporaryDirectory() as folder:
        (log,) = eval(
            task,
            model="openai/m",
            max_connections=IN_FLIGHT,
            max_samples=IN_FLIGHT,
            log_dir=folder,
            model_args={"responses_api": False},
        )
    assert log.status == "success", log.error


def openevals(url: str, steps: int) -> None:
    from langchain_openai import ChatOpenAI
    from openevals.llm import create_async_llm_as_judge

    async def main() -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)
        chat = ChatOpenAI(model="m", base_url=url, api_key="none", max_retries=0)
        judge = create_async_llm_as_judge(prompt="You judge. {inputs}", judge=chat, feedback_key="right")

        async def one(text: str) -> Any:
            async with slots:
                return await judge(inputs=text)

        asked = [f"{PROMPT.format(n=k // 10, i=k % 10)} {j}" for k in range(steps) for j in range(JUDGES)]
        made = await asyncio.gather(*map(one, asked))
        assert len(made) == steps * JUDGES

    asyncio.run(main())


def one_judge(url: str, steps: int) -> None:
    """Ours with one judge: memory is about steps, and 50,000 of them take a while."""
    ours(url, steps, judges=1)


CONTENDERS = {"tracejury": ours, "bare LangGraph": bare, "inspect_ai": inspect_ai, "openevals": openevals}


def contend(name: str, url: str, steps: int) -> dict[str, float]:
    """Run one contender in this process and say what it cost, imports left out."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    (one_judge if name == "memory" else CONTENDERS[name])(url, steps)
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall, "cpu_ms_a_call": 1000 * cpu / (steps * JUDGES), "peak_mib": after.ru_maxrss / 1024}


def spawn(name: str, url: str, steps: int, peers: str | None) -> dict[str, float] | None:
    """Run one contender in a process of its own; None: it is not installed."""
    # Peers come last on the path: what the project has installed itself is not replaced by their versions.
    code = (
        "import sys, json; sys.path[:0] = [{0!r}]; sys.path.append({1!r})\n"
        "import orchestration as o\n"
        "o.warm({2!r})\n"
        "print('RESULT', json.dumps(o.contend({2!r}, {3!r}, {4})))"
    ).format(str(ROOT / "benchmarks"), peers or "", name, url, steps)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        print(
            f"{name}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no result'}", file=sys.stderr
        )
        return None
    return json.loads(lines[-1].removeprefix("RESULT "))  # type: ignore[no-any-return]


def warm(name: str) -> None:
    """Import what a contender needs, so that imports are not in its time."""
    import importlib

    modules = {
        "memory": ["tracejury.graphs.adjudicate", "local_panel"],
        "tracejury": [
            "tracejury.graphs.adjudicate",
            "local_panel",
            "langchain_openai",
            "tracejury.retrieval.relevance",
        ],
        "bare LangGraph": [
            "langgraph.graph",
            "langchain_openai",
            "tracejury.agents.replies",
            "tracejury.models.schemas",
        ],
        "inspect_ai": ["inspect_ai", "inspect_ai.model._providers.openai"],
        "openevals": ["openevals.llm", "langchain_openai"],
    }
    for module in modules[name]:
        importlib.import_module(module)


def compare(steps: int, rounds: int, peers: str | None) -> dict[str, Any]:
    from local_panel import GOOD
    from servers.model_server import ModelServer

    names = [n for n in CONTENDERS if peers or n in ("tracejury", "bare LangGraph")]
    found: dict[str, list[dict[str, float]]] = {n: [] for n in names}
    with ModelServer(reply=GOOD, latency_s=LATENCY_S) as server:
        for _ in range(rounds):
            for name in names:
                made = spawn(name, server.url, steps, peers)
                if made:
                    found[name].append(made)
                    print(
                        f"{name:16s} wall {made['wall_s']:.2f} s, CPU {made['cpu_ms_a_call']:.2f} ms a call", flush=True
                    )
    ideal = steps * JUDGES * LATENCY_S / IN_FLIGHT
    rows = {}
    for name, runs in found.items():
        if runs:
            rows[name] = {key: round(statistics.median(r[key] for r in runs), 2) for key in runs[0]}
            rows[name] |= {"runs": len(runs), "ideal_over_wall": round(ideal / rows[name]["wall_s"], 2)}
            rows[name]["wall_s_range"] = [
                round(min(r["wall_s"] for r in runs), 2),
                round(max(r["wall_s"] for r in runs), 2),
            ]
    mine, least = rows["tracejury"], rows["bare LangGraph"]
    ratios = {
        "wall, ours / bare": round(mine["wall_s"] / least["wall_s"], 2),
        "CPU, ours / bare": round(mine["cpu_ms_a_call"] / least["cpu_ms_a_call"], 2),
    }
    if "inspect_ai" in rows:
        ratios["wall, inspect_ai / ours"] = round(rows["inspect_ai"]["wall_s"] / mine["wall_s"], 2)
    return {"steps": steps, "judges": JUDGES, "in_flight": IN_FLIGHT, "latency_s": LATENCY_S, "ideal_s": ideal} | {
        "contenders": rows,
        "ratios": ratios,
    }


def memory(sizes: list[int]) -> list[dict[str, float]]:
    from local_panel import GOOD
    from servers.model_server import ModelServer

    rows = []
    with ModelServer(reply=GOOD) as server:
        for steps in sizes:
            made = spawn("memory", server.url, steps, None)
            if made:
                rows.append(
                    {"steps": steps, "peak_mib": round(made["peak_mib"], 1), "wall_s": round(made["wall_s"], 1)}
                )
                print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[500])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", help="a folder that inspect_ai and openevals are installed in")
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    about = {"command": f"python {' '.join(sys.argv)}", "commit": commit, "cores": os.cpu_count()}
    if asked.memory:
        made: dict[str, Any] = about | {"growth": memory(asked.steps)}
        target = RESULTS / "memory.json"
    else:
        made = about | compare(asked.steps[0], asked.rounds, asked.peers)
        target = RESULTS / "orchestration.json"
    target.write_text(json.dumps(made, indent=1) + "\n")
    print(json.dumps(made.get("ratios", made.get("growth")), indent=1))


if __name__ == "__main__":
    main()
