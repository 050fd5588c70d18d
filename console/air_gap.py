"""`--air-gapped` of the students' commands: no address but this machine's, and no work towards one that is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracejury.models import Endpoint


def close_network_to_all_but(endpoints: Iterable[Endpoint]) -> None:
    """Refuse every address but loopback for the rest of this process; the endpoints must be on this machine.

    Raises:
        ValueError: An endpoint is on another machine. It is said before anything is sampled or trained.
    """
    from tracejury.models import close_network, is_loopback_url

    for endpoint in endpoints:
        if endpoint.kind != "embedded" and not is_loopback_url(endpoint.address):
            raise ValueError(
                f"--air-gapped: endpoint {endpoint.name!r} is at {endpoint.address}, which is not this machine. Serve "
                "the model here (127.0.0.1), or leave --air-gapped out."
            )
    # Weights by a hub name come from the cache, instead of from a server that would be asked six times in a minute.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    close_network()
