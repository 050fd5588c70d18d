"""The viewer in a real browser: an auditor's way through a run, by mouse and by keyboard; nothing of a trace runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hostile import hostile_run
from made_ledger import demo_pairs, make_run
from viewer_at_work import axe_script, serving

pytest.importorskip("fastapi", reason="the viewer needs the extra `viewer`")
pytest.importorskip("playwright", reason="the browser is driven by playwright")

from playwright.sync_api import expect

from tracejury.console.viewer import publish
from tracejury.ledger import Browsing, Ledger, Reviews, TraceFilter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


class Watched:
    """A page, and everything that its console said."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.said: list[str] = []
        self.page.on("console", lambda m: self.said.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.said.append(f"error: {e}"))
        self.page.on("dialog", lambda d: self.said.append(f"dialog: {d.message}"))


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser, viewport={"width": 1440, "height": 900})
    yield watched
    watched.context.close()


def test_an_auditors_way_from_run_to_citation_and_review(
    watched: Watched, site: str, ledger: Ledger, tmp_path: Path
) -> None:
    page = watched.page
    page.goto(f"{site}/runs/made")
    page.get_by_role("link", name="Traces", exact=True).click()
    # A filter takes effect at once, and has an address of its own.
    page.get_by_label("Sort").select_option("errors")
    page.get_by_label("labels differ").check()
    page.wait_for_url("**disagreement=1**")
    page.wait_for_selector("text=with voting judges whose labels differ")
    page.get_by_label("Search").fill("magnesium")
    page.wait_for_url("**words=magnesium**")
    expect(page.locator("#results .row")).to_have_count(2)
    page.reload()
    assert page.get_by_label("Search").input_value() == "magnesium"
    page.locator("#results .row").first.click()
    page.locator(".question > summary").click()
    page.get_by_text("Show the right answer").click()
    assert page.locator(".gold[open]").inner_text().count("Gold: A") == 1
    page.locator(".step.error").first.click()
    # The deliberation on the right is fetched; the step is marked as the current one once it is there.
    expect(page.locator(".step.error").first).to_have_attribute("aria-current", "step")
    assert page.get_by_role("heading", name="Opinions").is_visible()
    quote = page.locator(".quote.grounds .from a").first
    target = quote.get_attribute("href") or ""
    quote.click()
    element = page.locator(f"[id='{target.removeprefix('#')}']")
    assert element.locator("mark.grounds").count() >= 1
    link = page.locator(".exhibit h3 a").first
    assert (link.get_attribute("href") or "").startswith("https://doi.org/10.")
    # Ten steps by keyboard alone.
    page.get_by_role("link", name="Review").click()
    page.get_by_label("Your name or initials").fill("KB")
    page.keyboard.press("Enter")
    for at, key in enumerate("sseacsesac"):
        expect(page.locator("form#review")).to_have_attribute("data-at", str(at))
        # The form stands in the page before the script that listens to keys has run.
        page.wait_for_load_state("load")
        page.keyboard.press(key)
        if page.locator("input[name=relation]").count():
            page.keyboard.press("o")
        if key == "e":
            expect(page.locator("#saved")).to_have_text("saved")
            with page.expect_response(lambda reply: reply.request.method == "POST"):
                page.locator("#error_type").select_option("factual")
            page.locator("#error_type").blur()
            page.keyboard.press("j")
    expect(page.locator("form#review")).to_have_attribute("data-at", "10")
    run = ledger.run("made")
    reviews = Reviews(ledger).of(run, "KB")
    assert len(reviews) == 10
    assert sorted(r.label or "" for r in reviews) == sorted(
        {"s": "supported", "e": "error", "a": "unclear", "c": "no claim"}[key] for key in "sseacsesac"
    )
    assert all(r.error_type == "factual" for r in reviews if r.label == "error")
    page.goto(f"{site}/runs/made/review/KB")
    assert page.locator("form#review").get_attribute("data-at") == "10", "it goes on where it was left"
    publish(ledger, ledger.run("made"), tmp_path)
    page.goto(f"file://{tmp_path}/index.html")
    page.get_by_text("steps that went to the resolver").click()
    page.locator("#results .row").first.click()
    page.locator(".step").first.click()
    assert page.get_by_role("heading", name="Route taken").is_visible()
    assert watched.said == []


def test_the_keyboard_reaches_everything(watched: Watched, site: str) -> None:
    page = watched.page
    page.goto(f"{site}/runs/made/traces")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces/t_*")
    page.locator(".ribbon .step").first.focus()
    focus = page.evaluate("(([s]) => s.outlineStyle)([getComputedStyle(document.activeElement)])")
    assert focus == "solid", "focus is visible"
    page.keyboard.press("Enter")
    page.wait_for_url("**/steps/1")
    page.keyboard.press("j")
    page.wait_for_url("**/steps/2")
    expect(page.locator(".ribbon [aria-current]")).to_contain_text("2")
    page.go_back()
    page.wait_for_url("**/steps/1")
    page.keyboard.press("u")
    page.wait_for_url("**/traces")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").is_visible()
    page.keyboard.press("Escape")
    assert watched.said == []


