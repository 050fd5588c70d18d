"""The judge `recorded`. It asks nobody: a step without a recorded opinion fails, and is taken up on resume."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import get_args

from tracejury.agents.contracts import Ask
from tracejury.agents.llm import quotes_of
from tracejury.agents.recorded.files import ENDINGS, FileFormat, Reading, files_of, judges_in, read_opinions
from tracejury.agents.recorded.keys import StepKey, same_text
from tracejury.agents.recorded.rows import RecordedOpinion
from tracejury.agents.records import Case, Draft
from tracejury.agents.replies import JudgeReply
from tracejury.models import CallFailed, FailureReason, parse_reply


class RecordedJudge:
    """Replays opinions from files.

    A row names its step by `step_id`; by `question`, `arm`, `sample` and `step` (an index from 0, or its text); or by
    the step's text alone. Without an arm a row is about the arm `base`, without a sample about sample 0, unless it
    gives the step's text, which then says enough.

    Args:
        path: A file, or a folder whose files are read in the order of their names: a file that comes later is taken up
            when the run is resumed.
        judge: Whose rows to replay, where the files hold several judges.
        model: The model that gave the opinions, for reports: two judges of one model or family are marked.
        format: `jsonl`, `csv`, `openai-batch` or `inspect`; None: what the file's ending says.
        labels: Words of the files -> `supported`, `error`, `unclear`, `no_claim` or `failed`.
        cases: For `openai-batch`, the file of `tracejury cases` that says which step a `custom_id` is about.

    Raises:
        ValueError: A row cannot be read, the files hold several judges and none is named, or two rows of one judge
            contradict each other.
        FileNotFoundError: There is no such file.
    """

    kind = "recorded"
    summary = "Replays opinions recorded elsewhere (JSON lines, CSV, batch output, inspect logs); asks no model."
    needs_endpoint = False

    def __init__(
        self,
        path: str,
        judge: str | None = None,
        model: str | None = None,
        format: str | None = None,
        labels: Mapping[str, str] | None = None,
        cases: str | None = None,
    ) -> None:
        self.model = model
        self._path, self._judge = path, judge
        pairs = tuple(sorted((str(word), str(label)) for word, label in (labels or {}).items()))
        file_format = _format_of(path, format)
        opinions = read_opinions(files_of(path, file_format), Reading(file_format, pairs, cases or ""))
        names = judges_in(opinions)
        if judge is None and len(names) > 1:
            raise ValueError(f"{path} holds {len(names)} judges; name one as `judge`: {', '.join(names)}")
        if judge is not None and judge not in names:
            raise ValueError(f"{path} holds no opinion of {judge!r}; it has {', '.join(names) or 'no judge names'}")
        self._opinions = _indexed(o for o in opinions if judge is None or o.judge == judge)

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        """Return the recorded opinion on a case, found by the step's id or text."""
        return self.replay(case, None)

    def replay(self, case: Case, key: StepKey | None) -> Draft:
        """Return the recorded opinion on a step.

        Args:
            case: The case; its passages are what a reply's handles stand for.
            key: The public name of the step; None: only its id and its text are known.

        Raises:
            CallFailed: There is no opinion on it, or the row says that none could be had.
        """
        opinion = next((o for name in _names(case, key) if (o := self._opinions.get(name)) is not None), None)
        whose = f"of {self._judge!r} " if self._judge else ""
        if opinion is None:
            detail = f"no recorded opinion {whose}on this step in {self._path}; add one and resume"
            raise CallFailed(FailureReason.NOT_RECORDED, detail)
        if opinion.label is None:
            detail = f"{opinion.place} says that no opinion could be had"
            raise CallFailed(FailureReason.UNUSABLE, f"{detail}: {opinion.rationale}".rstrip(": "))
        quotes = opinion.quotes
        if opinion.reply:
            quotes = quotes_of(case, parse_reply(opinion.reply, JudgeReply).findings)
        return Draft(
            label=opinion.label,
            error_type=opinion.error_type,
            quotes=quotes,
            rationale=opinion.rationale,
            confidence=opinion.confidence,
        )


def _format_of(path: str, file_format: str | None) -> FileFormat:
    formats = get_args(FileFormat)
    if file_format is None:
        ending = next((name for name in formats for e in ENDINGS[name] if path.lower().endswith(e)), "jsonl")
        file_format = str(ending)
    if file_format not in formats:
        raise ValueError(f"format {file_format!r} is not known; it is one of {', '.join(formats)}")
    return file_format  # type: ignore[return-value]


def _indexed(opinions: Iterable[RecordedOpinion]) -> dict[Hashable, RecordedOpinion]:
    """Return the opinions by the name of their step.

    Raises:
        ValueError: Two rows contradict each other, or one names no step.
    """
    by_name: dict[Hashable, RecordedOpinion] = {}
    for opinion in opinions:
        if opinion.count != 1:
            raise ValueError(f"{opinion.place}: a count is read by `tracejury read verdicts` alone")
        name = _name_of(opinion)
        if name is None:
            raise ValueError(
                f"{opinion.place}: names no step; give `question` and `step` (an index from 0, or the text), "
                "or `step_id`"
            )
        other = by_name.setdefault(name, opinion)
        if not other.same_opinion(opinion):
            if other.label is None:
                # A failed attempt, answered by a later row.
                by_name[name] = opinion
                continue
            raise ValueError(f"{opinion.place}: another opinion on the step of {other.place}; keep one of them")
    return by_name


def _name_of(opinion: RecordedOpinion) -> Hashable | None:
    if opinion.step_id:
        return "id", opinion.step_id
    arm, sample = opinion.arm or None, opinion.sample
    if opinion.text:
        return "text", same_text(opinion.text), opinion.question or None, arm, sample
    if opinion.question and opinion.index is not None:
        return "index", opinion.index, opinion.question, arm or "base", sample or 0
    return None


def _names(case: Case, key: StepKey | None) -> Iterator[Hashable]:
    """Yield the names that a step may be recorded under, the most specific first."""
    yield "id", case.step_id
    texts = [same_text(case.step)]
    if key is not None:
        for question in key.questions:
            yield "index", key.step_index, question, key.arm, key.sample
        texts.insert(0, same_text(key.text))
        for text in dict.fromkeys(texts):
            for name in (*key.questions, None):
                for arm, sample in ((key.arm, key.sample), (key.arm, None), (None, key.sample), (None, None)):
                    yield "text", text, name, arm, sample
    for text in dict.fromkeys(texts):
        yield "text", text, None, None, None
