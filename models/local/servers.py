"""The embedded servers of a gateway: one for each file of weights, started by its first call."""

from __future__ import annotations

from pathlib import Path

from tracejury.models.local.server import EmbeddedServer
from tracejury.models.local.weights import weights_digest, weights_path
from tracejury.models.records import Endpoint
from tracejury.storage import run_in_thread


class EmbeddedServers:
    """Starts servers on demand; endpoints with the same weights share one."""

    def __init__(self) -> None:
        self.by_path: dict[Path, EmbeddedServer] = {}
        """The servers by their files."""

    async def address(self, endpoint: Endpoint) -> str:
        """Return the address of the server with the endpoint's weights; start it unless it runs.

        Raises:
            WeightsError: The weights are missing, or not the ones that were pinned.
            EmbeddedServerError: The server cannot run.
        """
        path = weights_path(endpoint.model)
        if path not in self.by_path:
            await run_in_thread(weights_digest, endpoint.model)
            # Another call may have been waiting for the same hash.
            unstarted = EmbeddedServer(path, context=endpoint.context_window, slots=endpoint.slots)
            self.by_path.setdefault(path, unstarted)
        server = self.by_path[path]
        if server.alive and server.base_url is not None:
            return server.base_url
        return await run_in_thread(server.start)

    async def stop(self) -> None:
        """Stop all servers."""
        for server in self.by_path.values():
            await run_in_thread(server.stop)
