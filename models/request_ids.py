"""Names of requests, by which a reply to another prompt is found out where the server repeats them.

vLLM makes the id of a reply from the header `X-Request-Id`; most hosted services make one of their own. A name costs no
token, and a reply without one says nothing: it is unknown, not wrong.
"""

from __future__ import annotations

import itertools
import re
import uuid
import zlib

HEADER = "X-Request-Id"
# Names are UUIDs, since some proxies take nothing else: what no other process has, the prompt's checksum, and a number,
# for servers refuse two requests of one name at a time.
_OURS = str(uuid.uuid4())[:24]
_NAMES = re.compile(rf"{_OURS}([0-9a-f]{{8}})[0-9a-f]{{4}}")
_numbers = itertools.count()


def new_request_id(prompt: str) -> str:
    """Return the name of a request with this prompt, a UUID."""
    return f"{_OURS}{_checksum(prompt)}{next(_numbers) % 0x10000:04x}"


def answers_another_prompt(reply_id: object, prompt: str) -> bool:
    """Whether the id of a reply holds the name of a request of this process, with another prompt.

    The name of an earlier request with the same prompt is right: a proxy may keep replies.
    """
    checksums = _NAMES.findall(reply_id.lower()) if isinstance(reply_id, str) else []
    return bool(checksums) and _checksum(prompt) not in checksums


def _checksum(prompt: str) -> str:
    return f"{zlib.crc32(prompt.encode('utf-8', 'surrogatepass')):08x}"
