"""Sources that ask a web service, against a local server that speaks its protocol and replies as documented."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from Bio import Entrez

from tracejury.models import close_network, open_network
from tracejury.retrieval import Document, sources
from tracejury.traces import Problem


def label(i: int) -> dict[str, object]:
    return {
        "set_id": f"set-{i}",
        "effective_time": "20240115",
        "indications_and_usage": [f"1 INDICATIONS Warfarin {i} prevents thrombosis."],
        "boxed_warning": ["WARNING: BLEEDING RISK."],
        "openfda": {"brand_name": ["Coumadin"], "generic_name": ["WARFARIN SODIUM"], "manufacturer_name": ["BMS"]},
    }


LABELS = [label(i) for i in range(150)] + [{"set_id": "none", "openfda": {}}]
RECORDS = {
    "101": "PMID- 101\nTI  - Aspirin after stroke.\nAB  - Aspirin lowered recurrence\n      by a fifth.\nAU  - Roe J\n"
    "AU  - Doe A\nTA  - Lancet\nDP  - 2019 Mar\nAID - 10.1000/x [doi]\n",
    "102": "PMID- 102\nTI  - Retracted work.\nAB  - It was not so.\nDP  - 2010\nRIN - Lancet. 2012;1:1. PMID: 9\n",
    "103": "PMID- 103\nTI  - A letter.\nDP  - 2001\n",
}


class Service(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    failures: ClassVar[list[int]] = []
    retracted: ClassVar[list[str]] = ["102"]

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        self._answer(at.path, {k: v[0] for k, v in parse_qs(at.query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(body).items()})

    def _answer(self, path: str, query: dict[str, str]) -> None:
        Service.asked.append((path, query))
        if Service.failures:
            self._send(Service.failures.pop(0), "busy", {"Retry-After": "0"})
        elif path == "/drug/label.json":
            skip, limit = int(query["skip"]), int(query["limit"])
            if "nosuch" in query["search"]:
                self._send(404, json.dumps({"error": {"code": "NOT_FOUND", "message": "No matches found!"}}))
                return
            meta = {"last_updated": "2026-10-01", "results": {"skip": skip, "limit": limit, "total": len(LABELS)}}
            self._send(200, json.dumps({"meta": meta, "results": LABELS[skip : skip + limit]}))
        elif path == "/esearch.fcgi" and "retracted publication[pt]" in query["term"]:
            listed = [i for i in Service.retracted if f"{i}[uid]" in query["term"]]
            self._send(200, json.dumps({"esearchresult": {"count": str(len(listed)), "idlist": listed}}))
        elif path == "/esearch.fcgi":
            self._send(
                200,
                json.dumps({"esearchresult": {"count": "3", "idlist": ["101", "102", "103"][: int(query["retmax"])]}}),
            )
        elif path == "/efetch.fcgi":
            wanted = [RECORDS[i] for i in query["id"].split(",") if i in RECORDS]
            self._send(200, "\n" + "\n".join(wanted), {"Content-Type": "text/plain"})
        else:
            self._send(500, "no")

    def _send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Service.asked, Service.failures, Service.retracted = [], [], ["102"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def split(source: str, /, **params: object) -> tuple[list[Document], list[Problem]]:
    found = list(sources.make(source, **params).documents())
    return [f for f in found if isinstance(f, Document)], [f for f in found if isinstance(f, Problem)]


def test_openfda_pages_through_all_labels(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFDA_API_KEY", "k")
    Service.failures = [503, 429]
    source = sources.make("openfda", search='openfda.generic_name:"warfarin"', base_url=url)
    found = list(source.documents())
    documents = [f for f in found if isinstance(f, Document)]
    assert len(documents) == 300
    assert len(found) == 301, "the label that names no drug is told"
    assert documents[0].title == "Coumadin (WARFARIN SODIUM): boxed warning"
    assert documents[0].citation.startswith(
        "FDA label, Coumadin (WARFARIN SODIUM): boxed warning, BMS, effective 2024-01-15"
    )
    assert source.version == "2026-10-01:151:1000"
    assert source.aliases() == {"WARFARIN SODIUM": ["Coumadin"]}  # type: ignore[attr-defined]
    assert all(query["api_key"] == "k" for _, query in Service.asked)


def test_services_that_find_more_than_is_taken_say_so(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracejury.retrieval.sources.openfda._DEFAULT", 100)
    documents, problems = split("openfda", search="x", base_url=url)
    assert len(documents) == 200
    assert "151 labels match 'x'; the newest 100 are taken" in str(problems[0])
    assert "--set limit=151" in str(problems[0])
    _, problems = split("openfda", search="x", base_url=url, limit=100)
    assert not problems, "who says how many is not told that there are more"

    params = {"query": "x", "email": "a@b", "base_url": url, "cache": str(tmp_path)}
    monkeypatch.setattr("tracejury.retrieval.sources.pubmed._DEFAULT", 2)
    _, problems = split("pubmed", **params)
    assert "3 abstracts match 'x'; the newest 2 are taken" in str(problems[0])
    assert len(split("pubmed", **params, limit=1)[0]) == 1
    with pytest.raises(ValueError, match="up to 9,999 PMIDs"):
        sources.make("pubmed", **params, limit=20_000)


def test_openfda_that_finds_nothing_or_is_away(url: str) -> None:
    documents, problems = split("openfda", search="nosuch", base_url=url)
    assert not documents
    assert "no label for 'nosuch'" in problems[0].reason
    Service.failures = [400]
    with pytest.raises(OSError, match=r"answered 400 .* check the query"):
        split("openfda", search="x", base_url=url)
    with pytest.raises(ValueError, match="narrow the search"):
        sources.make("openfda", search="x", limit=30_000)


def test_pubmed_by_query_with_a_cache(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entrez, "sleep_between_tries", 0)
    Service.failures = [502]
    params = {"query": "aspirin stroke", "email": "a@example.org", "base_url": url, "cache": str(tmp_path)}
    documents, problems = split("pubmed", **params)
    assert [(d.key, d.text) for d in documents] == [
        ("101", "Aspirin lowered recurrence by a fifth."),
        ("102", "It was not so."),
    ]
    assert documents[0].citation == "Roe J et al. Aspirin after stroke. Lancet 2019 Mar. PMID 101. doi:10.1000/x"
    assert documents[1].superseded_by == "retracted: Lancet. 2012;1:1. PMID: 9"
    assert "no abstract" in problems[0].reason
    assert {query["email"] for _, query in Service.asked} == {"a@example.org"}
    before = sum(path == "/efetch.fcgi" for path, _ in Service.asked)
    again, _ = split("pubmed", **params)
    assert again == documents
    assert sum(path == "/efetch.fcgi" for path, _ in Service.asked) == before, "what is cached is not fetched again"


def test_pubmed_by_pmid(url: str, tmp_path: Path) -> None:
    listed = tmp_path / "pmids.txt"
    listed.write_text("101\n999\n")
    params = {"pmids": str(listed), "email": "a@example.org", "base_url": url, "cache": str(tmp_path / "c")}
    documents, problems = split("pubmed", **params)
    assert [d.key for d in documents] == ["101"]
    assert "no such record" in problems[0].reason
    # As the command line reads `--set pmids=101`.
    assert [d.key for d in split("pubmed", **params | {"pmids": 101})[0]] == ["101"]
    searches = [query["term"] for path, query in Service.asked if path == "/esearch.fcgi"]
    assert all(term.startswith("retracted publication[pt]") for term in searches), "nothing else is searched for"


def test_a_retraction_reaches_an_abstract_in_the_cache(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entrez, "sleep_between_tries", 0)
    params = {"pmids": "101 102", "email": "a@example.org", "base_url": url, "cache": str(tmp_path / "c")}
    before = sources.make("pubmed", **params)
    version = before.version
    assert [d.superseded_by is None for d in before.documents() if isinstance(d, Document)] == [True, False]
    assert sources.make("pubmed", **params).version == version, "nothing has changed"
    Service.retracted = ["101", "102"]
    after = sources.make("pubmed", **params)
    assert after.version != version, "a build takes it over"
    assert [d.superseded_by for d in after.documents() if isinstance(d, Document)] == [
        "retracted",
        "retracted: Lancet. 2012;1:1. PMID: 9",
    ]
    offline = params | {"base_url": "http://127.0.0.1:9"}
    documents, problems = split("pubmed", **offline)
    assert [d.key for d in documents] == ["101", "102"], "what is cached stays usable"
    assert "retractions" in problems[0].reason


@pytest.mark.parametrize(
    ("params", "told"),
    [({"query": "x"}, "contact address"), ({"email": "a@b"}, "a query or pmids"),
     ({"pmids": ["12a"], "email": "a@b"}, "not a PMID")],
)  # fmt: skip
def test_pubmed_says_what_is_missing(params: dict[str, object], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NCBI_EMAIL", raising=False)
    with pytest.raises(ValueError, match=told):
        sources.make("pubmed", **params)


def test_the_network_guard_holds_sources_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entrez, "sleep_between_tries", 0)
    close_network()
    try:
        with pytest.raises(OSError, match=r"203\.0\.113\.1"):
            split("openfda", search="x", base_url="http://203.0.113.1")
        with pytest.raises(OSError, match=r"203\.0\.113\.1"):
            split("pubmed", pmids=["1"], email="a@b", base_url="http://203.0.113.1", cache=str(tmp_path))
    finally:
        open_network()
