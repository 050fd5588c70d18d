"""Identifiers that what stands around them gives away: who did what, where somebody lives, how a letter closes.

As in identifier_rules, every repetition has a bound and every rule begins where a word begins.
"""

from __future__ import annotations

import re

from tracejury.traces.alternation import any_of
from tracejury.traces.identifier_rules import LOWER as _L
from tracejury.traces.identifier_rules import NAME_WORD as _WORD
from tracejury.traces.identifier_rules import UPPER as _U
from tracejury.traces.identifier_words import (
    CLOSINGS,
    CREDENTIALS,
    FOREIGN_LABELS_OF_NAMES,
    FOREIGN_MONTHS,
    LABELS_OF_NUMBERS,
    LARGE_PLACES,
    MONTHS,
    MORE_TITLES,
    NO_NAMES,
    OTHER_LABELS_OF_NAMES,
    PHONES,
    PROFESSIONS,
    RELATIVES,
    SHORT_FOREIGN_MONTHS,
    STATES,
    SURE_LABELS_OF_NUMBERS,
    TITLES,
)

_NO_NAME = any_of(NO_NAMES)
_NOT = rf"(?!{_NO_NAME}\b)"
_LABEL_OF_NAME = any_of(PROFESSIONS, RELATIVES, OTHER_LABELS_OF_NAMES, FOREIGN_LABELS_OF_NAMES, any_case=True)
_PERSON = any_of(PROFESSIONS, RELATIVES, "emergency contact|next of kin", any_case=True)
_RELATIVE, _PROFESSION = any_of(RELATIVES, any_case=True), any_of(PROFESSIONS, any_case=True)
_CLOSING = any_of(CLOSINGS, any_case=True)
_SURE_LABEL, _NUMBER_LABEL = any_of(SURE_LABELS_OF_NUMBERS, any_case=True), any_of(LABELS_OF_NUMBERS, any_case=True)
_PHONE = any_of(PHONES, any_case=True)
_TITLE, _MORE_TITLE, _CREDENTIAL = any_of(TITLES), any_of(MORE_TITLES), any_of(CREDENTIALS)
_MONTH, _FOREIGN_MONTH = any_of(MONTHS, any_case=True), any_of(FOREIGN_MONTHS, any_case=True)
_SHORT_MONTH = any_of(SHORT_FOREIGN_MONTHS, MONTHS, FOREIGN_MONTHS, any_case=True)
_LARGE_PLACE = any_of(LARGE_PLACES, STATES, NO_NAMES)
_OF = r"(?:(?:de la|de los|de|del|van der|van den|van|von|bin|ibn|al|el|da|dos|di|la|le)[ -])?"
_INITIAL = rf"[{_U}]\.?"
_GIVEN = rf"{_NOT}(?=[{_U}][{_L}]{{2}}){_WORD}"
_FULL = rf"{_NOT}(?:(?:{_INITIAL}[ ]){{1,2}}{_OF}{_WORD}|{_WORD}(?:[ ]{{1,2}}{_INITIAL}(?=[ ]))?(?:[ ]{{1,2}}{_OF}{_NOT}{_WORD}){{1,3}})"
_LAST_FIRST = rf"{_NOT}{_OF}{_WORD}(?:[ -]{_WORD})?,[ ]?{_WORD}(?:[ ](?:{_INITIAL}(?![\w'-])|{_WORD}))?"
_ADDRESSED = rf"(?:{_TITLE}\b\.?[ ](?:{_MORE_TITLE}\b\.?[ ]?){{0,4}})"
_SIGN = r"(?:[ ]{0,2}(?i:number|num|no|nr|n[°ºo]|id|code|#|is|are|was|:|=|\.|-|\"|'|\(s\)|,(?=[ ]\d{6}))){1,5}[ ]{0,2}[\"']?"
_NUMBERED = r"(?:[ ]{0,2}(?i:\.?[ ]?(?:number|num|nummer|no|nr|n[°º]|numero|número|numéro|id|#|code)s?\b|\#)[ .:=#-]{0,4}|[ ]?:[ ]{0,2}(?=[A-Z]{0,4}-?\d{5}))"
_VALUE = r"(?=[A-Z-]{0,8}[ ]?\d)[A-Z0-9](?:[A-Z0-9]|[ ](?=\d{3})|[./-](?=[A-Z0-9])){3,24}(?![\w-])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DAY_OF_MONTH = rf"(?:0?[1-9]|1[0-2])/{_DAY}"
_EVENT = any_of(
    r"done|performed|obtained|drawn|taken|placed|removed|started|stopped|begun|repeated|completed|reviewed|resulted|collected|admitted|admit"
    r"|discharged|d/c'?d|seen|visit|labs?|CT|CTA|MRI|MRA|XR|CXR|KUB|US|TTE|TEE|echo|EKG|ECG|EEG|EGD|surgery|procedure|biopsy|cath|PET|last|LMP"
    r"|through|thru|dated|effective|expires?|due|DOS|given|note|appt|appointment|clinic|colonoscopy|mammogram|bronchoscopy|op|POD ?#?\d{0,2}(?: from)?"
    r"|[Ll]abs? (?:from|on|of)|(?:CT|MRI|films?|study|scan|note|visit|x-ray|CXR|echo|ECG|EKG) (?:from|of)"
)
_TALKED = any_of(
    "discussed|spoke|spoken|speaking|talked|talking|conferred|consulted|reviewed|coordinated|met"
    "|meeting|conversation|d/w|call|phone call|seen|staffed|plan",
    any_case=True,
)
_ACTED = any_of(
    "seen|evaluated|examined|assessed|performed|signed|dictated|witnessed|prepared|authored|ordered"
    "|requested|referred|recommended|reported|notified|accompanied|verified|transcribed|reviewed"
    "|approved|followed|treated|operated on|cared for|entered|written|interpreted|collected|given"
    "|administered|placed|brought in|driven|escorted|supervised",
    any_case=True,
)
_PLACE = rf"(?!{_LARGE_PLACE}\b){_WORD}(?:[ ]{_WORD}){{0,2}}"
_FACILITY = (
    r"(?:Hospital|Medical Cent(?:er|re)|Cancer Cent(?:er|re)|Infirmary|Hospice|Nursing Home|Nursing Facility|Clinic|Rehab(?:ilitation)?(?: Cent(?:er|re)"
    r"| Hospital)?|Health Cent(?:er|re)|Manor|Assisted Living|Care Cent(?:er|re)|Care Home|Klinik(?:um)?|Krankenhaus)"
)
_STREET_BEFORE = (
    r"(?:[Rr]ue|[Aa]venue|[Aa]llée|[Cc]hemin|[Bb]oulevard|[Ii]mpasse|[Qq]uai|[Pp]lace|Via|Viale|Piazza|Corso|Vicolo|Calle|C/|Avda\.?|Avenida|Av\.|Paseo|Plaza|Camino"
    r"|Rua|Travessa|Largo|Praça|Estrada|Am|An der|Auf der|Im|Zum|Zur)"
)
_OF_STREET = r"(?:(?:d[eu]s?|de la|de los|de las|de l['’]|d['’]|del|della|dei|degli|da|do|la|las|los|l['’])[ ]?)?"

CONTEXTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        # Roles, relatives and labels with a colon, a dash or an equals sign behind them.
        ("NAME", rf"(?<![\w-]){_LABEL_OF_NAME}(?:\(s\))?[\"']?[ .]{{0,24}}[:=][ ]{{0,20}}[\"']?"
                 rf"{_ADDRESSED}?(?P<LABELLED>{_LAST_FIRST}|{_FULL})"
                 rf"|(?:^|(?<=\n))(?:From|To|FROM|TO):[ ]{{1,4}}{_ADDRESSED}?(?P<LETTER>{_LAST_FIRST}|{_FULL})"
                 rf"|(?<![\w-]){_PERSON}[ ]-[ ]{_ADDRESSED}?(?P<DASHED>{_LAST_FIRST}|{_FULL})"),
        # Titles with others behind them; "M." where French surrounds it.
        ("NAME", rf"\b{_TITLE}\b\.?[ ](?:{_MORE_TITLE}\b\.?[ ]?){{1,4}}(?P<TITLED>{_NOT}{_OF}{_WORD}(?:[ ]{_OF}{_WORD}){{0,2}})"
                 rf"|\b(?:adressé|reçu|revu|voir|vu|que|à|de|et|monsieur|patient),?[ ]M\.[ ](?P<MONSIEUR>{_NOT}{_WORD}(?:[ ]{_OF}{_WORD}){{0,2}})"
                 rf"|(?:^|(?<=[\n,;]))[ ]?M\.[ ](?P<SIR>{_NOT}{_WORD}(?:[ ]{_OF}{_WORD}){{0,2}}),?[ ](?:âgé|né|\d{{1,3}}[ ]ans|consulte|est|a|présente|se)\b"
                 rf"|\b(?:Dr|DR|Drs|Dres|Doctors)\.?[ ]{_NOT}{_WORD}(?:[ ]{_WORD})?(?:,|[ ]and|[ ]&)[ ](?P<AND>{_NOT}{_WORD}(?:[ ]{_WORD})?)(?=[ ][a-z]|[.,;)\n]|\Z)"),
        # Credentials behind a name.
        ("NAME", rf"(?<![\w-])(?<!\b(?:in|of|to|at)[ ])(?<!\b(?:near|from)[ ])(?P<LICENSED>{_FULL}),?[ ]{_CREDENTIAL}(?![\w-])"
                 rf"|(?<![\w-])(?<!\b(?:in|of|to|at)[ ])(?<!\b(?:near|from)[ ])(?P<SINGLE>{_GIVEN}),[ ]{_CREDENTIAL}(?![\w-])"),
        # What was done by or with somebody.
        ("NAME", rf"\b{_TALKED}"
                 rf"[ ](?:[a-z]{{2,12}}[ ])?(?:with|to)[ ](?:[a-z]{{2,12}}[ ]){{0,2}}(?:{_ADDRESSED})?(?P<WITH>{_FULL}|{_GIVEN}(?=[ ](?:in|at|from|on|who|re|regarding|about)\b|[.,;(]|\Z))"
                 rf"|\b{_ACTED}[ ](?:[a-z]{{2,12}}[ ])?by[ ](?:(?:his|her|their|the)[ ][a-z]{{3,12}},?[ ])?(?P<BY>{_FULL})"
                 rf"|\b(?i:(?:pleasure|privilege) of (?:seeing|meeting|caring for|evaluating)|(?:thank you|thanks) for (?:referring|asking me to see|sending|seeing)|i saw|we saw"
                 rf"|re-?evaluated|unser(?:e|en)? (?:gemeinsame[rn]? )?[Pp]atient(?:in|en)?|über (?:Ihre|Ihren|unsere|unseren) [Pp]atient(?:in|en)?)[ ](?:{_ADDRESSED})?(?P<SAW>{_FULL})"
                 rf"|\b(?:[Pp]er|[Nn]otified|[Cc]alled|[Pp]aged|[Ii]nformed|[Cc]ontacted|[Tt]exted|[Ee]mailed)[ ](?:[a-z]{{3,12}}[ ]){{0,2}}(?P<PER>{_FULL})(?=[ ][a-z(]|[.,;)\n]|\Z)"
                 rf"|\b(?:[Pp]atient|PATIENT|Pt)[ ](?P<BARE>{_FULL})(?=[ ](?:is|was|has|presents?|presented|reports?|came|arrived|states?|denies|stellte|wurde|[a-z]{{3,12}}s)\b|,[ ](?:a[ ])?\d|[ ]\()"),
        # Relatives and people of the ward, with the name behind them.
        ("NAME", rf"(?<![\w-]){_RELATIVE},?[ ](?:\()?(?P<KIN>{_GIVEN}(?:[ ]{_NOT}{_WORD})?)(?=[ ][a-z(]|[.,;)\n]|\Z)"
                 rf"|\b(?:RN|LPN|CNA|PA-C|NP)[ ](?P<NURSE>{_GIVEN})\b"
                 rf"|(?<![\w-]){_PROFESSION}[ ](?P<STAFF>{_FULL})(?=[ ][a-z(]|[.,;)\n]|\Z)"),
        # The closing of a letter.
        ("NAME", rf"(?:^|(?<=\n)|(?<=[.!?][ ]))[ \t]*{_CLOSING}[ ]?[,.!]{{0,2}}[ \t]*\n[\s]{{0,40}}(?:-{{1,2}}[ ]?)?(?:{_ADDRESSED})?(?P<CLOSING>{_FULL}|{_NOT}{_WORD})(?=[ ]?[,.]?[ ]?(?:\n|\Z|[A-Z(]))"
                 rf"|(?:^|(?<=\n)|(?<=[.!?][ ])){_CLOSING},[ ](?P<CLOSING_LINE>{_FULL}|{_GIVEN})(?=\.?[ ]?(?:\n|\Z))"
                 rf"|(?:(?:^|(?<=\n))(?:-{{2,3}}[ ]?|~)|/s/[ ]{{0,2}})(?:{_ADDRESSED})?(?P<SIGNED>{_FULL})(?=,|[ ]?\n|[ ]?\Z|[ ]{_CREDENTIAL}\b)"),
        # Numbers behind what they are numbers of.
        ("ID", rf"(?<![\w-]){_SURE_LABEL}\b\.?(?:[ ][a-z]{{4,12}}(?=[ ]?(?:no|number|num|nr|id|#|:)))?(?:{_SIGN}|[ ])(?:{_SIGN})?(?P<SURE>{_VALUE})"
               rf"|(?<![\w-]){_NUMBER_LABEL}\.?(?:[ ][a-z]{{4,12}})?{_NUMBERED}{{1,2}}[ ]?(?P<NUMBERED>{_VALUE})"
               rf"|(?<![\w-])(?i:specimen|sample|lot|accession|policy|claim|(?:licen[cs]e )?plate|licen[cs]e|enc|encounter|acct?)[ ](?P<BESIDE>(?=[A-Z0-9-]{{0,3}}\d(?:-?[A-Z0-9]){{3}})[A-Z]{{0,3}}\d[A-Z0-9-]{{3,14}}[A-Z0-9])(?![\w-])"
               r"|(?i:\b(?:licen[cs]e|registration|number)[ ]plate(?:[ ](?:number|no\.?|is|was))?)[ :#]{1,3}(?P<PLATE>[A-Z]{1,4}[ -]?[A-Z]{0,2}[ ]?\d{2,5}[A-Z]{0,3}|\d{1,4}[ -]?[A-Z]{2,4}[ -]?\d{0,4})\b"
               r"|(?i:\b(?:last|final) (?:four|4)(?: (?:digits|of (?:SSN|SS#?|social)))?)\)?(?:[ ]is|:)?[ ](?P<FOUR>\d{4})\b"),
        # Numbers whose form is their country's or their standard's own; files that are named after somebody.
        ("ID", r"\(01\)\d{14}(?:[ ]?\(\d{2}\)[A-Z0-9]{2,20}){0,4}|(?<![\w./-])[\w-]{3,80}\.(?i:jpe?g|png|heic|tiff?|dcm|dicom|bmp|gif|mp4|mov|avi|wav|mp3)\b"
               r"|(?i:\b(?:fingerprint|biometric|voiceprint|template|retina|iris|device|implant|pacemaker|bracelet|wristband|tag|badge)s?)(?:[ ][a-z]{4,12})?[ ](?P<TEMPLATE>[A-Z]{2,5}-?\d[A-Z0-9-]{3,20})(?![\w-])"
               r"|\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b|(?<![\d.])[12][ ]\d{2}[ ](?:0[1-9]|1[0-2])[ ]\d{2}[ ]\d{3}[ ]\d{3}(?:[ ]\d{2})?(?![\d.])"
               r"|\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"),
        ("SSN", r"(?i:\b(?:SSN|SS|social security)\b)#?(?:[ ]?(?i:number|no|num|#)\.?)?[ ]?[:#]?[ ]?(?:is )?(?P<SSN>\d{3}[ .-]?\d{2}[ .-]?\d{4})\b"),
        ("PHONE", rf"(?<![\w-]){_PHONE}\.?(?:[ ]?(?i:is|no|number|num|#|at|on|me at))?\.?[ ]?[:#-]{{0,2}}[ ]?[:#]?[ ]?"
                  r"(?P<LABELLED>\+?\(?\d[\d]{0,4}\)?(?:[ ]?[./-][ ]?|[ ])?\d{2,4}(?:[ ./-]{1,2}\d{2,4}){1,4}|\+?\d{7,15})(?![\d-])"
                  r"|(?i:(?<![\w-])(?:pager|pgr|beeper|bleep|ext|extension)\b)\.?[ ]?(?i:no\.?|number|is)?[ ]?[:#]{0,2}[ ]?#?(?P<PAGER>\d[\d-]{2,8}\d)(?![\d-])"
                  r"|(?<![\w.])\(0\)[ ]?(?P<TRUNK>\d{2,4}(?:[ ]\d{3,4}){2})\b"
                  r"|(?<![\w.])\(\d{2,4}\)[ ]?\d{4,5}-\d{4}\b|(?<![\w.])\(\d{2,3}\)[ ](?P<ABROAD>\d{3,4}[ ]\d{3}[ ]\d{3,4})\b"),
        ("DATE", r"(?<![\d/.-])(?:0?[1-9]|1[0-2])/(?:19|20)\d{2}(?![\d/])"
                 rf"|\b{_EVENT}:?[ ](?:on[ ]|of[ ])?(?P<EVENT>{_DAY_OF_MONTH})(?![\d/]|[ ]?(?:of\b|-\d|to \d|strength|pain|mg|mL|cases|patients))"
                 rf"|\b(?i:from|on)[ ](?P<BEFORE_EVENT>{_DAY_OF_MONTH})(?=[ ](?:{_EVENT}|admission|labs|scan|showed|with|was|at \d)|:[ ])"
                 rf"|(?<![\d.-]){_DAY}-{_MONTH}-\d{{2}}(?!\d)|(?<![\d./-]){_DAY}[/.-]{_SHORT_MONTH}\.?[/.-](?:19|20)?\d{{2}}(?!\d)"
                 rf"|(?<![\w.-]){_DAY}\.?[ ](?:de )?{_FOREIGN_MONTH}\b(?:[ ](?:de )?(?:19|20)\d{{2}}\b)?"
                 rf"|\b{_FOREIGN_MONTH}[ ](?:de |del )?(?:19|20)\d{{2}}\b"
                 rf"|\b(?:vom|am|seit|bis|ab|zum|dal|il|el|le|du|au|al)[ ](?P<SHORT>{_DAY}\.(?:0?[1-9]|1[0-2])\.)(?=[ ](?:bis|und|wurde|erfolgte|zur|zum|in|auf|[a-zäöü]{{3}})|[,;)]|\Z)"
                 rf"|(?<![\d.])(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?=[ ]?(?:-|bis)[ ]?\d{{1,2}}\.\d{{1,2}}\.\d{{2}})"
                 r"|(?<![\d./-])(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?![\d./-])"),
        ("AGE", r"(?i:\bage(?:/sex|/gender)?\b)[ ]?(?:\([a-z]{1,8}\)[ ]?)?[:=]?[ ]{0,2}0?(?P<AGE>9\d|1[01]\d)(?=\b|[YyMmFf])(?![%.\d])"
                r"|(?<![\d./-])0(?P<PADDED>9\d|1[01]\d)Y\b|(?<![\d./-])(?P<SLASHED>9\d|1[01]\d)(?=/[MF]\b)"),
        ("URL", r"(?<![\w@./-])(?:[a-z0-9-]{1,40}\.){1,4}(?:com|org|net|edu|gov|io|app|health|care|example|test|co\.uk|de|fr|es|it)/[\w/.%?=&#-]{1,200}"
                r"|(?<![\w:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b"
                r"|\b(?i:(?:twitter|instagram|tiktok|facebook|telegram|x)[ ](?:handle|name|account)(?:[ ]is|:)?|(?:handle|username|user name|user ?id|login|screen name)(?:[ ]is|[ ]?:))[ ]@?(?P<HANDLE>[A-Za-z][\w.-]{3,30}\w)(?=[\s,.;)]|\Z)(?<![ ]is)"),
        ("ADDRESS", rf"\b(?i:resident of|(?:originally|hails|hailing|comes|visiting|emigrated|moved(?: here)?) from|(?:grew up|raised|born|reared|lives?|living|resides?|residing|stays?|staying|retired|works?|working)"
                    rf"(?:[ ](?:alone|and raised|with [a-z]{{2,10}} [a-z]{{3,10}}))?[ ](?:in|near))[ ](?P<TOWN>{_PLACE})(?=[ ](?:and|with|but|who|where|when|until|since|for|to|in|as|by)\b|[,.;)]|\Z)"
                    rf"|\b(?i:from|to|at|in|by|of|the)[ ](?:the[ ])?(?P<FACILITY>{_NOT}{_WORD}(?:['’]s)?(?:[ ]{_WORD}(?:['’]s)?){{0,3}}[ ]{_FACILITY})\b"
                    rf"|\b\d{{1,4}}(?:[ ]?(?:bis|ter))?,?[ ](?:rue|avenue|allée|chemin|boulevard|impasse|quai|place|Rue|Avenue|Allée|Chemin|Boulevard|Impasse|Quai|Place)[ ]{_OF_STREET}{_WORD}(?:[ ]{_OF_STREET}{_WORD}){{0,3}}(?:,[ ]\d{{4,5}}[ ]{_WORD})?"
                    rf"|\b{_STREET_BEFORE}[ ]?{_OF_STREET}{_WORD}(?:[ ]{_OF_STREET}{_WORD}){{0,3}},?[ ](?:n[.º°]?[ ]?)?\d{{1,4}}[a-z]?\b(?:,[ ]\d[^\n,;]{{0,12}})?(?:,[ ]\d{{5}}[ ]{_WORD})?"
                    r"|(?<=,[ ])\d{5}[ ][A-ZÀ-Þ][a-zß-ÿ]{2,30}\b"),
    )
)  # fmt: skip
"""Kind and pattern; the group that is filled is the identifier."""
