"""Where configurations come from: a file, a directory, or a rendered manifest, ``-`` for standard input.

A directory and a manifest may hold several configurations: one for each form, and one for each ConfigMap.
Guarantees that a file is read once a configuration, through ``@INCLUDE``, ``includes`` and
``Parsers_File`` too. A name that is relative and not there is an error; what has an absolute path, and
Fluent Bit's own files, may be in the image: they are kept in ``Configuration.missing``.
"""

import glob
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from node_observability.errors import UsageError
from node_observability.inputs.files import STDIN, label, read_text
from node_observability.inputs.yaml_nodes import compose
from node_observability.parsers.configuration.classic import read_classic
from node_observability.parsers.configuration.manifests import Embedded, embedded_files, is_object
from node_observability.parsers.configuration.sections import Configuration, Place
from node_observability.parsers.configuration.stock import is_stock_file
from node_observability.parsers.configuration.yaml_form import is_configuration, read_yaml

__all__ = ["load"]

_CLASSIC = re.compile(
    r"^\ufeff?(?:\[(?:SERVICE|PARSER|MULTILINE_PARSER|INPUT|FILTER|OUTPUT)\b|@INCLUDE )",
    re.IGNORECASE | re.MULTILINE,
)
_YAML_SUFFIXES = (".yaml", ".yml")
_SUFFIXES = (".conf", *_YAML_SUFFIXES)
# The names and texts of the files that a reference means, with the numbers of their first lines.
_Found = list[tuple[str, str, int]]
_Lookup = Callable[[str, Place], _Found | None]


class _Assembly:
    """One configuration while its files are read."""

    def __init__(self, label: str, lookup: _Lookup) -> None:
        self.configuration = Configuration(label)
        self._lookup = lookup
        self._seen: set[tuple[str, int]] = set()

    def open_file(self, name: str, place: Place) -> _Found | None:
        found = self._lookup(name.strip(), place)
        if found is None:
            return None
        return [file for file in found if self._is_new(file[0], file[2])]

    def _is_new(self, name: str, first_line: int) -> bool:
        # All files of a manifest have its name; the line tells them apart.
        key = (name, first_line)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def read(self, name: str, text: str, first_line: int) -> None:
        if self._is_new(name, first_line):
            self._read(name, text, first_line)
            self._read_parsers_files()

    def _read(self, name: str, text: str, first_line: int) -> None:
        reader = read_classic if _CLASSIC.search(text) else read_yaml
        before = len(self.configuration.sections)
        reader(text, name, self.configuration, self.open_file, first_line)
        for section in self.configuration.sections[before:]:
            section.origin = f"{name}:{first_line}"

    def finished(self) -> Configuration:
        """Return the configuration.

        Raises:
            UsageError: it names files that are not there.
        """
        absent = [item for item in self.configuration.missing if not _may_be_elsewhere(item.value)]
        if absent:
            raise UsageError(
                *(f"{item.place}: {item.key}: no file {item.value.strip()}" for item in absent)
            )
        return self.configuration

    def _read_parsers_files(self) -> None:
        done: set[Place] = set()
        while True:
            references = [
                item
                for section in self.configuration.of("service")
                for item in section.all("parsers_file")
                if item.place not in done
            ]
            if not references:
                return
            for item in references:
                done.add(item.place)
                found = self.open_file(item.value, item.place)
                if found is None and item not in self.configuration.missing:
                    self.configuration.missing.append(item)
                for name, text, first_line in found or []:
                    self._read(name, text, first_line)


def _may_be_elsewhere(name: str) -> bool:
    name = name.strip()
    is_open = name.startswith("/") or "${" in name or glob.has_magic(name)
    return is_open or is_stock_file(name)


