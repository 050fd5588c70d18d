"""Identifiers that a label, a role or a sentence of another language gives away, beside the shapes of identifier_rules.

As there, every repetition has a bound and every rule begins where a word begins.
"""

from __future__ import annotations

import re

from tracejury.traces.alternation import any_of
from tracejury.traces.identifier_rules import LOWER as _L
from tracejury.traces.identifier_rules import NAME_WORD as _WORD
from tracejury.traces.identifier_rules import UPPER as _U
from tracejury.traces.identifier_words import (
    FOREIGN_LABELS_OF_NAMES,
    HAN_NUMBERS,
    NO_NAMES,
    OTHER_LABELS_OF_NAMES,
    PHONES,
    PROFESSIONS,
    RELATIVES,
    STATES,
    TITLES,
)

_INITIAL = rf"[{_U}]\b\.?"
_OF = r"(?:(?:de la|de los|de|del|van der|van den|van|von|bin|ibn|al|el|da|dos|di|la|le)[ -])?"
_FULL = rf"(?:(?:{_INITIAL}[ ]?){{1,2}}[ ]?{_OF}{_WORD}|{_WORD}(?:[ ]{_INITIAL})?(?:[ ]{_OF}{_WORD}){{1,3}})(?:[ ]{_INITIAL}(?![\w'-]))?"
_LAST_FIRST = rf"{_OF}{_WORD}(?:[ -]{_WORD})?,[ ]?{_WORD}(?:[ ](?:{_INITIAL}|{_WORD}))?"
_NO_NAME = rf"(?!{any_of(NO_NAMES)}\b)"
_ROLE = any_of(PROFESSIONS, RELATIVES, OTHER_LABELS_OF_NAMES, any_case=True)
_SPEAKER = any_of(PROFESSIONS, any_case=True)
_RELATIVE = any_of(RELATIVES)
_TITLE = any_of(TITLES)
_FOREIGN_PATIENT = any_of(FOREIGN_LABELS_OF_NAMES, any_case=True)
_HAN = r"[\u3400-\u9fff]"
_STATE = any_of(STATES)
_TENS = r"(?:ninety|one[ -]hundred(?: and)?|a hundred(?: and)?)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine|ten))?"
_HAN_ID = rf"(?:{HAN_NUMBERS})"
_PHONE_LABEL = any_of(PHONES, any_case=True)

