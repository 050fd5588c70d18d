"""Words that stand beside identifiers (labels, roles, relatives, months, closings), and places that are none.

Tables, and no rules: each is one list, in every language that the rules read. Entries are patterns of words.
"""

from __future__ import annotations

STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho"
    "|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi"
    "|Missouri|Montana|Nebraska|Nevada|New (?:Hampshire|Jersey|Mexico|York)|(?:North|South) (?:Carolina|Dakota)"
    "|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|Tennessee|Texas|Utah|Vermont|(?:West )?Virginia|Washington"
    "|Wisconsin|Wyoming"
)
STATE_CODES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
LARGE_PLACES = (
    "Afghanistan|Africa|Albania|Algeria|America|Angola|Argentina|Armenia|Asia|Australia|Austria|Bangladesh"
    "|Belarus|Belgium|Bolivia|Bosnia|Brazil|Britain|Bulgaria|Burma|Cambodia|Cameroon|Canada|Caribbean|Chad|Chile"
    "|China|Colombia|Congo|Costa Rica|Croatia|Cuba|Cyprus|Czech|Denmark|Dominican|Ecuador|Egypt|El Salvador"
    "|England|Eritrea|Estonia|Ethiopia|Europe|Finland|France|Gabon|Gambia|Germany|Ghana|Greece|Guam|Guatemala"
    "|Guinea|Guyana|Haiti|Honduras|Hong Kong|Hungary|Iceland|India|Indonesia|Iran|Iraq|Ireland|Israel|Italy"
    "|Ivory Coast|Jamaica|Japan|Jordan|Kazakhstan|Kenya|Korea|Kosovo|Kuwait|Laos|Latin|Latvia|Lebanon|Liberia"
    "|Libya|Lithuania|Luxembourg|Madagascar|Malawi|Malaysia|Mali|Mexico|Middle|Midwest(?:ern)?|Moldova|Mongolia"
    "|Morocco|Mozambique|Myanmar|Namibia|Nepal|Netherlands|New Zealand|Nicaragua|Niger|Nigeria|Norway|Pacific"
    "|Pakistan|Palestine|Panama|Papua|Paraguay|Peru|Philippines|Poland|Portugal|Puerto Rico|Romania|Russia|Rwanda"
    "|Saudi|Scandinavia|Scotland|Senegal|Serbia|Siberia|Sierra Leone|Singapore|Slovakia|Slovenia|Somalia|Soviet"
    "|Spain|Sri Lanka|Sudan|Sub-Saharan|Sweden|Switzerland|Syria|Taiwan|Tanzania|Thailand|Tibet|Togo|Trinidad"
    "|Tunisia|Turkey|Uganda|Ukraine|United|Uruguay|US|USA|UK|Uzbekistan|Venezuela|Vietnam|Wales|Yemen|Zambia"
    "|Zimbabwe|Appalachia"
    "|(?:North|South|East|West|Central)(?:east|west)?(?:ern)?"
    "(?! (?!Africa|America|Asia|Coast|Europe|Germany|Indies|Korea|Pacific|Sudan)[A-Z])"
)
"""Countries and regions: no identifiers, however somebody comes from there."""
RELATIVES = (
    "wife|husband|spouse|son|daughter|mother|father|mom|mum|dad|brother|sister|partner|girlfriend|boyfriend"
    "|fianc[ée]e?|uncle|aunt|niece|nephew|cousin|friend|neighbou?r|caregiver|carer|guardian|roommate"
    "|grand(?:mother|father|son|daughter)|step(?:mother|father|son|daughter)"
    "|(?:mother|father|son|daughter|brother|sister)-in-law"
)
PROFESSIONS = (
    "attending(?: physician| surgeon)?|(?:primary )?physician|provider|consultant|surgeon|resident|intern|fellow"
    "|registrar|house officer|hospitalist|intensivist|(?:charge |scrub |night |triage |staff |student )?nurse|PCP"
    "|GP|RN|LPN|CNA|HCP|POA|interpreter|translator|case manager|care manager|social worker|discharge planner"
    "|pharmacist|(?:physical |speech |occupational |respiratory )?therapist|technician|technologist|tech|midwife"
    "|doula|dietitian|dietician|chaplain|coordinator|counsell?or|medical student|assistant|first assistant"
    "|circulator|scrub|transcriptionist|transcriber|scribe|examiner|observer|operator"
    "|[a-z]{3,14}(?:ologist|iatrist|iatrician|etrician|aesthetist|esthetist|esthesiologist)|dentist|optometrist"
    "|officer|anesthesia|coroner|paramedic|supervisor|investigator|attorney|detective|coworker|employer|teacher"
)
OTHER_LABELS_OF_NAMES = (
    "health ?care proxy|proxy|power of attorney|next of kin|NOK|emergency contact|contact(?: person)?|informant"
    "|witness|author"
    "|(?:electronically )?(?:dictated|transcribed|reported|reviewed|signed|seen|ordered|referred|performed|interpreted"
    "|verified|prepared|completed|approved|authenticated|attested|collected|entered|requested|accompanied)(?: by)?"
    "|re|regarding|subject|client|cc|attn|attention|pt|patient(?:'s)?(?:[ _]name)?|name"
    "|(?:full|legal|maiden|mother's|father's|resident|client|first|last|given|family|middle|preferred)[ _]?names?"
    "|surname|forename|alias|aka|subscriber|guarantor|insured|beneficiary"
)
FOREIGN_LABELS_OF_NAMES = (
    "paciente|nombre(?: del paciente| y apellidos)?|apellidos|m[ée]dico(?: tratante| curante| responsable)?"
    "|enfermera|acompañante|familiar|nom(?: du patient| et prénom)?|prénom|patiente?|médecin(?: traitant)?"
    "|infirmière|personne de confiance|patientin|name(?: der patientin| des patienten)?|nachname|vorname|arzt"
    "|hausarzt|oberarzt|chefarzt|operateur|pflege|zuweiser|angehörige|paziente"
    "|nome(?: do paciente| del paziente| e cognome)?|cognome|operatore|medico|infermiera|acompanhante|médica"
)
CREDENTIALS = (
    r"M\.?D\.?|D\.?O\.?|R\.?N\.?|BSN|MSN|DNP|LPN|LVN|CNA|PA(?:-C)?|A?NP(?:-[A-Z]{1,2})?|APRN|ARNP|CRNA|CNM|CNS"
    r"|FRC[PS]|MRC[PS]|FACS|FACP|FACC|MBBS|MBChB|MB|PhD|Ph\.D\.|PharmD|RPh|DDS|DMD|DPM|OD|PT|DPT|OT|OTR(?:/L)?|SLP"
    r"|CCC-SLP|RT|RRT|RD|LCSW|LICSW|MSW|LMFT|PsyD|EMT(?:-P)?|MA|CMA"
)
TITLES = (
    r"Mrs|MRS|Mr|MR|Ms|MS|Miss|MISS|Mx|Dr|DR|dr|Drs|Prof|PROF|Professor|Doctor|Nurse|Sister|Rev|Fr|Capt|Sgt|Lt|Col"
    r"|Hon|Sir|Dame|Lady|Lord|Herr|Frau|Frl|Hr|Fru|Mme|MME|Mlle|Monsieur|Madame|Mademoiselle|Señora?|Sr|Sra|Srta"
    r"|Don|Doña|Dra|D\.ª|Sig|sig|Sig\.ra|sig\.ra|Signora|Signor|signora|signor|Dott|Dott\.ssa|dott|Dottor"
    r"|Dottoressa|Pani"
)
MORE_TITLES = "med|rer|nat|phil|habil|Dr|Prof|Kollegin|Kollege|PD|Priv|Doz|Doktor|Confrère|OA|CA|a|h|c"
"""What may stand between a title and the name ("Herr Kollege", "Dr. med.")."""
CLOSINGS = (
    "(?:many |with |kind )?thanks(?: (?:again|so much|in advance|for [a-z ]{1,40}))?|thank you[a-z ]{0,40}"
    "|(?:kind|best|warm|kindest|with best|with kind) (?:regards|wishes)|(?:warm |best )?regards|best|cheers"
    "|sincerely|(?:yours|respectfully|very truly|cordially) ?(?:sincerely|faithfully|truly|yours|submitted)?|love"
    "|take care|mit (?:freundlichen|kollegialen|besten|herzlichen)(?: kollegialen| freundlichen)? grü(?:ß|ss)en"
    "|hochachtungsvoll|(?:herzliche|viele|liebe|beste) grü(?:ß|ss)e|cordialement|bien (?:cordialement|à vous)"
    "|(?:bien )?(?:confraternellement|amicalement)|(?:respectueusement|salutations distinguées)|atentamente"
    "|(?:un )?(?:cordial|atento) saludo|saludos(?: cordiales)?|cordialmente|gracias|(?:cordiali|distinti) saluti"
    "|cordialmente|grazie|atenciosamente|(?:com os )?(?:melhores )?cumprimentos|obrigad[oa]|abraços|с уважением"
)
MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
SHORT_FOREIGN_MONTHS = (
    "jän|mär|mrz|mai|okt|dez|ene|abr|ago|dic|janv|févr|fév|fev|avr|juin|juil|août|déc|gen|mag|giu|lug|set|ott|out"
)
"""As they stand between a day and a year ("07/abr/2024")."""
FOREIGN_MONTHS = (
    "januar|jänner|februar|märz|mai|juni|juli|oktober|dezember|enero|febrero|marzo|abril|mayo|junio|julio|agosto"
    "|sep?tiembre|octubre|noviembre|diciembre|janvier|février|mars|avril|juin|juillet|août|septembre|octobre"
    "|novembre|décembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|janeiro|fevereiro"
    "|março|maio|junho|julho|setembro|outubro|novembro|dezembro|april|august|september|november"
)
SURE_LABELS_OF_NUMBERS = (
    r"MRN|account|acc|policy|encounter|member ID|insurance ID|badge|device ID|case|record|licen[cs]e|plate"
    r"|hospital (?:ID|no|number)|med(?:ical)?\.? ?rec(?:ord)?|patient ID|chart|accession|acct|UHID|NPI|CSN|barcode"
    r"|NINO|CPF|DNI|NIF|NIE|NHC|NHS|KVNR|HIC|MBI|codice fiscale|tessera sanitaria"
    r"|n(?:uméro)?\.? de sécurité sociale|NIR|INS|SIN|Aadhaar|passport|Medicare|Medicaid|VIN|DEA|S/N|SN|UR"
    r"|driver'?s?'? ?lic(?:en[cs]e)?|licen[cs]e plate|number plate|(?:registration|license) plate|serial"
    r"|historia cl[ií]nica|cartella clinica"
    r"|(?:versicherten|versicherungs|kranken(?:kassen|versicherten)?|patienten|fall|aufnahme|akten|sozialversicherungs)-?(?:nummer|nr|id|zeichen)"
    r"|prontu[áa]rio|expediente|dossier|СНИЛС|полис\w*|cédula|carn[ée]t?|pasaporte|passeport|passaporto|Reisepass"
)
"""What names a number for itself."""
LABELS_OF_NUMBERS = (
    "MR|med|unit|hosp(?:ital)?|clinic|pt|patient|member|insurance|health plan|plan|policy|group|subscriber"
    "|beneficiary|encounter|enc|visit|account|order|claim|invoice|bill(?:ing)?|specimen|spec|sample|accession|acc"
    "|case|file|record|folder|subject|participant|study|trial|employee|badge|device|implant|lot|batch"
    "|prescription|Rx|ticket|bed|bracelet|wristband|registration|reg|enrol+ment|tax|voter|student|fingerprint"
    "|biometric|DL|license|licence|lic|certificate|permit|plate|SSN|SS|social security|ID|reference|ref|referral"
    "|authori[sz]ation|auth|confirmation|transaction|report|exam|requisition|Aktenzeichen|Az|Kennzeichen|Fall"
    "|cartella|matr[ií]cula|carta|карт[аы]|póliza|afiliación|adhérent|séjour|IPP"
)
"""What names a number where a word or a sign for "number" follows."""
HAN_NUMBERS = (
    "身份证号?码?|住院号|病历号|门诊号|就诊号|医保号|病案号|カルテ番号|患者番号|患者ID|診察券番号|保険証番号"
    "|등록번호|주민등록번호|환자번호|병록번호"
)
PHONES = (
    "t[ée]l(?:[ée]phone?)?|tel[ée]fon[oe]?|telefono|tfno|tlf|m[óo]vil|celular|cellulare|cell|portable|handy"
    "|mobil[e]?|fax|phone|ph(?=[.:])|pager|pgr|beeper|bleep|call(?: ?back)?|ring|ext(?:ension)?|work|home|office"
    "|desk|clinic|contact(?: no| number)?|whatsapp|sms|text|тел(?:ефон)?|моб"
    "|contato|contacto|kontakt|anruf|appeler|joindre|llamar|ligar|chiamare|电话|手机|電話|携帯|전화|연락처|휴대폰|هاتف|جوال"
    "|फ़ोन|फोन|मोबाइल|Rückfragen|Durchwahl"
)
NO_NAMES = (
    "Type|Diabetes|Coronary|Heart|Breast|Lung|Colon|High|Low|Blood|History|Alive|Healthy|Deceased|Hypertension"
    "|Cancer|Disease|Family|General|Internal|Emergency|Follow|Vitamin|Hepatitis|Group|Factor|Protein|Stage|Class"
    "|Grade|Child|Acute|Chronic|Chest|Abdominal|Medical|Patient|The|This|These|That|No|None|Not|Unknown|See"
    "|Please|Practitioner|Care|Home|Each|Step|Option|Answer|Correct|Choice|In|On|Of|And|Is|Was|We|He|She|It|They"
    "|His|Her|A|An|All|Any|Most|If|When|While|With|Without|For|From|To|At|By|As|Or|But|So|Then|There|Their|Our|My"
    "|Your|I|II|III|IV|Are|Has|Had|Have|Can|Could|May|Will|Would|Should|Must|Do|Does|Did|Also|After|Before|During"
    "|Since|Until|Both|Other|Others|More|Many|Some|Such|Same|New|Old|First|Second|Third|Last|Next|Final|Left"
    "|Right|Upper|Lower|Male|Female|Man|Woman|Boy|Girl|Baby|Infant|Adult|Human|Mean|Total|Table|Figure|Part|Yes"
    "|Other|Normal|Abnormal|Positive|Negative|Severe|Mild|Moderate|Stable|Primary|Secondary|Surgery|Surgical"
    "|Medicine|Internal|Intensive|Critical|Social|Physical|Occupational|Respiratory|Nursing|Clinic|Hospital"
    "|Department|Division|Center|Centre|University|College|School|Service|Services|Team|Unit|Ward|Room|Floor|Lab"
    "|Laboratory|Pathology|Radiology|Cardiology|Neurology|Oncology|Psychiatry|Pediatrics|Pharmacy|Admission"
    "|Discharge|Admitted|Discharged|Plan|Assessment|Impression|Findings|Exam|Examination|Results?|Date|Time|Day"
    "|Today|Yesterday|Tomorrow|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March"
    "|April|June|July|August|September|October|November|December|American|European|African|Asian|Hispanic"
    "|Caucasian|Black|White|English|Spanish|French|German|Italian|Latin|Greek|National|International|World|Health"
    "|Mental|Public|State|County|City|Down|Marfan|Turner|Crohn|Graves|Parkinson|Alzheimer|Hodgkin|Kaposi|Cushing"
    "|Addison|Wilson|Huntington|Raynaud|Sjogren|Sjögren|Kawasaki|Lynch|Noonan|Klinefelter|Tourette|Barrett|Behçet"
    "|Behcet|Ehlers|Charcot|Guillain|Lyme|Paget|Bell|Gram|Pap|Holter|Doppler|Foley|Glasgow|Apgar|Murphy|Babinski"
    "|Kernig|Brudzinski|Romberg|Coombs|Escherichia|Staphylococcus|Streptococcus|Candida|Pseudomonas|Klebsiella"
    "|Mycobacterium|Clostridium|Herr|Frau|Mr|Mrs|Ms|Dr|Prof|Good|Regards|Sincerely|Thanks|Thank|Dear|Hello|Hi"
    "|Sent|Therefore|However|Thus|Hence|Although|Though|Because|Furthermore|Moreover|Additionally|Overall|Given"
    "|Based|Further|Instead|Despite|Even|Academic|Pediatric|Paediatric|Teaching|Community|Regional|Local"
    "|Outpatient|Inpatient|Memory|Wound|Dialysis|Fertility|Eye|Dental|Rural|Urban|Veterans|VA|Research|Study"
    "|Control|Specialty|Speciality|Tertiary|Ambulatory|Urgent|Rapid|Sleep|Stroke|Foot|Women|Children|Rh|Para"
    "|Gravida|Covid|Influenza|Asthma|Pneumonia|Stroke|Sepsis|Seizure|Trauma|Pain|Fever|Cough|Allerg(?:y|ies)"
    "|Medications?|Smok(?:er|ing)|Living|Married|Single|Divorced|Widowed|Retired|Disabled|Independent|Alert|Awake"
    "|Pending|Completed?|Done|Refused|Declined|Denies|Reports?"
)
"""Words with a capital that begin no name, behind a label or a role."""
_GIVEN_NAMES = (
    "Aaron Abdul Abigail Adam Adele Adrian Agnes Ahmed Aisha Alan Albert Alejandro Alessandro Alex Alexander"
    " Alexandra Alfred Ali Alice Alicia Alison Allison Amanda Amara Amelia Amina Amir Amy Ana Andrea Andreas"
    " Andrew Andrzej Angela Angelo Anita Ann Anna Anne Anthony Antoine Antonio Arthur Arturo Ashley Astrid Audrey"
    " Barbara Beatrice Beatriz Benjamin Bernard Beth Betty Beverly Bilal Brandon Brenda Brian Bridget Bruno Carl"
    " Carla Carlos Carmen Carol Caroline Catherine Cecilia Charles Charlotte Chiara Chloe Christian Christina"
    " Christine Christopher Claire Clara Claude Claudia Clifford Colin Craig Cynthia Daniel Daniela David Deborah"
    " Denise Dennis Diana Diane Diego Dieter Dimitri Dmitri Dominic Donald Donna Dorothy Douglas Duncan Edith"
    " Eduardo Edward Edwin Eileen Elaine Eleanor Elena Elisa Elizabeth Ella Ellen Emeka Emil Emilia Emily Emma"
    " Enrique Eric Erik Ernest Esther Ethan Eugene Eva Evelyn Fatima Felix Fernando Fiona Florence Frances"
    " Francesca Francesco Francis Francisco Frank Franz Fred Frederick Gabriel Gabriela Gareth Gary Geoffrey"
    " George Georgia Gerald Gerhard Gertrude Giovanni Giulia Giuseppe Gloria Gonzalo Gordon Greta Gregory"
    " Guillermo Gustavo Gwendolyn Hannah Hans Harold Harriet Hassan Hector Heather Heinrich Helen Helena Helga"
    " Henrietta Henry Herbert Hiroshi Howard Hugh Hugo Ian Ibrahim Ignacio Ingrid Irene Irina Isaac Isabel"
    " Isabella Ismail Ivan Jack Jacob Jacqueline Jacques James Jane Janet Janice Jason Javier Jean Jeffrey"
    " Jennifer Jeremy Jessica Jill Joan Joanna Johann Johannes John Jonathan Jorge Jose José Joseph Josephine"
    " Joshua Joyce Juan Judith Julia Julian Julie Jürgen Karen Karl Katarzyna Katherine Kathleen Kathryn Kelly"
    " Kenneth Kenji Kevin Khadija Kimberly Klaus Kofi Kurt Kyle Lars Laura Lauren Lawrence Leila Leonard Leroy"
    " Leslie Liam Linda Lisa Lorenzo Louis Louise Lucas Lucia Lucy Luigi Luis Luisa Lydia Magdalena Mahmoud"
    " Manuel Marco Margaret Margarita Maria María Marianne Marie Marilyn Mario Marion Marjorie Marta Martha"
    " Martin Martina Mary Mateo Matthew Matthias Maureen Maurice Maximilian Mehmet Mei Melanie Melissa Mercedes"
    " Michael Michelle Miguel Mildred Mohamed Mohammad Mohammed Monica Monika Mustafa Nadia Nancy Natalia Natalie"
    " Natasha Nathan Nicholas Nicola Nicole Nigel Nina Noah Nora Norma Norman Olaf Olga Oliver Olivia Omar Oscar"
    " Pablo Pamela Patricia Patrick Paul Paula Paulo Pedro Penelope Peter Philip Philippa Phillip Phyllis Pierre"
    " Pietro Priya Rachel Rafael Raj Rajesh Ralph Ramon Raymond Rebecca Reginald Ricardo Richard Rita Robert"
    " Roberta Roberto Rodrigo Roger Roland Ronald Rosa Rosalind Rosemary Roxanne Rupert Russell Ruth Ryan Sabine"
    " Samantha Samuel Sandra Sanjay Sara Sarah Sean Sebastian Sergei Sharon Sheila Shirley Silvia Simone Sofia"
    " Sonia Sophia Sophie Stanislaw Stefan Stella Stephanie Stephen Steven Stuart Susan Suzanne Svetlana Sven"
    " Sylvia Takeshi Tamara Tatiana Teresa Thelma Theodore Theresa Thomas Timothy Tobias Tomas Tracy Ursula"
    " Valentina Valerie Vanessa Veronica Victoria Vincent Vincenzo Virginia Vivian Vladimir Walter Wanda Wei"
    " Wendy Wilhelm William Winifred Wolfgang Xavier Yasmin Yolanda Yuki Yusuf Yvonne Zainab Zoe"
)
GIVEN_NAMES = frozenset(_GIVEN_NAMES.split())
"""Given names that are hardly ever anything else: before another capitalised word they are somebody's name."""
