"""Names under which files keep what a question and a trace consist of; case and punctuation do not matter."""

from __future__ import annotations

import re
import unicodedata

FIELDS = (
    "id",
    "stem",
    "options",
    "gold",
    "explanation",
    "source",
    "split",
    "model",
    "arm",
    "sample",
    "text",
    "final",
    "steps",
    "answer",
    "teacher",
    "hint_used",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
)
"""What `--map FIELD=PATH` may name on its left side."""

STEM = (
    "question", "stem", "questionstem", "questiontext", "problemtext", "itemtext", "qtext",
    "openendedverifiablequestion", "query", "problem", "problemstatement", "sent1", "vignette", "clinicalvignette",
    "casevignette", "prompt", "inputtext", "userinput", "fullprompt", "userprompt", "input", "inputs",
    "instruction", "q", "case",
    "enonce", "pregunta", "enunciado", "frage", "fragestellung", "pergunta", "domanda", "问题", "题目", "题干",
    "質問", "問題", "질문", "문제", "вопрос",
)  # fmt: skip
ITEM = ("item", "example", "exercise", "entry", "mcq", "questionstring")
"""Names of a question that are also given to its number: only a long text counts."""
VIGNETTE = (
    "vignette", "clinicalvignette", "context", "case", "casedescription", "casepresentation", "patientcase", "passage",
    "abstract", "scenario",
)  # fmt: skip
OPTIONS = (
    "options", "choices", "answerchoices", "answeroptions", "candidates", "mcoptions", "option", "endings",
    "choicelist", "optionlist", "multiplechoiceoptions", "mcqoptions", "answeroption",
    "propositions", "opciones", "optionen", "antwortmoglichkeiten", "opcoes", "opzioni", "选项", "選択肢", "선택지",
    "варианты",
)  # fmt: skip
ALTERNATIVES = ("answers", "alternatives", "variants", "answer")
"""Names of options where the field holds objects with keys and texts, and of golds where it does not."""
GOLD = (
    "answeridx", "answerindex", "answerkey", "answerletter", "answerid", "gold", "goldanswer", "goldlabel", "goldidx",
    "goldindex", "goldkey", "correctanswer", "correctoption", "correctchoice", "correctidx", "correctindex",
    "correctletter", "correctkey", "correctanswerkey", "correctanswers", "correctoptions", "cop", "groundtruth",
    "groundtruthanswer", "groundtrueanswer", "groundtruths", "goldanswers", "referenceanswer", "reference",
    "expectedanswer", "expected", "finaldecision", "label", "labels", "target", "targets", "correct", "answers",
    "answer", "solution", "ra", "rightanswer", "rightoption", "gt",
    "gtanswer", "gtlabel", "truth", "trueanswer", "truelabel", "correctlabel",
    "bonnereponse", "reponsecorrecte", "reponsescorrectes", "respuestacorrecta", "richtigeantwort", "korrekteantwort",
    "respostacorreta", "rispostacorretta", "gabarito", "正确答案", "标准答案", "答案", "正解", "정답",
    "правильныйответ", "reponse", "respuesta", "antwort", "resposta", "risposta", "losung",
)  # fmt: skip
REASONING = (
    "complexcot", "longcot", "reasoningcontent", "reasoningtrace", "reasoningtext", "reasoningprocess", "reasoning",
    "thinking", "thinkingtrajectory", "thinkingtrajectories", "deepseekthinkingtrajectory", "thinkingprocess",
    "thinkingtrace", "thoughtprocess", "thoughts", "thought", "chainofthought", "cot", "modelreasoning",
    "modelthinking", "stepbystepthinking", "rationale", "modelcot", "generatedcot", "trace", "reasoningchain", "chain",
)  # fmt: skip
REPLY = (
    "response", "responsetext", "fullresponse", "rawresponse", "modelresponse", "llmresponse", "output", "outputtext",
    "rawoutput", "predict", "modeloutput", "llmoutput", "completion", "generation", "generatedtext", "generatedanswer",
    "generatedresponse", "reply", "modelreply", "finalresponse", "assistantresponse", "assistant", "raw", "resp",
    "responses", "outputs", "generated", "predictions", "modelpredictions", "completions", "generations",
    "modeloutputs", "modelresponses", "replies", "samples",
    "predictiontext", "studentresponse", "studentoutput", "text", "content", "result",
    "reponsedumodele", "reponsemodele", "reponsellm", "respuestadelmodelo", "respuestamodelo", "antwortdesmodells",
    "modellantwort", "respostadomodelo", "rispostadelmodello", "模型回答", "模型输出", "回答", "模型の回答", "모델답변",
    "ответмодели",
)  # fmt: skip
STEPS = ("steps", "reasoningsteps", "cotsteps", "solutionsteps", "modelsolutionsteps", "stepstext")
ANSWER = (
    "prediction", "pred", "predicted", "predictedanswer", "predanswer", "modelanswer", "extractedanswer",
    "parsedanswer", "finalanswer", "studentanswer", "llmanswer", "answerchoice", "predictedlabel", "predletter",
    "modelprediction", "predictedoption", "predictedletter", "modelchoice", "modelpred", "predictedchoice",
    "predictedindex", "predictedidx", "answerpred", "final",
)  # fmt: skip
ID = (
    "customid", "questionid", "qid", "id", "uid", "uuid", "questionuuid", "key", "realidx", "idindataset",
    "exampleid", "itemid", "docid", "caseid", "sampleid", "pmid", "idx", "index", "rowid", "number",
)  # fmt: skip
EXPLANATION = (
    "explanation", "exp", "answerexplanation", "explanations", "justification", "groundtruthanalysis",
    "explication", "explicacion", "erklarung", "explicacao", "spiegazione", "解析", "解説", "해설",
)  # fmt: skip
OTHERS: dict[str, tuple[str, ...]] = {
    "source": ("source", "dataset", "datasetname", "benchmark", "datasource", "task", "subset"),
    "split": ("split",),
    "model": ("model", "modelname", "modelid", "generator", "engine", "llm", "samplemodel", "sampledmodel"),
    "arm": ("arm", "condition", "variant", "group", "checkpoint"),
    "sample": ("sample", "samplenumber", "samplenr", "sampleindex", "sampleidx", "repeat", "epoch", "attempt", "trial",
               "rollout", "rolloutid", "generationid", "draw", "run"),
    "finish_reason": ("finishreason", "stopreason"),
    "prompt_tokens": ("prompttokens", "inputtokens"),
    "completion_tokens": ("completiontokens", "outputtokens"),
    "teacher": ("teacher", "teachermodel"),
    "hint_used": ("hintused",),
}  # fmt: skip

