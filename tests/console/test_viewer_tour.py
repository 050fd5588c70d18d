"""One tour in a real browser: from the finding to the evidence and the card, and ten steps reviewed by keyboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from viewer_at_work import axe_script

pytest.importorskip("fastapi", reason="the viewer needs the extra `viewer`")
pytest.importorskip("playwright", reason="the browser is driven by playwright")

from playwright.sync_api import expect

from tracejury.ledger import Ledger, Notes, Reviews

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def clean(page: Page, script: str) -> None:
    """Check that axe finds nothing on the page as it stands, and that it does not scroll sideways."""
    page.evaluate(f"() => {{ {script} }}")
    violations = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not violations, (
        page.url,
        json.dumps([(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in violations]),
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url  # type: ignore[index]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_the_tour(browser: Browser, site: str, ledger: Ledger, tmp_path: Path, width: int, scheme: Any) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", accept_downloads=True
    )
    page, script = context.new_page(), axe_script()
    page.set_default_timeout(20_000)
    console: list[str] = []
    page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: console.append(f"error: {error}"))
    # The front page says the finding and draws it.
    page.goto(f"{site}/runs/made")
    expect(page.locator("h1.finding")).to_contain_text("answers +33.3 points")
    expect(page.locator(".picture")).to_have_count(2)
    clean(page, script)
    # First click: a question whose answer turned right while errors were added, both arms aligned.
    page.locator(".flipped .row").first.click()
    expect(page.locator(".heads header")).to_have_count(2)
    assert page.locator(".pairs .pair").count() >= 5
    clean(page, script)
    # A step on which the judges disagree: error by the verdict, supported by one of them.
    disputed = page.locator(".pairs .side:nth-of-type(2) a.step.error:has(.minivotes .supported)").first
    if not disputed.count():
        disputed = page.locator(".pairs .side:nth-of-type(2) a.step.error").last
    number = disputed.locator(".num").inner_text().split("step")[-1].split()[0]
    # Second click: why the jury called it wrong.
    disputed.click()
    expect(page.locator(".verdict.error .votestrip .vote")).to_have_count(4)
    expect(page.locator(".verdict .meta")).to_contain_text(f"Step {number} of")
    clean(page, script)
    # The evidence, the deciding sentence marked in it.
    quote = page.locator(".claims .quote.grounds .from a").first
    target = (quote.get_attribute("href") or "").removeprefix("#")
    quote.click()
    assert page.locator(f"[id='{target}'] mark.grounds").count() >= 1
    # A note by keyboard, and the card with it.
    page.keyboard.press("m")
    page.locator("#note").fill(f"seen at {width}")
    with page.expect_response(lambda reply: reply.request.method == "POST"):
        page.get_by_role("button", name="Save the note").click()
    expect(page.locator("#saved")).to_have_text("saved")
    page.locator("h1.steptext").click()
    with page.expect_download() as download:
        page.keyboard.press("c")
    card = tmp_path / "card.html"
    download.value.save_as(card)
    text = card.read_text(encoding="utf-8")
    assert f"seen at {width}" in text
    assert "grounds" in text
    assert [note.text for note in Notes(ledger).in_run(ledger.run("made"))].count(f"seen at {width}") == 1
    page.goto(f"{site}/runs/made")
    expect(page.locator("#notes + ul")).to_contain_text(f"seen at {width}")
    # Ten steps by keyboard, error types by number.
    expert = f"E{width}{scheme}"
    page.goto(f"{site}/runs/made/review/{expert}")
    for at, keys in enumerate(("s", "e1", "s", "a", "c", "e3", "e6", "s", "s", "a")):
        expect(page.locator("form#review")).to_have_attribute("data-at", str(at))
        page.wait_for_load_state("load")
        quoted = page.locator("input[name=relation]").count() > 0
        for key in keys + ("y" if quoted else ""):
            page.keyboard.press(key)
    expect(page.locator("form#review")).to_have_attribute("data-at", "10")
    clean(page, script)
    reviews = Reviews(ledger).of(ledger.run("made"), expert)
    assert len(reviews) == 10
    assert {r.relation for r in reviews} == {"supports"}, "asked where a sentence was cited"
    kinds = sorted(r.error_type.value for r in reviews if r.error_type)
    assert kinds == sorted(["unsafe_management", "factual", "unsupported_inference"])
    assert console == []
    context.close()
