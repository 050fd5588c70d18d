"""A Postgres server of the tests' own, from Debian's package, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import absent


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Start a server with an empty database; give its URL. Skips where Postgres or its driver is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    try:
        import psycopg  # noqa: F401
    except ModuleNotFoundError:
        absent("postgres", "psycopg is not installed: pip install 'tracejury[postgres]'")
    if initdb is None:
        absent("postgres", "no Postgres here: apt-get install postgresql")
    # Postgres refuses to run as root.
    user = ["su", "postgres", "-s", "/bin/sh", "-c"] if os.getuid() == 0 else ["/bin/sh", "-c"]
    if os.getuid() == 0:
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o055)
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control = f"{Path(initdb).with_name('pg_ctl')} -D {folder}/data"
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run([*user, f"{initdb} -D {folder}/data -A trust -U postgres"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*user, f"{control} -o '{options}' -l {folder}/log -w start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*user, f"{control} -m immediate -t 120 stop"], check=True, stdout=subprocess.DEVNULL)
