from .atomic import replacing_file, replacing_folder
from .data_version import DataVersion
from .digests import cached_file_digest, file_digest
from .engine import StoreError, hide_password, insert_new, open_engine, open_transaction
from .faults import first_fault
from .key_value import Entry, KeyValueStore
from .leases import Lease, LeaseHeldError, acquire_lease
from .lookup import OrderedLookup
from .reconnecting import is_outage, run_when_reachable, unreachable_error
from .text_files import NotTextError, read_utf8
from .threads import run_in_thread
from .writer import Writer

__all__ = [
    "DataVersion",
    "Entry",
    "KeyValueStore",
    "Lease",
    "LeaseHeldError",
    "NotTextError",
    "OrderedLookup",
    "StoreError",
    "Writer",
    "acquire_lease",
    "cached_file_digest",
    "file_digest",
    "first_fault",
    "hide_password",
    "insert_new",
    "is_outage",
    "open_engine",
    "open_transaction",
    "read_utf8",
    "replacing_file",
    "replacing_folder",
    "run_in_thread",
    "run_when_reachable",
    "unreachable_error",
]
