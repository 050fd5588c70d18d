"""The printed report: headline and tables within three pages, the deliberations in an appendix, marks kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_ledger import demo_pairs, make_run
from typer.testing import CliRunner
from viewer_at_work import chromium

from tracejury.console.app import app
from tracejury.ledger import Ledger

pypdf = pytest.importorskip("pypdf", reason="pages are counted by pypdf")


@pytest.mark.browser
def test_headline_and_tables_take_three_pages_and_deliberations_follow(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    make_run(ledger, demo_pairs())
    out = tmp_path / "report.html"
    call = ["report", "made", "--store", ledger.url, "--draws", "200", "--out", str(out)]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 0, result.output
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"file://{out}")
        page.emulate_media(media="print")
        # What sticks out of a page of A4 (186 mm between the margins) would be cut.
        page.set_viewport_size({"width": 703, "height": 1000})
        sticking_out = (
            "[...document.querySelectorAll('th, td, p, svg')].filter(e => e.getBoundingClientRect().right > 704)"
        )
        assert page.evaluate(f"{sticking_out}.map(e => e.outerHTML.slice(0, 200))") == []
        outlined = "getComputedStyle(document.querySelector('#cases .opinion q:not(.unverified)')).outlineStyle"
        assert page.evaluate(outlined) == "solid", "marks do not hang on the background alone"
        page.pdf(path=tmp_path / "report.pdf", format="A4", prefer_css_page_size=True)
    texts = [sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "report.pdf").pages]
    appendix = next(i for i, text in enumerate(texts) if "Appendix: deliberations" in text)
    assert appendix == 3
    assert texts[appendix].lstrip().startswith("Appendix")
    before = " ".join(texts[:appendix])
    for heading in ("What this cannot say", "By arm", "Before and after", "Does it stand?", "Agreement of judges"):
        assert heading in before