LABELLED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("EMAIL", r"(?<![\w.+-])[\w.+-]{2,64} at [\w-]{2,63} dot (?:com|org|net|edu|gov|co|io|uk|de|fr)\b"),
        ("URL", r"(?i:\b(?:facebook|instagram|twitter|linkedin|tiktok|snapchat|telegram|skype|wechat)\b|微信)(?: (?:ID|handle|name|user))?"
                r"[ ]?[:@#]{1,2}[ ]?(?P<HANDLE>@?[\w.-]{3,40}\w)"),
        ("SSN", r"(?<![\w-])[xX*]{3}-[xX*]{2}-\d{4}\b"),
        ("ID", rf"{_HAN_ID}[ ]?:?[ ]?(?P<HAN_ID>[A-Z0-9][A-Z0-9-]{{4,24}})"),
        ("PHONE", r"(?<![\d.])\+\d{1,3}[ ]?\(\d{1,4}\)(?:[ .-]?\d){6,12}(?:[ ](?:ext|x)\.?[ ]?\d{1,6})?\b"
                  r"|(?<![\d./-])0\d{2,4}[ /-]\d{3,4}[ -]\d{3,4}(?![\d-])|(?<![\d./-])01\d{2}[-/ ]\d{6,8}(?!\d)|(?<![\d.])0\d(?:[ .]\d\d){4}(?!\d)"
                  r"|(?<![\w-])x(?P<EXTENSION>\d-?\d{3,5})\b"),
        ("ID", r"\|(?P<HL7>\d{5,12})(?=\^\^\^)"
               r"|(?i:\b(?:pt|patient|hosp|hospital|spec|member|subscriber|beneficiary|SN|S/N|Aktenzeichen|Az|Kennzeichen|licen[cs]e|certificate|permit|NPI|DEA|MRN|UR)\b\.?)"
               r"(?:[ ]?(?i:id|identifier|no|nr|number|code|#)\.?[:#]?){1,2}[ ]?(?P<CODED>(?=[A-Z-]{0,8}\d)[A-Z0-9](?:[A-Z0-9]|-(?=\w)){3,20})(?![\w-])"
               r"|\b(?:SN|S/N|Aktenzeichen|Az\.?):?[ ](?P<SERIAL>(?=[A-Z-]{0,8}\d)[A-Z0-9](?:[A-Z0-9]|-(?=\w)){5,20})(?![\w-])"),
        ("NAME", rf"<(?i:given|family|first_?name|last_?name|surname|name|patient_?name|forename)>(?P<XML>{_WORD}(?:,?[ ]{_WORD}){{0,3}})(?=</)"
                 rf"|\"(?i:family|given|first_?name|last_?name|surname|forename|full_?name|patient_?name)\"[ ]?:[ ]?\[?[ ]?\"(?P<FHIR>{_WORD}(?:,?[ ]{_WORD}){{0,3}})(?=\")"
                 rf"|(?:(?<=\n)|(?<=,))\"(?P<CELL>{_WORD},[ ]{_WORD})\"(?=,\d)"),
        ("DATE", r"(?<![\d.])(?:0?[1-9]|1[0-2])\.(?:0?[1-9]|[12]\d|3[01])\.\d{2}(?![\d.])"
                 r"|(?<![\d./-])(?:0?[1-9]|[12]\d|3[01])[-./](?:I{1,3}|IV|VI{0,3}|IX|XI{0,2})[-./](?:19|20)?\d{2}\b"
                 r"|(?:明治|大正|昭和|平成|令和)(?:元|\d{1,2})年\d{1,2}月\d{1,2}日"
                 r"|\b(?:New Year's|Valentine's|St\.? Patrick's|Mother's|Father's|Memorial|Labor|Veterans|Columbus|Boxing|Christmas|Halloween|Diwali|Eid|Easter|Passover)(?: Eve| Day| Sunday| Monday)?,?(?: of)? (?:19|20)\d{2}\b"
                 r"|\b1er (?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre) \d{4}"
                 r"|\b(?=[JFMASOND])(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.? (?:the \d{1,2}(?:st|nd|rd|th)|'\d{2})\b"),
        ("DATE", r"(?<![\d./-])(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![\d./-])"
                 r"|\b(?:born|geboren|né|née|nacid[oa]|nato|nata|nascid[oa])(?: in| im| en| nel| em)? (?P<BORN>19[0-3]\d)\b"
                 r"|\b\d{1,2}/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/(?:\d{4}|\d{2})\b"
                 r"|\b(?:0?[1-9]|[12]\d|3[01]) (?:января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря) \d{4}"
                 r"|(?<!\d)\d{4}년 ?\d{1,2}월 ?\d{1,2}일"),
        ("AGE", r"(?:\A|(?<=\n)|\b(?:[Tt]riage|HPI|ID|CC|Pt|Patient)[: ]{1,2}|\b[Aa]n? )(?P<SEXED>9\d|1[01]\d)(?=[MF] [a-z])"
                r"|(?<![\d./-])(?<![-–][ ])(?<!to[ ])(?P<JAHRE>9\d|1[01]\d)(?=-?[ ]?(?:jährig|летн|year[s-]))"),
        ("AGE", rf"(?i:\b(?:aged?|age of) (?P<WORDED>{_TENS})\b|\b(?P<WORDS>{_TENS})[- ]years?[- ]old\b)"
                r"|(?<![\d./-])(?P<YO>9\d|1[01]\d)(?=[ ]?y\.[ ]?o\b|[ ]?(?:-|–)?(?:ans|años|anos|anni|Jahre|jährig|лет)\b|(?:岁|歳|세))"),
        ("ADDRESS", rf"\b(?i:to|from|at|in)[ ](?:the[ ])?(?P<HOME>{_WORD}(?:[ ]{_WORD}){{0,2}}[ ](?:Nursing Home|Manor|Rehab(?:ilitation)?(?: Cent(?:er|re))?|Care Cent(?:er|re)|Assisted Living|Senior Living|Skilled Nursing|Retirement Home|Residence|Hospice|Hospital|Medical Cent(?:er|re)))\b"),
        ("ADDRESS", r"\b(?i:zip|postal|post)(?: ?code)?[: ]{1,2}(?P<ZIP>\d{5}(?:-\d{4})?)\b"
                    rf"|\b(?:from|in|near|of)[ ](?P<CITY>{_WORD}(?:[ ]{_WORD})?),[ ]{_STATE}\b"
                    rf"|\b(?:at|from|to)[ ](?P<SAINT>St\.?[ ]{_WORD}(?:['’]s)?)(?=[ ](?:ED|ER|Hospital|Medical|Infirmary)|[.,;]|\Z)"
                    r"|\b\d{1,5}[ ](?:[A-Z][a-z]{1,20}[ ]){1,3}(?:St|Ave|Rd|Blvd|Dr|Ln|Ct|Pl|Street|Avenue|Road)\.?[ ](?:NW|NE|SW|SE)\b"
                    r"(?:,[ ][A-Z][A-Za-z ]{1,30},?[ ][A-Z]{2}[ ]\d{5}(?:-\d{4})?)?"
                    r"|(?:住址|地址|家庭住址|住所|주소|Адрес|адрес|العنوان|पता)[ ]?:[ ]?(?P<PLACE>[^\n,;。]{4,60})"
                    r"|\b(?:Dirección|Direccion|Domicilio|Adresse|Indirizzo|Endereço|Anschrift|Wohnhaft)[ ]?:[ ]?(?P<STREET>[^\n;]{6,80})"),
        ("NAME", rf"(?<![^\W_])(?=[^\W\d_])(?:(?<![\w-])(?:Patient|PATIENT|Pt|PT|Name|NAME|PCP|GP)[ ]?:[ ]{{0,2}}(?:Dr\.?[ ])?{_NO_NAME}(?P<ONE>{_OF}{_WORD})(?=[ ]{{2}}|[,;.(\n]|\Z)"
                 rf"|\b(?:Twin|Triplet|Baby)[ ][A-D],?[ ]\((?P<TWIN>{_WORD})\)"
                 rf"|\b(?:man|woman|male|female|gentleman|lady|boy|girl|patient),[ ]{_NO_NAME}(?P<APPOSED>{_WORD}[ ](?:{_INITIAL}[ ])?{_WORD}),"
                 rf"|(?:\A|(?<=\n)|(?<=[.!] )){_NO_NAME}(?P<SUBJECT>{_WORD}(?:,[ ]{_WORD}|[ ](?:{_INITIAL}[ ])?{_WORD}))(?=(?:[ ]is|,)[ ]an?[ ]\d{{1,3}}[ -]?(?:year|y))"
                 rf"|\b{_FOREIGN_PATIENT}[ ]?:[ ]?(?P<FOREIGN>{_OF}{_WORD}(?:,?[ ]{_OF}{_WORD}){{0,3}})"
                 rf"|(?<![\w.]){_NO_NAME}(?P<SHORTENED>[{_U}][{_L}]{{2,20}}[ ][{_U}]\.)(?=[ ](?:was|is|has|presented|reports|came|called)\b))"),
        ("NAME", rf"(?=[^\x00-\x7f])(?:(?:患者(?:さん)?(?:姓名|氏名|名)?|病人(?:姓名)?|姓名|氏名|名前|医师|医生|主治医|担当医|家属|联系人)[ ]?:[ ]?(?P<HAN>{_HAN}{{2,4}}(?:[ ·]{_HAN}{{1,4}})?)(?=[,;。、\s(]|\Z)"
                 r"|(?:환자명?|환자 ?(?:이름|성명)|성명|이름|보호자|담당의)[ ]?:[ ]?(?P<HANGUL>[가-힣]{2,4})(?=[,;.\s(]|\Z)"
                 r"|(?:[Пп]ациент(?:ка)?|ФИО|Ф\.И\.О\.|[Вв]рач|[Бб]ольн(?:ой|ая))[ ]?:?[ ](?P<CYRILLIC>[А-ЯЁ][а-яё]{1,20}(?:[ ](?:[А-ЯЁ][а-яё]{1,20}|[А-ЯЁ]\.)){1,2}\.?)"
                 r"|(?:اسم المريضة?|المريضة?|الطبيبة?)[ ]?:[ ]?(?P<ARABIC>[\u0621-\u064a]{2,15}(?:[ ][\u0621-\u064a]{2,15}){1,3})"
                 r"|(?:मरीज|मरीज़|रोगी|नाम|रोगी का नाम)[ ]?:[ ]?(?P<HINDI>[\u0900-\u097f]{2,20}(?:[ ][\u0900-\u097f]{2,20}){1,2}))"),
    )
)  # fmt: skip
"""Kind and pattern; the group that is filled is the identifier."""
