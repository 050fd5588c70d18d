"""Whether what was read looks as if it had been read rightly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

_FEW = 3
"""Below this number nothing is concluded from a share of none."""
_MANY_GOLDS = 20
_MANY_RIGHT = 30
_FEW_TEXTS, _MANY_SAME = 5, 10
_SHORT = 20
"""Characters up to which a reply is an answer, and no reasoning."""


class Plausibility:
    """Counts of questions and traces, and what is odd about them."""

    def __init__(self) -> None:
        self.questions = self.with_options = self.traces = self.asked = self.answered = self.graded = self.right = 0
        self.without_gold = self.several_golds = 0
        self.golds: Counter[str] = Counter()
        self.single_options = self.short = self.repeating = 0
        self.first_text: str | None = None
        self.same_text = True

    def add_question(self, options: Sequence[str], gold: str | None, gold_as_read: str | None) -> None:
        """Count a question by the keys of its options, its gold answer, and what the file gave as one."""
        self.questions += 1
        self.without_gold += gold_as_read is None
        self.several_golds += gold is not None and bool(options) and gold not in options
        self.with_options += bool(options)
        self.single_options += len(options) == 1
        if gold is not None and options:
            self.golds[gold] += 1

    def add_trace(self, options: Sequence[str], answer: str | None, is_right: bool | None) -> None:
        """Count a trace by its question's options, its answer, and whether that is right (None: there is no gold)."""
        self.traces += 1
        self.asked += bool(options)
        self.answered += bool(options) and answer is not None
        if is_right is not None and answer is not None:
            self.graded += 1
            self.right += is_right

    def add_text(self, text: str, stem: str) -> None:
        """Count a trace by its text.

        Args:
            text: The whole text.
            stem: The beginning of its question, or all of it.
        """
        text = text.strip()
        self.short += len(text) <= _SHORT
        self.repeating += len(stem) > _SHORT and stem in text[: 2 * len(stem) + 400]
        self.same_text &= self.first_text in (None, text)
        self.first_text = text if self.first_text is None else self.first_text

    def remarks(self) -> Iterator[tuple[str, str]]:
        """Yield what is worth knowing of a batch that is plausible, each with what follows from it."""
        hint = "steps are judged all the same; the share of right answers needs golds: --map gold=FIELD"
        if self.questions and self.without_gold == self.questions:
            yield f"no gold answer in any of {self.questions} questions", hint
        elif self.without_gold:
            yield f"{self.without_gold} of {self.questions} questions have no gold answer", hint
        if self.several_golds:
            yield (
                f"{self.several_golds} of {self.questions} questions have several gold answers, such as AB",
                "an answer that is one of them counts as right",
            )

    def oddities(self) -> Iterator[tuple[str, str]]:
        """Yield what is not plausible, each with what to look at."""
        if self.questions >= _FEW and not self.with_options:
            yield (
                f"none of {self.questions} questions has options",
                "nothing to do where the questions are open; else name the options with --map options=FIELD",
            )
        if self.asked >= _FEW and not self.answered:
            yield (
                f"in none of {self.asked} traces an answer was found",
                "see that the right field is read as the reply, or name the answer with --map answer=FIELD",
            )
        if self.graded >= _FEW and not self.right:
            yield (
                f"none of {self.graded} answers is right",
                "check one by hand: the gold answers may be another field, or positions that count from 0 or 1",
            )
        if self.graded >= _MANY_RIGHT and self.right == self.graded:
            yield (
                f"all {self.graded} answers are right",
                "check one by hand, unless the model is that good: a gold answer may have been read as the model's",
            )
        if self.single_options * 2 > self.with_options:
            yield (
                f"{self.single_options} of {self.questions} questions have a single option",
                "name the options with --map options=FIELD, or several columns: --map options=A,B,C,D",
            )
        yield from self._odd_texts()
        number = sum(self.golds.values())
        if len(self.golds) == 1 and number >= _MANY_GOLDS:
            yield (
                f"the gold answer of all {number} questions is {next(iter(self.golds))}",
                "check one by hand: another field may hold the gold answers",
            )

    def _odd_texts(self) -> Iterator[tuple[str, str]]:
        if self.traces < _FEW_TEXTS:
            return
        if self.short == self.traces:
            yield (
                f"no reply has more than {_SHORT} characters, so there is no reasoning to judge",
                "see that the right field is read as the reply: --map text=FIELD",
            )
        elif self.same_text and self.traces >= _MANY_SAME:
            yield f"all {self.traces} replies are the same text", "name the field of the reply with --map text=FIELD"
        if self.repeating * 2 > self.traces:
            yield (
                f"{self.repeating} of {self.traces} replies repeat their question, which is judged like reasoning",
                "save them without the prompt (return_full_text=False), or name another field: --map text=FIELD",
            )
