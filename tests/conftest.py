"""Fixtures that several test modules share; ``collecting`` and ``side_by_side`` have how they are read and divided."""

import os
import secrets
from contextlib import contextmanager
from types import SimpleNamespace

import few_threads  # noqa: F401
import numpy as np
import pytest
import sqlalchemy as sa
from browser.find_chromium import NOT_FOUND, find_chromium
from hypothesis import HealthCheck, settings
from postgres_server import NOT_FOUND as NO_POSTGRES
from postgres_server import available, running
from side_by_side import pytest_addoption, pytest_configure  # noqa: F401

from tlcore import translation
from tlcore.inputs.images import as_pixels
from tlcore.machine import nursery
from tlcore.store import Store

# On a machine that others use too an example may take long: that says nothing about what is tried.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

collect_ignore = ["ext"]  # importing an extension registers it: tests/test_the_house.py does, and takes it back


@pytest.fixture
def store(tmp_path):
    """An empty run store in a folder of its own."""
    return Store(tmp_path / "lab")


@pytest.fixture
def patch_inside(monkeypatch):
    """``patch_inside(module, "time", sleep=...)``: that module alone gets a library with another function in it.

    Patching the library itself would change it for every thread of this process, and count what others do.
    """

    def patch(module, library: str, **functions):
        monkeypatch.setattr(module, library, SimpleNamespace(**vars(getattr(module, library)) | functions))

    return patch


class DigitReader:
    """The shipped drawing model: 28×28 images -> digits, or items -> the shares of the ten digits."""

    def __init__(self):
        from tlcore import sources

        self.model = sources.load("digits")

    def __call__(self, images):
        return self.shares(as_pixels(np.stack(images)[..., None])).argmax(axis=1).tolist()

    def shares(self, items):
        return self.model.predict(np.stack(items), verbose=0)


@pytest.fixture(scope="session")
def read_digits():
    return DigitReader()


@pytest.fixture(scope="session")
def postgres():
    """The address of a Postgres for this session's tests; they are skipped, with the reason, where there is none."""
    if not available():
        pytest.skip(NO_POSTGRES)
    with running() as address:
        yield address


@contextmanager
def schema(postgres):
    """Yield the address of an empty schema on a Postgres, dropped after the block."""
    engine, name = sa.create_engine(postgres), f"test_{secrets.token_hex(8)}"
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    url = engine.url.update_query_dict({"options": f"-csearch_path={name}"})
    yield url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET lock_timeout = '60s'")  # whoever is still in a transaction there is named
        connection.execute(sa.schema.DropSchema(name, cascade=True))
    engine.dispose()


@pytest.fixture
def postgres_database(postgres):
    """The address of an empty schema on that Postgres, dropped after the test."""
    with schema(postgres) as address:
        yield address


@pytest.fixture(scope="module")
def postgres_of_module(postgres):
    """The same for all tests of a module."""
    with schema(postgres) as address:
        yield address


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser's path; fails where there is none, for a skip would pass unseen."""
    return find_chromium() or pytest.fail(NOT_FOUND)


@pytest.fixture(scope="session")
def browser(chromium_path):
    """Chromium under Playwright; a page of its own for each test: ``browser.new_page()``."""
    from playwright.sync_api import sync_playwright

    # --no-sandbox: containers run as root. No background networking: nothing here may phone home. A test's certificate
    # is signed by nobody; excused request by request (Playwright's ignore_https_errors), some end in TOO_MANY_RETRIES.
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--ignore-certificate-errors"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def plain_spaces(request, monkeypatch):
    """Tests of pages read "98.2 %" with the space of a keyboard; that pages write another is a test of its own."""
    if request.path.parent.name == "pages":
        from pages.ui.words import text

        monkeypatch.setattr(text, "NO_BREAK", " ")
        monkeypatch.setattr(text, "NO_BREAK_HYPHEN", "-")


@pytest.fixture(scope="session")
def with_nursery(tmp_path_factory):
    """Have a nursery, as a server has: this process's children that need Keras are forked from it."""
    import tlcore.jobs.execution  # noqa: F401 (names what its children need)

    nursery.start(tmp_path_factory.mktemp("nursery"))


@pytest.fixture(autouse=True, scope="session")
def own_data_folder(tmp_path_factory):
    """No test touches the data folder of the person who runs it, nor does a child process of a test."""
    os.environ["TRANSFER_LAB_HOME"] = str(tmp_path_factory.mktemp("home"))
    os.environ.pop("TRANSFER_LAB_DATABASE", None)


@pytest.fixture(autouse=True, scope="session")
def reads_english():
    """Tests read English whoever runs them, and so do the servers that they start; the other languages are at hand."""
    os.environ["TRANSFER_LAB_LANGUAGE"] = "en"
    translation.compile_catalogues()
    translation.forget()
