"""What our orchestration costs: 500 steps x 3 judges against a local server with 200 ms latency, 64 calls in flight.

    python benchmarks/orchestration.py --peers FOLDER --in-flight 64 256 1000   # see peers.py for FOLDER
    python benchmarks/orchestration.py --steps 1000 10000 50000 200000 --memory   # growth of memory, instant server

Each contender runs in a process of its own, in turn, several rounds; medians are kept. `ideal` is the time that the
latency alone takes. Ours writes the ledger, checks quotes and applies the policy; the others only ask and parse.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import operator
import os
import pstats
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
from checker_speed import pairs_a_second
from peers import JUDGES, MODULES, PEERS, PLAIN, PROMPT

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
RESULTS = ROOT / "benchmarks" / "results"
IN_FLIGHT = 64
LATENCY_S = 0.2


def ours(url: str, steps: int, in_flight: int, judges: int = JUDGES, known_texts: bool = False) -> None:
    """Ours, whole. The steps are new ones in every process, so that each is embedded, unless the texts are known."""
    from local_panel import panel_body, write_traces

    from tracejury.agents import Panel
    from tracejury.graphs import adjudicate

    with tempfile.TemporaryDirectory() as folder:
        per, new = 10, secrets.token_hex(3)
        cases = ["known" if known_texts else f"{new}{n}" for n in range(steps // per)]
        texts = [[f"The cough has lasted three days, case {case}.{i}." for i in range(per)] for case in cases]
        traces = write_traces(Path(folder), texts)
        body = panel_body(url, endpoint={"max_concurrency": in_flight, "timeout_s": 60.0})
        body["endpoints"]["local"]["name"] = "local"
        body["judges"].append({"name": "safety", "judge": "safety", "endpoint": "local"})
        body["judges"] = body["judges"][:judges]
        _, tally = asyncio.run(adjudicate(traces, Panel(**body), store=f"sqlite:///{folder}/l.db"))
    assert tally.outcomes["supported"] == steps, tally.outcomes


class State(TypedDict):
    """The state of the bare graph."""

    steps: list[str]
    replies: Annotated[list[Any], operator.add]


def bare(url: str, steps: int, in_flight: int) -> None:
    """LangGraph's map-reduce, ChatOpenAI and the aiohttp client, by hand: the least that the stack costs."""
    import openai
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    from tracejury.agents.replies import judge_reply
    from tracejury.models.request_body import response_format

    schema = judge_reply(512)

    async def main() -> None:
        slots = asyncio.Semaphore(in_flight)
        async with openai.DefaultAioHttpClient() as client:
            chat = ChatOpenAI(model="m", base_url=url, api_key="none", http_async_client=client, max_retries=0)
            model = chat.bind(response_format=response_format("json_schema", schema, False))

            async def one(step: str, judge: int) -> Any:
                async with slots:
                    reply = await model.ainvoke([("system", "You judge."), ("user", f"{step} {judge}")])
                return schema.model_validate_json(str(reply.content))

            async def hear(task: dict[str, str]) -> dict[str, list[Any]]:
                return {"replies": [await asyncio.gather(*(one(task["step"], j) for j in range(JUDGES)))]}

            graph = StateGraph(State)
            graph.add_node("hear", hear)
            graph.add_conditional_edges(START, lambda s: [Send("hear", {"step": t}) for t in s["steps"]], ["hear"])
            graph.add_edge("hear", END)
            run = graph.compile()
            traces = [[PROMPT.format(n=n, i=i) for i in range(10)] for n in range(steps // 10)]
            states = await asyncio.gather(*(run.ainvoke({"steps": t, "replies": []}) for t in traces))
        assert sum(len(m["replies"]) for m in states) == steps

    asyncio.run(main())


def known_steps(url: str, steps: int, in_flight: int) -> None:
    """Ours on steps whose vectors are known, as on a second panel (ten texts, in every trace): nothing is embedded."""
    ours(url, steps, in_flight, known_texts=True)


def one_judge(url: str, steps: int, in_flight: int) -> None:
    """Ours with one judge, on known steps: memory is about steps, and 200,000 of them take a while."""
    ours(url, steps, in_flight, judges=1, known_texts=True)


KNOWN_STEPS = "tracejury, known steps"
CONTENDERS = {"tracejury": ours, KNOWN_STEPS: known_steps, "bare LangGraph": bare, **PEERS}


def contend(name: str, url: str, steps: int, in_flight: int = IN_FLIGHT) -> dict[str, float]:
    """Run one contender in this process and say what it cost, imports left out."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    (one_judge if name == "memory" else CONTENDERS[name])(url, steps, in_flight)
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    per_call = 1000 * cpu / (steps * JUDGES)
    return {"wall_s": wall, "cpu_s": cpu, "cpu_ms_a_call": per_call, "peak_mib": after.ru_maxrss / 1024}


def spawn(name: str, url: str, steps: int, peers: str | None, in_flight: int = IN_FLIGHT) -> dict[str, float] | None:
    """Run one contender in a process of its own; None: it is not installed."""
    # Peers come last on the path: what the project has installed itself is not replaced by their versions.
    code = (
        "import sys, json; sys.path[:0] = [{0!r}]; sys.path.append({1!r})\n"
        "import orchestration as o\n"
        "o.warm({2!r})\n"
        "print('RESULT', json.dumps(o.contend({2!r}, {3!r}, {4}, {5})))"
    ).format(str(ROOT / "benchmarks"), peers or "", name, url, steps, in_flight)
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = [line for line in process.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        print(
            f"{name}: {process.stderr.strip().splitlines()[-1] if process.stderr.strip() else 'no result'}",
            file=sys.stderr,
        )
        return None
    return json.loads(lines[-1].removeprefix("RESULT "))  # type: ignore[no-any-return]


OURS = [
    "tracejury.graphs.adjudicate",
    "local_panel",
    "langchain_openai",
    "tracejury.retrieval.relevance",
    "onnxruntime",
    "tokenizers",
]


def warm(name: str) -> None:
    """Import what a contender needs, so that imports are not in its time."""
    import importlib

    modules = {
        "memory": OURS,
        KNOWN_STEPS: OURS,
        "tracejury": OURS,
        "bare LangGraph": [
            "langgraph.graph",
            "langchain_openai",
            "tracejury.agents.replies",
            "tracejury.models.request_body",
        ],
        **MODULES,
    }
    for module in modules[name]:
        importlib.import_module(module)


def compare(steps: int, rounds: int, peers: str | None, in_flight: int, names: list[str]) -> dict[str, Any]:
    """Run the contenders in turn; the median of the rounds is kept."""
    from local_panel import GOOD
    from servers.model_server import ModelServer

    costs: dict[str, list[dict[str, float]]] = {n: [] for n in names}
    with ModelServer(reply=GOOD | {"text": PLAIN}, latency_s=LATENCY_S) as server:
        for _ in range(rounds):
            for name in names:
                cost = spawn(name, server.url, steps, peers, in_flight)
                if cost:
                    costs[name].append(cost)
                    line = f"wall {cost['wall_s']:.2f} s, CPU {cost['cpu_ms_a_call']:.2f} ms a call"
                    print(f"{in_flight:5d} in flight  {name:24s} {line}", flush=True)
    ideal = steps * JUDGES * LATENCY_S / in_flight
    rows = {}
    for name, runs in costs.items():
        if runs:
            rows[name] = {key: round(statistics.median(r[key] for r in runs), 2) for key in runs[0]}
            rows[name] |= {"runs": len(runs), "ideal_over_wall": round(ideal / rows[name]["wall_s"], 3)}
            for key in ("wall_s", "cpu_ms_a_call"):
                rows[name][f"{key}_range"] = [round(pick(r[key] for r in runs), 2) for pick in (min, max)]
    mine, least = rows["tracejury"], rows["bare LangGraph"]
    ratios = {
        "wall, ours / bare": round(mine["wall_s"] / least["wall_s"], 2),
        "CPU, ours / bare": round(mine["cpu_ms_a_call"] / least["cpu_ms_a_call"], 2),
        "CPU, ours on known steps / bare": round(rows[KNOWN_STEPS]["cpu_ms_a_call"] / least["cpu_ms_a_call"], 2),
    }
    ratios |= {f"wall, {n} / ours": round(rows[n]["wall_s"] / mine["wall_s"], 2) for n in PEERS if n in rows}
    return {"steps": steps, "in_flight": in_flight, "ideal_s": ideal, "contenders": rows, "ratios": ratios}


def exponent(rows: list[dict[str, float]], key: str) -> float:
    """Return b of `key ~ steps ** b`, by least squares on logarithms."""
    steps, values = (np.log([row[name] for row in rows]) for name in ("steps", key))
    return round(float(np.polyfit(steps, values, 1)[0]), 3)


def memory(sizes: list[int], about: dict[str, Any]) -> dict[str, Any]:
    """Run ours with one judge on an instant server; what is measured is written down after every size."""
    from local_panel import GOOD
    from servers.model_server import ModelServer

    rows: list[dict[str, float]] = []
    results = about | {"growth": rows}
    with ModelServer(reply=GOOD) as server:
        for steps in sizes:
            cost = spawn("memory", server.url, steps, None)
            if not cost:
                raise SystemExit(f"{steps} steps: no result")
            rows.append({"steps": steps} | {name: round(cost[name], 2) for name in ("peak_mib", "wall_s", "cpu_s")})
            if len(rows) > 1:
                results["exponents"] = {name: exponent(rows, name) for name in ("peak_mib", "wall_s", "cpu_s")}
                more = (rows[-1]["peak_mib"] - rows[0]["peak_mib"]) / (rows[-1]["steps"] - rows[0]["steps"])
                results["bytes_more_a_step"] = round(more * 2**20)
            print(rows[-1], flush=True)
            (RESULTS / "memory.json").write_text(json.dumps(results, indent=1) + "\n")
    return results


def profile(steps: int) -> dict[str, Any]:
    """Profile ours, on new steps: the event loop's thread by function, the others (writer, quotes) together.

    The profiler makes small functions dearer than they are: its shares tell where to look, not what that is worth.
    """
    from local_panel import GOOD
    from servers.model_server import ModelServer

    warm("tracejury")
    profiler = cProfile.Profile(timer=time.thread_time)
    with ModelServer(reply=GOOD, latency_s=LATENCY_S) as server:
        whole, own = time.process_time(), time.thread_time()
        profiler.enable()
        ours(server.url, steps, IN_FLIGHT)
        profiler.disable()
        whole, own = time.process_time() - whole, time.thread_time() - own
    profiled: Any = pstats.Stats(profiler)
    rows = [
        {
            "function": f"{Path(file).parent.name}/{Path(file).name}:{line} {name}",
            "calls": calls,
            "own_s": round(inner, 3),
            "cumulative_s": round(total, 3),
        }
        for (file, line, name), (_, calls, inner, total, _) in profiled.stats.items()
    ]
    rows.sort(key=lambda row: -row["cumulative_s"])
    threads = {"event_loop_cpu_s": round(own, 2), "other_threads_cpu_s": round(whole - own, 2)}
    return {"steps": steps} | threads | {"top": rows[:90]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[500])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[IN_FLIGHT])
    parser.add_argument("--peers", help="a folder that inspect_ai, openevals, deepeval and verdict are installed in")
    parser.add_argument("--out", type=Path, default=RESULTS / "orchestration.json")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--checker", action="store_true", help="only how fast the checker `nli` reads")
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    about = {"command": f"python {' '.join(sys.argv)}", "commit": commit, "cores": os.cpu_count()}
    if options.memory:
        print(json.dumps(memory(options.steps, about).get("exponents"), indent=1))
        return
    if options.profile:
        results = about | profile(options.steps[0])
        (RESULTS / "profile.json").write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps(results["top"][:30], indent=1))
        return
    speed = {"nli, pairs a second of one core": round(pairs_a_second(), 1)}
    print(json.dumps(speed), flush=True)
    if options.checker:
        earlier = json.loads(options.out.read_text("utf-8")) if options.out.is_file() else {}
        options.out.write_text(json.dumps(earlier | speed | {"checker commit": commit}, indent=1) + "\n")
        return
    about |= speed
    names = list(CONTENDERS) if options.peers else ["tracejury", KNOWN_STEPS, "bare LangGraph"]
    levels = []
    for in_flight in options.in_flight:
        # Enough calls that all slots are used several times over; peers at the first level only.
        steps = max(options.steps[0], 4 * in_flight // JUDGES // 10 * 10)
        there = [n for n in names if n not in PEERS or in_flight == options.in_flight[0]]
        levels.append(compare(steps, options.rounds, options.peers, in_flight, there))
        results = about | {"judges": JUDGES, "latency_s": LATENCY_S, "levels": levels}
        options.out.write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps(levels[-1]["ratios"], indent=1), flush=True)


if __name__ == "__main__":
    main()
