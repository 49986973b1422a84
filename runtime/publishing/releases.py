"""Models by release number, with the tables that they stand on: what the desk keeps for each tenant."""

from __future__ import annotations

from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.model import Model
from tabwright.metadata.store import Releases
from tabwright.platform.database import Reader
from tabwright.runtime.storage.tables import Physical, Tables


class CompiledReleases:
    """``desk.Releases``: compiles a stored release, taking over what did not change."""

    def __init__(self, releases: Releases | None = None) -> None:
        self.stored = releases or Releases()

    def current(self, reader: Reader) -> int:
        """The number of the release in force."""
        return self.stored.current(reader)

    def load(self, reader: Reader, number: int, previous: Model | None) -> tuple[Model, Tables]:
        """Compile release ``number``. Raises NotFound."""
        tree = self.stored.tree(reader, number)
        model = compile_tree(tree, release=number, previous=previous)
        return model, Tables(Physical.read(reader), reader.store.dialect)
