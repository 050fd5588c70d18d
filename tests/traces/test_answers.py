"""Final answers found in replies of every shape that the data sets hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.traces import answer_correct, extract_answer

OPTIONS = {"A": "Aspirin", "B": "Heparin and aspirin", "C": "Warfarin", "D": "None of these"}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("**B.** Heparin and aspirin\n\nBecause it clots.", "B"),
        ("The answer is B.", "B"),
        ("the answer is (b).", "B"),
        ("Answer: C", "C"),
        ("ANSWER: **C**", "C"),
        ("The correct answer is:\n\nC. Warfarin", "C"),
        ("Therefore, among A through D, the answer is C.", "C"),
        ("The answer is A. Wait, no. The answer is C.", "C"),
        ("Option A is wrong. Option B is wrong. Therefore, option C is the correct answer.", "C"),
        ("Solution: Choice_C", "C"),
        ("Solution: Choice_C/A", "AC"),
        ("The answer is A and C.", "AC"),
        ("The answer is A, B, C and D.", None),
        ('{"step_by_step_thinking": "A looks right", "answer_choice": "C"}', "C"),
        ('{"answer_choice": "C. Warfarin"}', "C"),
        ('{"answer_choice": "Warfarin"}', "C"),
        ('{"answer_choice": "B/C"}', "BC"),
        ('{"answer_choice": ["B", "C"]}', "BC"),
        ('{"step_by_step_thinking": "He said "no", and so "answer_choice": "C. Warfarin"}', "C"),
        ('{"step_by_step_thinking": "The answer is A.", "answer_choice": "None of the above"}', None),
        ('{"answer_choice": "E. Surgery"}', None),
        (r"So we get \boxed{C}", "C"),
        (r"So we get $\boxed{\text{C}}$.", "C"),
        (r"So we get \boxed{\textbf{C. Warfarin}}.", "C"),
        (r"So we get \boxed{\mathrm{(C)}} and not \boxed{}.", "C"),
        (r"So we get \boxed{\text{C", "C"),
        ("<think>A or B?</think><answer> C </answer>", "C"),
        (r"The answer is A.<answer>Hence \boxed{C}</answer>", "C"),
        ("The answer is A.<answer>Surgery</answer>", None),
        ("<answer>C", "C"),
        ("\ufeffC\r\n", "C"),
        ("<think>Perhaps the answer is A.</think>The answer is C.", "C"),
        ("<think>So the answer is A.</think>", "A"),
        ("<think>So the answer is A.", "A"),
        ("The best treatment is warfarin.", "C"),
        ("The correct answer is Heparin and aspirin.", "B"),
        ("Aspirin or warfarin could be given.", None),
        ("It is not warfarin.", None),
        ("The answer is a matter of taste.", None),
        ("Vitamin C deficiency causes scurvy.", None),
        ("I would go with D here.", "D"),
        ("", None),
        ("   \n", None),
    ],
)
def test_answers_with_options(text: str, key: str | None) -> None:
    assert extract_answer(text, OPTIONS) == key


def test_keys_of_two_letters_and_of_digits() -> None:
    assert extract_answer("The answer is AB.", {"AA": "x", "AB": "y"}) == "AB"
    for text in ("The answer is 2.", "2", "(2)", "**2**\n"):
        assert extract_answer(text, {"1": "x", "2": "y"}) == "2"
    # A list is no answer, whatever the options are called.
    assert extract_answer("1. First this.\n2. Then that.", {"1": "x", "2": "y"}) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("She has 40 + 2 = 42.\n#### 42", "42"),
        (r"Thus \boxed{58}.", "58"),
        (r"Thus \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        ("<think>57?</think><answer>58</answer>", "58"),
        ("The final answer is 58.", "58"),
        ("Nothing to say", None),
    ],
)
def test_answers_without_options(text: str, answer: str | None) -> None:
    assert extract_answer(text, {}) == answer


@pytest.mark.parametrize(
    ("answer", "gold", "correct"),
    [
        ("A", "A", True),
        ("B", "A", False),
        (None, "A", False),
        ("A", None, None),
        ("C", "CD", True),
        ("CD", "CD", True),
        ("BC", "CD", False),
        ("CD", "C", False),
        ("Forty", "forty ", True),
    ],
)
def test_correct_or_not(answer: str | None, gold: str | None, correct: bool | None) -> None:
    assert answer_correct(answer, gold) is correct


@settings(max_examples=150)
@given(text=st.text(max_size=300), letter=st.sampled_from("ABC"))
def test_an_answer_is_none_or_made_of_keys(text: str, letter: str) -> None:
    found = extract_answer(text, OPTIONS)
    assert found is None or set(found) <= set(OPTIONS)
    # Whatever stands before it, a closing field of JSON decides.
    assert extract_answer(f'{text.replace("answer", "")}\n"answer_choice": "{letter}"', OPTIONS) == letter


@pytest.mark.parametrize(
    "reply",
    [
        "\u56e0\u6b64,\u6b63\u786e\u7b54\u6848\u662fB\u3002",
        "\u6240\u4ee5\u9009\u62e9B",
        "\u6700\u7ec8\u7b54\u6848\u662f (B) \u80ba\u708e",
        "Respuesta: B",
        "La r\u00e9ponse est B.",
        "Die richtige Antwort ist B.",
        "\uc815\ub2f5: B",
        "\u6b63\u89e3\u306fB\u3067\u3059\u3002",
        "\u041e\u0442\u0432\u0435\u0442: B",
        "Answer: \uff22",
        "The answer is 'B'",
        "The answer is \u201cB\u201d",
        "<SOLUTION>B</SOLUTION>",
        "The answer is not A, it is B.",
        "Option A is wrong. Option C is wrong. Hence B.",
        "B is the correct answer.",
        "Answer: A patient with fever needs antibiotics, so B.",
        "Ans: B",
    ],
)
def test_an_answer_in_other_words_and_languages(reply: str) -> None:
    options = {"A": "Asthma", "B": "Pneumonia", "C": "Gout", "D": "Lupus"}
    assert extract_answer(reply, options) == "B"


_FIVE = {"A": "Furosemide", "B": "Spironolactone", "C": "Hydrochlorothiazide", "D": "Amiloride", "E": "Acetazolamide"}


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        # What its author thought before, or what others might think.
        ("I was leaning towards (C) until I saw the calcium. With a calcium of 13.2 it has to be (A).", "A"),
        ("I nearly picked B, but the potassium rules it out; C.", "C"),
        ("Many students would choose A here. The potassium, however, makes D the better option.", "D"),
        ("If the patient were pregnant, the answer would be A. She is not, so it is C.", "C"),
        ("If I had to choose, the answer would be A.", "A"),
        # The letter stands first, what decides behind it.
        (
            "It is not B, because the murmur does not change, and C would need a click. A is therefore the right one.",
            "A",
        ),
        ("B and D both spare potassium. B is the aldosterone antagonist and therefore the answer.", "B"),
        ("One might go with D; however, B treats both problems and is what I would give.", "B"),
        ("Therefore, C seems to be correct, not D.", "C"),
        ("Neither A nor B fits. D does.", "D"),
        ("A (most likely)", "A"),
        # The option's description comes between.
        ("The best answer is a loop diuretic, which is option C.", "C"),
        ("Furosemide, which is option A, would be wrong, and so would the others.", None),
        # The question asks for the exception.
        ("A is true, B is true and D is true. C is false, which makes C the answer.", "C"),
        ("All of the following are true EXCEPT: A, B, C and D are true. E is the exception.", "E"),
        ("The one that does not belong is D.", "D"),
        ("The least likely is A, the most likely answer is C.", "C"),
        ("A fits. B does not fit. C does not fit. D does not fit. E does not fit.", "A"),
        ("so the answer's C", "C"),
        ("My vote goes to C.", "C"),
        ("Having looked at the labs again, B.", "B"),
        ("It is caused by hepatitis A, B.", None),
        # Other languages.
        ("Sowohl A als auch D kommen in Frage, aber D ist wegen der Niereninsuffizienz vorzuziehen.", "D"),
        ("Weder A noch B, sondern D.", "D"),
        ("Zwischen B und D ist D die bessere Wahl.", "D"),
        ("Estuve a punto de elegir la A, pero es la C.", "C"),
        ("Se prefiere la D por la insuficiencia renal.", "D"),
        ("J'allais choisir A, mais je retiens finalement C.", "C"),
        ("A\u6216B\u90fd\u53ef\u4ee5\uff0c\u4f46B\u66f4\u597d\u3002", "B"),
        ("N\u00e3o h\u00e1 dados suficientes para escolher entre A e B.", None),
    ],
)
def test_an_answer_among_options_that_are_named_on_the_way(reply: str, answer: str | None) -> None:
    assert extract_answer(reply, _FIVE) == answer
