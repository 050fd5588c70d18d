"""Requests at the viewer's edge: names that are no hosts, and HEAD."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tracejury.console.viewer.guard import Guard


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{scope['method']} page")(scope, receive, send)


@pytest.fixture
def client() -> TestClient:
    return TestClient(Guard(page, "127.0.0.1", None), base_url="http://127.0.0.1")


@pytest.mark.parametrize("host", ["[::1", "[", "evil.example", "]", "127.0.0.1.evil.example", ""])
def test_a_host_that_is_none_of_ours_gets_421(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


def test_head_is_get_without_its_body(client: TestClient) -> None:
    head, full = client.head("/"), client.get("/")
    assert (head.status_code, head.text) == (200, "")
    assert head.headers["content-length"] == full.headers["content-length"]
    assert full.text == "GET page"
