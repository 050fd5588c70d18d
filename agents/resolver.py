"""The resolver: settles a dispute by a derivation that recomputes or by new verified evidence, or abstains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from tracejury.agents.cases import with_searches
from tracejury.agents.citations import check_citations
from tracejury.agents.derivations import derivations_for
from tracejury.agents.judge_panel import BoundAsk, JudgePanel
from tracejury.agents.llm import quotes_of
from tracejury.agents.opinion import draft_citations
from tracejury.agents.order import permuted
from tracejury.agents.prompting import case_messages, handles, prompt
from tracejury.agents.records import Case, Citation, Derivation, Label, Opinion, Resolution, Seat
from tracejury.agents.replies import ResolverReply, resolver_reply, wrong_as
from tracejury.agents.search_tool import SEARCH_TOOL, query_of, search_function
from tracejury.models import CallFailed, CallRecord, Data, FailureReason, Message
from tracejury.retrieval import Hit
from tracejury.traces import ErrorType, Record

_ABSTAINS = "No new evidence: an earlier quote or an argument does not settle a dispute."


class SearchHistory(Record):
    """What the resolver has searched for so far, and the hits. Starts empty; grows by a round at a time."""

    queries: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    rounds: int = 0
    calls: tuple[CallRecord, ...] = Field(default=())

    def with_hits(self, hits: Iterable[Hit]) -> SearchHistory:
        """Return the history with the hits of its last queries; a passage that is in it already counts once."""
        earlier_ids = {h.passage.id for h in self.hits}
        fresh = {h.passage.id: h for h in hits if h.passage.id not in earlier_ids}
        return self.model_copy(update={"hits": (*self.hits, *fresh.values())})


class SearchRequest(Record):
    """The resolver wants more from retrieval before it answers."""

    queries: tuple[str, ...]
    history: SearchHistory
    """Hand it to the next round, after `history.with_hits(hits)`."""


async def resolve_round(
    case: Case,
    opinions: Sequence[Opinion],
    judge_panel: JudgePanel,
    history: SearchHistory | None = None,
) -> SearchRequest | Resolution:
    """Take one round of resolving a dispute.

    The first move needs no model: a derivation that recomputes settles the dispute. After it the resolver's model,
    where the panel names one, may ask retrieval for more (at most `panel.resolver.rounds` times), and must then bring
    a verified quote that no opinion brought. It sees the opinions without names, in a seeded order.

    Args:
        case: The case that the judges had.
        opinions: All opinions, checked.
        judge_panel: The panel's judge panel; `judge_panel.panel.resolver` must not be None.
        history: None in the first round; then what the `SearchRequest` carried, with its hits.

    Returns:
        Queries to put to retrieval, or the resolution. A failure is a resolution without a label. Never raises but for
        cancellation.
    """
    history = history or SearchHistory()
    shuffled = permuted(_considered(opinions), lambda o: o.judge, judge_panel.panel.seed, case.step_id, "opinions")
    order = tuple(o.judge for o in shuffled)
    if upheld := _upheld(case, opinions):
        return upheld.model_copy(update={"order": order})
    spec = judge_panel.panel.resolver
    if spec is None or spec.endpoint is None:
        return Resolution(label=Label.UNCLEAR, rationale=_ABSTAINS, order=order)
    ask = judge_panel.ask(spec.endpoint, "resolver", case.trace_id)
    wider = with_searches(case, opinions, history.hits)
    may_search = history.rounds < spec.rounds
    try:
        reply = await _queries_or_reply(wider, shuffled, ask, may_search, history.queries)
        calls = (*history.calls, *ask.calls)
        if isinstance(reply, tuple):
            update = {"queries": (*history.queries, *reply), "rounds": history.rounds + 1, "calls": calls}
            return SearchRequest(queries=reply, history=history.model_copy(update=update))
        drafted = draft_citations(quotes_of(wider, reply.findings), reply.label)
        checked = await check_citations(wider, {"resolver": drafted}, judge_panel)
        calls = (*calls, *checked.calls)
    except CallFailed as failure:
        return _failed(failure.reason, failure.detail, history, order, ask)
    except Exception as broken:  # noqa: BLE001 - one step's resolver must not take the run down; it is recorded.
        return _failed(FailureReason.JUDGE_BROKE, f"{type(broken).__name__}: {broken}", history, order, ask)
    return Resolution(
        label=reply.label,
        error_type=wrong_as(reply),
        citations=tuple(c for c in checked.by_judge["resolver"] if not is_repeated(c, opinions)),
        rationale=reply.rationale,
        confidence=reply.confidence / 100,
        queries=history.queries,
        hits=history.hits,
        rounds=history.rounds,
        order=order,
        calls=calls,
    )


def is_repeated(citation: Citation, opinions: Sequence[Opinion]) -> bool:
    """Tell whether an opinion has brought this quote already: half of it or more stands in a quote of theirs."""
    if citation.start is None or citation.end is None:
        return False
    covered: set[int] = set()
    for other in (c for o in opinions for c in o.citations if c.evidence_id == citation.evidence_id):
        if other.start is not None and other.end is not None:
            covered.update(range(max(other.start, citation.start), min(other.end, citation.end)))
    return 2 * len(covered) >= citation.end - citation.start


def _considered(opinions: Sequence[Opinion]) -> list[Opinion]:
    # A judge that is only listed is asked for the record; its words must not sway anybody.
    return [o for o in opinions if o.label is not None and o.seat is not Seat.LISTED]


def _upheld(case: Case, opinions: Sequence[Opinion]) -> Resolution | None:
    """Return the error that a recomputed derivation shows; where one shows error and another support, error stands."""
    errors = sorted((o for o in _considered(opinions) if o.label is Label.ERROR), key=lambda o: o.judge)
    stands: dict[tuple[str, str], Derivation] = {}
    for opinion in errors:
        for derivation in derivations_for(case, opinion.derivations, Label.ERROR):
            stands.setdefault((derivation.expression, derivation.claimed), derivation)
    if not stands:
        return None
    kinds = {o.error_type for o in errors if o.derivations and o.error_type}
    first = next(iter(stands.values()))
    return Resolution(
        label=Label.ERROR,
        error_type=min(kinds, key=list(ErrorType).index) if kinds else ErrorType.ARITHMETIC,
        derivations=tuple(stands.values()),
        rationale=f"Recomputed: {first.expression} is {first.computed}; the step says {first.claimed}.",
    )


async def _queries_or_reply(
    case: Case, shuffled: Sequence[Opinion], ask: BoundAsk, may_search: bool, earlier_queries: Sequence[str]
) -> tuple[str, ...] | ResolverReply:
    """Return queries that were not put before, by the judges' tool or by a field of the reply; else the reply."""
    if may_search and ask.calls_tools:
        messages = _messages(case, shuffled, f"To look something up, call {SEARCH_TOOL}; queries stays empty.")
        schema = resolver_reply(ask.max_tokens, may_search=False)
        by_tool = await ask.reply(messages, schema, tools=(search_function(),))
        if queries := _fresh([query_of(call) or "" for call in by_tool.tool_calls], earlier_queries):
            return queries
        if not by_tool.tool_calls and ask.calls_tools and isinstance(by_tool.parsed, ResolverReply):
            return by_tool.parsed
        # It asks for what it has, and must answer now; or the endpoint refused the tool, and the field is left.
        may_search = not by_tool.tool_calls
    last = "" if may_search else "There is nothing more to look up: queries stays empty."
    reply = await ask(_messages(case, shuffled, last), resolver_reply(ask.max_tokens, may_search))
    return (_fresh(reply.queries, earlier_queries) if may_search else ()) or reply


