"""API keys: from the environment or from a file that only its owner can read; never in a panel, a log or a record."""

from __future__ import annotations

import json
import os
import re
import stat
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tracejury.models.records import Endpoint
from tracejury.models.secrets_in_text import LOOKS_LIKE_A_KEY
from tracejury.storage import read_utf8

KEYS_FILE = "TRACEJURY_KEYS"
"""Environment variable with the path of a file of `NAME=value` lines, read where NAME is not in the environment."""

_SHORTEST = 8
"""Characters. Shorter values are placeholders for servers without keys (`EMPTY`, `x`): no secrets, perhaps words."""

_BETWEEN = re.compile(r"\s|\\[nrt]|\u200b|\u00ad")
_secrets: set[str] = set()


class KeyMissingError(ValueError):
    """The key of an endpoint is missing; the message says where it was looked for."""


def api_key(endpoint: Endpoint) -> str | None:
    """Return the endpoint's key, or None where it needs none. `redact` removes every returned key.

    Raises:
        KeyMissingError: The key is neither in the environment nor in the keys file, or others may read that file.
    """
    name = endpoint.api_key_env
    if name is None:
        return None
    value = os.environ.get(name, "").strip() or _from_file(name)
    if not value:
        raise KeyMissingError(
            f"endpoint {endpoint.name!r} needs the key {name}: set it in the environment (export {name}=...), "
            f"or in a file of mode 600 that {KEYS_FILE} names"
        )
    if len(value) >= _SHORTEST:
        # The key itself, and as it looks in a JSON string (some servers escape `/` too) and in a URL.
        _secrets.update(
            (value, json.dumps(value)[1:-1], json.dumps(value)[1:-1].replace("/", "\\/"), quote(value, safe=""))
        )
    return value


def redact(text: str) -> str:
    """Return `text` without the keys that `api_key` has returned, whole or masked by a server (`sk-ab****cdef`)."""
    squeezed = _BETWEEN.sub("", text).casefold() if _secrets else ""
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, "[key]")
        # In capitals, or broken over the lines of a log.
        if secret.casefold() in squeezed:
            text = _spread(secret).sub("[key]", text)
        if len(secret) >= 12 and "*" in text:
            text = re.sub(rf"{re.escape(secret[:3])}[\w-]*\*{{3,}}[\w-]*", "[key]", text)
    # A server may echo another key than the one that it was sent.
    return LOOKS_LIKE_A_KEY.sub("[key]", text)


@cache
def _spread(secret: str) -> re.Pattern[str]:
    """Return the pattern of a secret in any case, with breaks between its characters."""
    return re.compile(rf"(?:{_BETWEEN.pattern})*".join(map(re.escape, secret)), re.IGNORECASE)


def _from_file(name: str) -> str | None:
    where = os.environ.get(KEYS_FILE)
    if not where:
        return None
    path = Path(where).expanduser()
    try:
        mode = path.stat()
    except OSError as error:
        raise KeyMissingError(f"{KEYS_FILE} names {path}, which cannot be read: {error.strerror}") from error
    if os.name == "posix" and (mode.st_uid not in (os.getuid(), 0) or stat.S_IMODE(mode.st_mode) & 0o077):
        raise KeyMissingError(f"{path} can be read by others: run `chmod 600 {path}` (and own it) first")
    for line in read_utf8(path).splitlines():
        key, equals, value = line.removeprefix("export ").partition("=")
        if equals and key.strip() == name:
            return value.strip().strip("'\"")
    return None
