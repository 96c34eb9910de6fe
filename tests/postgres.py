"""A PostgreSQL with PostGIS, started for the tests and stopped after them."""

import os
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import pytest

_PASSWORD = "s3cret-Pa55"  # noqa: S105 - of a server that lives as long as the tests


class Server:
    """A running server on loopback; a superuser without and a user with a password."""

    def __init__(self, port):
        self.port = port
        self.password = _PASSWORD
        self._numbers = count()

    def address(self, database, *, user="planner", password=_PASSWORD, **query):
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        login = f"{user}:{password}" if password else user
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}" + (asked and f"?{asked}")

    def run(self, database, *statements):
        """Run statements as the superuser; gives the last one's rows."""
        import psycopg  # noqa: PLC0415 - an optional part of the installation

        given = {"host": "127.0.0.1", "port": self.port, "user": "boss", "password": _PASSWORD}
        with psycopg.connect(dbname=database, autocommit=True, **given) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def database(self, *, postgis=True):
        """Make a database of the planner's; gives its name."""
        name = f"db{next(self._numbers)}"
        self.run("postgres", f"CREATE DATABASE {name} OWNER planner")
        if postgis:
            self.run(name, "CREATE EXTENSION postgis")
        return name


@pytest.fixture(scope="session")
def postgres():
    """A real server; the test skips, saying why, where none can be had."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL is not installed")
    programs = Path(initdb).resolve().parent
    version = programs.parent.name
    control = Path(f"/usr/share/postgresql/{version}/extension/postgis.control")
    if found and not control.exists():
        pytest.skip(f"PostGIS is not installed for PostgreSQL {version}")
    # Not below pytest's own folder, which it keeps closed to the server's user.
    home = Path(tempfile.mkdtemp(prefix="planner-postgres-"))
    as_owner = []
    if os.geteuid() == 0:
        # The server refuses to run as root.
        if not shutil.which("runuser"):
            pytest.skip("the server cannot be run as root, and runuser is not there")
        as_owner = ["runuser", "-u", "postgres", "--"]
    secret = home / "secret"
    secret.write_text(_PASSWORD)
    if as_owner:
        for path in (secret, home):
            shutil.chown(path, "postgres")
    data = home / "data"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}

    def run(*words):
        subprocess.run(
            [*as_owner, *map(str, words)],
            check=True, cwd="/", env=environment, timeout=120,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    run(
        initdb, "-D", data, "-U", "boss", "--auth=scram-sha-256", f"--pwfile={secret}",
        "--encoding=UTF8", "--no-sync",
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
        "-c fsync=off -c log_min_messages=fatal"
    )
    control = programs / "pg_ctl"
    run(control, "-D", data, "-o", settings, "-l", home / "data" / "log", "-w", "start")
    try:
        server = Server(port)
        server.run("postgres", f"CREATE ROLE planner LOGIN PASSWORD '{_PASSWORD}'")
        yield server
    finally:
        run(control, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home)
