"""Texts that run from right to left are laid out so on every page, whatever stands beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_ledger import make_run
from typer.testing import CliRunner
from viewer_at_work import serving

pytest.importorskip("fastapi", reason="the viewer needs the extra `viewer`")
pytest.importorskip("playwright", reason="the browser is driven by playwright")

from tracejury.console.app import app
from tracejury.ledger import Browsing, Ledger, TraceFilter
from tracejury.traces import Question, Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

STEM = "رجل عمره 54 عامًا وزنه 70 كغ وحرارته 38.5°C والبوتاسيوم 5.9 mEq/L. ما هو العلاج الأنسب؟"
OPTIONS = {"A": "كولشيسين", "B": "ألوبيورينول (allopurinol)"}
TEXTS = {
    "base": "المريض مصاب بالنقرس لأن السائل يحتوي على بلورات (urate).\n\nالبوتاسيوم 5.9 mEq/L أعلى من (3.5-5.0).",
    "طالب": "المريض مصاب بالتهاب إنتاني (septic arthritis).\n\nالألوبيورينول 300 mg/day العلاج الأول في النوبة!",
}
# A text whose first letter is of such a script must be laid out from right to left where it stands; sentences of ours
# that begin with an arm's name must not.
MISPLACED = r"""() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const misplaced = [];
  let seen = 0;
  for (let node; (node = texts.nextNode()); ) {
    const letter = node.data.match(/\p{L}/u);
    const element = node.parentElement;
    if (!letter || !/[\u0590-\u08ff]/.test(letter[0])) continue;
    if (element.closest("svg, option, title, style, .limits")) continue;
    seen += 1;
    // Words of one script alone stand right in any direction.
    if (!/[^\u0590-\u08ff\s]/.test(element.textContent)) continue;
    if (getComputedStyle(element).direction !== "rtl") misplaced.push(element.outerHTML.slice(0, 200));
  }
  return [seen, misplaced];
}"""


def test_every_page_lays_out_arabic_from_right_to_left(browser: Browser, tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/l.db")
    question = Question(stem=STEM, options=OPTIONS, gold="A")
    pairs = [
        (question, Trace(question_id=question.id, model="m", arm=arm, text=text, answer="A" if arm == "base" else "B"))
        for arm, text in TEXTS.items()
    ]
    make_run(ledger, pairs)
    run = ledger.run("made")
    ids = [line.trace_id for line in Browsing(ledger).traces(run, TraceFilter()).lines]
    report = ["report", "made", "--baseline", "base", "--out", str(tmp_path / "r.html")]
    sheet = ["review", "sample", "made", "--n", "2", "--out", str(tmp_path / "review")]
    for command in (report, sheet):
        result = CliRunner().invoke(app, [*command, "--store", ledger.url])
        assert result.exit_code == 0, result.output
    files = [tmp_path / "r.html", *(tmp_path / "review").glob("*.html")]
    misplaced: dict[str, str] = {}
    page = browser.new_page()
    with serving(ledger) as site:
        root = f"{site}/runs/made"
        paths = ["", "/traces", "/steps", "/review/KB", f"/traces/{ids[0]}?beside={ids[1]}"]
        paths += [f"/traces/{trace_id}/steps/1" for trace_id in ids]
        for address in [*(root + path for path in paths), *(file.as_uri() for file in files)]:
            page.goto(address)
            page.locator(".coming").wait_for(state="detached")
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            seen, wrong = page.evaluate(MISPLACED)
            assert seen, address
            misplaced |= dict.fromkeys(wrong, address)
    page.close()
    assert misplaced == {}
