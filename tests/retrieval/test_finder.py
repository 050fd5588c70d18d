import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from word_vectors import WordVectors

from tracejury.retrieval import ClaimQuery, Document, Finder, Index, Query, claim_queries, step_query
from tracejury.traces import Problem

STEM = (
    "A 54-year-old man comes to the emergency department with crushing chest pain for two hours that radiates to the "
    "left arm. His blood pressure is 92/60 mmHg. Which of the following is the most appropriate next step?"
)
EXPLANATION = (
    "Inferior infarction with right ventricular involvement is preload dependent, so nitrates are avoided and fluids "
    "are given; the other options would lower the preload further and are wrong for that reason."
)
PAGES = {
    "angina": ("Angina", "Angina is chest pain from the heart. Nitrates relieve angina within minutes."),
    "mi": ("Infarction", "Myocardial infarction is treated with aspirin and reperfusion. Apixaban has no place here."),
    "exam": ("Exam questions", f"Question 17. {STEM} (A) Nitroglycerin (B) Fluids (C) Morphine"),
    "answers": ("Answers", f"17: B. {EXPLANATION}"),
    "rv": (
        "Right ventricle",
        "In right ventricular infarction avoid nitrates, since the ventricle depends on preload.",
    ),
    "old": ("Old chest pain guideline", "Chest pain: give lidocaine to all patients with chest pain of the heart."),
}


class Pages:
    license = "test"
    version = "1"

    def __init__(self, name: str = "pages") -> None:
        self.name = name

    def documents(self) -> Iterator[Document | Problem]:
        for key, (title, text) in PAGES.items():
            superseded = "the guideline of 2021" if key == "old" else None
            date = "1995" if key == "old" else "2020 Mar 1" if key == "mi" else None
            yield Document(
                source=self.name,
                title=title,
                text=text,
                citation=title,
                license="test",
                key=key,
                date=date,
                superseded_by=superseded,
            )

    def aliases(self) -> dict[str, list[str]]:
        return {"Apixaban": ["Eliquis"]}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    index = Index.open(tmp_path_factory.mktemp("index"), WordVectors())
    index.build(Pages())
    index.build(Pages("second"))
    return index


def keys(finder: Finder, text: str, **more: str) -> list[str]:
    return [h.passage.key for h in finder.find([Query(text=text, **more)])[0].hits]


def test_what_gives_the_question_away_is_withheld_and_recorded(index: Index) -> None:
    finder = Finder(index, ["pages"], k=6)
    text = step_query("Nitrates are avoided in right ventricular infarction.", STEM)
    (open_eyes,) = finder.find([Query(text=text)])
    assert {"exam", "answers"} <= {h.passage.key for h in open_eyes.hits}
    (guarded,) = finder.find([Query(text=text, stem=STEM, explanation=EXPLANATION)])
    assert not {"exam", "answers"} & {h.passage.key for h in guarded.hits}
    assert {"rv", "mi"} <= {h.passage.key for h in guarded.hits}, "what is about the same disease stays"
    by_id = {h.passage.id: h.passage.key for h in open_eyes.hits}
    assert {(by_id[w.passage_id], w.reason) for w in guarded.withheld} == {
        ("exam", "near-duplicate of the stem"),
        ("answers", "near-duplicate of the explanation"),
    }
    assert all(w.similarity > 0.25 for w in guarded.withheld)


def test_a_reworded_copy_is_withheld_too(tmp_path: Path) -> None:
    class Copy(Pages):
        def documents(self) -> Iterator[Document | Problem]:
            text = STEM.replace("54-year-old", "56-year-old").replace("two hours", "3 h").replace("crushing", "severe")
            yield Document(source="copy", title="t", text=text, citation="c", license="l", key="copy")

    index = Index.open(tmp_path, WordVectors())
    index.build(Copy("copy"))
    (found,) = Finder(index).find([Query(text="chest pain", stem=STEM)])
    assert not found.hits
    assert found.withheld


def test_fusion_knows_both_ranks(index: Index) -> None:
    (found,) = Finder(index, ["pages"], k=3).find([Query(text="nitrates relieve angina")])
    assert found.hits[0].passage.key == "angina"
    assert found.hits[0].ranks == {"dense": 1, "bm25": 1}
    assert [h.score for h in found.hits] == sorted((h.score for h in found.hits), reverse=True)
    (alone,) = Finder(index, ["pages"], k=3, fusion=False).find([Query(text="nitrates relieve angina")])
    assert set(alone.hits[0].ranks) == {"dense"}


def test_brands_and_abbreviations_find_the_generic_and_the_words(index: Index) -> None:
    bm25 = Finder(index, ["pages"], k=1, fusion=False, finder="bm25")
    assert keys(bm25, "Eliquis") == ["mi"]
    assert keys(bm25, "MI") == ["mi"]
    assert keys(Finder(index, ["pages"], k=1, fusion=False, finder="bm25", expand=False), "Eliquis") == []