def _messages(case: Case, shuffled: Sequence[Opinion], last: str) -> tuple[Message, ...]:
    opinions = tuple(Data(label="opinion", text=_anonymous(o, case)) for o in shuffled)
    return case_messages(case, "\n".join(filter(None, (prompt("resolver").text, last))), extra=opinions)


def _anonymous(opinion: Opinion, case: Case) -> str:
    """Return an opinion as the resolver sees it: no judge, no model, no confidence, verified quotes only."""
    names = {evidence_id: handle for handle, evidence_id in handles(case).items()}
    lines = [f"label: {opinion.label}"]
    if opinion.error_type:
        lines.append(f"error type: {opinion.error_type}")
    lines += [f"finding: {finding}" for finding in opinion.findings]
    lines += [
        f"{c.relation or 'quotes'} {c.claim or 'the step'} by {names.get(c.evidence_id, '?')}: {c.quote}"
        for c in opinion.citations
        if c.verified
    ]
    return "\n".join(lines)


def _fresh(queries: Sequence[str], earlier_queries: Sequence[str]) -> tuple[str, ...]:
    earlier = {q.casefold() for q in earlier_queries}
    return tuple(q for q in dict.fromkeys(q.strip() for q in queries) if q and q.casefold() not in earlier)


def _failed(
    reason: FailureReason, detail: str, history: SearchHistory, order: tuple[str, ...], ask: BoundAsk
) -> Resolution:
    return Resolution(
        queries=history.queries,
        hits=history.hits,
        rounds=history.rounds,
        order=order,
        failed=reason,
        failure=detail,
        calls=(*history.calls, *ask.calls),
    )
