"""What the tests of this room share: a judge's schema, endpoints on the model server, requests."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel
from servers.model_server import ModelServer

from tracejury.models import ChatRequest, Data, Endpoint, Message


class Verdict(BaseModel):
    """A reply."""

    finding: str
    label: Literal["supported", "error"]


class Asking:
    """Makes requests to one endpoint of the model server."""

    def __init__(self, server: ModelServer, **fields: Any) -> None:
        self.server = server
        quick = {"max_attempts": 3, "timeout_s": 1.0, "deadline_s": 20.0}
        self.endpoint = Endpoint(name="local", model="m", base_url=server.url, **quick | fields)

    def about(self, text: str, **fields: Any) -> ChatRequest:
        parts = ("Is this right? ", Data(label="step", text=text))
        messages = (Message(role="system", parts=("You judge.",)), Message(role="user", parts=parts))
        return ChatRequest(self.endpoint, messages, "judge:facts", "t_1", **{"schema": Verdict} | fields)


@pytest.fixture
def asking(model_server: ModelServer) -> Asking:
    return Asking(model_server)


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries as configured, with pauses that a test can wait for."""
    from tenacity import wait_random_exponential

    monkeypatch.setattr("tracejury.models.retrying_call._backoff", wait_random_exponential(multiplier=0.02, max=0.1))
