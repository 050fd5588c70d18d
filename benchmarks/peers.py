"""The peers of `orchestration.py`: the same 3 judges on the same steps, each in the way its own documentation shows.

They are installed apart, by `pip install --no-deps --target FOLDER`, never beside the project.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from typing import Any

JUDGES = 3
PROMPT = "A vignette of some length. " * 40 + "Judge this step: the cough has lasted three days, case {n}.{i}."
PLAIN = json.dumps({"score": 4, "reason": "It is acute."})
"""What the server replies to peers that send no schema."""


def prompts(steps: int) -> list[str]:
    """Return one prompt a step."""
    return [PROMPT.format(n=k // 10, i=k % 10) for k in range(steps)]


def inspect_ai(url: str, steps: int, in_flight: int) -> None:
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
            samples = [
                model.generate(f"{state.input_text} {j}", config=GenerateConfig(response_schema=form))
                for j in range(JUDGES)
            ]
            replies = await asyncio.gather(*samples)
            state.metadata["labels"] = [JudgeReply.model_validate_json(r.completion).label for r in replies]
            return state

        return solve

    @scorer(metrics=[mean()])
    def voted() -> Any:
        async def score(state: TaskState, target: Target) -> Score:
            return Score(value=float(len(state.metadata["labels"])))

        return score

    data = [Sample(input=text) for text in prompts(steps)]
    task = Task(dataset=data, solver=jury(), scorer=voted())
    with tempfile.TemporaryDirectory() as folder:
        (log,) = eval(
            task,
            model="openai/m",
            max_connections=in_flight,
            max_samples=in_flight,
            log_dir=folder,
            model_args={"responses_api": False},
        )
    assert log.status == "success", log.error


def openevals(url: str, steps: int, in_flight: int) -> None:
    from langchain_openai import ChatOpenAI
    from openevals.llm import create_async_llm_as_judge

    async def main() -> None:
        slots = asyncio.Semaphore(in_flight)
        chat = ChatOpenAI(model="m", base_url=url, api_key="none", max_retries=0)
        judge = create_async_llm_as_judge(prompt="You judge. {inputs}", judge=chat, feedback_key="right")

        async def one(text: str) -> Any:
            async with slots:
                return await judge(inputs=text)

        inputs = [f"{text} {j}" for text in prompts(steps) for j in range(JUDGES)]
        results = await asyncio.gather(*map(one, inputs))
        assert len(results) == steps * JUDGES

    asyncio.run(main())


def deepeval(url: str, steps: int, in_flight: int) -> None:
    os.environ |= {"DEEPEVAL_TELEMETRY_OPT_OUT": "YES", "DEEPEVAL_PER_ATTEMPT_TIMEOUT_SECONDS_OVERRIDE": "600"}
    from deepeval.metrics import GEval
    from deepeval.models import LocalModel
    from deepeval.test_case import LLMTestCase, SingleTurnParams

    model = LocalModel(model="m", base_url=url, api_key="none")

    async def main() -> None:
        slots = asyncio.Semaphore(in_flight)

        async def one(text: str, judge: int) -> float:
            # A metric keeps its result in itself, so each measurement has its own.
            metric = GEval(
                name=f"judge {judge}",
                evaluation_steps=["Read the vignette.", "Judge the step."],
                evaluation_params=[SingleTurnParams.ACTUAL_OUTPUT],
                model=model,
            )
            async with slots:
                return await metric.a_measure(LLMTestCase(input="", actual_output=text), _show_indicator=False)

        results = await asyncio.gather(*(one(text, j) for text in prompts(steps) for j in range(JUDGES)))
        assert len(results) == steps * JUDGES

    asyncio.run(main())


def verdict(url: str, steps: int, in_flight: int) -> None:
    from verdict import Layer, Pipeline
    from verdict.common.judge import JudgeUnit
    from verdict.extractor import RegexExtractor
    from verdict.model import vLLMModel
    from verdict.schema import Schema
    from verdict.util import ratelimit

    class Score(RegexExtractor):  # type: ignore[misc]
        """Given as a class: an object would be shared by threads that overwrite its schema (0.2.7)."""

        def __init__(self) -> None:
            super().__init__({"score": r"[1-5]"})

    ratelimit.disable()
    judge = JudgeUnit().prompt("You judge. {input.text}").extract(Score)
    pipeline = (Pipeline() >> Layer(judge, JUDGES)).via(vLLMModel("m", api_base=url, api_key="none"))
    inputs = [Schema.of(text=text) for text in prompts(steps)]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        results, _ = pipeline.run_from_list(inputs, max_workers=in_flight)
    assert len(results) >= steps


PEERS = {"inspect_ai": inspect_ai, "openevals": openevals, "deepeval": deepeval, "verdict": verdict}
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
MODULES = {
    "inspect_ai": ["inspect_ai", "inspect_ai.model._providers.openai"],
    "openevals": ["openevals.llm", "langchain_openai"],
    "deepeval": ["deepeval.metrics", "deepeval.models"],
    "verdict": ["verdict", "verdict.common.judge", "litellm", "instructor"],
}
"""Imported before the clock starts, as everybody's are."""
