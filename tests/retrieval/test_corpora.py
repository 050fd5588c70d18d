"""The field's corpora by name: each family's shape, what is left out, and how an address is fetched."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tracejury.retrieval import Document, announcement, sources
from tracejury.traces import Problem

ARTICLE = """<article article-type="research-article"><front>
<journal-meta><journal-title-group><journal-title>Joints</journal-title></journal-title-group></journal-meta>
<article-meta><article-id pub-id-type="pmc">PMC77</article-id><article-id pub-id-type="doi">10.1/x</article-id>
<title-group><article-title>Gout in <italic>adults</italic></article-title></title-group>
<pub-date><day>3</day><month>4</month><year>2021</year></pub-date>
<permissions><license><license-p>CC BY 4.0</license-p></license></permissions>
<abstract><sec><title>Results</title><p>Colchicine helped.</p></sec></abstract></article-meta></front>
<body><sec><title>Methods</title><p>We treated <bold>40</bold> adults<xref>1</xref>.</p>
<sec><title>Dose</title><p>0.6 mg twice daily.</p></sec>
<table-wrap><table><tr><td>Day</td><td>Dose</td></tr></table></table-wrap></sec>
<sec><title>References</title><p>Smith 2020.</p></sec></body></article>"""
CHAPTER = """<?xml version="1.0"?><!DOCTYPE book-part-wrapper PUBLIC "-//NLM//DTD BITS//EN" "x.dtd">
<book-part-wrapper><book-part id="article-1"><book-part-meta><title-group><title>Gout</title></title-group>
<pub-history/></book-part-meta><body><sec><title>Continuing Education Activity</title><p>Learn.</p></sec>
<sec><title>Etiology</title><p>Urate crystals.</p><sec><title>Risk</title><p>Thiazides raise urate.</p></sec></sec>
</body></book-part></book-part-wrapper>"""
MODULE = """<document xmlns="http://cnx.rice.edu/cnxml"><title>Bones</title>
<metadata xmlns:md="http://cnx.rice.edu/mdml"><md:content-id>m1</md:content-id><md:title>Bones</md:title></metadata>
<content><figure><media alt="no text"/><caption>A femur.</caption></figure>
<para>Bone stores calcium (see <link target-id="f"/> and <link target-id="g"/>).<footnote>S. R.</footnote></para>
<section><title>Growth</title><para>Plates <emphasis>close</emphasis> after puberty.</para></section>
<section class="multiple-choice"><title>Quiz</title><para>Which bone?</para></section></content>
<glossary><definition><term>diaphysis</term><meaning>the shaft</meaning></definition></glossary></document>"""
ABSTRACTS = """<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">5</PMID><Article>
<Journal><JournalIssue><PubDate><Year>2018</Year><Month>05</Month></PubDate></JournalIssue>
<ISOAbbreviation>N Engl J Med</ISOAbbreviation></Journal><ArticleTitle>Asthma.</ArticleTitle>
<ELocationID EIdType="doi">10.1056/a</ELocationID><Abstract><AbstractText Label="RESULTS">The fast \u03b2
 <sub>2</sub>-agonist failed.</AbstractText></Abstract>
