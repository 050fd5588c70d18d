"""Options of a question in the shapes that files have them: objects, lists, columns, or a text of any of these."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase

from tracejury.traces.answer_cues import holds_one
from tracejury.traces.tables.json_values import is_whole, json_in
from tracejury.traces.tables.rendered_turns import user_text

_KEY_NAMES = ("label", "letter", "key", "id", "option", "choice", "idx", "index", "name", "aid")
_TEXT_NAMES = ("text", "content", "value", "option_text", "answer", "body", "description", "option", "choice", "atext")
_CORRECT_NAMES = ("is_correct", "iscorrect", "correct", "is_answer", "isanswer", "right")
_LETTERED_KEY = re.compile(r"(?:answer|option|choice|ending|opt|op|ans)[ _-]?([A-Za-z]|\d{1,2})", re.IGNORECASE)
_MARKER = re.compile(
    r"(?:\A|(?<=[\s;,|/]))(?:\*\*|__)?(?:[(\[]([A-Z])[)\]]|([A-Z])(?:[.):]|[ \t]+[-\u2013](?=\s)))(?:\*\*|__)?\s*"
)
_LINE_MARKER = re.compile(r"(?:\A|\n)[ \t]*[(\[*]*([A-Z]|\d{1,2})[)\]*]*[.:)\u3001\uff0e\uff1a][ \t*]*(?=\S)")
_HEAD = re.compile(r"\A\W*(?:answer\s+)?(?:choices|options)\s*:\s*", re.IGNORECASE)
_PREFIX = re.compile(r"\A\s*(?:\(([A-Za-z])\)|([A-Za-z])[.):])\s+(?=\S)")
_BARE_PREFIX = re.compile(r"\A\s*([A-Z])[ \t\u3000]+(?=\S)")
_ARRAY_ITEM = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_EMPTY = {"", "n/a", "nan", "<na>"}
_LONGEST_EMPTY = max(map(len, _EMPTY))
_PLAIN_KEYS = {ascii_uppercase[:length] for length in range(1, 11)}


def options_of(value: object) -> dict[str, str]:
    """Return options by key; empty where there are none, or none that can be read."""
    return read_options(value) or {}


def read_options(value: object) -> dict[str, str] | None:
    """Return options by key.

    Read are: a mapping of key to text, a list of texts, a list of objects with a key and a text,
    `{"text": [...], "label": [...]}`, all of these as JSON or as Python writes them, lines and sentences lettered
    `A. ... B. ...`, and texts divided by line breaks, `|` or `;`. A list without keys is lettered from A on.

    Returns:
        The options; empty where the value is empty; None where it holds something that cannot be read as options.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    if isinstance(value, list):
        return _from_list(value)
    return {} if value is None else None


def flagged_keys(value: object, options: Mapping[str, str]) -> list[str]:
    """Return the keys of the options that a list of objects marks as correct (`{"text": ..., "correct": true}`)."""
    if not isinstance(value, list) or len(value) != len(options):
        return []
    flags = [next((e[n] for n in e if str(n).lower() in _CORRECT_NAMES), None) for e in value if isinstance(e, Mapping)]
    return [key for key, flag in zip(options, flags, strict=False) if flag in (True, 1, "true", "True", "1")]


def _from_text(text: str) -> dict[str, str] | None:
    text = text.strip()
    if text.lower() in _EMPTY:
        return {}
    if text[0] in "[{(" or text.startswith("array("):
        literal = _literal(text)
        if literal is not None:
            return read_options(literal)
    text = _HEAD.sub("", text)
    for markers in (_marked(text, _LINE_MARKER), _marked(text, _MARKER)):
        if len(markers) > 1:
            return markers
    for divider in ("\n", "|", ";"):
        parts = [part.strip() for part in text.split(divider) if part.strip()]
        if len(parts) > 1:
            return _from_list(parts)
    return None


def _literal(text: str) -> object:
    """Return what JSON or Python's own notation says, arrays of numpy included; None where it is neither."""
    value = json_in(text)
    if value is not None:
        return value
    bare = re.sub(r"\barray\((\[.*?\])(?:,\s*dtype=\w+)?\)", r"\1", text, flags=re.DOTALL)
    try:
        value = ast.literal_eval(bare)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not is_whole(value):
        return None
    # numpy writes no commas, and Python joins what stands beside each other: ['a' 'b'] would be one text.
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        items = [a or b for a, b in _ARRAY_ITEM.findall(bare)]
        return items if len(items) > 1 else value
    return list(value) if isinstance(value, tuple) else value


