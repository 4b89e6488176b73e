"""One small centre and one application for all tests of the pages that need no browser, and a browser for those that do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "casework"))

from casework_make import Centre
from screenshots import ARGS, CHROMIUM
from web_make import settings_for
from web_office import Office, fill

from qa_pipeline.web.app import create_app
from qa_pipeline.web.site import Options


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    centre = Centre(folder / "qa.duckdb")
    things = fill(centre)
    app = create_app(Options(settings=settings_for(folder / "qa.duckdb"), now=lambda: centre.now))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Office(client=client, site=app.state.site, centre=centre, things=things)


@pytest.fixture
def now(office: Office) -> datetime:
    return office.site.now()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield one
        one.close()
