"""Loads configurations from a file, a directory, or a rendered manifest (``-``: from standard input).

A directory or a manifest may hold several configurations: one per format, and one per ConfigMap. Guarantees
that each configuration reads a file once, including through ``@INCLUDE``, ``includes`` and ``Parsers_File``.
A relative name that does not exist is an error. Absolute names, and those of Fluent Bit's own files, may be
in the image: ``Configuration.missing`` lists them.
"""

import glob
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from node_observability.errors import MalformedError, UsageError
from node_observability.inputs.files import STDIN, label, read_text
from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import compose
from node_observability.parsers.configuration.classic_format import (
    OpenFiles,
    TextFile,
    read_classic,
)
from node_observability.parsers.configuration.manifests import (
    EmbeddedFile,
    embedded_files,
    is_kubernetes_object,
)
from node_observability.parsers.configuration.sections import Configuration, Property, Section
from node_observability.parsers.configuration.stock import is_stock_file
from node_observability.parsers.configuration.yaml_format import is_configuration, read_yaml

__all__ = ["find_beside", "is_classic", "load"]

_CLASSIC = re.compile(
    r"^\ufeff?(?:\[(?:SERVICE|PARSER|MULTILINE_PARSER|INPUT|FILTER|OUTPUT)\b|\[[\w ]+\]|@(?:INCLUDE|SET) )",
    re.IGNORECASE | re.MULTILINE,
)
_YAML_SUFFIXES = (".yaml", ".yml")
_SUFFIXES = (".conf", *_YAML_SUFFIXES)
# In the service section; Fluent Bit reads each of them as a configuration of its own.
_PARSERS_FILE = "parsers_file"
_OTHER_FILES = ("plugins_file", "streams_file")


def is_classic(text: str) -> bool:
    """Whether a text has a section of the classic format."""
    return _CLASSIC.search(text) is not None


class _Loader:
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
            if key in _OTHER_FILES and self._find_files(item.value, item.place) is None:
                self._configuration.missing.append(item)
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
        sections[before:] = [one for one in read if one.kind in ("parser", "multiline_parser")]
        self._configuration.ignored += [
            Property(f"[{one.title}]", "in a parsers file", one.place)
            for one in read
            if one not in sections[before:]
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


def _key(file: TextFile) -> tuple[str, int]:
    # All files of a manifest have the manifest's name; their first lines differ.
    return file[0], file[2]


def _no_files(_name: str, _place: Place) -> None:
    return None


def _read_text(file: TextFile, into: Configuration, open_files: OpenFiles) -> None:
    name, text, first_line = file
    is_yaml = name.endswith(_YAML_SUFFIXES) and first_line == 1
    read = read_yaml if is_yaml or not _CLASSIC.search(text) else read_classic
    read(text, name, into, open_files, first_line)


def _main_files(files: Sequence[TextFile], find_files: OpenFiles) -> list[TextFile]:
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


def load(source: str, stdin: BinaryIO | None = None) -> list[Configuration]:
    """Return the configurations of a source; ``stdin`` is what ``-`` reads, by default standard input.

    Raises:
        UsageError: there is no configuration, or one that can't be read.
    """
    if source == STDIN:
        return _load_manifest(read_text(STDIN, stdin=stdin), label(STDIN), must_be_manifest=True)
    path = Path(source)
    if path.is_dir():
        return _load_directory(path)
    text = read_text(path, keep_mark=True, keep_returns=True)
    has_sections = is_classic(text)
    # A file that the shell opened, as in -c <(helm template …), has no suffix.
    if path.suffix in _YAML_SUFFIXES or (not path.suffix and not has_sections):
        return _load_manifest(text, source, must_be_manifest=False)
    if not has_sections:
        raise UsageError(
            f"{source}: has no section such as [PARSER]; name a Fluent Bit configuration"
        )
    return [_load_files({path: text}, source)]


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
            paths = [path for path in places if path.is_file() and str(path) != place.file][:1]
        return [
            (str(path), read_text(path, keep_mark=True, keep_returns=True), 1) for path in paths
        ] or None

    return find


def _load_files(texts: Mapping[Path, str], label: str) -> Configuration:
    loader = _Loader(label)
    files = [(str(path), text, 1) for path, text in texts.items()]
    if len(files) > 1:
        files = _main_files(files, find_beside(Path(files[0][0])))
    for file in files:
        loader.load(file, find_beside(Path(file[0])))
    return loader.finish()


def _load_directory(directory: Path) -> list[Configuration]:
    texts: dict[str, dict[Path, str]] = {"classic": {}, "YAML": {}}
    for path in sorted(path for path in directory.iterdir() if path.is_file()):
        if path.suffix in _SUFFIXES:
            text = read_text(path, keep_mark=True, keep_returns=True)
            if name := _format_of(path.name, text, str(path)):
                texts[name][path] = text
    found = [_load_files(texts[key], f"{directory} ({key})") for key in texts if texts[key]]
    if not found:
        raise UsageError(
            f"{directory}: none of its *.conf and *.yaml files is a Fluent Bit configuration"
        )
    return found


def _format_of(name: str, text: str, label: str) -> str | None:
    if name.endswith(".conf"):
        return "classic" if is_classic(text) else None
    is_yaml = name.endswith(_YAML_SUFFIXES) and any(map(is_configuration, compose(text, label)))
    return "YAML" if is_yaml else None


def _load_manifest(text: str, source: str, *, must_be_manifest: bool) -> list[Configuration]:
    roots = compose(text, source)
    if any(map(is_kubernetes_object, roots)):
        files = [file for root in roots for file in embedded_files(root, source)]
        return _load_embedded(files, source)
    if not must_be_manifest and any(map(is_configuration, roots)):
        return [_load_files({Path(source): text}, source)]
    if "{{" in text:
        raise UsageError(
            f"{source}: is a template; render it first, for example with helm template"
        )
    if must_be_manifest:
        raise UsageError(f"{source}: has no Kubernetes object; it must be a rendered manifest")
    raise UsageError(f"{source}: is neither a Fluent Bit configuration nor a Kubernetes manifest")


def _load_embedded(files: list[EmbeddedFile], source: str) -> list[Configuration]:
    groups: dict[tuple[str, str], list[EmbeddedFile]] = {}
    for file in files:
        if name := _format_of(file.name, file.text, file.name):
            groups.setdefault((file.owner, name), []).append(file)
    if not groups:
        raise UsageError(
            f"{source}: none of its ConfigMaps and Secrets holds a Fluent Bit configuration"
        )
    configurations = []
    for (owner, name), members in groups.items():
        loader, find_files = (
            _Loader(f"{owner} ({name})"),
            _find_embedded([*members, *files], source),
        )
        texts = [(source, file.text, file.first_line) for file in members]
        for text in _main_files(texts, find_files):
            loader.load(text, find_files)
        configurations.append(loader.finish())
    return configurations


def _find_embedded(files: list[EmbeddedFile], source: str) -> OpenFiles:
    def find(name: str, _place: Place) -> list[TextFile] | None:
        for file in files:
            if file.name == Path(name).name:
                return [(source, file.text, file.first_line)]
        return None

    return find
