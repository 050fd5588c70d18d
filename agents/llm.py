"""Judges with a model: one class, and perspectives that are data (a prompt file, and which evidence it is shown)."""

from __future__ import annotations

from collections.abc import Sequence

from tracejury.agents.contracts import Ask, Judge
from tracejury.agents.evidence_records import Relation
from tracejury.agents.prompting import EVIDENCE, case_messages, handles, prompt
from tracejury.agents.records import Case, Draft, Label, Quote
from tracejury.agents.replies import Finding, PaperReply, judge_reply, wrong_as

_GRADES = {"correct": Label.SUPPORTED, "incorrect": Label.ERROR, "uncertain": Label.UNCLEAR}


class PerspectiveJudge:
    """A judge that asks a model from one perspective."""

    needs_endpoint = True

    def __init__(self, kind: str, prompt_name: str, evidence: Sequence[str] = EVIDENCE) -> None:
        if unknown := set(evidence) - set(EVIDENCE):
            raise ValueError(f"unknown evidence {sorted(unknown)}; known: {', '.join(EVIDENCE)}")
        self.kind = kind
        self.prompt = prompt(prompt_name)
        self.summary = self.prompt.summary
        self.evidence = tuple(evidence)

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        """Ask once; the label is the model's, the grounding is not."""
        if ask is None:
            raise ValueError(f"judge {self.kind!r} needs an endpoint")
        messages = case_messages(case, self.prompt.text, evidence=self.evidence)
        reply = await ask(messages, judge_reply(ask.max_tokens))
        return Draft(
            label=reply.label,
            error_type=wrong_as(reply),
            quotes=quotes_of(case, reply.findings),
            rationale=reply.rationale,
            confidence=reply.confidence / 100,
        )


class PaperJudge:
    """The audited paper's judge, for panels that repeat its protocol: no evidence, label before explanation."""

    kind = "paper"
    needs_endpoint = True

    def __init__(self) -> None:
        self.prompt = prompt("paper")
        self.summary = self.prompt.summary

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        """Ask once; there is nothing to quote."""
        if ask is None:
            raise ValueError("judge 'paper' needs an endpoint")
        messages = case_messages(case, "Grade the step.", rules="paper", evidence=("vignette",))
        reply = await ask(messages, PaperReply)
        return Draft(label=_GRADES[reply.label], rationale=reply.explanation)


def facts(evidence: Sequence[str] = EVIDENCE) -> Judge:
    """Make the judge of medical facts against the references."""
    return PerspectiveJudge("facts", "facts", evidence)


def inference(evidence: Sequence[str] = EVIDENCE) -> Judge:
    """Make the judge of what follows from the vignette and the earlier steps."""
    return PerspectiveJudge("inference", "inference", evidence)


def safety(evidence: Sequence[str] = EVIDENCE) -> Judge:
    """Make the judge of harm to the patient."""
    return PerspectiveJudge("safety", "safety", evidence)


def perspective(prompt: str, evidence: Sequence[str] = EVIDENCE) -> Judge:
    """Make a judge of a perspective of your own: the path of a prompt file, and the evidence that it is shown."""
    return PerspectiveJudge("perspective", prompt, evidence)


def paper() -> Judge:
    """Make the judge of the panel `paper`."""
    return PaperJudge()


def quotes_of(case: Case, findings: Sequence[Finding]) -> tuple[Quote, ...]:
    """Turn the prompt's handles into evidence ids; an unknown handle stays as it is, and will not verify.

    A claim's handle that the step does not have is left out: the check finds the claim that the words bear on.
    """
    evidence_ids = handles(case)
    claims = {c.handle for c in case.claims.claims}

    def plain(handle: str) -> str:
        # Models add brackets and spaces to handles; that is no reason to lose a quote that stands in its evidence.
        return handle.strip(" []().:")

    return tuple(
        Quote(
            evidence_id=evidence_ids.get(plain(f.evidence), plain(f.evidence)),
            quote=f.quote,
            claim=plain(f.claim) if plain(f.claim) in claims else None,
            relation=Relation(f.relation),
        )
        for f in findings
        if f.quote
    )