STEM_ENDINGS = ("question", "prompt", "query", "vignette")
REPLY_ENDINGS = ("response", "output", "completion", "generation", "reply", "reasoning", "cot", "answer", "reponse",
                 "respuesta", "antwort", "resposta", "risposta")  # fmt: skip
"""Ends of names that nobody could list, such as `gpt4_prompt` and `gpt4_response`."""
CLOSING_ENDINGS = ("response", "output", "completion", "generation", "reply", "answerstring", "answertext")
"""Ends of names of the words that follow a reasoning in a field of its own; `long_answer` is more often a gold."""

_GENERIC = {"text", "content", "value", "message", "body", "raw", "data"}
_OF_GOLD = {"gold", "target", "correct", "correctanswer", "groundtruth", "reference", "expected", "truth"}
_PARTS_OF_GOLD = {"index", "idx", "letter", "key", "label", "id", "option", "answer"}
_CHOICE = (
    "option|choice|opt|ending|answer|ans|choix|reponse|proposition|opcion|respuesta|antwort|opcao|alternativa|opzione|"
    "选项|選択肢|선택지|вариант"
)
_COLUMN = re.compile(rf"(?i)(?:(?:{_CHOICE})[ _-]?([A-J]|\d{{1,2}})|op[ _-]?([A-J]|\d{1, 2})|([A-J]))")
_AFFIX = "response|output|answer|reply|completion|generation|reasoning|cot|text|trace"
_ARM = re.compile(rf"(?i)(?:(?P<before>.+?)[ _.-]+(?:{_AFFIX})|(?:{_AFFIX})[ _.-]+(?P<after>.+))")


def plain(path: str) -> str:
    """Return the name at the end of a path in small letters and figures; its parent's name where it says nothing.

    Accents are left out: `Réponse` is `reponse`.
    """
    parts = [part for part in path.split(".") if part and not part.isdecimal()]
    names = [re.sub(r"[\W_]", "", _without_accents(part.lower())) for part in parts] or [""]
    if len(names) > 1 and names[-2] in _OF_GOLD and names[-1] in _PARTS_OF_GOLD:
        # The index of a gold answer is no number of the row.
        return names[-2]
    return names[-2] if len(names) > 1 and names[-1] in _GENERIC else names[-1]


def option_column(name: str) -> str | None:
    """Return the key of the option that a column of its own holds (`opa`, `Option B`, `C`, `ending0`); else None."""
    match = _COLUMN.fullmatch(_without_accents(name.strip()))
    return None if match is None else next(group for group in match.groups() if group).upper()


def _without_accents(text: str) -> str:
    # Composed again, since Korean syllables come apart like letters with accents.
    letters = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(letters))


def arm_of_column(name: str) -> str | None:
    """Return the arm whose replies a column holds, such as `base` of `base_response`; None where its name says none."""
    match = _ARM.fullmatch(name.strip())
    return None if match is None else match.group("before") or match.group("after")


def is_known(name: str) -> bool:
    """Whether a name is that of any field of a question or a trace."""
    lists = (STEM, ITEM, VIGNETTE, OPTIONS, GOLD, REASONING, REPLY, STEPS, ANSWER, ID, EXPLANATION, *OTHERS.values())
    return any(plain(name) in known for known in lists) or option_column(name) is not None