def _marked(text: str, marker: re.Pattern[str]) -> dict[str, str]:
    """Return what follows the markers A, B, C, ... (or 1, 2, 3, ...) in `text`, each up to the next."""
    markers = [(m, next(g for g in m.groups() if g)) for m in marker.finditer(text)]
    for first, expected in (("A", ascii_uppercase), ("1", [str(i) for i in range(1, 27)])):
        run: list[tuple[re.Match[str], str]] = []
        for match, key in markers:
            if len(run) < len(expected) and key == expected[len(run)]:
                run.append((match, key))
        if len(run) > 1 and run[0][1] == first and not text[: run[0][0].start()].strip():
            ends = [*(m.start() for m, _ in run[1:]), len(text)]
            return {key: text[m.end() : end].strip(" \t\r\n;,|/*") for (m, key), end in zip(run, ends, strict=True)}
    return {}


def _from_mapping(value: Mapping[object, object]) -> dict[str, str] | None:
    if set(map(type, value.values())) == {str} and "".join(map(str, value)) in _PLAIN_KEYS:
        plain = {str(key): str(text).strip() for key, text in value.items()}
        return {key: text for key, text in plain.items() if len(text) > _LONGEST_EMPTY or text.lower() not in _EMPTY}
    texts = next((v for n in ("text", "texts", "choices") if isinstance(v := value.get(n), list)), None)
    labels = next((v for n in ("label", "labels", "keys") if isinstance(v := value.get(n), list)), None)
    if texts is not None and labels is not None and len(texts) == len(labels):
        return _keyed(zip(map(str, labels), texts, strict=True))
    if any(isinstance(text, Mapping | list) for text in value.values()):
        return None
    return _keyed((str(key), text) for key, text in value.items())


def _from_list(value: Sequence[object]) -> dict[str, str] | None:
    if not value:
        return {}
    if all(isinstance(entry, Mapping) for entry in value):
        return _from_objects([entry for entry in value if isinstance(entry, Mapping)])
    if len(value) > len(ascii_uppercase) or any(isinstance(entry, Mapping | list) for entry in value):
        return None
    texts = ["" if entry is None else str(entry) for entry in value]
    # A letter and a space begin an option only where all of several do so, from A on: "A fib" is a text.
    for prefix in (_PREFIX, *([_BARE_PREFIX] if len(texts) > 2 else [])):
        prefixes = [prefix.match(text) for text in texts]
        letters = "".join(next(filter(None, m.groups())).upper() for m in prefixes if m)
        if letters == ascii_uppercase[: len(texts)]:
            texts = [text[m.end() :] for text, m in zip(texts, prefixes, strict=True) if m]
            break
    return _keyed(zip(ascii_uppercase, texts, strict=False))


def _from_objects(entries: Sequence[Mapping[object, object]]) -> dict[str, str] | None:
    pairs: list[tuple[str, object]] = []
    for position, entry in enumerate(entries[: len(ascii_uppercase)]):
        names = {str(name).lower(): name for name in entry}
        key_name = next((n for n in _KEY_NAMES if n in names and isinstance(entry[names[n]], str | int)), None)
        text_name = next((n for n in _TEXT_NAMES if n in names and n != key_name), None)
        if text_name is None and len(entry) == 1:
            # [{"A": "TSH"}, {"B": "Ferritin"}]
            (only,) = entry.items()
            pairs.append((str(only[0]), only[1]))
            continue
        if text_name is None or isinstance(entry[names[text_name]], Mapping | list):
            return None
        key = None if key_name is None else str(entry[names[key_name]])
        pairs.append((key if key and len(key) <= 2 else ascii_uppercase[position], entry[names[text_name]]))
    return _keyed(pairs) if len({key for key, _ in pairs}) == len(pairs) else None


