"""A Postgres server of the tests' own, from Debian's package: on loopback, its files in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from conftest import absent


class Postgres:
    """A server at work: fresh databases, and a way to pull the plug."""

    def __init__(self, folder: Path, initdb: str) -> None:
        # Postgres refuses to run as root.
        self._user = ["su", "postgres", "-s", "/bin/sh", "-c"] if os.getuid() == 0 else ["/bin/sh", "-c"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._control = f"{Path(initdb).with_name('pg_ctl')} -D {folder}/data"
        options = f"-p {self.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400"
        self._start = f"{self._control} -o '{options}' -l {folder}/log -w start"
        self._names = count()
        self._run(f"{initdb} -D {folder}/data -A trust -U postgres --no-sync")

    @property
    def url(self) -> str:
        """Of the server's own database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database; return its URL."""
        import psycopg

        name = f"t{next(self._names)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def start(self) -> None:
        self._run(self._start)

    def kill(self) -> None:
        """Stop as in a crash: no goodbye to any client, recovery at the next start."""
        self._run(f"{self._control} -m immediate -t 120 stop")

    def _run(self, command: str) -> None:
        subprocess.run([*self._user, command], check=True, stdout=subprocess.DEVNULL)


def end_lease_sessions(url: str) -> None:
    """End the sessions that hold leases in this database, as a broken connection does."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        )


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server. Skips where Postgres or its driver is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    try:
        import psycopg  # noqa: F401
    except ModuleNotFoundError:
        absent("postgres", "psycopg is not installed: pip install 'tracejury[postgres]'")
    if initdb is None:
        absent("postgres", "no Postgres here: apt-get install postgresql")
    # Not pytest's own folder for temporary files, which every other session of pytest closes to the user postgres.
    with tempfile.TemporaryDirectory(prefix="tracejury-postgres-") as made:
        folder = Path(made)
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        server = Postgres(folder, initdb)
        server.start()
        try:
            yield server
        finally:
            server.kill()
