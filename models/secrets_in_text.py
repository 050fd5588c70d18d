"""What looks like a secret: in the names of settings, and in texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

_NAMES = re.compile(
    r"(?:x[-_])?(?:proxy[-_])?authorization|(?:[a-z0-9]+[-_])*(?:api[-_]?key|subscription[-_]key|access[-_]?key)"
    r"|(?:(?:access|auth|bearer|id|refresh|session|api)[-_])?token|(?:client[-_])?secret(?:[-_]key)?|pass(?:word|wd|phrase)"
    r"|(?:set[-_])?cookie|credentials?|sig(?:nature)?",
    re.IGNORECASE,
)
# OpenAI and kin, Anthropic, Google, Hugging Face, Groq, GitHub, Slack, AWS, NVIDIA, xAI, Replicate, Perplexity; JWT.
LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:(?:sk|pk|rk)-(?=[\w-]*\d)[\w-]{16,200}|AIza[\w-]{30,50}|(?:hf|gsk|nvapi|xai|r8|pplx|ghp|gho|ghs|github_pat)[_-]\w{18,100}"
    r"|xox[abprs]-[\w-]{10,100}|(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{10,500}\.eyJ[\w-]{10,2000}\.[\w-]{10,500})"
)
_IN_SETTINGS = re.compile(rf"(?i:\bbearer\s+\S{{6,}}|\b(?:sk|pk|rk)-[\w-]{{6,}})|{LOOKS_LIKE_A_KEY.pattern}")


def secret_settings(settings: object, path: str = "") -> Iterator[str]:
    """Yield the paths of settings, such as `extra_headers.Authorization`, that hold a secret by their name or value."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            inner = f"{path}.{name}" if path else str(name)
            if isinstance(value, str) and value and _NAMES.fullmatch(str(name)):
                yield inner
            else:
                yield from secret_settings(value, inner)
    elif isinstance(settings, list | tuple):
        for index, value in enumerate(settings):
            yield from secret_settings(value, f"{path}[{index}]")
    elif isinstance(settings, str) and _IN_SETTINGS.search(settings):
        yield path


def secret_in_query(address: str) -> str | None:
    """Return the name of a parameter of the address's query that holds a secret; None where there is none."""
    parameters = parse_qsl(urlsplit(address).query)
    return next(
        (n for n, value in parameters if n.casefold() == "key" or _NAMES.fullmatch(n) or _IN_SETTINGS.search(value)),
        None,
    )


def is_environment_name(name: str) -> bool:
    """Whether this can be the name of an environment variable, and is no key put in its place."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name) is not None and not LOOKS_LIKE_A_KEY.search(name)
