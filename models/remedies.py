"""What a user can do about opinions that failed, by the reason of the failure."""

from __future__ import annotations

from tracejury.models.records import FailureReason

_REMEDIES = {
    FailureReason.REFUSED: "mend what the example names, or name another model for the endpoint in the panel",
    FailureReason.UNAVAILABLE: "run the same command once the endpoint answers; `tracejury doctor --panel P` asks it",
    FailureReason.OTHER_REQUEST: "mend the server, or the proxy before it; other mixed-up replies may be unnoticed",
    FailureReason.UNUSABLE: "name a model that follows a JSON schema, or raise `reply_tokens` in the panel",
    FailureReason.FILTERED: "name an endpoint without a content filter, or leave these steps out",
    FailureReason.CUT_OFF: "raise `reply_tokens` in the panel, or turn the model's thinking down in `params`",
    FailureReason.CONTEXT: "raise the server's context and `context_window`, or lower `case_tokens` in the panel",
    FailureReason.BUDGET: "run the same command with a higher cap",
    FailureReason.BLOCKED: "leave --air-gapped out, or serve the model on this machine",
    FailureReason.NOT_RECORDED: "add the opinions to the judge's files and run the same command",
    FailureReason.UNANSWERED: "answer what `tracejury cases` writes, import it, and run the same command",
    FailureReason.JUDGE_BROKE: "mend the judge's own code; the example is what it raised",
}


def remedy_for(reason: FailureReason | str) -> str:
    """Return what a user can do about failures of this reason, as the end of a sentence."""
    return _REMEDIES[FailureReason(reason)]
