"""The prompts that judges were given, made again from the recorded case: a case and a prompt's version say it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from tracejury.agents import Case, Panel, judges, prompt_hashes
from tracejury.ledger import Run
from tracejury.models import Data, Message

Reply = TypeVar("Reply", bound=BaseModel)


class JudgePrompt(NamedTuple):
    """The messages that one judge sent to its model."""

    judge: str
    messages: tuple[tuple[str, str], ...]
    """(role, text), before fencing."""


class _PromptCapture(Exception):
    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__()
        self.messages = messages


class _Listener:
    """Stands where a judge expects its way to a model, and keeps what the judge would send."""

    def __init__(self, panel: Panel) -> None:
        self.max_tokens = panel.reply_tokens
        self.seed = panel.seed

    async def __call__(self, messages: Sequence[Message], schema: type[Reply]) -> Reply:
        raise _PromptCapture(messages)


def judge_prompts(run: Run, case: Case) -> list[JudgePrompt]:
    """Return what every judge with a model was asked about the case. The resolver's depends on what it found."""
    prompts = []
    for spec in run.panel.judges:
        if spec.endpoint is None:
            continue
        try:
            draft = judges.make(spec.judge, **spec.params).draft(case, _Listener(run.panel))
        except (LookupError, TypeError, ValueError, OSError):
            # A judge of somebody's own that is not installed here: its raw replies are shown all the same.
            continue
        try:
            # No event loop is needed up to the first question, and one may be running already.
            draft.send(None)
        except _PromptCapture as capture:
            prompts.append(JudgePrompt(spec.name, tuple((m.role, _text(m)) for m in capture.messages)))
        except StopIteration:
            continue
        finally:
            draft.close()
    return prompts


def changed(run: Run) -> bool:
    """Tell whether the prompt files are no longer those of the run."""
    try:
        now = prompt_hashes(run.panel)
    except (LookupError, ValueError, OSError):
        return True
    return bool(run.manifest.prompts) and now != run.manifest.prompts


def _text(message: Message) -> str:
    return "".join(f"⟦{p.text}⟧" if isinstance(p, Data) else p for p in message.parts)
