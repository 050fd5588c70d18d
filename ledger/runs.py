"""A run: its name, the manifest of what made it, and whether two runs are comparable."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from pydantic import Field, JsonValue

from tracejury.agents import Panel, panel_fields
from tracejury.models import Endpoint
from tracejury.traces import Record, content_id

_PACKAGES = ("tracejury", "langgraph", "langchain-openai", "openai", "chromadb", "onnxruntime", "xllamacpp")


class RunManifest(Record):
    """What made a run. Two runs are comparable only if their manifests agree."""

    panel: str
    """Content hash of the whole panel."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompt file -> SHA-256."""
    index: dict[str, str] = Field(default_factory=dict)
    """Source -> hash of its index manifest."""
    checker: dict[str, str] = Field(default_factory=dict)
    """What checked the citations: `identity`, and each relation's threshold; empty in runs that checked nothing."""
    segmenter: str
    seed: int = 0
    inputs: tuple[str, ...] = ()
    """The paths as the user gave them; not part of the comparison."""
    input_digests: dict[str, str] = Field(default_factory=dict)
    """Path -> SHA-256 of its contents when the run began; empty in runs of earlier versions."""
    selection: dict[str, str] = Field(default_factory=dict)
    """`--limit`, `--only`, `--arm` and the like."""
    weights: dict[str, str] = Field(default_factory=dict)
    """Weights on this machine that the panel uses -> SHA-256; empty in runs of earlier versions."""
    languages: dict[str, int] = Field(default_factory=dict)
    """Language other than English -> traces that are in it, or whose question is; empty in runs of earlier versions. It
    follows from the inputs, and is not part of the comparison."""
    packages: dict[str, str] = Field(default_factory=dict)
    adaptations: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Endpoint -> how its requests differ from the panel, because it refused what the panel says. It is known once the
    run has asked, and is not part of the comparison."""

    @property
    def work_id(self) -> str:
        """An id of what the run asks: two runs with the same one ask the same panel about the same inputs."""
        protocol = {"panel", "prompts", "checker", "index", "segmenter", "seed", "selection"}
        inputs: list[JsonValue] = [*sorted(self.input_digests.values())]
        return content_id("w", self.model_dump(mode="json", include=protocol), inputs)

    def differences(self, other: RunManifest) -> dict[str, tuple[str, str]]:
        """Return the fields that make two runs incomparable, name -> (this, other). Packages and inputs do not."""
        names = ("panel", "prompts", "checker", "index", "segmenter", "seed")
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        # Runs of earlier versions have no weights, and a machine that only reads cached replies need not have them.
        both = self.weights.keys() & other.weights.keys()
        pairs |= {f"weights {name}": (self.weights[name], other.weights[name]) for name in both}
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
    """The progress of a run: steps by outcome, traces, calls, tokens, cost."""

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

    @property
    def done(self) -> str:
        """Return how many traces are done of those that the run is about, as `100 of 120`."""
        return f"{self.closed:,} of {max(self.run.traces_total or 0, self.traces):,}"

    @property
    def complete(self) -> bool:
        """Tell whether the run went through its batch and no trace has a failed step left."""
        return self.run.finished is not None and self.closed >= max(self.run.traces_total or 0, self.traces)


_SPEED_AND_PLACE = {
    *("max_concurrency", "requests_per_minute", "tokens_per_minute", "timeout_s", "deadline_s"),
    *("base_url", "api_key_env", "max_attempts", "price"),
}
"""Fields of endpoints that change no opinion."""


def panel_hash(panel: Panel) -> str:
    """Return the fingerprint of a panel; endpoints' limits and addresses do not count, as they change no opinion."""
    # `deidentify` came after the first runs, and was left out where it is off.
    exclude = {"name", "description", *(() if panel.deidentify else ("deidentify",))}
    return content_id("panel", panel_fields(panel, exclude, set(Endpoint.model_fields) - _SPEED_AND_PLACE))


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that shape a verdict, where they are installed."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


_NOT_NAMED = {"packages", "input_digests", "adaptations", "weights", "languages"}
"""Fields of a manifest that a run's default name does not depend on."""


def run_name(panel: Panel, manifest: RunManifest) -> str:
    """Return the default name of a run: the same command gives the same name, and so resumes it."""
    digest = content_id("r", manifest.model_dump(mode="json", exclude=_NOT_NAMED))
    return f"{panel.name}-{digest[2:10]}"
