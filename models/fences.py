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
from typing import Any

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
_LABEL = re.compile(r"[^\w :.()\-]")


def fence_tag(secret: bytes, key: str) -> str:
    """Return the fence tag of `key` (a trace id) under the `secret` of the run: 12 hex digits, 48 bits."""
    return hmac.new(secret, key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:12]


def neutralise(text: str, tag: str) -> str:
    """Return `text` without control, directional and invisible characters, and with every fence look-alike broken.

    A forged `</data` or `<|im_start|>` stays readable: its bracket becomes a parenthesis.
    """
    text = _BREAK.sub("\n", text)
    text = _CONTROL.sub(" ", text)
    text = _INVISIBLE.sub("", text)
    # Fullwidth and mathematical letters can spell the fence's name or the tag, so such text is folded.
    if not text.isascii() and (folded := unicodedata.normalize("NFKC", text)) != text:
        text = _fold_if_forged(text, folded, tag)
    text = _FORGED.sub("(", text)
    return re.sub(re.escape(tag), "[tag]", text, flags=re.IGNORECASE)


def render(messages: Sequence[Message], tag: str) -> list[dict[str, Any]]:
    """Return `messages` in the endpoint's form: literal parts unchanged, data parts fenced with `tag`."""
    return [
        {
            "role": m.role,
            "content": "".join(p if isinstance(p, str) else _fence(p, tag) for p in m.parts),
            **({"tool_calls": [_call(call) for call in m.tool_calls]} if m.tool_calls else {}),
            **({"tool_call_id": m.tool_call_id} if m.role == "tool" else {}),
        }
        for m in messages
    ]


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _fence(data: Data, tag: str) -> str:
    label = _LABEL.sub("", data.label)
    return f'<data_{tag} label="{label}">\n{neutralise(data.text, tag)}\n</data_{tag}>'


def _fold_if_forged(text: str, folded: str, tag: str) -> str:
    # Folding also turns a superscript or a unit sign into plain letters, so only text that hides something is folded.
    if len(_FORGED.findall(folded)) > len(_FORGED.findall(text)) or tag in folded.lower():
        return folded
    return text
