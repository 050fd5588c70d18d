"""Fences: foreign text is data, enclosed by a tag that its author can neither guess nor forge.

The tag is an HMAC of the trace's id under a secret of the run. It is the same for all steps, judges and retries of a
trace: a tag that changed with every call would cut a server's reusable prefix to the few tokens before the first fence.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from tracejury.models.records import Data, Message, ToolCall

# Directional marks and overrides, zero-width and other invisible characters: the reader of a prompt and the reader of
# a report must see the same text.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_BREAK = re.compile("\r\n?|[\x85\u2028\u2029]")
# Angle brackets: plain, fullwidth, small, mathematical, ornamental, quoting, and letters that look like one.
_OPENING = r"<\uff1c\ufe64\u2039\u3008\u2329\u27e8\u276c\u276e\u00ab\u227a\u02c2\u1438"
_SLASH = r"\s/\\\uff0f\u2215\u2044\u29f8"
# Look-alikes of a fence, and what chat templates of current models read as a change of role or an end of text
# (llama.cpp and others turn such words into special tokens even inside a message).
_FORGED = re.compile(
    rf"[{_OPENING}](?=[{_SLASH}]*(?:d\W{{0,3}}a\W{{0,3}}t\W{{0,3}}a(?:\b|_|[^\x00-\x7f])|[|\uff5c]"
    r"|s>|s_|sys|inst|think|im_|start_of|end_of|begin_of|eot|bos|eos|unk|pad"
    r"|system|user|assistant|human|tool|function"
    # Words of code models and of templates: <gh_stars>, <jupyter_start>, <unused0>, <seed:bos>, <mask:1>.
    r"|unused\d|reponame|filename|file_sep|[a-z]{2,12}(?:_[a-z]{2,12}){1,3}\s?>|[a-z]{2,12}:[a-z0-9]{1,12}\s?>))"
    r"|\[(?=\s*/?\s*(?:inst|system|available_tools|tool_)|[|\uff5c])|\](?=~[!b])|\|(?=\|\|[A-Z])",
    re.IGNORECASE,
)
_SUBSTITUTES = "({^\u00a6\u00b0"
_LABEL = re.compile(r"[^\w :.()\-]")


class LookAlikes(NamedTuple):
    """What data must not hold, and how it is broken."""

    pattern: re.Pattern[str]
    """Matches the first character of each look-alike."""
    substitute: str
    """Stands in this character's place."""


_COMMON = LookAlikes(_FORGED, _SUBSTITUTES[0])


class Fence(NamedTuple):
    """What data of one trace is enclosed by, for one model."""

    tag: str
    look_alikes: LookAlikes = _COMMON


@lru_cache(maxsize=32)
def look_alikes(tokens: tuple[str, ...]) -> LookAlikes:
    """Return the look-alikes for a model with these special tokens: those of all models, and the tokens themselves.

    Most tokens of current models are among those of all models, so that no text takes longer because of them.
    """
    # A character behind the token keeps patterns from ending with it.
    others = [token for token in tokens if not _FORGED.match(f"{token}x")]
    if not others:
        return _COMMON
    # Sorted by first character: the regular expression engine then skips what begins with none of them.
    firsts = {token[0] for token in others}
    rests = {first: "|".join(_literal(token[1:]) for token in others if token[0] == first) for first in sorted(firsts)}
    own = "|".join(f"{re.escape(first)}(?={rest})" for first, rest in rests.items())
    substitute = next((sign for sign in _SUBSTITUTES if sign not in "".join(others)), _SUBSTITUTES[0])
    return LookAlikes(re.compile(f"{_FORGED.pattern}|{own}", re.IGNORECASE), substitute)


def fence_tag(secret: bytes, key: str) -> str:
    """Return the fence tag of `key` (a trace id) under the `secret` of the run: 12 hex digits, 48 bits."""
    return hmac.new(secret, key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:12]


def neutralise(text: str, tag: str, forged: LookAlikes = _COMMON) -> str:
    """Return `text` without control, directional and invisible characters, and with every look-alike broken.

    A forged `</data` or `<|im_start|>` stays readable: its bracket becomes a parenthesis.

    Args:
        text: Text from a trace, a question, a passage or a reply.
        tag: The fence tag.
        forged: The look-alikes, `look_alikes` of the model that will read the text.
    """
    text = _BREAK.sub("\n", text)
    text = _CONTROL.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    # Fullwidth and mathematical letters can spell the fence's name or the tag, so such text is folded.
    if not text.isascii() and (folded := unicodedata.normalize("NFKC", text)) != text:
        text = _fold_if_forged(text, folded, tag, forged.pattern)
    text = forged.pattern.sub(forged.substitute, text)
    return re.sub(re.escape(tag), "[tag]", text, flags=re.IGNORECASE)


def render(messages: Sequence[Message], tag: str, forged: LookAlikes = _COMMON) -> list[dict[str, Any]]:
    """Return `messages` in the endpoint's form: literal parts unchanged, data parts fenced with `tag`."""
    return [
        {
            "role": m.role,
            "content": "".join(p if isinstance(p, str) else _fence(p, tag, forged) for p in m.parts),
            **({"tool_calls": [_call(call, tag, forged) for call in m.tool_calls]} if m.tool_calls else {}),
            **({"tool_call_id": m.tool_call_id} if m.role == "tool" else {}),
        }
        for m in messages
    ]


def _call(call: ToolCall, tag: str, forged: LookAlikes) -> dict[str, Any]:
    # A model may repeat what a trace says in its query. Within a JSON text nothing of the syntax is a look-alike.
    arguments = neutralise(call.arguments, tag, forged)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _fence(data: Data, tag: str, forged: LookAlikes) -> str:
    label = _LABEL.sub("", data.label)
    return f'<data_{tag} label="{label}">\n{neutralise(data.text, tag, forged)}\n</data_{tag}>'


def _literal(text: str) -> str:
    # Tokenizers of the sentencepiece family write a blank as U+2581.
    return re.escape(text).replace("\u2581", "[\u2581 ]")


def _fold_if_forged(text: str, folded: str, tag: str, pattern: re.Pattern[str]) -> str:
    # Folding also turns a superscript or a unit sign into plain letters, so only text that hides something is folded.
    if len(pattern.findall(folded)) > len(pattern.findall(text)) or tag in folded.lower():
        return folded
    return text
