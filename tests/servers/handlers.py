"""The model server's routes."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import fields
from typing import Any

from aiohttp import web

from servers import shapes
from servers.behaviour import Behaviour
from servers.providers import refusal
from servers.replies import ERRORS, completion, content, digest, wrong_label
from servers.state import State, finish_batch


class Handlers:
    """Answers requests as the state says."""

    def __init__(self, state: State) -> None:
        self.state = state

    def application(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/v1/embeddings", self.embeddings)
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.download)
        app.router.add_post("/v1/batches", self.batch)
        app.router.add_get("/v1/batches", self.list_batches)
        app.router.add_get("/v1/batches/{id}", self.batch_state)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/control", self.control)
        app.router.add_post("/reset", self.reset)
        app.router.add_get("/counts", self.counts)
        return app

    async def chat(self, request: web.Request) -> web.StreamResponse:
        state = self.state
        body = await request.json()
        prompt = "\n".join(str(m["content"]) for m in body["messages"])
        state.see(prompt)
        state.last_messages = body.get("messages", [])
        state.last_fields = {name: value for name, value in body.items() if name != "messages"}
        state.in_flight += 1
        state.peak = max(state.peak, state.in_flight)
        try:
            if (wait := state.within_limit()) > 0:
                state.modes["limit"] += 1
                return _error("429", wait if state.behaviour.tell_retry_after else None)
            if (refused := _refused(state.behaviour.refusal, body)) is not None:
                state.modes["refused"] += 1
                return refused
            for provider in state.behaviour.refuses:
                if (refused := refusal(provider, body)) is not None:
                    state.modes["refused"] += 1
                    return refused
            mode = state.mode_for(prompt)
            state.modes[mode] += 1
            return await _answer(state, request, body, prompt, mode)
        finally:
            state.in_flight -= 1
            state.last_s = time.monotonic() - state.started

    async def embeddings(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.state.calls += 1
        data = [
            {"object": "embedding", "index": i, "embedding": [float(len(text)), float(i), 1.0]}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": data, "model": body["model"], "usage": usage})

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        name = f"file-{len(self.state.files)}"
        self.state.files[name] = raw = file.file.read()
        record = {"id": name, "object": "file", "bytes": len(raw), "created_at": 0, "status": "processed"}
        return web.json_response(record | {"filename": file.filename, "purpose": form["purpose"]})

    async def download(self, request: web.Request) -> web.Response:
        return web.Response(body=self.state.files[request.match_info["id"]])

    async def batch(self, request: web.Request) -> web.Response:
        name = f"batch-{len(self.state.batches)}"
        record = {"id": name, "object": "batch", "created_at": int(time.time()), "status": "in_progress"}
        self.state.batches[name] = await request.json() | record | {"at": time.monotonic()}
        return web.json_response(self.state.batches[name])

    async def batch_state(self, request: web.Request) -> web.Response:
        batch = self.state.batches[request.match_info["id"]]
        if batch["status"] == "in_progress" and time.monotonic() - batch["at"] >= self.state.behaviour.batch_s:
            finish_batch(self.state, batch)
        return web.json_response(batch)

    async def list_batches(self, _request: web.Request) -> web.Response:
        batches = list(self.state.batches.values())[::-1]
        return web.json_response({"object": "list", "data": batches, "has_more": False})

    async def models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})

    async def control(self, request: web.Request) -> web.Response:
        names = {f.name for f in fields(Behaviour)}
        for name, value in (await request.json()).items():
            assert name in names, name
            setattr(self.state.behaviour, name, value)
        return web.json_response({})

    async def reset(self, request: web.Request) -> web.Response:
        # A new state, not an emptied one: what is still on its way counts where it was asked.
        self.state = State(await request.json())
        return web.json_response({})

    async def counts(self, _request: web.Request) -> web.Response:
        state = self.state
        counts = {"calls": state.calls, "modes": state.modes, "prompts": state.prompts, "paid": state.paid}
        seconds = time.monotonic() - state.started
        counts |= {"last_s": state.last_s, "last_fields": state.last_fields, "last_messages": state.last_messages}
        return web.json_response(counts | {"peak": state.peak, "batches": len(state.batches), "seconds": seconds})


async def _answer(state: State, request: web.Request, body: Any, prompt: str, mode: str) -> web.StreamResponse:
    behaviour = state.behaviour
    while state.behaviour.paused:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    slow = behaviour.slow_every and state.calls % behaviour.slow_every == 0
    if pause := (behaviour.slow_s if slow else behaviour.latency_s):
        await asyncio.sleep(pause)
    if mode == "hang":
        await asyncio.sleep(3600)
    if mode == "reset":
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if mode == "echo-key":
        return _error("401", message=f"Incorrect API key provided: {request.headers.get('Authorization')}")
    if mode in ERRORS:
        return _error(mode, behaviour.retry_after_s if mode == "429-after" else None)
    answered = state.previous_prompt if mode == "swapped" else prompt
    state.previous_prompt = prompt
    named = _name(state, request, mode)
    good = content(body, state.reply(answered))
    if (odd := _odd(state, request, body, prompt, mode, good)) is not None:
        return odd
    if mode == "tell-key":
        good = content(body, state.reply(prompt) | {"rationale": f"I was sent {request.headers.get('Authorization')}"})
    reply = completion(body, good, prompt) | named
    if body.get("logprobs"):
        reply["choices"][0]["logprobs"] = state.behaviour.logprobs
    whole = json.dumps(reply)
    if mode in ("cut", "drip"):
        return await (_cut if mode == "cut" else _drip)(request, whole.encode())
    if mode == "garbled":
        return web.Response(text=whole[:-40], content_type="application/json")
    state.paid[digest(prompt)] += 1
    is_whole = mode in ("ok", "tell-key", "swapped")
    return web.json_response(json.loads(whole) if is_whole else _bad(body, prompt, mode, good))


def _name(state: State, request: web.Request, mode: str) -> dict[str, str]:
    """Return the id of a reply that repeats the name of its request; none where the server makes its own."""
    name = request.headers.get("X-Request-Id", "")
    answered = state.previous_id if mode == "swapped" else name
    state.previous_id = name
    return {"id": f"chatcmpl-{answered}"} if state.behaviour.repeats_ids and answered else {}


def _odd(state: State, request: web.Request, body: Any, prompt: str, mode: str, good: str) -> web.StreamResponse | None:
    """Return a reply that is used up by thinking, or one in an odd shape; None: neither."""
    limit = body.get("max_tokens") or body.get("max_completion_tokens") or 10**9
    if state.behaviour.thinks_tokens > limit:
        return web.json_response(completion(body, "<think>Hmm {x}.", prompt, "length"))
    if body.get("tools"):
        searched = sum(message["role"] == "tool" for message in body["messages"])
        queries = behaviour_queries(state, searched)
        if searched < len(queries):
            state.paid[digest(prompt)] += 1
            function = {
                "name": body["tools"][0]["function"]["name"],
                "arguments": json.dumps({"query": queries[searched]}),
            }
            calls = [{"id": f"call_{searched}", "type": "function", "function": function}]
            return web.json_response(completion(body, None, prompt, "tool_calls", tool_calls=calls))
    if mode.startswith("shape:"):
        state.paid[digest(prompt)] += 1
        key = request.headers.get("Authorization")
        return shapes.response(mode.removeprefix("shape:"), body, good, prompt, key)
    return None


def behaviour_queries(state: State, searched: int) -> list[str]:
    """Return what the judge searches for in all; without an end, one more than it has searched for."""
    behaviour = state.behaviour
    return [f"query {n}" for n in range(searched + 1)] if behaviour.searches_for_ever else behaviour.tool_queries


def _refused(refusal_body: dict[str, Any], body: dict[str, Any]) -> web.Response | None:
    if not refusal_body:
        return None
    name, value = refusal_body.get("field"), refusal_body.get("value")
    if name is not None and (name not in body or (value is not None and value not in json.dumps(body[name]))):
        return None
    return web.json_response(refusal_body["body"], status=refusal_body["status"])


def _error(mode: str, after: float | None = None, message: str | None = None) -> web.Response:
    status, code, text = ERRORS[mode]
    headers = {} if after is None else {"Retry-After": f"{after:g}"}
    return web.json_response({"error": {"message": message or text, "code": code}}, status=status, headers=headers)


async def _drip(request: web.Request, raw: bytes) -> web.StreamResponse:
    """Send a byte a second."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(raw))})
    await response.prepare(request)
    with suppress(ConnectionResetError):
        for byte in raw:
            await response.write(bytes([byte]))
            await asyncio.sleep(1.0)
    return response


async def _cut(request: web.Request, raw: bytes) -> web.StreamResponse:
    """Announce a whole body, send half of it, and hang up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(raw))})
    await response.prepare(request)
    await response.write(raw[: len(raw) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


def _bad(body: Any, prompt: str, mode: str, good: str) -> dict[str, Any]:
    """Return a completion that is whole and cannot be used."""
    if mode == "no-choices":
        return completion(body, good, prompt) | {"choices": []}
    if mode == "filtered":
        return completion(body, None, prompt, "content_filter")
    if mode == "refusal":
        return completion(body, None, prompt, refusal="I cannot help with that.")
    texts = {
        "prose": "I think that this step is probably fine.",
        "label": wrong_label(good) if mode == "label" else "",
        "empty": "",
        "big": "x" * 10_000_000 if mode == "big" else "",
        "length": good[: len(good) // 2],
    }
    return completion(body, texts[mode], prompt, "length" if mode == "length" else "stop")