def _keyed(pairs: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return options with plain keys (`(a)`, `option_a`, `opa` are A), without the places that a table left empty."""
    listed = [(key.strip(), text) for key, text in pairs]
    bare = [key.strip("()[]{}.:*\"' ") for key, _ in listed]
    if listed and all(_LETTERED_KEY.fullmatch(key) for key in bare):
        bare = [m.group(1) for key in bare if (m := _LETTERED_KEY.fullmatch(key))]
    if all(len(key) == 1 and key.isalpha() for key in bare):
        bare = [key.upper() for key in bare]
    if len(set(bare)) != len(bare):
        bare = [key for key, _ in listed]
    filled = {key: "" if text is None else str(text).strip() for key, (_, text) in zip(bare, listed, strict=True)}
    return {key: text for key, text in filled.items() if text.lower() not in _EMPTY}


_PROMPT_LINE = re.compile(r"(?:\A|\n)[ \t]*[(\[*]*([A-Z])[)\]*]*[.:)\u3001\uff0e\uff1a][ \t*]*([^\n]+)")
_PROMPT_LITERAL = re.compile(
    r"(?:answer\s+)?(?:options?|choices?)\s*[:=]\s*(\{[^{}]{4,4000}\}|\[[^\[\]]{4,4000}\])", re.IGNORECASE
)
_PROMPT_END = re.compile(r"""(\{\s*['"]\(?A\)?['"]\s*:[^{}]{4,4000}\})\s*\Z""")
_STEM_HEAD = re.compile(
    r"\A\s*(?:#+\s*)?(?:\*\*)?(?:(?:USMLE|MedQA|medical|clinical|exam|multiple[- ]choice)\s+)?(?:question|Q)"
    r"(?:\*\*)?\s*:(?:\*\*)?\s*",
    re.IGNORECASE,
)
_LONGEST_STEM_END = 120
_STEM_END = re.compile(
    r"\s*(?:#+\s*)?(?:\*\*)?(?:(?:the\s+)?(?:answer\s+)?(?:options|choices)(?:\s+are)?|\u9009\u9879)(?:\*\*)?\s*[:\uff1a](?:\*\*)?\s*\Z",
    re.IGNORECASE,
)


def split_prompt(prompt: str) -> tuple[str, dict[str, str]]:
    """Return the stem and the options of a prompt that lists them as `A. ...` lines from A on; else the prompt.

    Options in one line, `(A) ... (B) ...` at the end of the prompt, are found too, and those that a program has written
    as it holds them: `Options: {'A': ..., 'B': ...}`, or the bare object at the end.
    """
    return split_question(user_text(prompt))


def split_question(prompt: str) -> tuple[str, dict[str, str]]:
    """Return the stem and the options, as `split_prompt` does, of what `user_text` returned."""
    has_brackets = "{" in prompt or "[" in prompt
    literal = (_PROMPT_LITERAL.search(prompt) or _PROMPT_END.search(prompt)) if has_brackets else None
    if literal and len(options := options_of(_literal(literal.group(1)))) > 1:
        return bare_stem(prompt[: literal.start()]), options
    # Options are on two lines or more.
    lines = list(_PROMPT_LINE.finditer(prompt)) if "\n" in prompt else []
    for first, match in enumerate(lines):
        letters = "".join(m.group(1) for m in lines[first:])
        length = next((n for n in range(len(letters), 1, -1) if letters[:n] == ascii_uppercase[:n]), 0)
        if match.group(1) == "A" and length:
            run = lines[first : first + length]
            return bare_stem(prompt[: match.start()]), {m.group(1): m.group(2).strip(" \t*") for m in run}
    start = re.search(r"[(\[]A[)\]]\s", prompt) if "A)" in prompt or "A]" in prompt else None
    if start and len(options := _marked(prompt[start.start() :].strip(), _MARKER)) > 1:
        *_, (last, text) = options.items()
        return bare_stem(prompt[: start.start()]), {**options, last: text.partition("\n")[0].strip()}
    return prompt.strip(), {}


def bare_stem(text: str) -> str:
    """Return a question without a heading such as `Question:` before it or `Options:` behind it."""
    if (head := _STEM_HEAD.match(text)) is not None:
        text = text[head.end() :]
    # What is cut off is short, and the pattern is slow on a long text.
    tail = text[max(0, len(text) - _LONGEST_STEM_END) :]
    if tail.isascii() and not holds_one(tail.lower(), ("option", "choice")):
        return text.strip()
    return (text[: len(text) - len(tail)] + _STEM_END.sub("", tail)).strip()
