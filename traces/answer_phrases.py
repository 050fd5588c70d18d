"""How an answer is phrased in other languages than English.

Chinese, Japanese, Korean, Arabic, Hindi, Russian, Spanish, Portuguese, French, Italian and German. A letter that its
own phrase denies ("not A but C", "AではなくC") is passed over, and the one that it is set against counts.
"""

from __future__ import annotations

import re

from tracejury.traces.answer_cues import cues

# A letter of ours may be followed by a word in another script without a blank. A small letter counts only at an end.
_END = r"(?=[).。」]|\s*(?:です|である|だ|입니다|이다)|\s*(?:\n|\Z))"
_KEY = rf"[\s*_\"'`(\[「【$]*((?-i:[A-Z])|\d{{1,2}}|[a-z]{_END})(?![A-Za-z\d'])()"
_TOGETHER = r"(?!\s*(?:与|和|、|及|或|と|や|와|과|및|또는|または)\s*(?:选项|選項|選択肢)?\(?[A-Z](?![A-Za-z]))"
_DENIED = r"(?![)\]*_\s」】]*(?:ではな|じゃな|(?:가|이)?\s*아[니닙닌]|नहीं))"
_UNDENIED = (
    r"(?![^。\n]{0,3}(?:くな|ばな|ばず|びませ|択しな|択しませ|でな|ではな|じゃな|とはいえ|とは言え|の?では"
    r"|[하지]{0,2}지\s*(?:않|못)))"
)
_EAST_ASIAN = (
    r"(?:答案|选项|選項|選択肢|答え|正解|正答|回答|解答)"
    # is, be, should, choose, option, topic marks, brackets: everything but "not".
    r"[】\]」:\s*_是为為应應该該当當选選择擇项項"
    r"はが、即就最终佳選択肢]{0,12}"
)
_CHOOSE = r"(?<![不别別未候非])(?<!不[会能应應该該想可])(?:选择|選擇|選択|选|選)[:\s]*"
_KOREAN = r"(?:정답|답변|답|선택지)(?:은|는|이|가)?\s*:?"
_ARABIC = (
    r"(?:الإجابة|الاجابة|الجواب|الحل"
    r"|الخيار)"
    r"(?:\s+(?:الصحيحة?|النهائية?"
    r"|الأنسب|الأصح|هو|هي|الخيار))*\s*[:،]?"
)
_HINDI = r"(?:उत्तर|जवाब|विकल्प)(?:\s+(?:है|विकल्प))?\s*[:–—-]?"
_RUSSIAN = (
    r"(?:ответ(?:а|ом)?|вариант)"
    r"(?:\s+(?:ответа|вариант"
    r"|является|буква))*[\s*_]*(?::|=|—|–|-|это)?"
)
IN_WORDS = re.compile(
    rf"(?:{_EAST_ASIAN}|{_KOREAN}|{_ARABIC}|{_HINDI}|{_RUSSIAN})[\s:：*_]*(?:(?:है|هو|هي|это|[—–-])\s*)?([^\n。.!?！？]{{2,80}})",
    re.IGNORECASE,
)
"""Group 1 is what an answer in the words of an option is looked for in."""
_ADJECTIVE = (
    r"(?:correct[ae]?|corret[ao]|corrett[ao]|esatt[ao]|exact[ae]|finale?|definitiv[ao]|richtige?|korrekte?|beste"
    r"|endgültige|bonne|juste|meilleure|mejor|melhor|migliore|adecuada|adequada|appropriée|giusta|certa)"
)
_NOUN = (
    r"(?:respuesta|opci[oó]n|alternativa|resposta|op[cç][aã]o|réponse|option|antwort(?:option)?|lösung"
    r"|risposta|opzione|solución|solução|soluzione|cevap|antwoord|odpowiedź|đáp án)"
)
_IS = r"(?:\b(?:es|é|è|est|ist|is|lautet|là|wäre|sería|seria|serait|sarebbe|sera|será)\b|:|=|—|–)"
_OPTION = (
    r"(?:(?:l'|(?:la|el|le|der|die|das|a|o|il|lo)\s+)?(?:opci[oó]n|option|op[cç][aã]o|opzione|letra|lettre"
    r"|lettera|buchstabe|alternativa|antwort|respuesta|resposta|réponse|risposta|proposition|affirmation|choix|inciso"
    r"|afirma[cç][iã][oó]n?|assertiva|affermazione|aussage|вариант|variante|variant)\s+|(?:la|el|le|der|die|das|a|o|il)\s+)?"
)
_SO = (
    r"(?:[\s,]+(?:donc|alors|ainsi|por\s+(?:lo\s+)?tanto|entonces|pues|portanto|então|assim|quindi|dunque|allora|somit|also"
    r"|daher|demnach|folglich|wohl)\b,?)?"
)
_ROMANCE = rf"\b(?:{_ADJECTIVE}\s+)?{_NOUN}(?:\s+{_ADJECTIVE})*{_SO}[\s*_]*{_IS}+{_SO}[\s*_:]*{_OPTION}"
_ARTICLE = r"(?:(?:la|el|le|der|die|das|a|o|il|lo|quella|celle|aquela|la\s+más|la\s+plus)\s+)?"
_ROMANCE_CHOOSE = (
    r"\b(?:choisis|retiens|sélectionne|opte\s+pour|elijo|escojo|selecciono|opto\s+por|me\s+quedo\s+con|escolho|seleciono"
    r"|opto\s+pel[ao]|fico\s+com|scelgo|seleziono|opto\s+per|wähle|entscheide\s+mich(?:\s+\w+)?\s+für|выбираю|выберу)"
)
_NOT = r"(?:\bnot|n't|\bnicht|\bno\s+es|\bnon\s+è|\bnão\s+é|\bn'est\s+pas|\bне|不是|并非)"
_BUT = (
    r"(?:\bbut(?:\s+rather)?|\bsondern|\bsino(?:\s+que)?|\bma|\bmas(?:\s+sim)?|\bmais|\bа|而是"
    r"|\bit\s+is|\bit's)"
)
_LETTER = r"\(?(?-i:[A-Z])\)?"
_NOUN_WORDS = (
    "respuesta|opci|alternativa|resposta|opç|opc|réponse|option|antwort|lösung|risposta|opzione|soluci|soluç|soluzione|cevap"
    "|antwoord|odpowied|đáp"
)
_ANY_NOUN = rf"(?:\b(?:answer|choice|option)\b|{_NOUN}|答案|选项|ответ)"

