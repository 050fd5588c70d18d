"""The rules by which identifiers are found: HIPAA's kinds, in the spellings of notes.

Every repetition has a bound and every rule begins where a word begins, so that the time grows with the length of a text.
A rule with a label in front takes the group that has a name, and keeps the label.
"""

from __future__ import annotations

import re

from tracejury.traces.alternation import any_of
from tracejury.traces.identifier_words import (
    FOREIGN_MONTHS,
    MONTHS,
    MORE_TITLES,
    NO_NAMES,
    RELATIVES,
    STATE_CODES,
    STATES,
    SURE_LABELS_OF_NUMBERS,
    TITLES,
)

UPPER, LOWER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞĢĪİŁŃŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽ", "a-zß-öø-ÿĀ-ɏḀ-ỿ"
"""Letters that names are written in, for a class of a pattern."""
_U, _L = UPPER, LOWER
NAME_WORD = (
    rf"(?:[{_U}{_L}]['’])?[{_U}](?:[{_L}]{{1,20}}(?:[{_U}][{_L}]{{1,20}})?|[{_U}]{{2,20}})"
    rf"(?:[-'’][{_U}][{_L}{_U}]{{1,20}})?"
)
"""A word of a name: "Smith", "O'Brien", "McArthur", "SMITH", "Baker-Hill"."""
_WORD = NAME_WORD
_INITIALS = rf"(?:[{_U}]\.[ ]?){{1,3}}[ ]?"
_OF = r"(?:(?:de la|de|del|van der|van|von|bin|al|da|dos)[ ]){1,2}"
_NAME = rf"(?:{_INITIALS}|{_OF})?{_WORD}(?:[ _](?:{_INITIALS}|{_OF})?{_WORD}){{0,3}}"
_TWO_NAMES = rf"{_WORD}[ _](?:{_INITIALS})?{_WORD}"
_MONTH = rf"(?=[A-Z])(?i:{MONTHS})\b\.?"
_FOREIGN_MONTH = any_of(FOREIGN_MONTHS, any_case=True)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DAY_WORD = rf"{_DAY}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d{2}"
_SHORT_YEAR = rf"(?:{_YEAR}|['’]\d{{2}})"
# A number right of which a unit stands is a figure, whatever its shape.
_NO_FIGURE = r"(?![\d/]|\.\d|[-–]\d|\s*(?:mm\s?Hg|mg|mcg|g|mL|%|mEq|mmol)\b)"
_IS = r"[\"']?[ ]?(?:[:#=]|is|no\.?|number|-)?[ ]?(?:\([a-z]{1,12}\)[ ]?)?[:#=]?[ ]?[\"']?"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Court|Ct|Place|Terrace|Way|Hill|Close|Parkway|Square"
    r"|Crescent|Gardens|Grove|Mews|Highway|Row|Circle|Trail|Pike|Loop|Quay|Wharf|Alley|Plaza|Walk)"
)
_TOWN = r"(?:,?\s(?:Apt|Suite|Unit)\.?\s?\w{1,6})?(?:,\s[A-Z][A-Za-z ]{1,30},?\s[A-Z]{2}\s\d{5}(?:-\d{4})?)?"
_PLACE_NAME = rf"{_WORD}(?:[ ]{_WORD}){{0,2}}"
_FACILITY = r"(?:Hospital|Medical Cent(?:er|re)|Infirmary|Hospice|Nursing Home|Clinic)"
_STATE, _RELATIVE = any_of(STATES), any_of(RELATIVES)
_ID_LABEL = any_of(SURE_LABELS_OF_NUMBERS, any_case=True)

RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("EMAIL", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b"
                  r"|(?<![\w.+-])[A-Za-z][\w+-]{0,40}\.[\w.+-]{1,40}@[A-Za-z][\w-]{1,40}\b"
                  r"|(?<![\w.+-])[\w.+-]{1,64}[ ]?[\[(]at[\])][ ]?[\w-]{1,63}(?:[ ]?(?:\.|[\[(]dot[\])])[ ]?[\w-]{2,63}){1,3}"),
        ("URL", r"\b(?:https?://|www\.)[^\s<>\"')\]]{1,500}[^\s<>\"')\].,;:]"
                r"|(?<![\w./@-])[a-z][a-z0-9-]{2,40}\.[a-z]{2,12}/[\w/.%?=&-]{2,200}\b"
                r"|(?<![\w@./+-])@[A-Za-z]\w{3,30}\b"),
        ("SSN", r"\b\d{3}-\d{2}-\d{4}\b"
                r"|(?i:\b(?:SSN|social security)(?: number)?)[:#]?[ ]?(?:is )?(?P<SSN>\d{9}|\d{3}[ .]\d{2}[ .]\d{4})\b"),
        ("ID", r"\bM[ ]R[ ]N[ ]?:?[ ]?(?P<SPACED>\d(?:[ ]?\d){4,12})\b"
               rf"|(?i:\bMRN\b)[ ]?(?:number|no\.?)?{_IS}(?P<MRN>[A-Z0-9][A-Z0-9-]{{2,20}})\b"
               rf"|(?i:\b{_ID_LABEL}\b\.?(?: (?:number|no\.?))?){_IS}"
               r"(?P<ID>(?=[A-Z-]{0,8}[ ]?\d)(?:[A-Z]{1,4}-)?[A-Z]{0,4}[ -]?\d(?:[ -]?[A-Z0-9]){4,16})\b"
               rf"|(?i:\b(?:licen[cs]e plate|number plate)\b){_IS}(?P<PLATE>[A-Z]{{1,3}}-[A-Z]{{1,3}}[ ]\d{{1,4}})\b"),
        ("IP", r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b(?!\.\d)"
               r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}\b"
               r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b"),
        ("PHONE", r"(?<![\d.-])(?:\+?1[ .-]?)?(?:\(\d{3}\)[ ]?|\d{3}[ ./-])\d{3}[ ]?[.-]\d{4}\b"
                  r"|(?<![\d.])\+\d{1,3}(?:[ .-]?\d){7,12}\b"
                  r"|(?i:\b(?:tel|telephone|phone|fax|pager|mobile|mobil|handy|cell|call|ring|ext|extension))\b\.?[ ]?"
                  r"(?:(?:is|no\.?|number|at|on)[ ])?[:#]?[ ]?(?P<PHONE>\+?\(?\d[\d ()./-]{2,20}\d)\b"),
        ("DATE", rf"(?=\d)(?<![\d/.-])(?:{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.]{_DAY}(?!\d)|{_YEAR}年\d{{1,2}}月\d{{1,2}}日"
                 rf"|{_DAY}/{_DAY}/(?:{_YEAR}|\d{{2}}){_NO_FIGURE}|{_DAY}[.-](?:0?[1-9]|1[0-2])[.-]{_YEAR}(?!\d)"
                 rf"|(?:0?[1-9]|1[0-2])[.-]{_DAY}[.-]{_YEAR}(?!\d)"
                 rf"|{_DAY}[- ]?(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[- ]?{_YEAR}\b"
                 rf"|{_DAY_WORD}(?:\s{{1,3}}of)?\s{{1,3}}{_MONTH}(?:,?\s{{1,3}}{_YEAR})?(?![A-Za-z])"
                 rf"|{_DAY}\.?[ ](?:de )?(?i:{_FOREIGN_MONTH})(?:[ ](?:de )?{_YEAR})\b)"),
        ("DATE", rf"\b(?=[JFMASONDjfmasond])(?i:{_MONTH})[ ]{_DAY_WORD},?[ ]{_SHORT_YEAR}\b"
                 rf"|\b(?=[JFMASOND]){_MONTH}(?:[ ]{_DAY_WORD}[-–]{_DAY}(?:,?[ ]{_YEAR})"
                 rf"|\s{{1,3}}{_DAY_WORD}(?:,?\s{{1,3}}{_SHORT_YEAR})?\b{_NO_FIGURE}|,?\s{{1,3}}(?:of\s)?{_YEAR}\b)"
                 rf"|\b(?=[CNBEIT])(?:Christmas|New Year's|Boxing|Easter|Independence|Thanksgiving)(?: Eve| Day| Sunday)?,? {_YEAR}\b"
                 rf"|\b(?=[ods])(?:on|dated|seen|since) (?P<SHORT>{_DAY}-(?:0[1-9]|1[0-2])-\d{{2}})(?![\d-])"
                 r"|\b(?=[DASOBUdasobu])(?i:DOB|date of birth|admitted on|discharged on|seen on|dated|on|between|since|until)[:]?\s?"
                 rf"(?P<DATE>(?:0?[1-9]|1[0-2])/{_DAY})(?![\d/])(?=[,.;)]|\s|\Z)"),
        ("AGE", r"(?<![\d./-])(?P<AGE>9\d|1[01]\d)(?=[- ]?(?:years?|yrs?)[- ]old\b|[ ]?(?:y/?o)\b)"
                r"|(?i:\b(?:aged?|age of)[ :]{1,2})(?P<AGED>9\d|1[01]\d)\b(?![%./-])"),
        ("ADDRESS", rf"\b\d{{1,5}}[A-Z]?\s(?:[NSEW]\.?\s)?(?:[A-Z][a-z]{{1,20}}(?:['’]s)?\s){{1,3}}{_STREET}\b\.?"
                    rf"{_TOWN}"
                    rf"|(?i:\b(?:lives|living|resides|residing|address|home)[: ](?:is )?(?:at )?(?P<LIVES>\d{{1,5}}[a-z]?\s(?:[a-z]{{2,20}}\s){{1,3}}{_STREET}\b\.?{_TOWN}))"
                    r"|\b[A-Z][a-zäöüß]{2,30}(?:straße|strasse|weg|gasse|platz|allee)\s\d{1,4}[a-z]?(?:,\s\d{5}\s\w{2,30})?"
                    r"|\b\d{1,4}(?: bis)?,? (?:rue|avenue|chemin|impasse|via|calle|rua) (?:d[eu]s? |de la |de l'|del )?[A-ZÀ-Þ]\w{1,30}"
                    rf"|\bP\.?[ ]?O\.?[ ]?Box[ ]\d{{1,6}}(?:,[ ]{_PLACE_NAME})?(?:,[ ][A-Z]{{2}}[ ]\d{{5}})?"
                    rf"|\b(?:St\.?|Saint)[ ]{_WORD}(?:['’]s)?[ ]{_FACILITY}\b"
                    r"|\b(?:transferred|referred|admitted|discharged|sent|brought|presented|seen)[ ](?:from|to|at|in)[ ](?:the[ ])?"
                    rf"(?P<FACILITY>{_PLACE_NAME}[ ]{_FACILITY})\b"
                    rf"|\b(?:(?:lives?|living|resides?|residing)[ ]in|(?:resident|native)[ ]of|retired(?:[ ][a-z]{{3,20}}){{1,2}}[ ]from)[ ]"
                    rf"(?P<TOWN>{_PLACE_NAME}),[ ](?:{_STATE}|[A-Z]{{2}})\b"
                    rf"|\b(?:{STATE_CODES})\s\d{{5}}(?:-\d{{4}})?\b"
                    r"|\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-BD-HJLNP-UW-Z]{2}\b"
                    r"|(?i:\b(?:works|worked|employed|employee) (?:at|for) )(?P<WORK>[A-Z]\w{2,20}(?: [A-Z]\w{2,20}){1,4})"),
        ("NAME", rf"\b{any_of(TITLES)}\b\.?\s{{1,2}}(?!{any_of(MORE_TITLES, NO_NAMES)}\b)(?P<NAME>{_NAME})"
                 r"|\b(?:[Dd]r|DR)\.?[ ](?P<LOWER>(?!(?:and|the|who|was|has|with|from|for|that|said|says|will)\b)[a-z]{4,20})\b"
                 rf"|(?<![\w*])\*{{0,2}}[\"']?(?i:patient(?:'s)?[ _]name|patient|pt|surname|(?:first|last|full|given|family)[ _]?name|name|label+ed|attending|signed|next of kin|NOK"
                 rf"|referred by|dictated by|reviewed by|cc|emergency contact|contact)[\"']?\s?(?:[:=]|[ ]-|(?<=led)(?=[ ][\"']))\*{{0,2}}\s?[\"']?(?P<NAME2>{_WORD}(?:,?[ _](?:{_INITIALS})?{_WORD}){{0,3}})"
                 rf"|\b(?i:referred by|dictated by|reviewed by|signed by)[ ](?P<BY>{_TWO_NAMES})"
                 rf"|\bBaby[ ](?:Boy|Girl)[ ](?P<BABY>{_WORD})\b"
                 rf"|\b(?:[Pp]atient|[Mm]onsieur|par|chez|avec),?[ ]M\.[ ](?P<MONSIEUR>{_NAME})"
                 rf"|\b(?:their|(?:[Tt]he )?(?:[Pp]atient|[Pp]t\.?)['’]s|[Hh]er|[Hh]is)[ ]{_RELATIVE},?[ ](?P<REL>{_WORD})\b(?=,| (?:reports?|says?|states?|is|was|who|and|drove|brought|called)\b)"
                 rf"|\b{_RELATIVE}, (?P<REL2>{_WORD}),"
                 rf"|\b(?P<RN>(?:{_WORD}[ ])?{_WORD}),[ ](?:MD|M\.D\.|RN|DO|PA-C|NP|FRCP|FRCS|MBBS)\b"
                 rf"|\b\d{{1,2}}\s?[MF][ ](?P<BARE>{_WORD}[ ][A-Z])\b"
                 rf"|\b(?:named|name is)\s(?P<NAME3>{_NAME})"),
    )
)  # fmt: skip
KINDS = tuple(dict.fromkeys(kind for kind, _ in RULES))
EPONYM = (
    r"(?!(?:['’]s)?\s+(?:disease|syndrome|sign|criteria|fracture|test|score|scale|reflex|lymphoma|palsy|chorea|triad|"
    r"nodes?|bodies|anemia|tumou?r|phenomenon|murmur|maneuver|ulcer|cells?|hernia|contracture|esophagus|thyroiditis|sequence|anomaly|malformation|ligament|gland|angina|method|theory|law|model|effect|point|University|College|Institute))"
)
"""A name before one of these words names a finding and no person: "Mrs. Jones" does not make Jones criteria hers."""
