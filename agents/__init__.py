"""Judges, panels, the verdict policy, the resolver, and their prompts.

A judge sees a case and nothing else; the policy is pure functions.

User API: Ask, Calibrator, Case, Citation, Claim, ClaimSet, Deliberation, Derivation, Draft, Grade, Judge, JudgeSpec,
Label, Opinion, Outcome, Panel, PanelError, Policy, Quote, Reason, Relation, Resolution, ResolverSpec, RetrievalSpec,
Route, Seat, Verdict, decide, judges, load_calibrator, load_panel, panel_names, settle. It is documented in
docs/api/agents.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
