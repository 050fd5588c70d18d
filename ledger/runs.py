"""What a run is: its name, what made it, and whether two runs may be compared."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from pydantic import Field

from tracejury.agents import Panel
from tracejury.traces import Record, content_id

_PACKAGES = ("tracejury", "langgraph", "langchain-openai", "openai", "chromadb", "onnxruntime", "xllamacpp")


class RunManifest(Record):
    """What made a run. Two runs are comparable only where these say so."""

    panel: str
    """Content hash of the whole panel."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompt file -> SHA-256."""
    index: dict[str, str] = Field(default_factory=dict)
    """Source -> hash of its index manifest."""
    segmenter: str
    seed: int = 0
    inputs: tuple[str, ...] = ()
    """The paths as given; for people, not for comparison."""
    selection: dict[str, str] = Field(default_factory=dict)
    """`--limit`, `--only`, `--arm` and the like."""
    packages: dict[str, str] = Field(default_factory=dict)

    def differences(self, other: RunManifest) -> dict[str, tuple[str, str]]:
        """Return what makes two runs incomparable: name -> (here, there). Packages and inputs are not among it."""
        names = ("panel", "prompts", "index", "segmenter", "seed")
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        return {name: (str(a), str(b)) for name, (a, b) in pairs.items() if a != b}


class Run(Record):
    """One panel over one batch of traces."""

    id: str
    name: str
    created: str
    finished: str | None = None
    panel: Panel
    manifest: RunManifest
    traces_total: int | None = None


class RunProgress(Record):
    """How far a run is: steps by outcome, traces, calls, tokens, cost."""

    run: Run
    traces: int
    closed: int
    empty: int
    """Traces without a step."""
    outcomes: dict[str, int]
    no_claim: int
    calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float


def panel_hash(panel: Panel) -> str:
    """Name a panel by its whole content; endpoints' speed limits and addresses do not change what it would say."""
    body = panel.model_dump(mode="json", exclude={"name", "description"})
    if not panel.deidentify:
        del body["deidentify"]  # so that runs from before it was there stay comparable
    for endpoint in body["endpoints"].values():
        for speed in ("max_concurrency", "requests_per_minute", "tokens_per_minute", "timeout_s", "deadline_s"):
            del endpoint[speed]
        for place in ("base_url", "api_key_env", "max_attempts", "price"):
            del endpoint[place]
    return content_id("panel", body)


def installed() -> dict[str, str]:
    """Return the versions of the packages that shape a verdict, where installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run_name(panel: Panel, manifest: RunManifest) -> str:
    """Return the name of a run that was given none: the same command gives the same name, and so resumes."""
    digest = content_id("r", manifest.model_dump(mode="json", exclude={"packages"}))
    return f"{panel.name}-{digest[2:10]}"
