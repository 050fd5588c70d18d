"""The viewer over HTTP: what pages say, who may see them, and that no text of a trace becomes a page's own."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
from hostile import BIDI, LONG, NASTY, SCRIPT, hostile_run
from made_ledger import demo_pairs, make_run

pytest.importorskip("fastapi", reason="the viewer needs the extra `viewer`")

from starlette.testclient import TestClient
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.console.neutral import neutral
from tracejury.console.viewer import create_app, publish
from tracejury.console.viewer.links import safe_url
from tracejury.ledger import Browsing, Ledger, Reviews, Run, TraceFilter, spending_by_purpose
from tracejury.reports import ArmKey, Key, Settings, compare, gather, read_returned, tallied_columns

LOCAL = "http://127.0.0.1"


@pytest.fixture(scope="module")
def run(ledger: Ledger) -> Run:
    return ledger.run("made")


@pytest.fixture
def client(ledger: Ledger) -> TestClient:
    return TestClient(create_app(ledger), base_url=LOCAL)


def settled(client: TestClient, address: str) -> str:
    """Return a page, unescaped, once its figures have been computed; it shows itself before."""
    while 'class="note coming"' in (page := client.get(address).text):
        time.sleep(0.05)
    return html.unescape(page)


def test_every_page_answers_and_names_what_it_shows(client: TestClient, ledger: Ledger, run: Run) -> None:
    line = Browsing(ledger).traces(run, TraceFilter(resolver=True)).lines[0]
    trace = f"/runs/made/traces/{line.trace_id}"
    expected = {
        "/": "made",
        "/runs/made": "right answer and flawed reasoning",
        f"/runs/{run.id[:6]}": "made",
        "/runs/made/traces": line.question_key,
        trace: line.stem[:40],
        f"{trace}/steps/1": "Route taken",
        "/runs/made/judges": "atlas-70b",
        "/runs/made/judges/disagreements?a=facts&b=safety": "facts and safety differ",
        "/runs/made/sources": "KDIGO 2024",
        "/runs/made/sources/vignette": "Verdicts that rest on it",
        "/runs/made/review": "Expert review",
        "/runs/made/review/KB": "Is this step correct?",
    }
    for path, words in expected.items():
        reply = client.get(path)
        assert reply.status_code == 200, path
        assert html.escape(words, quote=True).replace("&#x27;", "&#39;") in reply.text, path
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert "<script>" not in reply.text
        assert " style=" not in reply.text, "the policy allows no inline style"


def test_the_run_page_counts_what_the_rows_hold(client: TestClient, ledger: Ledger, run: Run) -> None:
    rows = list(ledger.rows(run))
    page = client.get("/runs/made").text
    for outcome in ("supported", "error", "abstained", "failed"):
        count = sum(r.outcome == outcome and r.claim for r in rows)
        assert re.search(rf'class="figure {outcome}"[^>]*><span class="value">{count}</span>', page), outcome
    flawed = {r.trace_id for r in rows if r.answer_correct and r.outcome == "error"}
    assert f"<b>{len(flawed)}</b> traces with the right answer" in page


def test_two_clicks_lead_from_the_front_page_to_why_a_step_is_wrong(client: TestClient) -> None:
    front = settled(client, "/runs/made")
    assert "turned right while errors were added" in front
    flipped = re.search(r'<a class="row" href="(/runs/made/traces/t_\w+\?beside=t_\w+)"', front)
    assert flipped is not None
    both = client.get(flipped[1]).text
    assert both.count('<li class="pair') > 2
    step = re.search(r'<a class="step row error"[^>]*href="([^"]+/steps/\d+)"', both)
    assert step is not None
    why = client.get(step[1]).text
    assert "votestrip" in why
    assert "Claims, and what stands for or against them" in why


def test_the_filter_is_kept_on_the_way(client: TestClient) -> None:
    listed = client.get("/runs/made/traces?outcome=error&sort=errors").text
    trace = re.search(r'<a class="row" href="([^"]+)"', listed)
    assert trace is not None
    page = html.unescape(client.get(html.unescape(trace[1])).text)
    assert '<a rel="up" href="/runs/made/traces?outcome=error&sort=errors">' in page
    for key in ("j", "k"):
        for target in re.findall(rf'data-key="{key}" href="([^"]+)"', page):
            assert "outcome=error" in target
            opened = html.unescape(client.get(target).text)
            assert '<header class="verdict error">' in opened, "the keys lead from error to error"


def test_the_front_page_says_what_compare_says(client: TestClient, ledger: Ledger, run: Run) -> None:
    said = CliRunner().invoke(app, ["compare", "made", "--store", ledger.url], env={"COLUMNS": "10000"})
    sentence = next(line for line in said.output.splitlines() if line.startswith(("answers ", "not enough")))
    for address in ("/runs/made", "/compare?a=made:base&b=made:distilled"):
        assert sentence.strip() in settled(client, address)
    columns, verdicts = gather(ledger.rows(run)), Browsing(ledger).verdicts(run)
    settings, arms = Settings(min_questions=5), (ArmKey("made", "base"), [ArmKey("made", "distilled")])
    by_rows, by_counts = (
        compare(columns, *arms, settings),
        compare(tallied_columns({"made": verdicts}), *arms, settings),
    )
    assert by_rows[0].sentence == by_counts[0].sentence
    assert by_rows[0].majority.coverage == by_counts[0].majority.coverage
    assert by_rows[0].majority.steps
    assert by_counts[0].majority.steps
    assert by_rows[0].majority.steps.difference.value == pytest.approx(by_counts[0].majority.steps.difference.value)


def test_the_filter_of_steps_is_kept_and_the_keys_follow_it(client: TestClient) -> None:
    listed = html.unescape(client.get("/runs/made/steps?outcome=error&judge=facts&label=supported").text)
    steps = re.findall(r'<a class="row" href="(/runs/made/traces/[^"]+list=steps[^"]*)"', listed)
    assert "facts saying supported" in listed
    assert len(steps) > 2
    page, walked = html.unescape(client.get(steps[0]).text), [steps[0]]
    while forward := re.search(r'data-key="j" href="([^"]+)"', page):
        walked.append(forward[1])
        page = html.unescape(client.get(forward[1]).text)
        assert '<header class="verdict error">' in page
    assert [unquote(w).split("?")[0] for w in walked] == [s.split("?")[0] for s in steps]
    up = re.search(r'<a rel="up" href="([^"]+)"', page)
    assert up is not None
    assert set(up[1].split("?")[1].split("&")) == {"outcome=error", "judge=facts", "label=supported"}


def test_words_are_searched_in_every_run(client: TestClient) -> None:
    found = html.unescape(client.get("/steps?words=potassium&outcome=error").text)
    hits = re.search(r'<a href="/runs/made/steps\?words=potassium&outcome=error">made: (\d+) steps?</a>', found)
    assert hits is not None
    assert f"<b>{hits[1]}</b> step" in client.get("/runs/made/steps?words=potassium&outcome=error").text
    assert "No step of the" in client.get("/steps?words=nosuchword").text


def test_a_note_is_saved_shown_and_on_the_card(ledger: Ledger, client: TestClient, run: Run) -> None:
    step = f"/runs/made/traces/{Browsing(ledger).traces(run, TraceFilter(outcome='error')).lines[0].trace_id}/steps/1"
    saved = client.post(f"{step}/note?list=steps&outcome=error", data={"text": SCRIPT}, follow_redirects=False)
    assert saved.headers["location"] == f"{step}?list=steps&outcome=error", "the filter is kept"
    assert html.escape(SCRIPT) in client.get(step).text
    assert html.escape(SCRIPT)[:20] in client.get("/runs/made").text
    assert SCRIPT not in client.get(f"{step}/card.html").text
    assert "### Note" in client.get(f"{step}/card.md").text
    client.post(f"{step}/note", data={"text": ""})
    assert "### Note" not in client.get(f"{step}/card.md").text
    refused = client.post(f"{step}/note", data={"text": "x"}, headers={"origin": "http://elsewhere.example"})
    assert refused.status_code == 403


def test_calls_in_time_and_cost_by_judge(client: TestClient, ledger: Ledger, run: Run) -> None:
    line = Browsing(ledger).traces(run, TraceFilter(sort="cost")).lines[0]
    page = client.get(f"/runs/made/traces/{line.trace_id}/timeline").text
    assert page.count('<rect class="call lane-c') == sum(
        not call.from_cache for d in ledger.deliberations(run, line.trace_id) for call in d.calls
    )
    assert "judge:facts" in page
    judges = client.get("/runs/made/judges").text
    paid = sum(s.cost_usd for s in spending_by_purpose(ledger, run))
    assert paid == pytest.approx(Browsing(ledger).progress(run).cost_usd)
    assert judges.count('<th scope="row">judge:') >= 3


def test_traces_of_different_questions_are_not_put_side_by_side(client: TestClient, ledger: Ledger, run: Run) -> None:
    lines = Browsing(ledger).traces(run, TraceFilter()).lines
    other = next(line for line in lines if line.question_id != lines[0].question_id)
    assert client.get(f"/runs/made/traces/{lines[0].trace_id}?beside={other.trace_id}").status_code == 404


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_card_is_whole_and_asks_for_nothing(client: TestClient, ledger: Ledger, run: Run, form: str) -> None:
    line = Browsing(ledger).traces(run, TraceFilter(outcome="error")).lines[0]
    reply = client.get(f"/runs/made/traces/{line.trace_id}/steps/1/card.{form}")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert run.id in reply.text
    assert re.search(r"sha256 .*\b[0-9a-f]{64}\b", reply.text)
    assert not re.search(r"<script|<link|<img|src=|@import", reply.text)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/nowhere", "no page"),
        ("/runs/nix", "no run called"),
        ("/runs/made/traces/t_0", "No such trace"),
        ("/runs/made/sources/p_0", "carried no verdict"),
    ],
)
def test_what_is_not_there_is_said(client: TestClient, address: str, message: str) -> None:
    reply = client.get(address)
    assert reply.status_code == 404
    assert message in html.unescape(reply.text)


def test_a_filter_that_does_not_exist_is_refused_by_name(client: TestClient) -> None:
    reply = client.get("/runs/made/traces?outcome=maybe")
    assert reply.status_code == 400
    assert "outcome" in reply.text


def test_names_that_are_not_ours_are_turned_away(ledger: Ledger) -> None:
    app = create_app(ledger)
    assert TestClient(app, base_url="http://evil.example").get("/").status_code == 421
    assert TestClient(app, base_url="http://localhost:7860").get("/").status_code == 200
    named = create_app(ledger, allowed=frozenset({"audit.lan"}))
    assert TestClient(named, base_url="http://audit.lan").get("/").status_code == 200


def test_beyond_loopback_everything_needs_the_token(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="needs a token"):
        create_app(ledger, host="0.0.0.0")
    app = create_app(ledger, host="0.0.0.0", token="secret-token")
    client = TestClient(app, base_url="http://192.0.2.7:7860")
    for path in ("/", "/static/viewer.css", "/runs/made"):
        assert client.get(path).status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    first = client.get("/runs/made?token=secret-token", follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/runs/made"
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "strict" in first.headers["set-cookie"].lower()
    assert client.get("/runs/made").status_code == 200
    assert TestClient(app, base_url="http://rebound.example").get("/?token=secret-token").status_code == 421


def test_another_site_cannot_write_a_review(client: TestClient, ledger: Ledger, run: Run) -> None:
    answer = {"step": client.get("/runs/made/returned").json()["items"][0]["step_id"], "label": "error"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert client.post("/runs/made/review/eve", data=answer, headers=headers).status_code == 403
    assert Reviews(ledger).of(run, "eve") == []


def test_reviews_are_blinded_saved_resumed_and_imported(
    client: TestClient, ledger: Ledger, run: Run, tmp_path: Path
) -> None:
    key = Key.model_validate(client.get("/runs/made/returned").json())
    arms = {item.arm for item in key.items}
    for at in (0, 1, 2):
        page = client.get(f"/runs/made/review/Anna?at={at}").text
        form = page[page.index("reviewing") :]
        assert not any(f">{arm}<" in form or "demo-8b" in form for arm in arms)
        assert "opinion" not in form.lower()
        step = re.search(r'name="step" value="(s_\w+)"', page)
        assert step is not None
        assert step[1] == key.items[at].step_id
        answer = {"step": step[1], "label": "error", "error_type": "factual", "note": f"note {at}"}
        assert client.post(f"/runs/made/review/Anna?at={at}", data=answer, follow_redirects=False).status_code == 303
    assert "4 of" in client.get("/runs/made/review/Anna").text
    assert "3 of" in client.get("/runs/made/review").text
    assert client.post("/runs/made/review/Anna", data={"step": "s_other", "label": "error"}).status_code == 404
    # What `tracejury review import` reads is what was said.
    sheet = tmp_path / "anna.json"
    sheet.write_bytes(client.get("/runs/made/returned/Anna").content)
    judged, _ = read_returned([sheet], key)
    mine = [j for j in judged if "note" in j.model_dump_json()]
    assert len(mine) == 3


def test_the_door_for_reviewers_shows_the_review_and_nothing_else(ledger: Ledger, run: Run) -> None:
    client = TestClient(create_app(ledger, review=run), base_url=LOCAL)
    begin = client.get("/")
    assert begin.url.path == f"/runs/{run.id}/review"
    page = client.get(f"/runs/{run.id}/review/Ben").text
    assert "Is this step correct?" in page
    for text in (begin.text, page):
        assert "made" not in re.sub(r"<[^>]+>", " ", text).split()
        assert "returned" not in text
    line = Browsing(ledger).traces(run, TraceFilter()).lines[0]
    for path in ("", "/traces", f"/traces/{line.trace_id}", "/judges", "/sources", "/returned", "/returned/Ben"):
        assert client.get(f"/runs/{run.id}{path}").status_code == 404, path
    assert client.get("/runs/made/review").status_code == 404, "not by its name either"


def test_a_run_that_goes_on_shows_its_progress_and_no_review(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/live.db")
    make_run(ledger, demo_pairs()[:4], finish=False)
    client = TestClient(create_app(ledger), base_url=LOCAL)
    page = client.get("/runs/made").text
    assert 'data-live="4"' in page
    assert "<progress" in page
    assert "4 of 4 traces done" in page
    assert client.get("/runs/made/review").status_code == 404
    make_run(ledger, demo_pairs()[:6], finish=False)
    until = time.monotonic() + 30  # the page holds an answer in proportion to what it cost
    while "6 of 6 traces done" not in client.get("/runs/made").text:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Run]:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/ledger.db")
    return ledger, hostile_run(ledger)


def test_hostile_texts_stay_texts_on_every_page(poisoned: tuple[Ledger, Run], tmp_path: Path) -> None:
    ledger, run = poisoned
    out = tmp_path / "site"
    assert publish(ledger, run, out) > 20
    pages = [p.read_text(encoding="utf-8") for p in out.rglob("*.html")]
    assert any(html.escape(SCRIPT) in page for page in pages), "the text itself is shown"
    assert any(LONG in page for page in pages), "whole, however long"
    for page in pages:
        assert SCRIPT not in page
        assert not re.search(r"<(img|style|svg onload|b>base)", page)
        assert not re.search(r'(href|src|action)="\s*javascript:', page)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200f\x00-\x08\x0e-\x1f]", page)
        assert page.count("<script") == 1
    assert not any(BIDI in p or NASTY in p for p in pages)
    client = TestClient(create_app(ledger), base_url=LOCAL)
    line = Browsing(ledger).traces(run, TraceFilter()).lines[0]
    for number in range(1, line.steps + 1):
        for form in ("html", "md"):
            card = client.get(f"/runs/{run.id}/traces/{line.trace_id}/steps/{number}/card.{form}").text
            assert SCRIPT not in card
            assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f]", card)


def test_the_site_on_disk_is_whole(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/few.db")
    run = make_run(ledger, demo_pairs()[:6])
    count = publish(ledger, run, tmp_path)
    assert count == len(list(tmp_path.rglob("*.html")))
    for page in tmp_path.rglob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"]*)"', page.read_text(encoding="utf-8")):
            address = html.unescape(address)
            if address.startswith(("http", "#")) or not address:
                continue
            assert (page.parent / unquote(address.split("#")[0])).resolve().is_file(), (page, address)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.ncbi.nlm.nih.gov/x?y=1", "https://www.ncbi.nlm.nih.gov/x?y=1"),
        ("10.1161/STR.0000000000000211", "https://doi.org/10.1161/STR.0000000000000211"),
        ("doi:10.1056/NEJMoa1", "https://doi.org/10.1056/NEJMoa1"),
        ("PMID: 123456", "https://pubmed.ncbi.nlm.nih.gov/123456/"),
        ("javascript:alert(1)", None),
        (" JaVaScRiPt:alert(1)", None),
        ("java\tscript:alert(1)", None),
        ("data:text/html,<script>", None),
        ("//evil.example", None),
        ("https://user:pw@evil.example", None),
        ("https://evil.example/\u202egpj.exe", None),
        ("http://[", None),
        ("", None),
        (None, None),
    ],
)
def test_only_http_doi_and_pmid_become_links(url: str | None, link: str | None) -> None:
    assert safe_url(url) == link


def test_what_steers_is_spelt_out_and_languages_are_left_alone() -> None:
    assert neutral("a\u202eb\x1b[0m\ud800") == "a[U+202E]b[U+001B][0m[U+D800]"
    for text in ("جرعة 5 ملغ", "дозировка", "5 µg ≥ 3 \u200d", "tab\tand\nline"):
        assert neutral(text) == text
