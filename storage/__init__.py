"""Storage of bytes: database engine, writer thread, reconnection, atomic files and key-value tables.

The ground floor: it knows nothing of medicine and imports no other folder.

User API: KeyValueStore, StoreError, open_engine, open_transaction, replacing_file, replacing_folder. It is documented
in docs/api/storage.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
