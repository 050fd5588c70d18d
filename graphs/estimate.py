"""An estimate of a run before any call is made: calls, tokens, cost and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tracejury.agents import CaseTooLarge, JudgeSpec, Panel, ResolverSpec, build_case
from tracejury.graphs.batch import select
from tracejury.graphs.languages import languages_of
from tracejury.graphs.probing import probed_endpoints
from tracejury.models import Endpoint, estimate_tokens, price_of
from tracejury.traces import Batch, Record, segment

# Tokens that the rules, the perspective and the reply schema add to a case: measured on the shipped prompts.
_PROMPT_TOKENS = 900
# A passage of the shipped chunking, in tokens.
_PASSAGE_TOKENS = 260
# Seconds per call, where an endpoint names no limit to compute with.
_CALL_S = 5.0


class AskerEstimate(Record):
    """The estimated calls of a judge or of the resolver."""

    name: str
    endpoint: str | None = None
    """None: no model is asked."""
    model: str | None = None
    calls: int = 0
    certain: bool = True
    """False: the numbers are an upper bound, since not every step is asked."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0


class CostEstimate(Record):
    """The estimated calls of a run, at most."""

    traces: int
    steps: int
    too_large: int
    """Steps whose vignette and text alone exceed the case budget."""
    languages: dict[str, int]
    """Language other than English -> traces that are in it, or whose question is."""
    askers: tuple[AskerEstimate, ...]
    calls: int
    """Those of the askers; the probes come on top."""
    probe_calls: int
    """Calls before the first step, one a server that was not asked within the last day."""
    cost_usd: float
    minutes: float


def estimate(
    panel: Panel,
    batch: Batch,
    *,
    limit: int | None = None,
    only: Sequence[str] = (),
    arms: Sequence[str] = (),
    count: Callable[[str], int] = estimate_tokens,
) -> CostEstimate:
    """Estimate a run without any call; it needs no endpoint, no index and no key."""
    traces = steps = too_large = tokens = 0
    for trace in select(batch.traces(), limit=limit, only=only, arms=arms):
        question = batch.question(trace.question_id)
        if question is None:
            continue
        traces += 1
        cut = segment(trace, panel.segmenter).steps
        for step in cut:
            steps += 1
            try:
                case = build_case(trace, question, cut, step, (), panel, count)
            except CaseTooLarge:
                too_large += 1
                continue
            case_texts = [case.stem, *case.options.values(), *(c.text for c in case.context), case.step]
            body = sum(map(count, case_texts)) + panel.retrieval.k * _PASSAGE_TOKENS
            tokens += min(body, panel.case_tokens) + _PROMPT_TOKENS
    judged_steps = steps - too_large
    certain = not panel.early_stop and all(j.only_if == "always" for j in panel.judges)
    askers = [_judge(panel, j, judged_steps, tokens, certain or j.only_if == "always") for j in panel.judges]
    if panel.resolver is not None:
        askers.append(_resolver(panel, panel.resolver, judged_steps, tokens))
    return CostEstimate(
        traces=traces,
        steps=steps,
        too_large=too_large,
        languages=languages_of(batch, select(batch.traces(), limit=limit, only=only, arms=arms)),
        askers=tuple(askers),
        calls=sum(a.calls for a in askers),
        probe_calls=len(probed_endpoints(panel)),
        cost_usd=sum(a.cost_usd for a in askers),
        minutes=max((_minutes(e, askers, name) for name, e in panel.endpoints.items()), default=0),
    )


def _asker(
    panel: Panel, name: str, endpoint: str | None, calls: int, prompt: int, reply: int, certain: bool
) -> AskerEstimate:
    if endpoint is None:
        return AskerEstimate(name=name)
    priced = panel.endpoints[endpoint]
    price = price_of(priced)
    cost = (prompt * price.prompt + calls * reply * price.completion) / 1e6
    return AskerEstimate(
        name=name,
        endpoint=endpoint,
        model=priced.model,
        calls=calls,
        certain=certain,
        prompt_tokens=prompt,
        completion_tokens=calls * reply,
        cost_usd=cost,
    )


def _judge(panel: Panel, spec: JudgeSpec, calls: int, prompt: int, certain: bool) -> AskerEstimate:
    rounds = spec.search + 1
    extra = rounds * (rounds - 1) // 2 * panel.retrieval.search_k * _PASSAGE_TOKENS * calls
    certain = certain and not spec.search
    return _asker(panel, spec.name, spec.endpoint, calls * rounds, prompt * rounds + extra, panel.reply_tokens, certain)


def _resolver(panel: Panel, spec: ResolverSpec, calls: int, prompt: int) -> AskerEstimate:
    rounds = spec.rounds + 1
    extra = rounds * (rounds - 1) // 2 * spec.k * _PASSAGE_TOKENS * calls
    return _asker(panel, "resolver", spec.endpoint, calls * rounds, prompt * rounds + extra, spec.max_tokens, False)


def _minutes(endpoint: Endpoint, askers: Sequence[AskerEstimate], name: str) -> float:
    mine = [a for a in askers if a.endpoint == name]
    calls = sum(a.calls for a in mine)
    tokens = sum(a.prompt_tokens + a.completion_tokens for a in mine)
    limits = [calls * _CALL_S / endpoint.max_concurrency / 60]
    if endpoint.requests_per_minute:
        limits.append(calls / endpoint.requests_per_minute)
    if endpoint.tokens_per_minute:
        limits.append(tokens / endpoint.tokens_per_minute)
    return max(limits)
