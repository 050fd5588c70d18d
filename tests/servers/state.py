"""What the running model server knows, and how it decides."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from typing import Any

from servers.behaviour import Behaviour
from servers.replies import ERRORS, completion, content, digest


class State:
    """What the running server knows."""

    def __init__(self, behaviour: dict[str, Any]) -> None:
        self.behaviour = Behaviour(**behaviour)
        self.calls = 0
        self.modes: Counter[str] = Counter()
        self.prompts: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.draw = random.Random(self.behaviour.seed)
        self.in_flight = self.peak = 0
        self.started = time.monotonic()
        self.last_s = 0.0
        self.level, self.at = float(self.behaviour.burst), self.started
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.last_fields: dict[str, Any] = {}
        self.last_messages: list[Any] = []
        self.previous_prompt = self.previous_id = ""

    def see(self, prompt: str) -> None:
        """Count a call."""
        self.calls += 1
        self.prompts[digest(prompt)] += 1

    def within_limit(self) -> float:
        """Take one from the bucket; return 0, or the seconds until there would be one."""
        b = self.behaviour
        if b.at_once is not None and self.in_flight > b.at_once:
            return 1.0
        if b.per_second is None:
            return 0.0
        now = time.monotonic()
        self.level = min(float(b.burst), self.level + (now - self.at) * b.per_second)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / b.per_second

    def mode_for(self, prompt: str) -> str:
        b = self.behaviour
        if b.down:
            return "503"
        if b.script:
            return b.script.pop(0)
        if b.bad_share and self.draw.random() < b.bad_share:
            return self.draw.choice(b.bad_modes)
        for key, modes in b.match.items():
            if key in prompt:
                if isinstance(modes, str):
                    return modes
                key = digest(prompt)
                self.attempts[key] += 1
                return modes[min(self.attempts[key], len(modes)) - 1]
        return b.mode

    def reply(self, prompt: str) -> dict[str, Any]:
        b = self.behaviour
        return b.reply | next((more for word, more in b.reply_for.items() if word in prompt), {})


def finish_batch(state: State, batch: dict[str, Any]) -> None:
    """Answer every line of a batch's input file, errors into a file of their own, as the protocol has it."""
    succeeded: list[str] = []
    failed: list[str] = []
    for line in state.files[batch["input_file_id"]].decode().splitlines():
        entry = json.loads(line)
        body = entry["body"]
        prompt = "\n".join(str(m["content"]) for m in body["messages"])
        state.see(prompt)
        mode = state.mode_for(prompt)
        state.modes[mode] += 1
        if mode in ERRORS:
            status, code, text = ERRORS[mode]
            response = {"status_code": status, "body": {"error": {"message": text, "code": code}}}
            failed.append(json.dumps({"id": "r", "custom_id": entry["custom_id"], "response": response, "error": None}))
            continue
        state.paid[digest(prompt)] += 1
        text = "prose" if mode == "prose" else content(body, state.reply(prompt))
        response = {"status_code": 200, "request_id": "r", "body": completion(body, text, prompt)}
        succeeded.append(json.dumps({"id": "r", "custom_id": entry["custom_id"], "response": response, "error": None}))
    for key, lines in (("output_file_id", succeeded), ("error_file_id", failed)):
        if lines:
            batch[key] = f"file-{len(state.files)}"
            # Lines come in no particular order.
            state.files[batch[key]] = ("\n".join(reversed(lines)) + "\n").encode()
    batch["status"] = "completed"
    batch["request_counts"] = {
        "total": len(succeeded) + len(failed),
        "completed": len(succeeded),
        "failed": len(failed),
    }
