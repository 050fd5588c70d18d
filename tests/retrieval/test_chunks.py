from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from syntok.segmenter import analyze

from tracejury.retrieval import Document, chunk, sources
from tracejury.traces import split_sentences

PROSE = st.lists(
    st.sampled_from(
        ["Aspirin 81 mg is given.", "Why?", "\n\n", "\n- item", " ", "e.g. this one.", "x" * 90, "Ödem; é."]
    ),
    max_size=60,
).map(" ".join)


def document(text: str) -> Document:
    return Document(source="s", title="t", text=text, citation="c", license="l", key="k")


@given(PROSE | st.text(max_size=300))
@settings(max_examples=150)
def test_passages_are_spans_of_the_document_and_lose_nothing(text: str) -> None:
    passages = chunk(document(text), target=120, limit=200)
    assert all(p.text == text[p.start : p.end] and len(p.text) <= 200 for p in passages)
    assert all(a.end <= b.start for a, b in pairwise(passages))
    assert "".join("".join(p.text.split()) for p in passages) == "".join(text.split())


def test_sentences_end_where_a_reader_would_end_them() -> None:
    text = "Dr. Roe gave 2.5 mg, e.g. twice. It helped (cf. No. 3). Then:\n\n# Doses\n- one\n- two. Stop!"
    found = [text[a:b] for a, b in split_sentences(text)]
    assert found == [
        "Dr. Roe gave 2.5 mg, e.g. twice.", "It helped (cf. No. 3).", "Then:", "# Doses", "- one", "- two.", "Stop!",
    ]  # fmt: skip


def test_a_passage_holds_whole_sentences() -> None:
    text = " ".join(f"Sentence number {i} says something about the patient." for i in range(60))
    passages = chunk(document(text))
    assert len(passages) > 2
    assert all(p.text.startswith("Sentence") and p.text.endswith(".") for p in passages)


def test_the_same_text_gives_the_same_ids() -> None:
    assert [p.id for p in chunk(document("One. Two."))] == [p.id for p in chunk(document("One. Two."))]


def test_the_short_cut_past_the_tokenizer_changes_no_boundary() -> None:
    texts = [d.text for d in sources.make("open-medicine").documents() if isinstance(d, Document)]
    texts += [
        "He was treated (see below. Then he left). It is known that this works. A drug is given, approx. The dose."
    ]
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    for line in lines:
        by_tokenizer = [sentence[0].offset for part in analyze(line) for sentence in part if sentence]
        begins = [line[at:].lstrip()[:30] for at in (0, *by_tokenizer[1:])]
        assert [line[start:][:30] for start, _ in split_sentences(line)] == begins
