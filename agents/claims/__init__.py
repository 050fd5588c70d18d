"""Claims: the checkable statements of a step, with their characters in it.

`cut_by_rule` needs no model; `claims_of` asks one where the panel names an endpoint, and holds what it returns against
the rule, so that a text that talks to the extractor can hide nothing. The rule errs on one side: what is not clearly a
heading, a plan or a question is a claim.
"""
