"""A terminal with an installation of its own, for tests of the ``tabwright`` command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from stores import drop_everything, settings_for
from tabwright import cli
from tabwright.app import Site, create_site
from tabwright.platform.database import Stores
from tabwright.platform.settings import Settings

TEMPLATE = Path(__file__).parents[2] / "templates" / "crm"


class Shell:
    """A terminal with an installation of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.env = {
            "TABWRIGHT_HOME": str(settings.home),
            "TABWRIGHT_SECRET": settings.secret,
            "TABWRIGHT_DATABASE_URL": settings.database_url or "",
            "TABWRIGHT_SCHEMA_PREFIX": settings.schema_prefix,
            "LC_ALL": "en_US.UTF-8",
        }

    def result(self, *arguments: str, typed: str | None = None) -> Result:
        return CliRunner(env=self.env).invoke(cli.main, arguments, input=typed)

    def run(self, *arguments: str, typed: str | None = None) -> Any:
        """What a command says as JSON."""
        result = self.result(*arguments, "--json", typed=typed)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: str, code: int = cli.REFUSED) -> list[str]:
        """The codes of the faults of a command that is refused."""
        result = self.result(*arguments, "--json")
        assert result.exit_code == code, (result.exit_code, result.output)
        return [fault["code"] for fault in json.loads(result.stdout)["faults"]]

    @contextmanager
    def site(self) -> Iterator[Site]:
        """The installation itself."""
        site = create_site(Settings.from_env(self.env))
        try:
            yield site
        finally:
            site.close()


@contextmanager
def open_shell(dialect: str, home: Path) -> Iterator[Shell]:
    """A terminal on a fresh installation, which is dropped at the end."""
    settings = settings_for(dialect, home)
    try:
        yield Shell(settings)
    finally:
        stores = Stores(settings)
        drop_everything(stores)
        stores.close()
