"""The checker `llm`: a model behind an endpoint, asked once for all pairs of a step, one letter a pair."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, create_model

from tracejury.agents.checkers.contracts import CheckerAsk, CheckerError, Pair, Probabilities
from tracejury.agents.prompting import prompt as read_prompt
from tracejury.models import ChatReply, Data, Message

LETTERS = ("S", "C", "N")
"""Supports, contradicts, neither: the order of `Probabilities`."""
_ANSWER = re.compile(r'"p(\d+)"\s*:\s*"([SCN])"')
# What one answer takes in a JSON reply, by any tokenizer in use, and what stands around all of them.
_TOKENS_AN_ANSWER, _TOKENS_AROUND = 10, 20


class LlmChecker:
    """Asks a model how each evidence stands to its claim.

    Where the server reports log-probabilities, those of the three letters are the probabilities; else the letter gets
    `1 - doubt`. Small models answer S whatever the pair is: without a calibration, which takes such habits out, nothing
    of this counts.

    Args:
        prompt: A prompt by name or the path of a `.md` file.
        doubt: The probability of the two other letters together, where a letter is all there is.
        pairs_per_call: Pairs that one call asks about, at most; a reply limit may make it fewer.
    """

    kind = "llm"
    summary = "a model behind an endpoint: one letter a pair, log-probabilities where the server reports them"
    needs_endpoint = True
    can_contradict = True

    def __init__(self, prompt: str = "checker", doubt: float = 0.1, pairs_per_call: int = 24) -> None:
        if not 0 < doubt < 2 / 3 or pairs_per_call < 1:
            raise CheckerError("checker 'llm': doubt is between 0 and 2/3, pairs_per_call is at least 1")
        self.prompt = read_prompt(prompt)
        self.doubt, self.pairs_per_call = doubt, pairs_per_call

    @property
    def identity(self) -> str:
        """The prompt's stamp; whoever names the endpoint adds its model."""
        return f"prompt {self.prompt.stamp}"

    async def probabilities(self, pairs: Sequence[Pair], ask: CheckerAsk | None) -> list[Probabilities]:
        """Return one `Probabilities` a pair; see `Checker`."""
        if ask is None:
            raise CheckerError("checker 'llm' needs an endpoint")
        most = max(1, min(self.pairs_per_call, (ask.max_tokens - _TOKENS_AROUND) // _TOKENS_AN_ANSWER))
        answers: list[Probabilities] = []
        for start in range(0, len(pairs), most):
            part = pairs[start : start + most]
            reply = await ask.reply(self.messages(part), answers_schema(len(part)), LETTERS)
            answers += self._read(reply, len(part))
        return answers

    def messages(self, pairs: Sequence[Pair]) -> tuple[Message, ...]:
        """Return what is asked: each pair's evidence before its claim, all of it fenced as data."""
        parts: list[str | Data] = []
        for number, pair in enumerate(pairs, 1):
            parts += [f"PAIR p{number}\nEVIDENCE\n", Data(label="evidence", text=pair.evidence)]
            parts += ["\nCLAIM\n", Data(label="claim", text=pair.claim), "\n\n"]
        names = "p1" if len(pairs) == 1 else f"p1 to p{len(pairs)}"
        parts.append(f"Reply with a JSON object: the letter S, C or N for each of {names}.")
        return (Message(role="system", parts=(self.prompt.text,)), Message(role="user", parts=tuple(parts)))

    def _read(self, reply: ChatReply, expected: int) -> list[Probabilities]:
        letters = [getattr(reply.parsed, f"p{number}") for number in range(1, expected + 1)]
        logprobs = reply.calls[-1].letter_logprobs if reply.calls else None
        as_written = _ANSWER.findall(reply.text)
        in_order = [(str(number), letter) for number, letter in enumerate(letters, 1)]
        # Thinking before the answer, or answers in another order, leave the letters alone to go by.
        if logprobs is None or len(logprobs) != expected or as_written != in_order:
            return [self._hard(letter) for letter in letters]
        return [_softmax(row) for row in logprobs]

    def _hard(self, letter: str) -> Probabilities:
        return Probabilities(*(1 - self.doubt if letter == each else self.doubt / 2 for each in LETTERS))


@lru_cache(maxsize=64)
def answers_schema(pairs: int) -> type[BaseModel]:
    """Return the reply's schema: a letter for each of `p1`, `p2`, ..."""
    fields: dict[str, Any] = {f"p{number}": (Literal["S", "C", "N"], ...) for number in range(1, pairs + 1)}
    return create_model("Answers", __config__=ConfigDict(extra="forbid"), **fields)


def _softmax(logprobs: Sequence[float]) -> Probabilities:
    weights = [math.exp(logprob - max(logprobs)) for logprob in logprobs]
    return Probabilities(*(weight / sum(weights) for weight in weights))
