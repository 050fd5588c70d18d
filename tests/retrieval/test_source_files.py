"""Sources that read files, each with what is wrong with files in the world."""

import gzip
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from docx import Document as Word
from pypdf import PdfWriter
from word_vectors import WordVectors

from tracejury.retrieval import Document, EmptySourceError, Index, sources
from tracejury.traces import Problem

BOMB = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><{root}>&b;</{root}>'


def split(source: str, /, **params: object) -> tuple[list[Document], list[Problem]]:
    found = list(sources.make(source, **params).documents())
    return [f for f in found if isinstance(f, Document)], [f for f in found if isinstance(f, Problem)]


def write_pdf(path: Path, pages: list[str]) -> None:
    """Write a small valid PDF by hand: pypdf reads, but does not write text."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for i, text in enumerate(pages):
        content = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 600 800] "
            f"/Contents {5 + 2 * i} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % o for o in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, xref)
    path.write_bytes(out)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "protocols"
    (folder / "ward").mkdir(parents=True)
    write_pdf(folder / "sepsis.pdf", ["Give antibiotics within one hour.", "Repeat lactate if it is above 2."])
    (folder / "ward" / "falls.md").write_text("# Falls\n\nAssess every patient on admission.")
    page = "<html><head><title>Pain</title><style>p{}</style></head><body><nav>Home</nav><h1>Pain ladder</h1>"
    (folder / "pain.html").write_text(
        page + "<p>Start with paracetamol &amp; rest.</p><script>alert(1)</script></body></html>"
    )
    (folder / "plain.txt").write_text("Wash hands before and after.", "utf-8")
    word = Word()
    word.add_paragraph("Insulin is given by syringe pump.")
    table = word.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Glucose 10", "Rate 2"
    word.save(str(folder / "insulin.docx"))
    return folder


def test_a_folder_of_documents_with_pages_in_the_citations(folder: Path) -> None:
    (folder / "metadata.csv").write_text(
        "file,title,citation,date,license,superseded_by\n"
        'sepsis.pdf,Sepsis protocol,"St Elsewhere, Sepsis protocol, 3rd edition, 2019",2019,internal,4th edition\n'
    )
    documents, problems = split("documents", path=str(folder), name="hospital", citation="St Elsewhere")
    assert not problems
    by_key = {d.key: d for d in documents}
    second = by_key["sepsis.pdf#p. 2"]
    assert second.citation == "St Elsewhere, Sepsis protocol, 3rd edition, 2019, p. 2"
    assert (second.superseded_by, second.date) == ("4th edition", "2019")
    assert "lactate" in second.text
    assert by_key["ward/falls.md"].title == "Falls"
    assert by_key["pain.html"].text == "# Pain\n\nPain ladder\n\nStart with paracetamol & rest."
    assert "syringe pump" in by_key["insulin.docx"].text
    assert "Glucose 10 | Rate 2" in by_key["insulin.docx"].text
    assert by_key["plain.txt"].citation == "St Elsewhere, plain, plain.txt"


def test_what_cannot_be_read_costs_only_itself(folder: Path, tmp_path: Path) -> None:
    good, _ = split("documents", path=str(folder))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of the kind")
    locked = PdfWriter()
    locked.add_blank_page(100, 100)
    locked.encrypt("secret")
    locked.write(folder / "locked.pdf")
    scan = PdfWriter()
    scan.add_blank_page(100, 100)
    scan.write(folder / "scan.pdf")
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 no")
    (folder / "latin.txt").write_bytes("Fi\xe8vre".encode("latin-1"))
    (folder / "large.txt").write_text("word " * 10_000_000)
    (folder / "table.xlsx").write_bytes(b"PK")
    documents, problems = split("documents", path=str(folder))
    assert [d.key for d in documents] == [d.key for d in good]
    told = {Path(p.file).name: str(p) for p in problems}
    assert "not a readable PDF" in told["broken.pdf"]
    assert "encrypted with a password" in told["locked.pdf"]
    assert "OCR" in told["scan.pdf"]
    assert "not a readable DOCX" in told["broken.docx"]
    assert "not UTF-8: byte 2 is 0xe8" in told["latin.txt"]
    assert "50 MB, over the limit of 40 MB" in told["large.txt"]
    assert "max_mb=51" in told["large.txt"]
    assert ".xlsx is not read" in told["table.xlsx"]
    report = Index.open(tmp_path / "index", WordVectors()).build("documents", {"path": str(folder)})
    assert report.passages == len(good)
    assert len(report.problems) == 7


def test_a_spoiled_document_and_one_that_the_disk_refuses_cost_only_themselves(folder: Path) -> None:
    good, _ = split("documents", path=str(folder))
    whole = (folder / "insulin.docx").read_bytes()
    at = zipfile.ZipFile(folder / "insulin.docx").getinfo("word/document.xml").header_offset + 120
    (folder / "spoiled.docx").write_bytes(whole[:at] + bytes(b ^ 0x5A for b in whole[at : at + 40]) + whole[at + 40 :])
    # Linux refuses to read this file from its beginning, to root too.
    (folder / "refused.txt").symlink_to("/proc/self/mem")
    documents, problems = split("documents", path=str(folder))
    assert [d.key for d in documents] == [d.key for d in good]
    told = {Path(p.file).name: str(p) for p in problems}
    assert "not a readable DOCX" in told["spoiled.docx"]
    assert "cannot be read" in told["refused.txt"]
    assert sources.make("documents", path=str(folder)).version.startswith("sha256:")


def test_a_name_that_is_not_utf8_is_written_down(folder: Path, tmp_path: Path) -> None:
    for name in (b"caf\xe9.txt", b"caf\xe9.xlsx"):
        with open(os.fsencode(folder) + b"/" + name, "w") as file:
            file.write("Wash cups.")
    documents, _ = split("documents", path=str(folder))
    assert "caf\\udce9.txt" in {d.key for d in documents}
    report = Index.open(tmp_path / "index", WordVectors()).build("documents", {"path": str(folder)})
    assert [Path(p.file).name for p in report.problems] == ["caf\\udce9.xlsx"]
    assert report.model_dump_json()


def test_a_page_may_leave_out_the_end_of_its_head(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<head><title>Falls</title><style>p{}</style><body><p>Assess every patient.")
    ((document,), problems) = split("documents", path=str(tmp_path))
    assert (document.title, document.text) == ("Falls", "# Falls\n\nAssess every patient.")
    assert not problems


@pytest.mark.parametrize(
    "odd", ["<![foo]]>", "<![<m<>", "<![if !x]>", "<![CDATA[x]]>", "<!--x-->", "<!DOCTYPE x [<!ENTITY a 'b'>]>"]
)
def test_a_declaration_of_any_kind_costs_no_page(tmp_path: Path, odd: str) -> None:
    (tmp_path / "a.html").write_text(f"<p>Assess every patient.</p>{odd}<p>Falls are common.</p>")
    ((document,), problems) = split("documents", path=str(tmp_path))
    assert "Assess every patient." in document.text
    assert "Falls are common." in document.text
    assert not problems


def test_metadata_is_part_of_the_version_and_names_files_that_are_there(folder: Path, tmp_path: Path) -> None:
    index = Index.open(tmp_path / "index", WordVectors())
    index.build("documents", {"path": str(folder)})
    (folder / "metadata.csv").write_text("superseded_by,file\n2027 edition,falls.md\nx\n")
    report = index.build("documents", {"path": str(folder)})
    assert ["'falls.md'" in str(p) for p in report.problems] == [True]
    (folder / "metadata.csv").write_text("file,superseded_by\nward/falls.md,2027 edition\n")
    report = index.build("documents", {"path": str(folder)})
    assert (report.renewed, report.added, report.problems) == (1, 0, ())


def test_an_empty_or_missing_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptySourceError, match="no document in this folder"):
        Index.open(tmp_path / "index", WordVectors()).build("documents", {"path": str(tmp_path / "empty")})
    with pytest.raises(FileNotFoundError, match="no such folder"):
        sources.make("documents", path=str(tmp_path / "nosuch"))


def test_json_lines_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        '{"id": 1, "title": "T", "body": "One {x}."}',
        "{broken",
        "[1]",
        '{"id": 2}',
        "",
        '{"id": 3, "body": "Three."}',
        '{"id": 4, "body": "Half a \\ud83d character."}',
        '{"id": 5, "body": "A whole \\ud83d\\ude00."}',
    ]
    path.write_text("\n".join(lines))
    documents, problems = split(
        "jsonl", path=str(path), name="mine", license="CC0", citation="{title}, no. {id}", fields={"text": "body"}
    )
    assert [(d.key, d.text, d.citation, d.license) for d in documents] == [
        ("1", "One {x}.", "T, no. 1", "CC0"), ("3", "Three.", ", no. 3", "CC0"),
        ("5", "A whole \U0001f600.", ", no. 5", "CC0"),
    ]  # fmt: skip
    assert [p.line for p in problems] == [2, 3, 4, 7]
    assert "half of a surrogate pair" in problems[3].reason
    with pytest.raises(ValueError, match="no document field 'txt'"):
        sources.make("jsonl", path=str(path), fields={"txt": "body"})


def test_a_gzip_file_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(
        "".join(json.dumps({"id": i, "text": f"Text {i * 7919}."}) + "\n" for i in range(5000)).encode()
    )
    path.write_bytes(whole[: len(whole) // 2])
    documents, problems = split("jsonl", path=str(path))
    assert documents
    assert "breaks off" in problems[0].reason


def test_csv_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('drug;advice\nwarfarin;"Check INR;\nweekly"\naspirin;\n')
    told = {"title": "drug", "text": "advice", "key": "drug"}
    documents, problems = split("csv", path=str(path), delimiter=";", fields=told)
    assert [(d.key, d.text) for d in documents] == [("warfarin", "Check INR;\nweekly")]
    assert [p.line for p in problems] == [4]


def test_a_csv_field_may_hold_a_whole_document_and_what_breaks_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\r\n1," + b"word " * 100_000 + b"\r\n2,Caf\xe9.\r\n3,Tea.\r\n")
    documents, problems = split("csv", path=str(path))
    assert [(d.key, len(d.text)) for d in documents] == [("1", 500_000), ("3", 4)]
    assert [(p.line, p.reason) for p in problems] == [(3, "not valid UTF-8: byte 0xe9 on line 3; the row is left out")]
    with pytest.raises(ValueError, match="give one character"):
        sources.make("csv", path=str(path), delimiter=";;")


def test_medlineplus_topics(tmp_path: Path) -> None:
    path = tmp_path / "mplus.xml"
    path.write_text(
        '<health-topics total="3"><health-topic id="1" title="Asthma" language="English" url="https://x/asthma"'
        ' date-created="03/28/2004"><also-called>Bronchial asthma</also-called><full-summary>&lt;p&gt;Asthma is a'
        " &lt;a href='#'&gt;lung&lt;/a&gt; disease.&lt;/p&gt;</full-summary></health-topic>"
        '<health-topic id="2" title="Asma" language="Spanish"><full-summary>No.</full-summary></health-topic>'
        '<health-topic id="3" title="Empty" language="English"></health-topic></health-topics>'
    )
    documents, problems = split("medlineplus", path=str(path))
    assert [(d.title, d.text, d.date, d.url) for d in documents] == [
        ("Asthma", "Asthma is a lung disease.", "2004-03-28", "https://x/asthma")
    ]
    assert "Empty" in problems[0].reason


@pytest.mark.parametrize(("name", "root"), [("medlineplus", "health-topics"), ("ngc", "Version")])
def test_wrong_xml_and_xml_bombs_are_refused(tmp_path: Path, name: str, root: str) -> None:
    for text, told in (
        (BOMB.replace("{root}", root), "declares entities"),
        ("<other/>", f"that of .* is <{root}>"),
        (f"<{root}><broken>", "not valid XML"),
        (f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><{root}>&e;</{root}>', "declares entities"),
        ("", "not valid XML"),
    ):
        path = tmp_path / "bad.xml"
        path.write_text(text)
        with pytest.raises(EmptySourceError, match=told):
            Index.open(tmp_path / "index", WordVectors()).build(name, {"path": str(path)})


def guideline(title: str, date: str, status: str, text: str) -> str:
    fields = {
        "Guideline Title": title,
        "Date Released": date,
        "Guideline Status": status,
        "Major Recommendations": text,
        "Bibliographic Source(s)": f"{title}. {date}.",
        "Copyright Statement": "No copyright restrictions apply.",
    }
    values = "".join(f'<Field Name="{n}"><FieldValue Value="{v}"/></Field>' for n, v in fields.items())
    return f"<Version><Section>{values}</Section></Version>"


def test_guidelines_know_what_superseded_them(tmp_path: Path) -> None:
    old = guideline(
        "Management of chronic kidney disease in adults", "2008 May", "This is the current release.", "Give A."
    )
    status = (
        "This is the current release of the guideline. This guideline updates a previous version: VA. Management of "
        "chronic kidney disease in adults. 2008."
    )
    new = guideline("Chronic kidney disease 2014", "2014 Dec", status, "&lt;p&gt;Give &lt;b&gt;B&lt;/b&gt;.&lt;/p&gt;")
    gone = guideline("Withdrawn guideline", "2001", "This guideline has been withdrawn.", "Give C.")
    (tmp_path / "1.xml").write_text(old)
    (tmp_path / "2.xml").write_text(new)
    (tmp_path / "3.xml").write_text(gone)
    (tmp_path / "4.xml").write_text("<Version/>")
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        for path in sorted(tmp_path.glob("*.xml")):
            archive.add(path, arcname=f"../{path.name}")
    for path in (tmp_path, tmp_path / "all.tar.gz"):
        documents, problems = split("ngc", path=str(path))
        assert {d.text: d.superseded_by for d in documents} == {
            "Give A.": "Chronic kidney disease 2014 (2014 Dec)", "Give B.": None,
            "Give C.": "This guideline has been withdrawn.",
        }  # fmt: skip
        assert len(problems) == 1
    whole = (tmp_path / "all.tar.gz").read_bytes()
    (tmp_path / "all.tar.gz").write_bytes(whole[: len(whole) * 2 // 3])
    _, problems = split("ngc", path=str(tmp_path / "all.tar.gz"))
    assert "the archive breaks off here" in problems[0].reason


def test_real_corpora(shared_data: Path) -> None:
    corpus = shared_data / "corpus"
    documents, problems = split("ngc", path=str(corpus / "ngc_public_domain" / "ngc_pd_xml.tar.gz"))
    assert len({d.key.split("/")[0] for d in documents}) == 43
    assert not problems
    documents, problems = split("medquad", path=str(corpus / "medquad" / "medquad_passages.jsonl.gz"))
    assert (len(documents), len(problems)) == (16_407, 0)
    assert "What " not in documents[0].title
    documents, problems = split(
        "openstax", path=str(corpus / "openstax_nursing" / "openstax_nursing_passages.jsonl.gz")
    )
    assert (len(documents), len(problems)) == (3_796, 0)


def test_open_medicine_cites_doi_year_and_organisation() -> None:
    documents, problems = split("open-medicine")
    assert not problems
    found = next(d for d in documents if d.key == "wells_pe_2000/diagnostic_algorithm")
    assert found.citation.startswith("Wells PS et al., ")
    assert "2000, doi:10.1055/s-0037-1613870" in found.citation
    assert sum(d.key.startswith("differential/") for d in documents) > 100
    assert not any("calculate_" in d.text for d in documents if d.key.startswith("differential/"))
    assert "Eliquis" in sources.make("open-medicine").aliases()["Apixaban"]  # type: ignore[attr-defined]


def test_icd10cm() -> None:
    found = sources.make("icd10cm").documents()
    cholera = next(found)
    assert isinstance(cholera, Document)
    assert cholera.title == "A00 Cholera"
    assert "National Center for Health Statistics" in cholera.citation
    infarction = next(d for d in found if isinstance(d, Document) and d.key == "I21")
    assert "I21.01: ST elevation (STEMI) myocardial infarction involving left main coronary artery" in infarction.text


def test_hpo_from_a_release_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "hp.obo").write_text(
        "format-version: 1.2\ndata-version: hp/releases/2026-01-01\n\n"
        "[Term]\nid: HP:0000001\nname: All\n\n"
        '[Term]\nid: HP:0001250\nname: Seizure\ndef: "An intermittent abnormality of the nervous system." [PMID:1]\n'
        'synonym: "Epileptic seizure" EXACT []\nis_a: HP:0000001 ! All\n'
    )
    (tmp_path / "phenotype.hpoa").write_text(
        "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration\n"
        + "".join(
            f"{i}\tSome syndrome\t\tHP:0001250\tPMID:1\tPCS\t\t\t\t\tP\tx\n"
            for i in ("OMIM:1", "ORPHA:2", "DECIPHER:3")
        )
    )
    header = "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n"
    (tmp_path / "genes_to_phenotype.txt").write_text(header + "10\tNAT2\tHP:0001250\tSeizure\t-\tOMIM:1\n")
    other = "hpo_id\thpo_name\tncbi_gene_id\tgene_symbol\tdisease_id\n"
    (tmp_path / "phenotype_to_genes.txt").write_text(other + "HP:0001250\tSeizure\t10\tNAT2\tOMIM:1\n")
    documents, _ = split("hpo", folder=str(tmp_path))
    by_key = {d.key: d for d in documents}
    assert by_key["HP:0001250"].text == (
        "Seizure: An intermittent abnormality of the nervous system.\nAlso called: Epileptic seizure."
    )
    assert by_key["HP:0001250"].citation == "HPO 2026-01-01, HP:0001250 Seizure"
    assert "Phenotypic features of Some syndrome: Seizure." in by_key["OMIM:1"].text