def test_the_same_words_count_once_and_quotas_hold(index: Index) -> None:
    both = Finder(index, k=6)
    found = both.find([Query(text="angina nitrates chest pain")])[0].hits
    assert len({h.passage.text for h in found}) == len(found)
    held = Finder(index, k=6, quotas={"pages": 1}).find([Query(text="angina nitrates chest pain")])[0].hits
    assert sum(h.passage.source == "pages" for h in held) <= 1
    assert any(h.passage.source == "second" for h in held)


def test_what_is_superseded_comes_last_or_not_at_all(index: Index) -> None:
    asked = "lidocaine to all patients with chest pain of the heart"
    assert keys(Finder(index, ["pages"], k=6, superseded="keep"), asked)[0] == "old"
    assert keys(Finder(index, ["pages"], k=6), asked)[-1] == "old"
    assert "old" not in keys(Finder(index, ["pages"], k=6, superseded="drop"), asked)
    assert "old" not in keys(Finder(index, ["pages"], k=6, since="2000", superseded="keep"), asked)


@pytest.mark.parametrize(("date", "later"), [("2019-11", True), ("2020", False), ("2020-03-01", False), (None, False)])
def test_a_passage_later_than_the_question_is_marked(index: Index, date: str | None, later: bool) -> None:
    (found,) = Finder(index, ["pages"], k=6).find([Query(text="myocardial infarction aspirin chest pain", date=date)])
    marked = {hit.passage.key: hit.is_later for hit in found.hits}
    assert marked["mi"] is later, "it is dated 2020 Mar 1"
    assert not any(is_later for key, is_later in marked.items() if key != "mi")


def test_a_date_that_is_none_is_told(index: Index) -> None:
    with pytest.raises(ValueError, match="since='last year': write a year or an ISO date"):
        Finder(index, since="last year")


def test_a_batch_finds_what_single_queries_find_also_from_many_threads(index: Index) -> None:
    finder = Finder(index, k=3)
    asked = [Query(text=t) for t in ("angina", "infarction aspirin", "right ventricle", "lidocaine") * 5]
    whole = finder.find(asked)
    assert whole == [finder.find([q])[0] for q in asked]

    async def at_once() -> list[object]:
        return [found for (found,) in await asyncio.gather(*(asyncio.to_thread(finder.find, [q]) for q in asked))]

    assert asyncio.run(at_once()) == whole
    assert finder.find([]) == []


def test_reranking_decides_the_order_of_the_head(index: Index) -> None:
    class Longest:
        def score(self, pairs: list[tuple[str, str]]) -> list[float]:
            return [float(len(passage)) for _, passage in pairs]

    hits = Finder(index, ["pages"], k=6, rerank=Longest()).find([Query(text="chest pain")])[0].hits
    lengths = [len(h.passage.text) + len(h.passage.title) for h in hits if not h.passage.superseded_by]
    assert lengths == sorted(lengths, reverse=True)
    assert hits[0].ranks["rerank"] == 1


def test_a_reranker_that_is_not_there_says_what_to_install(index: Index) -> None:
    with pytest.raises((ModuleNotFoundError, OSError), match=r"model\.onnx|nosuch"):
        Finder(index, rerank="/nosuch/reranker")


def test_a_query_holds_the_step_and_the_question_s_own_sentences() -> None:
    query = step_query("Nitrates are contraindicated.", STEM)
    assert query.startswith("Nitrates are contraindicated.\n")
    assert "54-year-old man" in query
    assert "most appropriate next step" in query
    assert len(step_query("word " * 5000, STEM * 50)) < 900
    assert step_query("Alone.", "") == "Alone."


def test_the_claims_of_a_step_share_the_budget_and_every_passage_says_which_claim_it_was_found_for(
    index: Index,
) -> None:
    finder = Finder(index, ["pages"], k=2)
    claims = claim_queries([("C1", "nitrates relieve angina"), ("C2", "infarction is treated with aspirin")], "")
    alone = Query(text="nitrates relieve angina within minutes in angina")
    (fused, unclaimed) = finder.find([Query(text="both", claims=claims), alone])
    assert [(h.passage.key, h.claims[0], h.ranks["dense"]) for h in fused.hits] == [
        ("angina", "C1", 1),
        ("mi", "C2", 1),
    ]
    assert "nitrates" in fused.hits[0].query
    assert "aspirin" in fused.hits[1].query
    assert all(h.claims == () for h in unclaimed.hits)
    # What both claims bring is found for both, and takes one place.
    twice = (ClaimQuery(claim="C1", text="angina"), ClaimQuery(claim="C2", text="angina nitrates"))
    (shared,) = finder.find([Query(text="angina", claims=twice)])
    assert shared.hits[0].claims == ("C1", "C2")
    assert len({h.passage.id for h in shared.hits}) == 2


def test_no_claim_of_a_step_finds_what_gives_the_question_away(index: Index) -> None:
    claims = claim_queries([("C1", "crushing chest pain"), ("C2", "right ventricular infarction")], STEM)
    (guarded,) = Finder(index, ["pages"], k=6).find(
        [Query(text="chest pain", claims=claims, stem=STEM, explanation=EXPLANATION)]
    )
    assert not {"exam", "answers"} & {h.passage.key for h in guarded.hits}
    assert len(guarded.withheld) == 2, "each is recorded once, however many claims find it"