PHRASES = cues(
    # A change of mind: "更正为C", "A로 수정합니다", "Cに訂正", "corrijo: C", "ich korrigiere: C".
    (
        "",
        rf"(?:更正|订正|訂正|修正|纠正|改)(?:答案|选)?(?:为|成|选|選|として)?[:\s]*{_KEY}",
    ),
    (
        "",
        rf"(?<![A-Za-z]){_KEY}(?:으로|로|に|へと?)\s*(?:수정|변경|정정|바꾸|바꿉|訂正|修正|変更)",
    ),
    (
        "corrig|corrij|korrig|исправ",
        rf"\b(?:corrijo|corrige|corrigo|correggo|korrigiere|исправляю|исправляюсь)\b[^.\n]{{0,30}}?[:,]\s*{_OPTION}{_KEY}",
    ),
    # What is chosen at the end, before what is named on the way: "故选：B".
    (
        "",
        rf"(?:故|因此|所以|综上|最终|最終|本题|应|應|よって|したがって|以上より)[^。\n]{{0,6}}(?:选|選)(?:择|擇)?(?:项)?[:\s]*{_KEY}{_TOGETHER}",
    ),
    (
        "",
        r"(?<![A-Za-z])(?-i:([a-e]))()(?:を選|が正し|が正解|が最も)",
    ),
    # "not A but C"; "A ではなく C", "A가 아니라 C".
    (
        f"answer|choice|{_NOUN_WORDS}|答案|选项|ответ",
        rf"{_ANY_NOUN}[^.\n]{{0,40}}?{_NOT}\s*{_OPTION}{_LETTER}[\s,;，、]*{_BUT}\s*{_OPTION}{_KEY}",
    ),
    (
        "",
        rf"{_LETTER}\s*(?:ではなく[て]?|(?:가|이)?\s*아니라)[\s、,]*{_KEY}",
    ),
    (
        "",
        rf"(?:{_EAST_ASIAN}|{_KOREAN}|{_ARABIC}|{_HINDI}|{_RUSSIAN}){_KEY}{_TOGETHER}{_DENIED}",
    ),
    (
        _NOUN_WORDS,
        rf"{_ROMANCE}{_KEY}",
    ),
    (
        _NOUN_WORDS,
        rf"\b{_NOUN}\s+{_KEY}\s*(?:{_IS}\s*)?{_ARTICLE}{_ADJECTIVE[:-1]}|richtig|korrekt)\b",
    ),
    (
        "richtig|korrekt",
        rf"\b(?:richtig|korrekt)\s+(?:ist|wäre)\s+{_OPTION}{_KEY}",
    ),
    (
        "",
        rf"{_CHOOSE}{_KEY}{_DENIED}",
    ),
    (
        "choisis|retiens|sélectionne|opte|elijo|escojo|selecciono|opto|quedo|escolho|seleciono|fico|scelgo|seleziono"
        "|wähle|entscheide|выб",
        rf"{_ROMANCE_CHOOSE}{_SO}\s+{_OPTION}{_KEY}",
    ),
    # "أختار B", "لا يبقى إلا C", "ليست A بل B"; "मैं C चुनूँगा", "केवल C बचता है", "A नहीं, बल्कि B".
    (
        "",
        r"(?:(?:(?<!لن )(?<!لا )(?<!لم )(?:أختار|اخترت|سأختار|نختار|أرجح)"
        r"|(?:يبقى|تبقى|بقي)(?:\s+لدينا)?\s*(?:إلا|سوى|فقط)?)\s*:?"
        rf"|ليست?\s+{_LETTER}\s*،?\s*(?:بل|وإنما|ولكن))"
        rf"\s*(?:هو\s+|هي\s+)?(?:على\s+)?(?:الخيار|الإجابة)?{_KEY}",
    ),
    (
        "",
        rf"(?:الخيار|الإجابة)?{_KEY}\)?\s+(?:هو|هي|يعتبر|تعتبر)\s+(?:الخيار\s+|الإجابة\s+|الجواب\s+)?"
        r"(?:الصحيح|الأنسب|الأصح|الأفضل|الأرجح|المناسب)",
    ),
    (
        "",
        rf"{_LETTER}\s*नहीं\s*,?\s*(?:बल्कि|अपितु|वरन)\s*(?:विकल्प)?{_KEY}",
    ),
    (
        "",
        rf"(?:केवल|सिर्फ़?|अब)\s*(?:विकल्प)?{_KEY}\)?\s*(?:ही\s*)?(?:बच|शेष)",
    ),
    (
        "",
        rf"{_KEY}\)?\s*(?:को\s*)?(?:ही\s*)?(?:चुनूँगा|चुनूंगा|चुनूँगी|चुनूंगी|चुनता|चुनती|चुनते|चुना|चुनें|चुनना)",
    ),
    (
        "",
        rf"{_KEY}\)?\s*(?:ही\s*)?(?:सबसे\s*|अधिक\s*)?(?:सही|उपयुक्त|उचित|बेहतर)(?!\s*(?:उत्तर\s*|विकल्प\s*)?नहीं)",
    ),
    # "最も適切なのはB", "正しくはD", "残るのはD", "옳은 것은 C", "남은 것은 B", "只剩D".
    (
        "",
        rf"(?:(?:適切|妥当|正し|可能性が高|考えられる)[^。\n]{{0,8}}?(?:のは|ものは|選択肢は|くは)|残るのは|残る選択肢は"
        rf"|(?:적절|옳|맞|알맞|적합|타당|남)[가-힣]{{0,2}}\s*(?:것|답|답변|보기|선택지)[은는이가]"
        rf"|(?:只剩|仅剩|僅剩|剩下|只有|唯有)(?:的(?:是)?)?(?:选项|選項)?)[:\s]*{_KEY}{_DENIED}",
    ),
    # "가장 가능성이 높은 진단은 B입니다", "最も考えられる診断はBです", "最可能的诊断是B".
    (
        "",
        rf"(?:가장[^.。\n]{{1,24}}[은는]|最も[^。\n]{{1,24}}は|最[^。，\n]{{1,12}}(?:是|为|為))\s*{_KEY}{_TOGETHER}{_DENIED}"
        r"(?=[)）]?(?:번|項|项)?\s*(?:입니다|이다|です|である|だ|[。.\n]|\Z))",
    ),
    # "D만 해당", "Dのみ", "فقط D".
    (
        "",
        rf"{_KEY}[)）]?(?:のみ|だけ|만)(?!で?は?な|으로는)\s*(?:が|이|가)?\s*(?:該当|当ては|適|正|해당|적절|적합|맞|옳|가능|합당|일치|부합)",
    ),
    (
        "",
        rf"(?:فقط|وحده)\s*(?:الخيار\s*)?{_KEY}(?=\s+\w{{3}})",
    ),
    (
        "",
        r"(?:结论|結論|결론|الخلاصة|الاستنتاج|निष्कर्ष|вывод|итог)\s*[:：,，は为是]\s*"
        rf"(?:هي\s*|هو\s*)?{_KEY}(?=[.!।。\s*]*(?:です|だ|である|입니다|이다|है)?[.!।。\s*]*(?:\n|\Z))",
    ),
    (
        "conclu|fazit|schlussfolgerung",
        rf"\b(?:(?:en\s+|em\s+|in\s+)?conclusi(?:[oó]n|one)|conclusion|conclus[aã]o|fazit|schlussfolgerung)\s*[:,]\s*{_OPTION}{_KEY}"
        r"(?=[.!\s*]*(?:\n|\Z))",
    ),
    (
        "",
        rf"{_KEY}[)）]?と(?:判断|結論|決定|断定)",
    ),
    # "Cが正しい", "Bを選ぶ", "B번이 가장 적절", "C를 선택", "D项最合适".
    (
        "",
        rf"{_KEY}(?:番|号|번|项|項|选项|選項)?(?:が|は|を|이|가|을|를|은|는|是|为|為|才是)?\s*(?:最も|より|가장\s*|더\s*|최|最|更|较|較)?"
        r"(?:正し|正解|適切|妥当|選|적절|적합|타당|정답|맞|옳|선택|고르|正确|正確|合适|合適|合理|佳|好|恰当|符合)"
        rf"{_UNDENIED}",
    ),
)
"""Group 1 is the letter. The last match of the first phrase that matches counts."""
