"""What two arms' files hold, before a call is paid: other questions, the same chains, several arms in one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tracejury.console.arm_inputs import ArmInput
    from tracejury.traces import Batch, Question

_HOST = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(?:/|\Z)|[\w.-]+:\d+(?:/|\Z)")


class FileChains(NamedTuple):
    """The chains of one arm's file that answer the audited questions."""

    name: str
    source: str
    texts: dict[str, str]
    """Question id -> text of its first chain."""
    right: int
    """First chains with the gold answer, of those whose question has one."""
    graded: int
    more: int
    """Chains that are not judged, since one is judged a question."""
    left_out: int
    """Questions that are answered here and not in the other arm."""

    def sentence(self) -> str:
        """Return what is read of the file, in a line."""
        line = f"{self.name}: {len(self.texts)} chains are read from {self.source}, nothing is sampled"
        return f"{line}; {self.right} of {self.graded} answers are right" if self.graded else line

    def remarks(self) -> list[str]:
        """Return what is left out of the file, which its owner may not expect."""
        return [
            f"{self.source}: {number} {what}"
            for number, what in (
                (self.left_out, "question(s) have no chain in the other arm and are left out"),
                (self.more, "further chain(s) of the same questions are not judged: the first of each question is"),
            )
            if number
        ]


def check_source(source: str, name: str) -> None:
    """Refuse what is neither a file nor an address, with what it may have been meant to be.

    Raises:
        ValueError: The source has the form of an address without its beginning, or with another.
        FileNotFoundError: There is no such file.
    """
    if Path(source).exists():
        return
    if "://" in source:
        raise ValueError(f"--{name} {source}: an address begins with http:// or https://")
    if _HOST.match(source) and not Path(source).suffix.lstrip(".").isalpha():
        raise ValueError(f"--{name} {source} is no file; if it is a server, its address is http://{source}")
    raise FileNotFoundError(f"{source} does not exist; name a file, a folder or an address (http://...)")


def check_batch(batch: Batch, source: str) -> None:
    """Refuse a file that cannot be one arm.

    Raises:
        ValueError: It holds no chain, or a question with chains of several arms.
    """
    arms_of: dict[str, dict[str, None]] = {}
    for trace in batch.traces():
        arms_of.setdefault(trace.question_id, {})[trace.arm] = None
    if not arms_of:
        count = sum(1 for _ in batch.questions())
        content = f"holds {count} question(s) and no chain" if count else "holds no chain"
        raise ValueError(f"{source} {content}; `tracejury read --fields {source}` shows how it is read")
    # The parts of one arm may stand in several files, each of which has a name of its own.
    if arms := next((arms for arms in arms_of.values() if len(arms) > 1), None):
        raise ValueError(
            f"{source} holds the arms {', '.join(arms)}; one file is one arm here. To compare these: tracejury "
            f"adjudicate {source} --panel PANEL --run NAME, then tracejury compare NAME --baseline ARM"
        )


def file_chains(arms: Sequence[ArmInput], questions: Sequence[Question]) -> list[FileChains]:
    """Return what the arms that are files hold of the audited questions.

    Raises:
        ValueError: Both arms are the same chains.
    """
    from tracejury.traces import answer_correct

    audited = {question.id: question for question in questions}
    in_files = [(arm.name, arm.batch) for arm in arms if arm.batch is not None]
    answered = [{trace.question_id for trace in batch.traces()} for _, batch in in_files]
    read: list[FileChains] = []
    for (name, batch), own in zip(in_files, answered, strict=True):
        texts: dict[str, str] = {}
        marks: list[bool | None] = []
        more = 0
        for trace in batch.traces():
            question = audited.get(trace.question_id)
            if question is None:
                continue
            if question.id in texts:
                more += 1
                continue
            texts[question.id] = trace.text
            marks.append(answer_correct(trace.answer, question.gold, question.gold_aliases))
        graded = [mark for mark in marks if mark is not None]
        left_out = sum(any(i not in other for other in answered) for i in own)
        source = ", ".join(batch.paths)
        read.append(FileChains(name, source, texts, sum(graded), len(graded), more, left_out))
    if len(read) > 1 and read[0].texts == read[1].texts:
        raise ValueError(
            f"both arms are the same chains: {read[0].source} and {read[1].source} have the same text for all "
            f"{len(questions)} questions; name the files of two models"
        )
    return read
