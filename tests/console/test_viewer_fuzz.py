"""The viewer answers any request with a page, a redirect or a refusal, never with an error of its own.

Requests are drawn from its own OpenAPI document: every operation, every parameter and form field, with names that are
there and with any text. (schemathesis does the same in an environment of its own: benchmarks/fuzz/viewer.py. It wants a
jsonschema-rs that LangGraph's server does not.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jury_of_words import batch_of
from made_ledger import make_run
from viewer_at_work import serving

pytest.importorskip("fastapi")

import requests

from tracejury.console.viewer import create_app
from tracejury.ledger import Ledger, StepFilter, TraceFilter

QUIET = settings(max_examples=25, suppress_health_check=list(HealthCheck), database=None)
DOCUMENT: dict[str, Any] = create_app(Ledger("sqlite://")).app.openapi()  # type: ignore[attr-defined]
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
NUMBERS = st.integers() | st.sampled_from([0, -1, 2**31, 2**63, 2**64])


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('viewer')}/l.db")
    make_run(ledger, batch_of(6), name="r")
    return ledger


@pytest.fixture(scope="module")
def site(ledger: Ledger) -> Iterator[str]:
    with serving(ledger) as address:
        yield address


@pytest.fixture(scope="module")
def there(ledger: Ledger) -> dict[str, list[str]]:
    """What is in the ledger, by the parameter that asks for it."""
    run = ledger.run("r")
    traces = [trace.id for trace, _, _ in ledger.traces(run)]
    steps = [deliberation.step.id for deliberation in ledger.deliberations(run, traces[0])]
    filters = {
        "sort": ["order", "errors"],
        "outcome": ["error", "failed"],
        "error_type": ["factual"],
        "label": ["error"],
    }
    names = {"run": ["r", run.id, "last"], "trace": traces[:3], "evidence": ["vignette"], "expert": ["anna"]}
    return filters | names | {"step": steps, "name": ["viewer.css"], "index": ["0", "1"], "page": ["1", "2"]}


def value(name: str, there: dict[str, list[str]]) -> st.SearchStrategy[str]:
    anything = st.text(max_size=40) | NUMBERS.map(str)
    values = there.get(name)
    return st.sampled_from(values) | st.sampled_from(values) | anything if values else anything


def fields(path: str, method: str) -> dict[str, list[str]]:
    """The parameters of an operation: in its path, its query, its form."""
    operation = DOCUMENT["paths"][path][method]
    fields_by_place: dict[str, list[str]] = {"path": [], "query": [], "form": []}
    for parameter in operation.get("parameters", []):
        fields_by_place[parameter["in"]].append(parameter["name"])
    if path.endswith(("/traces", "/disagreements", "/sources", "/{evidence}")):
        # These read their query themselves, so that an empty field of a form is no field.
        fields_by_place["query"] += [*TraceFilter.model_fields, "unknown"]
    if path.endswith("/steps"):
        fields_by_place["query"] += [*StepFilter.model_fields, "unknown"]
    for body in operation.get("requestBody", {}).get("content", {}).values():
        name = body["schema"]["$ref"].rpartition("/")[2]
        fields_by_place["form"] += DOCUMENT["components"]["schemas"][name]["properties"]
    return fields_by_place


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_breaks_the_viewer(there: dict[str, list[str]], site: str, path: str, method: str) -> None:
    parameters = fields(path, method)

    def some(kind: str) -> st.SearchStrategy[dict[str, str]]:
        return st.fixed_dictionaries({}, optional={name: value(name, there) for name in parameters[kind]})

    @QUIET
    @given(
        places=st.fixed_dictionaries({name: value(name, there) for name in parameters["path"]}),
        query=some("query"),
        form=some("form"),
    )
    def ask(places: dict[str, str], query: dict[str, str], form: dict[str, str]) -> None:
        address = path
        for name, text in places.items():
            address = address.replace(f"{{{name}}}", quote(text.encode("utf-8", "replace"), safe=""))
        # Posts are only taken from the site's own pages.
        reply = requests.request(
            method, site + address, params=query, data=form, headers={"Origin": site}, allow_redirects=False, timeout=60
        )
        assert reply.status_code < 500, reply.text[:300]

    ask()


def test_no_number_is_too_large(there: dict[str, list[str]], site: str) -> None:
    trace = there["trace"][0]
    for number in (0, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**4400):
        for place in (f"traces/{trace}/steps/{{}}", "traces?page={}", "review/anna?at={}", "sources?page={}"):
            address = f"{site}/runs/r/" + place.format(_digits(number))
            assert requests.get(address, timeout=60).status_code < 500, address[:200]


def _digits(number: int) -> str:
    # Python itself refuses to write more than 4,300 digits.
    return str(number) if abs(number) < 10**4000 else "9" * 4_400
