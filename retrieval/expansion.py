"""Other names for what a query names: clinical abbreviations, and brand and generic names where a source knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Abbreviations with one meaning in clinical notes, or a main one. In capitals only: "who" is not the WHO, "as" no
# aortic stenosis. MS, RA, PT, OD and the like are left out: their meaning hangs on the sentence.
ABBREVIATIONS: Mapping[str, str] = {
    "AAA": "abdominal aortic aneurysm", "ABG": "arterial blood gas", "ACE": "angiotensin-converting enzyme",
    "ACS": "acute coronary syndrome", "ADHD": "attention deficit hyperactivity disorder", "AF": "atrial fibrillation",
    "AKI": "acute kidney injury", "ALL": "acute lymphoblastic leukemia", "ALP": "alkaline phosphatase",
    "ALS": "amyotrophic lateral sclerosis", "ALT": "alanine aminotransferase", "AML": "acute myeloid leukemia",
    "ANA": "antinuclear antibody", "ARB": "angiotensin receptor blocker",
    "ARDS": "acute respiratory distress syndrome", "ASD": "atrial septal defect", "AST": "aspartate aminotransferase",
    "AV": "atrioventricular", "BMI": "body mass index", "BNP": "B-type natriuretic peptide", "BP": "blood pressure",
    "BPH": "benign prostatic hyperplasia", "BUN": "blood urea nitrogen", "CABG": "coronary artery bypass graft",
    "CAD": "coronary artery disease", "CAP": "community-acquired pneumonia", "CBC": "complete blood count",
    "CF": "cystic fibrosis", "CHF": "congestive heart failure", "CKD": "chronic kidney disease",
    "CLL": "chronic lymphocytic leukemia", "CML": "chronic myeloid leukemia", "CMV": "cytomegalovirus",
    "CNS": "central nervous system", "COPD": "chronic obstructive pulmonary disease",
    "CPR": "cardiopulmonary resuscitation", "CRP": "C-reactive protein", "CSF": "cerebrospinal fluid",
    "CT": "computed tomography", "CTPA": "computed tomography pulmonary angiography",
    "CVA": "stroke cerebrovascular accident", "CXR": "chest x-ray", "DIC": "disseminated intravascular coagulation",
    "DKA": "diabetic ketoacidosis", "DM": "diabetes mellitus", "DVT": "deep vein thrombosis",
    "EBV": "Epstein-Barr virus", "ECG": "electrocardiogram", "EEG": "electroencephalogram",
    "EKG": "electrocardiogram", "ESR": "erythrocyte sedimentation rate", "ESRD": "end-stage renal disease",
    "FEV1": "forced expiratory volume", "FFP": "fresh frozen plasma", "FSH": "follicle-stimulating hormone",
    "GBS": "Guillain-Barre syndrome", "GERD": "gastroesophageal reflux disease", "GFR": "glomerular filtration rate",
    "GI": "gastrointestinal", "HAART": "antiretroviral therapy", "HBV": "hepatitis B virus",
    "HCC": "hepatocellular carcinoma", "HCV": "hepatitis C virus",
    "HELLP": "hemolysis elevated liver enzymes low platelets", "HF": "heart failure",
    "HIT": "heparin-induced thrombocytopenia", "HIV": "human immunodeficiency virus",
    "HLA": "human leukocyte antigen", "HPV": "human papillomavirus", "HR": "heart rate",
    "HSV": "herpes simplex virus", "HTN": "hypertension", "HUS": "hemolytic uremic syndrome",
    "IBD": "inflammatory bowel disease", "IBS": "irritable bowel syndrome", "ICH": "intracerebral hemorrhage",
    "ICP": "intracranial pressure", "ICU": "intensive care unit", "IE": "infective endocarditis",
    "INR": "international normalized ratio", "ITP": "immune thrombocytopenia", "JVD": "jugular venous distension",
    "LDL": "low-density lipoprotein", "LFT": "liver function test", "LH": "luteinizing hormone",
    "LMWH": "low molecular weight heparin", "LP": "lumbar puncture", "LVEF": "left ventricular ejection fraction",
    "LVH": "left ventricular hypertrophy", "MAOI": "monoamine oxidase inhibitor", "MDD": "major depressive disorder",
    "MI": "myocardial infarction", "MRI": "magnetic resonance imaging",
    "MRSA": "methicillin-resistant Staphylococcus aureus", "NPH": "normal pressure hydrocephalus",
    "NSAID": "nonsteroidal anti-inflammatory drug", "NSAIDs": "nonsteroidal anti-inflammatory drugs",
    "NSTEMI": "non-ST elevation myocardial infarction", "OCD": "obsessive-compulsive disorder",
    "OCP": "oral contraceptive", "OSA": "obstructive sleep apnea", "PCI": "percutaneous coronary intervention",
    "PCOS": "polycystic ovary syndrome", "PCP": "Pneumocystis pneumonia", "PDA": "patent ductus arteriosus",
    "PE": "pulmonary embolism", "PID": "pelvic inflammatory disease", "PPI": "proton pump inhibitor",
    "PSA": "prostate-specific antigen", "PTH": "parathyroid hormone", "PTSD": "post-traumatic stress disorder",
    "RSV": "respiratory syncytial virus", "SAH": "subarachnoid hemorrhage", "SBP": "systolic blood pressure",
    "SIADH": "inappropriate antidiuretic hormone", "SLE": "systemic lupus erythematosus",
    "SSRI": "selective serotonin reuptake inhibitor", "SSRIs": "selective serotonin reuptake inhibitors",
    "STEMI": "ST elevation myocardial infarction", "SVT": "supraventricular tachycardia", "TB": "tuberculosis",
    "TBI": "traumatic brain injury", "TCA": "tricyclic antidepressant", "TIA": "transient ischemic attack",
    "TNF": "tumor necrosis factor", "TPN": "parenteral nutrition", "TSH": "thyroid-stimulating hormone",
    "TTP": "thrombotic thrombocytopenic purpura", "UC": "ulcerative colitis", "UFH": "unfractionated heparin",
    "UTI": "urinary tract infection", "VF": "ventricular fibrillation", "VSD": "ventricular septal defect",
    "VT": "ventricular tachycardia", "VTE": "venous thromboembolism", "WBC": "white blood cell",
    "WPW": "Wolff-Parkinson-White",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_LONGEST = 5
_NAMES_A_GROUP = 3


class Expansion:
    """Finds other names for the names in a text. Made once from abbreviations and the sources' own aliases."""

    def __init__(self, aliases: Iterable[Mapping[str, Iterable[str]]] = ()) -> None:
        self._groups: dict[str, list[str]] = {}
        for short, long in ABBREVIATIONS.items():
            self._groups.setdefault(short, []).append(long)
            self._groups.setdefault(long.casefold(), []).append(short)
        for table in aliases:
            for name, others in table.items():
                group = list(dict.fromkeys([name, *others]))
                for alias in group:
                    # A name of four letters or fewer counts as written: ASA is a drug, "asa" may be anything.
                    key = alias if len(alias) <= 4 else alias.casefold()
                    fresh = [g for g in group if g.casefold() != alias.casefold()][:_NAMES_A_GROUP]
                    self._groups.setdefault(key, []).extend(fresh)

    def names(self, text: str) -> list[str]:
        """Return other names of what `text` names, without those that stand in it already."""
        words = [m[0] for m in _WORD.finditer(text)]
        folded = text.casefold()
        names: dict[str, None] = {}
        i = 0
        while i < len(words):
            for length in range(min(_LONGEST, len(words) - i), 0, -1):
                phrase = " ".join(words[i : i + length])
                others = self._groups.get(phrase) or (self._groups.get(phrase.casefold()) if len(phrase) > 4 else None)
                if others:
                    names |= {o: None for o in others if o.casefold() not in folded}
                    i += length - 1
                    break
            i += 1
        return list(names)

    def expand(self, text: str) -> str:
        """Return `text` with the other names after it."""
        names = self.names(text)
        return f"{text}\n{'; '.join(names)}" if names else text
