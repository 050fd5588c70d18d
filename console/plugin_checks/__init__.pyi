from .contract_tests import ContractFault, contract_faults, package_objects
from .fake_ask import FakeAsk
from .samples import hostile_steps, sample_case, sample_question, sample_trace

__all__ = [
    "ContractFault",
    "FakeAsk",
    "contract_faults",
    "hostile_steps",
    "package_objects",
    "sample_case",
    "sample_question",
    "sample_trace",
]
