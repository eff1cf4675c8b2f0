"""What all tests share: untimed properties, and databases: SQLite files and a private PostgreSQL with PostGIS."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

BINARIES = Path("/usr/lib/postgresql/15/bin")
START_S = 30

# A busy machine must not fail a property: time is measured in benchmarks.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


class Cluster:
    """A PostgreSQL server of our own on a socket in a folder of our own; no port, so none can be taken."""

    def __init__(self, folder, *, settings=("fsync=off", "full_page_writes=off")):
        self.folder = folder
        self.settings = settings
        self.process = None
        self.databases = 0
        folder.chmod(0o755)
        self.data = folder / "data"
        self.data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.data, "nobody")
            shutil.chown(folder, "nobody")
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def _command(self, name, *arguments):
        """PostgreSQL refuses to run as root; and it ends with us, however we end."""
        become = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig", "INT", *become, BINARIES / name, *arguments]

    def _run(self, name, *arguments):
        done = subprocess.run(
            self._command(name, *arguments), capture_output=True, text=True, cwd=self.folder, check=False
        )
        assert done.returncode == 0, done.stderr

    def start(self):
        settings = [
            "-c",
            "listen_addresses=",
            "-c",
            "max_connections=200",
            "-c",
            f"unix_socket_directories={self.folder}",
        ]
        for setting in self.settings:
            settings += ["-c", setting]
        command = self._command("postgres", "-D", self.data, *settings)
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while subprocess.run([BINARIES / "pg_isready", "-q", "-h", self.folder], check=False).returncode:
            assert time.monotonic() < until, (self.folder / "log").read_text()
            if self.process.poll() is not None:  # what was killed may hold its memory yet: as a supervisor would, again
                self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
            time.sleep(0.02)
        log.close()

    def kill(self):
        """Kill -9 the server; its children notice and end by themselves."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(2)
        self.process.wait()

    def url(self, name):
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, template):
        """Return the URL of a new database like `template`."""
        self.databases += 1
        name = f"test_{self.databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def drop(self, url):
        """Delete a database of `create`, whoever is still connected."""
        from sqlalchemy import make_url

        self.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def execute(self, statement, *, database="postgres"):
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="session")
def start_cluster():
    """A function that starts a private PostgreSQL; all of them stop at the end."""
    if not BINARIES.is_dir():
        if os.environ.get("CI"):
            pytest.fail("no PostgreSQL 15 here; .ci/run installs postgresql-15-postgis-3")
        pytest.skip("no PostgreSQL 15 here (Debian: postgresql-15-postgis-3)")
    clusters = []

    def start(**settings):
        clusters.append(Cluster(Path(tempfile.mkdtemp(prefix="agc-pg-", dir="/tmp")), **settings))
        clusters[-1].start()
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.stop()
        shutil.rmtree(cluster.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(start_cluster):
    """The session's PostgreSQL (one a worker), with a template database that holds the schema."""
    from agrocredit.store.sql import open_database, upgrade

    cluster = start_cluster()
    cluster.execute("CREATE DATABASE template_agrocredit")
    template = open_database(cluster.url("template_agrocredit"))
    upgrade(template)
    with template.engine.begin() as connection:  # a small template is copied quickly
        connection.exec_driver_sql("DELETE FROM spatial_ref_sys WHERE srid <> 4326")
    template.close()
    cluster.execute("VACUUM FULL", database="template_agrocredit")
    return cluster


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A SQLite file that holds the schema."""
    from agrocredit.store.sql import open_database, upgrade

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = open_database(f"sqlite:///{path}")
    upgrade(database)
    database.close()  # the last connection folds the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def fresh_url(request, tmp_path_factory):
    """A function that returns the URL of a fresh database with the schema, of "sqlite" or "postgresql"."""

    def fresh(kind):
        if kind == "postgresql":
            return request.getfixturevalue("cluster").create("template_agrocredit")
        path = tmp_path_factory.mktemp("books") / "agrocredit.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"

    return fresh


@pytest.fixture
def sqlite_url(fresh_url):
    """The URL of a fresh SQLite file with the schema."""
    return fresh_url("sqlite")


@pytest.fixture
def postgresql_url(cluster, fresh_url):
    """The URL of a fresh PostgreSQL database with the schema."""
    url = fresh_url("postgresql")
    yield url
    cluster.drop(url)


@pytest.fixture
def postgresql(postgresql_url):
    """A fresh database with the schema, for what only PostgreSQL has."""
    from agrocredit.store.sql import open_database

    database = open_database(postgresql_url)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """The URL of a fresh database with the schema, once on each of the two."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def database(database_url):
    """A fresh database with the schema, once on each of the two."""
    from agrocredit.store.sql import open_database

    database = open_database(database_url)
    yield database
    database.close()
