"""The endpoints of a panel are asked once before its first step: a run that cannot succeed ends before it begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tracejury.agents import Panel, endpoints_of, judge_reply, replaceable_endpoints
from tracejury.models import CallStore, Endpoint, Gateway, ProbeCache, ProbeResult


class EndpointRefusedError(ValueError):
    """An endpoint of the panel cannot be used; the message has the reason and the remedy."""


async def probe_panel(gateway: Gateway, panel: Panel, cache: ProbeCache | None = None) -> list[ProbeResult]:
    """Ask each endpoint of a panel once; the embedded server is left out, since it refuses nothing.

    Args:
        gateway: The run's gateway, which remembers what an endpoint refuses.
        panel: The panel.
        cache: Results of the last day; None: ask in any case.

    Returns:
        One result per model at an address.
    """
    schema = judge_reply(panel.reply_tokens)
    return list(await asyncio.gather(*(gateway.probe(endpoint, schema, cache) for endpoint in probed_endpoints(panel))))


def probed_endpoints(panel: Panel) -> list[Endpoint]:
    """Return the endpoints that `probe_panel` asks: one per model at an address."""
    return list({_probed_key(e): e for e in endpoints_of(panel) if e.kind == "openai"}.values())


async def probe_for_workers(
    calls: CallStore, panel: Panel, secret: bytes, *, air_gapped: bool, report_line: Callable[[str], None]
) -> Gateway:
    """Probe the endpoints of a panel for workers in other processes; return the gateway, closed, with what it learnt.

    Raises:
        EndpointRefusedError: The run cannot succeed.
    """
    async with Gateway(calls, secret=secret, air_gapped=air_gapped) as gateway:
        await check_endpoints(gateway, panel, report_line)
    return gateway


async def check_endpoints(gateway: Gateway, panel: Panel, report_line: Callable[[str], None]) -> None:
    """Probe the endpoints of a panel before a run, unless they were probed within the last day.

    Args:
        gateway: The run's gateway.
        panel: The panel.
        report_line: Called with a line for each endpoint that differs from what its panel says, or does not answer.

    Raises:
        EndpointRefusedError: The run cannot succeed.
    """
    cache = ProbeCache()
    try:
        results = await probe_panel(gateway, panel, cache)
    finally:
        cache.close()
    for result in results:
        if result.problem is None and result.adaptations.lines(result.endpoint):
            report_line(str(result))
        elif result.problem is not None and not result.is_hopeless:
            report_line(f"{result}; the run begins all the same")
    hopeless = [result for result in results if result.is_hopeless]
    replaceable = {_probed_key(panel.endpoints[name]) for name in replaceable_endpoints(panel)}
    for result in hopeless:
        if _probed_key(result.endpoint) in replaceable:
            report_line(f"{result}; its judges' stand-ins answer instead")
    if refused := [str(result) for result in hopeless if _probed_key(result.endpoint) not in replaceable]:
        raise EndpointRefusedError("\n".join(refused))


def _probed_key(endpoint: Endpoint) -> tuple[str | None, str, str | None]:
    """Return what tells two endpoints apart for the probe."""
    return endpoint.address, endpoint.model, endpoint.api_key_env
