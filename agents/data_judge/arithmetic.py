"""Arithmetic in a step: equations, sums of points, conversions, comparisons and doses by weight, computed again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracejury.agents.data_judge.checks import FigureCheck, derived, in_step, in_vignette
from tracejury.agents.data_judge.measures import clauses, measures
from tracejury.agents.data_judge.quantities import (
    NUMBER,
    QUANTITY,
    Quantity,
    comparable,
    quantities,
    quantity_of,
    unit_of,
)
from tracejury.agents.records import Case, Quote
from tracejury.traces import ErrorType

_WORD_UNIT = r"(?:%|[a-zA-Zµμ°][\w/°µμ³²^]*)"
_OPERAND = rf"{NUMBER}(?:\s?{_WORD_UNIT})?"
_SIGN = r"\s*[-+*/×x·÷−–]\s*"  # noqa: RUF001 - the signs that people type
_OPEN, _CLOSE = r"[(\[]?\s*", r"\s*[)\]]?"
_EQUATION = re.compile(
    rf"(?<![\w.,/:^-])(?P<left>{_OPEN}{_OPERAND}(?:{_SIGN}{_OPEN}{_OPERAND}{_CLOSE})+)"
    r"\s*(?:=|≈|equals|is equal to|gives|yields|comes to|adds up to)\s*(?:about |approximately |roughly |~ ?)?"
    rf"(?P<right>{_OPERAND})(?![\w.]*[-+*/×÷=(]|\.\d)"  # noqa: RUF001
)
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")"})  # noqa: RUF001
_PARENTHESIS = re.compile(
    rf"{QUANTITY.pattern}\s?\((?:i\.e\.,? |that is,? |about |approximately |or |= ?|≈ ?)?(?P<second>[^()]{{1,20}})\)"
)
_RELATIONS = {
    "greater": r"(?:above|(?:greater|higher|more|older|longer) than|over|exceed(?:s|ing)|in excess of|>)",
    "less": r"(?:below|(?:less|lower|fewer|younger|shorter) than|under|<)",
    "greater_equal": r"(?:at least|no less than|≥)",
    "less_equal": r"(?:at most|no more than|≤)",
}
_COMPARED = {
    name: re.compile(
        rf"{QUANTITY.pattern},?\s(?:(?:which|that)\s)?(?:(?:is|was|are|lies|falls|sits)\s)?"
        rf"(?:(?:well|far|just|clearly|still|already|only|slightly|significantly)\s)?{words}\s"
        r"(?:the |a |an |its |our )?(?:(?:cut-?off|threshold|(?:upper |lower )?limit|target|value|level|normal|minimum|"
        rf"maximum)\s){{0,3}}(?:of )?(?P<second>{NUMBER}[^,.;()]{{0,14}})",
        re.I,
    )
    for name, words in _RELATIONS.items()
}
_POINTS = re.compile(r"(?<![\w.])\+?(?P<a>\d)\s?points?\b|\(\+?(?P<b>\d)(?:\s?points?)?\)", re.I)
_TOTAL = re.compile(
    r"(?:total(?:s|ing|ling)?(?: score)?(?: is| of| to| comes to)?|sums?(?: is| of| to)?|adds? up to|"
    r"score (?:is|of|equals|comes to)|=)\s*(?P<total>\d{1,2})"
    r"(?!\s?(?:points?\s)?(?:for|each|per|or|to|-|%|/|\d|\.\d))",
    re.I,
)
_MEASURED = rf"{NUMBER}\s?[a-zA-Zµμ][\w/µμ]*"
_RATE_TOTAL = re.compile(
    rf"(?:(?P<first>{_MEASURED})\s(?:plus|and then|then|and|followed by)\s)?"
    rf"(?P<rate>{NUMBER}\s?[a-zA-Zµμ]+\s?(?:/|per )\s?\w+)\s(?:over|for)\s(?:the (?:past|last|next) )?"
    rf"(?P<time>{NUMBER} (?:hours?|h|days?|minutes?|min))\b[^.;]{{0,24}}?\b"
    r"(?:amounts to|totals|comes to|gives|makes|is|equals|for a total of|a total of|=)\s(?:about )?"
    rf"(?P<total>{_MEASURED})"
)
# Words by which a total may rightly differ from rate times weight.
_WEIGHT_HEDGES = re.compile(
    r"\b(?:max\w*|cap\w*|up to|limit\w*|divid\w+|split|every|times|twice|daily|doses|each|q\d+|range|between|initial|"
    r"loading|then|followed|bolus|rather|instead|not|increase\w*|reduc\w+|adjust\w+|hal[fv]\w*|remain\w+|first)\b",
    re.I,
)


def arithmetic_checks(case: Case) -> Iterator[FigureCheck]:
    """Yield every calculation of the step that can be done again."""
    for _, clause in clauses(case.step):
        yield from _equations(case, clause)
        yield from _conversions(case, clause)
        yield from _comparisons(case, clause)
        yield from _weight_doses(case, clause)
        yield from _rate_totals(case, clause)
    yield from _point_sums(case)


def _equations(case: Case, clause: str) -> Iterator[FigureCheck]:
    for match in _EQUATION.finditer(clause):
        left, right = _expression(match["left"]), _expression(match["right"])
        if left and right and right.endswith("percent)") and re.search(r"\* ?\(?100\b", left):
            # `5 / 125 * 100 = 4 %`: the factor has made a percentage of it already.
            right = right.strip("()").removesuffix(" percent")
        if left is None or right is None or _is_date(match["left"]):
            continue
        if not re.search(r"[A-Za-z]", left):
            # `130 - (96 + 9) = 25 mEq/L`: the unit is written once, at the result.
            right = re.sub(r"\(([\d.]+) [^()]+\)", r"\1", right) if "percent" not in right else right
        check = _derived_check(case, "arithmetic", left, right, clause.strip(), match[0].strip())
        if check is not None:
            yield check


def _conversions(case: Case, clause: str) -> Iterator[FigureCheck]:
    """Yield `154 lb (70 kg)`: the same quantity in two units of one dimension."""
    for match in _PARENTHESIS.finditer(clause):
        first = quantity_of(match)
        second = _only(match["second"])
        if first is None or second is None or not first.unit or not second.unit or first.unit == second.unit:
            continue
        if ("/" in first.unit) is not ("/" in second.unit) or _timing(clause[: match.start()], first):
            continue
        if match[0] in case.stem:
            continue  # the vignette's own slip is not the step's
        yield from _checked(case, "unit", first.expression, second, match[0])


def _comparisons(case: Case, clause: str) -> Iterator[FigureCheck]:
    """Yield `5.9 mEq/L, which is below 5.5`."""
    for relation, pattern in _COMPARED.items():
        for match in pattern.finditer(clause):
            first, second = quantity_of(match), next(quantities(match["second"]), None)
            if first is None or second is None or _changing(clause, match.start(), match.end()):
                continue
            if first.unit and second.unit and first.unit != second.unit:
                continue
            unit = first.unit or second.unit
            bound, value = second._replace(unit=unit), first._replace(unit=unit)
            check = derived(
                "comparison", bound.expression, value.expression, (in_step(case, match[0].strip()),), relation
            )
            if check is not None:
                words = relation.replace("_", " or ")
                finding = (
                    f"{match[0].strip()!r}: {first.text} is {'' if check.holds else 'not '}{words} than {second.text}"
                )
                yield FigureCheck(check.holds, finding, ErrorType.ARITHMETIC, check)


def _weight_doses(case: Case, clause: str) -> Iterator[FigureCheck]:
    """Yield a dose by weight: `15 mg/kg`, a weight, and the total in one sentence, and nothing else to divide it."""
    in_clause = list(quantities(clause))
    rates = [q for q in in_clause if _per_kg(q)]
    if len(rates) != 1 or _WEIGHT_HEDGES.search(clause):
        return
    rate = rates[0]
    total_unit = "/".join(part for part in rate.unit.split("/") if part not in ("kg", "kilogram", "kilograms"))
    people = ("kg", "lb", "pound", "pounds", "kilogram", "kilograms")
    totals = [
        q for q in in_clause if q.start > rate.start and q.unit not in ("", *people) and _same_dimension(q, total_unit)
    ]
    sentence = in_step(case, clause.strip())
    weights: list[tuple[Quantity, tuple[Quote, ...]]] = [(q, (sentence,)) for q in in_clause if q.unit in people]
    if not weights:
        stated = [m for m in measures(case.stem) if m.attribute == "weight" and m.quantity.unit]
        weights = [(m.quantity, (sentence, in_vignette(m.text))) for m in stated]
    if len(totals) != 1 or len({w[0].expression for w in weights}) != 1:
        return
    weight, inputs = weights[0]
    yield from _checked(case, "dose", f"{rate.expression} * {weight.expression}", totals[0], clause.strip(), inputs)


def _rate_totals(case: Case, clause: str) -> Iterator[FigureCheck]:
    """Yield `6 g plus 2 g/h over 12 hours, which amounts to 30 g`: a rate over a time, after a first dose or not."""
    for match in _RATE_TOTAL.finditer(clause):
        rate, time, total = _only(match["rate"]), _only(match["time"]), _only(match["total"])
        first = _only(match["first"]) if match["first"] else None
        if rate is None or time is None or total is None or (match["first"] and first is None):
            continue
        expression = f"{rate.expression} * {time.expression}"
        if first is not None:
            expression = f"{first.expression} + {expression}"
        yield from _checked(case, "arithmetic", expression, total, clause.strip())


def _point_sums(case: Case) -> Iterator[FigureCheck]:
    """Yield `age (1), stroke (2), ... total 4`: points that the step lists and adds up."""
    total = list(_TOTAL.finditer(case.step))
    if len(total) != 1:
        return
    points = [m for m in _POINTS.finditer(case.step) if m.end() <= total[0].start()]
    later = [m for m in _POINTS.finditer(case.step) if m.start() >= total[0].end()]
    if len(points) < 2 or later:
        return
    terms = [m["a"] or m["b"] for m in points]
    span = case.step[points[0].start() : total[0].end()]
    check = _derived_check(case, "score", " + ".join(terms), total[0]["total"], span, span)
    if check is not None:
        yield check


def _derived_check(case: Case, kind: str, left: str, right: str, quote: str, words: str) -> FigureCheck | None:
    derivation = derived(kind, left, right, (in_step(case, quote),))
    if derivation is None:
        return None
    finding = f"{words!r}: {_plain(left)} is {derivation.computed}" + (
        "" if derivation.holds else f", not {_plain(right)}"
    )
    return FigureCheck(derivation.holds, finding, ErrorType.ARITHMETIC, derivation)


def _checked(
    case: Case, kind: str, expression: str, claimed: Quantity, quote: str, inputs: tuple[Quote, ...] = ()
) -> Iterator[FigureCheck]:
    derivation = derived(kind, expression, claimed.expression.strip("()"), inputs or (in_step(case, quote),))
    if derivation is not None:
        finding = f"{_plain(expression)} is {derivation.computed}" + (
            "" if derivation.holds else f", the step says {claimed.text}"
        )
        yield FigureCheck(derivation.holds, finding, ErrorType.ARITHMETIC, derivation)


def _expression(text: str) -> str | None:
    """Return one side of an equation as `compute` takes it; None where a word in it is no unit."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text).translate(_SIGNS)
    text = re.sub(r"(?<=[\d)\s])\s*x\s*(?=[\d(\s])", " * ", text)
    out, end = [], 0
    for match in re.finditer(r"(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>%|[a-zA-Zµμ°][\w/°µμ³²^]*)?", text):
        unit = unit_of(match["unit"]) if match["unit"] else ""
        if unit is None:
            return None
        out += [text[end : match.start()], f"({match['number']} {unit})" if unit else match["number"]]
        end = match.end()
    whole = "".join([*out, text[end:]]).strip()
    # An opening bracket before the first figure belongs to the sentence: `(140 - 100 = 40)`.
    if whole.count("(") == whole.count(")") + 1 and whole.startswith("("):
        whole = whole[1:]
    return re.sub(r"\s*([-+*/])\s*", r" \1 ", whole) if whole.count("(") == whole.count(")") else None


