"""A parsed document, with the line of each path in it. Pure."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from node_observability.nodegroup.schema.problem import Path, Problem

_P = TypeVar("_P", bound=Problem)


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a text, and the line, from 1, on which each path begins."""

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest part around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None

    def located(self, problem: _P) -> _P:
        """Return a problem with its line."""
        return dataclasses.replace(problem, line=self.line(problem.path))
