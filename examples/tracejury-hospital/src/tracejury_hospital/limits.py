"""A judge without a model: it holds a step's figures against the limits that the hospital's protocols state."""

import re

from tracejury.agents import Ask, Case, Draft, Label, Quote
from tracejury.traces import ErrorType

LIMIT = re.compile(r"[^.\n]*no more than (\d+(?:\.\d+)?) (mmol/h|mmol/L|g) ?[^.\n]*\.")


class ProtocolLimits:
    kind = "protocol-limits"
    summary = "a step's figures against the limits of the hospital's own protocols (no model)"
    needs_endpoint = False

    async def draft(self, case: Case, ask: Ask | None) -> Draft:
        for passage in case.passages:
            if passage.source != "st-elsewhere":
                continue
            for limit in LIMIT.finditer(passage.text):
                dose = re.search(rf"(\d+(?:\.\d+)?) ?{re.escape(limit[2])}(?![\w/])", case.step)
                subject = passage.title.split()[0 if passage.title.startswith("Paracetamol") else 1].lower()
                if dose is None or subject not in case.step.lower():
                    continue
                over = float(dose[1]) > float(limit[1])
                return Draft(
                    label=Label.ERROR if over else Label.SUPPORTED,
                    error_type=ErrorType.UNSAFE_MANAGEMENT if over else None,
                    quotes=(Quote(evidence_id=passage.id, quote=limit[0].strip()),),
                    rationale=f"the protocol's limit is {limit[1]} {limit[2]}, the step says {dose[0]}",
                )
        return Draft(label=Label.UNCLEAR, rationale="no protocol states a limit for this")
