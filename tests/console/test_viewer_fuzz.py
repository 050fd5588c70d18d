"""The viewer answers any request with a page, a redirect or a refusal, never with an error of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jury_of_words import batch_of
from made_ledger import make_run
from viewer_at_work import serving

pytest.importorskip("fastapi")
schemathesis = pytest.importorskip("schemathesis")

from tracejury.console.viewer import create_app  # noqa: E402
from tracejury.graphs import Ledger, Wanted  # noqa: E402


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    made = Ledger(f"sqlite:///{tmp_path_factory.mktemp('viewer')}/l.db")
    make_run(made, batch_of(6), name="r")
    return made


@pytest.fixture(scope="module")
def site(ledger: Ledger) -> Iterator[str]:
    with serving(ledger) as address:
        yield address


def schema(ledger: Ledger) -> dict[str, Any]:
    """The viewer's own OpenAPI document, which it does not serve, with what is there as examples of every name."""
    found: dict[str, Any] = create_app(ledger).app.openapi()  # type: ignore[attr-defined]
    run = ledger.run("r")
    traces = [trace.id for trace, _, _ in ledger.traces(run)]
    steps = [made.step.id for made in ledger.deliberations(run, traces[0])]
    there = {"run": ["r", run.id, "last"], "trace": traces[:3], "evidence": ["vignette"], "expert": ["anna"]}
    filters = Wanted.model_json_schema()
    for path, operations in found["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if names := there.get(parameter["name"]):
                    parameter["schema"] = {"anyOf": [{"enum": names}, {"enum": names}, parameter["schema"]]}
            if path.endswith(("/traces", "/disagreements", "/sources", "/{evidence}")):
                # These read their query themselves, so that an empty field of a form is no field.
                operation.setdefault("parameters", []).extend(
                    {"name": name, "in": "query", "schema": {"anyOf": [field, {"type": "string"}, {"type": "integer"}]}}
                    for name, field in filters["properties"].items()
                )
    forms = found["components"]["schemas"]
    for form in forms.values():
        if "step" in form.get("properties", {}):
            form["properties"]["step"] = {"anyOf": [{"enum": steps}, {"type": "string"}]}
    found["components"]["schemas"] |= filters.get("$defs", {})
    return _pointing(found)


def _pointing(node: Any) -> Any:
    """Let what points into the filters' own schema point into the document."""
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _pointing(value)
            for key, value in node.items()
        }
    return [_pointing(item) for item in node] if isinstance(node, list) else node


def operations() -> list[tuple[str, str]]:
    made = create_app(Ledger("sqlite://")).app.openapi()  # type: ignore[attr-defined]
    return [(path, method) for path, methods in made["paths"].items() for method in methods]


@pytest.mark.parametrize(("path", "method"), operations())
def test_no_request_breaks_the_viewer(ledger: Ledger, site: str, path: str, method: str) -> None:
    operation = schemathesis.openapi.from_dict(schema(ledger))[path][method]

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        # Posts are only taken from the site's own pages.
        reply = case.call(base_url=site, headers={"Origin": site}, allow_redirects=False)
        assert reply.status_code < 500, (case.as_curl_command(), reply.text[:500])

    ask()


@settings(max_examples=40, deadline=None, database=None)
@given(index=st.integers() | st.sampled_from([2**63, -(2**63) - 1, 10**30]), page=st.integers() | st.just(2**64))
def test_no_number_is_too_large(ledger: Ledger, site: str, index: int, page: int) -> None:
    import requests

    trace = next(iter(ledger.traces(ledger.run("r"))))[0].id
    base = f"{site}/runs/r"
    for place in (f"traces/{trace}/steps/{index}", f"traces?page={page}", f"review/anna?at={index}"):
        assert requests.get(f"{base}/{place}", timeout=30).status_code < 500, place