<AuthorList><Author><LastName>A</LastName></Author><Author><LastName>B</LastName></Author></AuthorList></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>NEJM 2020</RefSource>
</CommentsCorrections></CommentsCorrectionsList></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>6</PMID><Article><ArticleTitle>No abstract.</ArticleTitle></Article>
</MedlineCitation></PubmedArticle></PubmedArticleSet>"""
LABEL = """<document xmlns="urn:hl7-org:v3"><setId root="s-1"/><effectiveTime value="20240115"/>
<author><assignedEntity><representedOrganization><name>Maker</name></representedOrganization></assignedEntity></author>
<component><structuredBody><component><section><code code="48780-1"/><subject><manufacturedProduct>
<manufacturedProduct><name>Jantoven<suffix>5</suffix></name><asEntityWithGeneric><genericMedicine>
<name>warfarin</name></genericMedicine></asEntityWithGeneric></manufacturedProduct></manufacturedProduct></subject></section></component>
<component><section><code code="34070-3"/><title>4 CONTRAINDICATIONS</title><text>
<list><item>Pregnancy</item></list></text><component><section><title>4.1 Bleeding</title>
<text><paragraph>Active bleeding.</paragraph></text></section></component>
</section></component></structuredBody></component></document>"""
CHUNK = json.dumps({"id": "T_1", "title": "Anatomy", "content": "The femur is long.", "contents": "Anatomy. The femur"})


def documents(name: str, path: Path | str, **params: Any) -> list[Document | Problem]:
    return list(sources.make(name, path=str(path), **params).documents())


def read(name: str, path: Path) -> dict[str, str]:
    read_documents = documents(name, path)
    assert not [d for d in read_documents if isinstance(d, Problem)]
    return {d.title: d.text for d in read_documents if isinstance(d, Document)}


def test_an_article_of_pmc_is_read_by_section_without_its_references(tmp_path: Path) -> None:
    (tmp_path / "a.nxml").write_text(ARTICLE)
    assert read("pmc", tmp_path) == {
        "Gout in adults: Abstract: Results": "Colchicine helped.",
        "Gout in adults: Methods": "We treated 40 adults.\nDay | Dose",
        "Gout in adults: Methods: Dose": "0.6 mg twice daily.",
    }
    (first, *_) = documents("pmc", tmp_path)
    assert isinstance(first, Document)
    assert first.citation == "Gout in adults. Joints 2021-04-03. PMC77. doi:10.1/x"
    assert (first.license, first.date, first.superseded_by) == ("CC BY 4.0", "2021-04-03", None)


@pytest.mark.parametrize(
    ("published", "text"),
    [
        ("platelets 150 x 10<sup>9</sup>/L, Ca<sup>2+</sup>, kg m<sup>\u22122</sup>, 1<sup>st</sup>",
         "platelets 150 x 10\u2079/L, Ca\u00b2\u207a, kg m\u207b\u00b2, 1st"),
        ("a risk<sup><xref ref-type='bibr'>3</xref>,<xref ref-type='bibr'>4</xref></sup>.", "a risk."),
        ("as known [<xref ref-type='bibr'>3</xref>]-[<xref ref-type='bibr'>5</xref>]; so", "as known; so"),
        ("a fall (<xref ref-type='bibr'>3</xref>; <xref ref-type='bibr'>4</xref>) in (\u2212)", "a fall in (\u2212)"),
        ("<xref ref-type='table'>Table 2</xref> (<xref ref-type='bibr'>Low, 2001</xref>)", "Table 2 (Low, 2001)"),
        ("<mml:math><mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac><mml:annotation>over</mml:annotation>"
         "</mml:math> <tex-math>\\documentclass{x}</tex-math>dose", "1/2 dose"),
        ("one<break/>two", "one\ntwo"),
        ("level of &lambda; &lt; 2 &amp; &beta;<sub>2</sub>", "level of \u03bb < 2 & \u03b22"),
    ],
)  # fmt: skip
def test_marks_of_real_articles_stay_what_they_mean(tmp_path: Path, published: str, text: str) -> None:
    article = ARTICLE.replace("<article ", '<article xmlns:mml="m" ').replace("0.6 mg twice daily.", published)
    (tmp_path / "a.nxml").write_text(article)
    assert read("pmc", tmp_path)["Gout in adults: Methods: Dose"] == text


def test_a_retracted_article_is_marked(tmp_path: Path) -> None:
    related = '<related-article related-article-type="retraction-forward"/></article-meta>'
    (tmp_path / "a.xml").write_text(ARTICLE.replace("</article-meta>", related))
    assert {d.superseded_by for d in documents("pmc", tmp_path) if isinstance(d, Document)} == {"retracted"}


def test_statpearls_is_read_from_its_archive_by_section_with_headings(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "statpearls.tar.gz", "w:gz") as archive:
        for name, content in (("s/article-1.nxml", CHAPTER), ("s/broken.nxml", "<book-part"), ("s/fig.jpg", "x")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    found = documents("statpearls", tmp_path / "statpearls.tar.gz", edition="2026")
    assert [(d.title, d.text) for d in found if isinstance(d, Document)] == [
        ("Gout: Etiology", "Urate crystals."),
        ("Gout: Etiology: Risk", "Thiazides raise urate."),
    ]
    (problem,) = [d for d in found if isinstance(d, Problem)]
    assert "broken.nxml" in problem.file


def test_openstax_is_read_from_cnxml_without_exercises_and_still_from_json_lines(tmp_path: Path) -> None:
    (tmp_path / "m1").mkdir()
    (tmp_path / "m1" / "index.cnxml").write_text(MODULE)
    assert read("openstax", tmp_path) == {
        "Bones": "A femur.\nBone stores calcium.",
        "Bones: Growth": "Plates close after puberty.",
        "Bones: Glossary: diaphysis": "diaphysis: the shaft",
    }
    lines = tmp_path / "p.jsonl"
    lines.write_text(json.dumps({"text": "t", "module_title": "M", "section": "S", "book": "B", "book_url": "u"}))
    assert list(read("openstax", lines)) == ["M: S"]


def test_pubmed_baseline_gives_abstracts_and_marks_retractions(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "pubmed26n0001.xml.gz", "wt", encoding="utf-8") as file:
        file.write(ABSTRACTS)
    (abstract,) = documents("pubmed-baseline", tmp_path)
    assert isinstance(abstract, Document)
    assert abstract.text == "RESULTS: The fast \u03b2 2-agonist failed."
    assert abstract.citation == "A et al. Asthma. N Engl J Med 2018 05. PMID 5. doi:10.1056/a"
    assert (abstract.superseded_by, abstract.key) == ("retracted: NEJM 2020", "5")


def test_a_file_of_pubmed_that_breaks_off_gives_the_abstracts_before_it(tmp_path: Path) -> None:
    (tmp_path / "cut.xml").write_text(ABSTRACTS[: ABSTRACTS.index("<PMID>6")], "utf-8")
    (tmp_path / "other.xml").write_text("<html/>")
    abstract, broken, other = documents("pubmed-baseline", tmp_path)
    assert isinstance(abstract, Document)
    assert "not valid XML after 1 records" in str(broken)
    assert "holds no <PubmedArticle>" in str(other)


def test_elements_nested_without_end_cost_only_their_file(tmp_path: Path) -> None:
    deep = "<bold>" * 30_000 + "x" + "</bold>" * 30_000
    (tmp_path / "deep.nxml").write_text(ARTICLE.replace("0.6 mg twice daily.", deep))
    (tmp_path / "sound.nxml").write_text(ARTICLE)
    problem, *rest = documents("pmc", tmp_path)
    assert "nested over 200 deep" in str(problem)
    assert len(rest) == 3


def test_dailymed_reads_labels_in_zips_of_a_release(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as zipped:
        zipped.writestr("label.xml", LABEL)
    with zipfile.ZipFile(tmp_path / "release.zip", "w") as outer:
        outer.writestr("prescription/1.zip", inner.getvalue())
    assert read("dailymed", tmp_path / "release.zip") == {
        "Jantoven 5 (warfarin): 4 CONTRAINDICATIONS": "Pregnancy",
        "Jantoven 5 (warfarin): 4 CONTRAINDICATIONS: 4.1 Bleeding": "Active bleeding.",
    }


def test_medrag_reads_chunks_and_a_bad_line_costs_itself(tmp_path: Path) -> None:
    (tmp_path / "Anatomy.jsonl").write_text(f'{CHUNK}\n{{"id": 1}}\n[]\n')
    good, *bad = documents("medrag", tmp_path, edition="v1")
    assert isinstance(good, Document)
    assert (good.text, good.citation) == ("The femur is long.", "Anatomy, MedRAG v1, T_1")
    assert [b.line for b in bad if isinstance(b, Problem)] == [2, 3]


class RangeServer(BaseHTTPRequestHandler):
    """Serves `content`; cuts the first download off in the middle."""

    content = f"{CHUNK}\n".encode() * 1000
    ranges: list[str | None] = []  # noqa: RUF012

    def do_HEAD(self) -> None:
        self._head(200, len(self.content))

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self._head(206 if wanted else 200, len(self.content) - start)
        self.wfile.write(self.content[start : None if wanted else 20_000])

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), RangeServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/chunks.jsonl"
    server.shutdown()


def test_an_address_is_announced_and_a_broken_download_goes_on(address: str) -> None:
    source = sources.make("medrag", path=address, license="CC BY 4.0")
    said = "\n".join(announcement(source))
    for fact in (
        "MedRAG",
        "licence: CC BY 4.0",
        "dated Mon, 02 Nov 2026",
        "0.1 MB to fetch",
        "goes on",
        "shape untested",
    ):
        assert fact in said
    assert RangeServer.ranges == [], "nothing of the content was fetched"
    with pytest.raises(Exception, match=r"20000|IncompleteRead|the next try goes on"):
        list(source.documents())
    assert len(documents("medrag", address)) == 1000
    assert RangeServer.ranges == [None, "bytes=20000-"]
    assert len(documents("medrag", address)) == 1000, "from the cache"
    assert len(RangeServer.ranges) == 2