def _addresses(ledger: Ledger) -> list[str]:
    lines = Browsing(ledger).traces(ledger.run("made"), TraceFilter(resolver=True, sort="errors")).lines
    trace = f"/runs/made/traces/{lines[0].trace_id}"
    other = next(s.trace_id for s in Browsing(ledger).siblings(ledger.run("made"), lines[0].question_id)
                 if s.trace_id != lines[0].trace_id)  # fmt: skip
    pages = ["", "/traces?disagreement=1", "/judges", "/judges/disagreements", "/sources", "/sources/vignette"]
    pages += ["/review", "/review/axe"]
    pages += ["/steps?outcome=error&judge=facts", f"{trace.removeprefix('/runs/made')}/timeline"]
    comparison = "/compare?a=made:base&b=made:distilled"
    across = ["/", "/steps?words=potassium", comparison]
    return [*across, *(f"/runs/made{p}" for p in pages), trace, f"{trace}?beside={other}", f"{trace}/steps/1"]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_nothing_serious_and_no_page_is_too_wide(
    browser: Browser, site: str, ledger: Ledger, width: int, scheme: Any
) -> None:
    script = axe_script()
    watched = Watched(browser, viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")
    for address in _addresses(ledger):
        watched.page.goto(site + address)
        watched.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        watched.page.evaluate(f"() => {{ {script} }}")
        violations = watched.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        serious = [v for v in violations["violations"] if v["impact"] in ("serious", "critical")]
        assert not serious, (address, json.dumps([(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in serious]))
        wide = watched.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (address, wide)
        moving = watched.page.evaluate("document.getAnimations().length")
        assert moving == 0
    assert watched.said == []
    watched.context.close()


def test_at_twice_the_size_nothing_is_cut_off(browser: Browser, site: str, ledger: Ledger) -> None:
    # 200 % zoom of a 1280-pixel window is a window of 640 CSS pixels at twice the density.
    watched = Watched(browser, viewport={"width": 640, "height": 400}, device_scale_factor=2)
    for address in _addresses(ledger):
        watched.page.goto(site + address)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 640, address
    watched.context.close()


def test_without_javascript_everything_is_there(browser: Browser, site: str) -> None:
    watched = Watched(browser, java_script_enabled=False)
    page = watched.page
    page.goto(f"{site}/runs/made/traces")
    page.get_by_label("Outcome").select_option("error")
    page.get_by_label("right answer, flawed reasoning").check()
    page.get_by_role("button", name="Show").click()
    assert "outcome=error" in page.url
    page.locator("#results .row").first.click()
    page.locator(".step.error").first.click()
    assert page.get_by_role("heading", name="Evidence").is_visible()
    page.goto(f"{site}/runs/made/review/plain")
    page.get_by_label("Supported").check()
    page.get_by_role("button", name="Save and go on").click()
    assert "1 of" in page.locator(".progress").inner_text()
    watched.context.close()


def test_a_live_run_renews_itself(browser: Browser, tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/live.db")
    run = make_run(ledger, demo_pairs()[:3], finish=False)
    ledger.expect_traces(run.id, 30)
    with serving(ledger) as address:
        watched = Watched(browser)
        watched.page.goto(f"{address}/runs/made")
        box = watched.page.locator(".livebox")
        assert "3 of 30 traces done" in box.inner_text(), "the total is known from the beginning"
        assert re.search(r"about \d\d:\d\d:\d\d left", box.inner_text())
        assert re.search(r"\d+ calls · \$0\.\d+ · [\d,]+ tokens", box.inner_text())
        make_run(ledger, demo_pairs()[:5], finish=False)
        watched.page.wait_for_selector("text=5 of 30 traces done")
        assert watched.said == []
        watched.context.close()


def test_nothing_of_a_hostile_run_executes_and_the_layout_holds(browser: Browser, tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/hostile.db")
    run = hostile_run(ledger)
    lines = Browsing(ledger).traces(run, TraceFilter()).lines
    root = f"/runs/{run.id}"
    trace = f"{root}/traces/{lines[0].trace_id}"
    pages = ["/", root, f"{root}/traces", trace, f"{trace}?beside={lines[1].trace_id}", f"{root}/judges"]
    pages += [f"{root}/judges/disagreements", f"{root}/sources", f"{root}/sources/vignette", f"{root}/review/KB"]
    pages += [f"{root}/steps", f"{root}/steps?list=steps&judge=facts", "/steps?words=the", f"{trace}/timeline"]
    pages += [f"{trace}/steps/{i + 1}" for i in range(lines[0].steps)]
    with serving(ledger) as address:
        for width in (1440, 390):
            watched = Watched(browser, viewport={"width": width, "height": 844})
            for path in pages if width == 390 else pages[1:4] + pages[-2:]:
                reply = watched.page.goto(address + path)
                assert reply is not None
                assert reply.status == 200, path
                watched.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                assert watched.page.evaluate("window.owned") is None, path
                assert watched.page.evaluate("document.documentElement.scrollWidth") <= width, path
                outside = watched.page.evaluate(
                    "[...document.links].filter(a => !/^https?:/.test(a.href)).map(a => a.href)"
                )
                assert outside == [], path
                assert watched.page.locator("main").is_visible()
                assert watched.page.locator("img, style, main script").count() == 0
            assert watched.said == []
            watched.context.close()