def load(source: str, stdin: BinaryIO | None = None) -> list[Configuration]:
    """Return the configurations of a source; ``stdin`` is what ``-`` reads, by default standard input.

    Raises:
        UsageError: there is none, or it can't be read.
    """
    if source == STDIN:
        return _of_manifest(read_text(STDIN, stdin=stdin), label(STDIN), must_be_manifest=True)
    path = Path(source)
    if path.is_dir():
        return _of_directory(path)
    text = read_text(path, keep_mark=True)
    is_classic = _CLASSIC.search(text) is not None
    # What the shell hands over, as in -c <(helm template …), has no suffix.
    if path.suffix in _YAML_SUFFIXES or (not path.suffix and not is_classic):
        return _of_manifest(text, source, must_be_manifest=False)
    if not is_classic:
        raise UsageError(
            f"{source}: no [PARSER] and no other section; is this a Fluent Bit configuration?"
        )
    return [_of_files({path: text}, source)]


def _on_disk(name: str, place: Place) -> _Found | None:
    base = Path(place.file).parent
    if glob.has_magic(name):
        # Path.glob raises for absolute patterns and for **x, which C's glob takes.
        found = glob.glob(name, root_dir=base)  # noqa: PTH207
        paths = sorted(base / path for path in found)
    else:
        # In a container the files lie elsewhere, but beside one another.
        paths = [path for path in (base / name, base / Path(name).name) if path.is_file()][:1]
    return [(str(path), read_text(path, keep_mark=True), 1) for path in paths] or None


def _of_files(texts: Mapping[Path, str], label: str) -> Configuration:
    assembly = _Assembly(label, _on_disk)
    for path, text in texts.items():
        assembly.read(str(path), text, 1)
    return assembly.finished()


def _of_directory(directory: Path) -> list[Configuration]:
    classic: dict[Path, str] = {}
    yaml: dict[Path, str] = {}
    for path in sorted(path for path in directory.iterdir() if path.is_file()):
        if path.suffix not in _SUFFIXES:
            continue
        text = read_text(path, keep_mark=True)
        if path.suffix not in _YAML_SUFFIXES:
            classic |= {path: text} if _CLASSIC.search(text) else {}
        elif any(map(is_configuration, compose(text, str(path)))):
            yaml[path] = text
    forms = ((classic, "classic"), (yaml, "YAML"))
    found = [_of_files(texts, f"{directory} ({form})") for texts, form in forms if texts]
    if not found:
        raise UsageError(
            f"{directory}: no Fluent Bit configuration among its *.conf and *.yaml files"
        )
    return found


def _of_manifest(text: str, source: str, *, must_be_manifest: bool) -> list[Configuration]:
    roots = compose(text, source)
    if any(map(is_object, roots)):
        return _of_objects(
            [file for root in roots for file in embedded_files(root, source)], source
        )
    if not must_be_manifest and any(map(is_configuration, roots)):
        return [_of_files({Path(source): text}, source)]
    if "{{" in text:
        raise UsageError(
            f"{source}: this is a template; render it first, as in: helm template … | …"
        )
    if must_be_manifest:
        raise UsageError(f"{source}: no Kubernetes object; give a rendered manifest")
    raise UsageError(f"{source}: neither a Fluent Bit configuration nor a Kubernetes manifest")


def _form(file: Embedded) -> str | None:
    if not file.name.endswith(_SUFFIXES):
        return None
    if file.name.endswith(".conf"):
        return "classic" if _CLASSIC.search(file.text) else None
    return "YAML" if any(map(is_configuration, compose(file.text, file.name))) else None


def _of_objects(files: list[Embedded], source: str) -> list[Configuration]:
    groups: dict[tuple[str, str], list[Embedded]] = {}
    for file in files:
        if form := _form(file):
            groups.setdefault((file.owner, form), []).append(file)
    if not groups:
        raise UsageError(f"{source}: no ConfigMap in it holds a Fluent Bit configuration")
    found = []
    for (owner, form), members in groups.items():
        assembly = _Assembly(f"{owner} ({form})", _among([*members, *files], source))
        for file in members:
            assembly.read(source, file.text, file.first_line)
        found.append(assembly.finished())
    return found


def _among(files: list[Embedded], source: str) -> _Lookup:
    def lookup(name: str, _place: Place) -> _Found | None:
        for file in files:
            if file.name == Path(name).name:
                return [(source, file.text, file.first_line)]
        return None

    return lookup
