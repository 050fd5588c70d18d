"""Labels of experts, from the file that `review import --labels` writes or anybody's own in that form, onto rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from tracejury.ledger import StepRow
from tracejury.reports.expert_reviews import ExpertLabel, with_expert_labels
from tracejury.storage import read_utf8


def read_labels(path: Path) -> list[ExpertLabel]:
    """Read JSON lines of `{"step_id": ..., "label": "supported" | "error", "error_type": ..., "experts": n}`.

    The last two may be absent. A line that repeats an earlier one counts once.

    Raises:
        ValueError: A line is no label, or contradicts another; the file holds none. The message names the line.
        FileNotFoundError: There is no such file; the message says what writes one.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file of labels; `tracejury review import SHEET... --labels {path}` writes it"
        )
    labels_by_step: dict[str, tuple[int, ExpertLabel]] = {}
    # Split at line feeds alone: other line separators of Unicode may stand inside a JSON string.
    for number, line in enumerate(read_utf8(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            label = ExpertLabel.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            what = ": ".join([".".join(map(str, first["loc"])), first["msg"]]) if first["loc"] else first["msg"]
            hint = "`tracejury review import SHEET... --labels FILE` writes such a file"
            raise ValueError(f"{path}:{number}: no label ({what}); {hint}") from error
        before, other = labels_by_step.setdefault(label.step_id, (number, label))
        if other.label != label.label:
            clash = f"{other.label!r} in line {before}, {label.label!r} here"
            raise ValueError(f"{path}:{number}: step {label.step_id} has two labels ({clash}); keep one of them")
    if not labels_by_step:
        raise ValueError(f"{path} holds no label: no step has a majority of experts for `supported` or `error`")
    return [label for _, label in labels_by_step.values()]


def labelled_by(rows: Iterable[StepRow], path: Path) -> Iterator[StepRow]:
    """Stream rows with the labels of a file, in place of any that the data set brought: those are taken away.

    Raises:
        ValueError: The file is not usable (`read_labels`); or, after the last row, it names steps that are not there.
    """
    labels = read_labels(path)
    missing = {label.step_id for label in labels}
    for row in with_expert_labels(rows, labels):
        if row.step_id in missing:
            missing.discard(row.step_id)
            yield row
        else:
            # Two standards in one measure would be none: a step that the experts did not judge has no label.
            yield row.model_copy(update={"label": None, "label_type": None})
    if missing:
        some = ", ".join(sorted(missing)[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ValueError(
            f"{path} labels steps that are not in this run: {some}{more}. Is it the run that the sheet was drawn from, "
            "with the same segmenter?"
        )
