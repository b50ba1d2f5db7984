"""Loads one configuration: its main files, and the files that they name.

Guarantees that a configuration reads a file once, including through ``@INCLUDE``, ``includes`` and
``Parsers_File``, and an error where Fluent Bit refuses to read one again. A relative name that does not exist
is an error. Absolute names, and those of Fluent Bit's own files, may be in the image:
``Configuration.missing`` lists them.
"""

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from node_observability.errors import MalformedError
from node_observability.inputs.files import is_file, read_text
from node_observability.inputs.places import Place
from node_observability.parsers.configuration.classic_format import (
    OpenFiles,
    TextFile,
    read_classic,
)
from node_observability.parsers.configuration.sections import Configuration, Property, Section
from node_observability.parsers.configuration.stock import is_stock_file
from node_observability.parsers.configuration.yaml_format import read_yaml

__all__ = ["YAML_SUFFIXES", "Loader", "find_beside", "is_classic", "main_files"]

_CLASSIC = re.compile(
    r"^\ufeff?(?:\[(?:SERVICE|PARSER|MULTILINE_PARSER|INPUT|FILTER|OUTPUT)\b|\[[\w ]+\]|@(?:INCLUDE|SET) )",
    re.IGNORECASE | re.MULTILINE,
)
YAML_SUFFIXES = (".yaml", ".yml")
# In the service section; Fluent Bit reads each of them as a configuration of its own.
_PARSERS_FILE = "parsers_file"
_KEPT = ("parser", "multiline_parser")


class Loader:
    """Loads one configuration, file by file."""

    def __init__(self, label: str) -> None:
        self._configuration = Configuration(label)
        self._read_before: set[tuple[str, int]] = set()
        self._in_this_one: set[tuple[str, int]] = set()
        self._find_files: OpenFiles = _no_files

    def load(self, file: TextFile, find_files: OpenFiles) -> None:
        """Read a main file and those that it names, unless it was read before."""
        if _key(file) in self._read_before:
            return
        self._find_files = find_files
        before = len(self._configuration.sections)
        self._read(file)
        done: set[tuple[str, int]] = set()
        for section in self._configuration.sections[before:]:
            if section.kind == "service":
                self._read_parsers_files(section, done)

    def _read(self, file: TextFile) -> None:
        self._in_this_one = {_key(file)}
        self._configuration.has_service = False
        before = len(self._configuration.sections)
        _read_text(file, self._configuration, self._open_files)
        self._read_before |= self._in_this_one
        for section in self._configuration.sections[before:]:
            section.origin = f"{file[0]}:{file[2]}"

    def _open_files(self, reference: str, place: Place) -> list[TextFile] | None:
        found = self._find_files(reference, place)
        for file in found or []:
            if _key(file) in self._in_this_one:
                raise place.error(
                    f"{reference} is included a second time, which Fluent Bit refuses; remove one"
                )
            self._in_this_one.add(_key(file))
        return found

    def _read_parsers_files(self, service: Section, done: set[tuple[str, int]]) -> None:
        for item in service.properties:
            key = item.key.lower()
            if key == "plugins_file" and self._find_files(item.value, item.place) is None:
                self._configuration.missing.append(item)
            elif key == "streams_file" and self._find_files(item.value, item.place) is None:
                # Fluent Bit starts without it.
                if not _may_be_in_image(item.value):
                    self._configuration.ignored.append(item)
            elif key == _PARSERS_FILE:
                self._read_parsers_file(item, done)

    def _read_parsers_file(self, item: Property, done: set[tuple[str, int]]) -> None:
        found = self._find_files(item.value, item.place)
        if found is None:
            self._configuration.missing.append(item)
        for file in found or []:
            if _key(file) in done:
                raise item.place.error(
                    f"{item.value} is read a second time, so its parsers already exist and Fluent Bit"
                    " does not start; remove one"
                )
            done.add(_key(file))
            if _key(file) not in self._read_before:
                before = len(self._configuration.sections)
                self._read(file)
                self._keep_parsers(before)

    def _keep_parsers(self, before: int) -> None:
        """Drop what Fluent Bit ignores in a parsers file."""
        sections = self._configuration.sections
        read = sections[before:]
        sections[before:] = [one for one in read if one.kind in _KEPT]
        self._configuration.ignored += [
            Property(f"[{one.title}]", "in a parsers file", one.place)
            for one in read
            if one.kind not in _KEPT
        ]

    def finish(self) -> Configuration:
        """Return the configuration.

        Raises:
            MalformedError: it names files that do not exist.
        """
        missing = self._configuration.missing
        absent = [item for item in missing if not _may_be_in_image(item.value)]
        if absent:
            raise MalformedError(
                *(f"{item.place}: {item.key}: no such file: {item.value}" for item in absent)
            )
        return self._configuration


def is_classic(text: str) -> bool:
    """Return whether a text looks like the classic format."""
    return _CLASSIC.search(text) is not None


def _key(file: TextFile) -> tuple[str, int]:
    # All files of a manifest have the manifest's name; their first lines differ.
    return file[0], file[2]


def _no_files(_name: str, _place: Place) -> None:
    return None


def _read_text(file: TextFile, into: Configuration, open_files: OpenFiles) -> None:
    name, text, first_line = file
    # As Fluent Bit does, go by the suffix. What is in a manifest has the manifest's name.
    if first_line == 1 and name.endswith(YAML_SUFFIXES):
        looks_classic = False
    else:
        looks_classic = is_classic(text) or (first_line == 1 and name.endswith(".conf"))
    (read_classic if looks_classic else read_yaml)(text, name, into, open_files, first_line)


def main_files(files: Sequence[TextFile], find_files: OpenFiles) -> list[TextFile]:
    """Return the files that no other one names, which are those that Fluent Bit is started with."""
    named: set[tuple[str, int]] = set()

    def open_files(name: str, place: Place) -> list[TextFile]:
        named.update(_key(found) for found in find_files(name, place) or [])
        return []

    for file in files:
        configuration = Configuration(file[0])
        _read_text(file, configuration, open_files)
        for section in configuration.sections_of("service"):
            for item in section.find_all(_PARSERS_FILE):
                open_files(item.value, item.place)
    return [file for file in files if _key(file) not in named] or list(files)


def _may_be_in_image(name: str) -> bool:
    is_open = name.startswith("/") or "${" in name or glob.has_magic(name)
    return is_open or is_stock_file(name)


def find_beside(main: Path) -> OpenFiles:
    """Return what finds files on disk: the classic format's names begin where the main file is."""

    def find(name: str, place: Place) -> list[TextFile] | None:
        base = Path(place.file).parent
        if glob.has_magic(name):
            # Path.glob raises for absolute patterns and for **x, which C's glob accepts.
            found = glob.glob(name, root_dir=base)  # noqa: PTH207
            paths = sorted(base / path for path in found)
        else:
            # In a container the files are elsewhere, but side by side.
            places = (base / name, main.parent / name, base / Path(name).name)
            paths = [path for path in places if is_file(path) and str(path) != place.file][:1]
        return [
            (str(path), read_text(path, keep_mark=True, keep_returns=True), 1) for path in paths
        ] or None

    return find