def _plain(expression: str) -> str:
    """Return an expression for people: without the brackets around single quantities."""
    return re.sub(r"\(([\d.]+ [^()\s]+)\)", r"\1", expression)


def _is_date(left: str) -> bool:
    return bool(re.search(r"\d{1,2}/\d{1,2}/\d{2,4}", left))


def _only(text: str) -> Quantity | None:
    """Return the quantity that is all of `text`."""
    in_text = list(quantities(text.strip()))
    return in_text[0] if len(in_text) == 1 and in_text[0].text == text.strip() else None


def _timing(before: str, quantity: Quantity) -> bool:
    """Tell whether a time is an interval (`every 8 hours (10 days)`), which its parenthesis need not equal."""
    return _same_dimension(quantity, "hour") and bool(re.search(r"\b(?:every|q|for|each|per)\s*$", before, re.I))


def _changing(clause: str, start: int, end: int) -> bool:
    around = clause[max(0, start - 40) : start] + clause[end : end + 20]
    return bool(re.search(r"\b(?:if|not|unless|whether|from|by|would|should|no longer|never)\b|n't", around, re.I))


def _per_kg(quantity: Quantity) -> bool:
    return bool(re.search(r"/(?:kg|kilograms?)\b", quantity.unit))


def _same_dimension(quantity: Quantity, unit: str) -> bool:
    return bool(unit) and comparable(quantity, Quantity("1", unit, 0, 0, ""))
