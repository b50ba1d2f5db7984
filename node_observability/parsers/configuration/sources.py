"""Loads configurations from a file, a directory, or a rendered manifest (``-``: from standard input).

A directory or a manifest may hold several configurations: one per format, and one per ConfigMap. A file that
another one names is not a main file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from node_observability.errors import UsageError
from node_observability.inputs.files import STDIN, is_directory, is_file, label, read_text
from node_observability.inputs.places import Place
from node_observability.inputs.yaml_nodes import compose
from node_observability.parsers.configuration.classic_format import OpenFiles, TextFile
from node_observability.parsers.configuration.loading import (
    YAML_SUFFIXES,
    Loader,
    find_beside,
    is_classic,
    main_files,
)
from node_observability.parsers.configuration.manifests import (
    EmbeddedFile,
    embedded_files,
    is_kubernetes_object,
)
from node_observability.parsers.configuration.sections import Configuration
from node_observability.parsers.configuration.yaml_format import is_configuration

__all__ = ["load"]

_SUFFIXES = (".conf", *YAML_SUFFIXES)


def load(source: str, stdin: BinaryIO | None = None) -> list[Configuration]:
    """Return the configurations of a source; ``stdin`` is what ``-`` reads, by default standard input.

    Raises:
        UsageError: there is no configuration, or one that can't be read.
    """
    if source == STDIN:
        return _load_manifest(read_text(STDIN, stdin=stdin), label(STDIN), must_be_manifest=True)
    path = Path(source)
    if is_directory(path):
        return _load_directory(path)
    text = read_text(path, keep_mark=True, keep_returns=True)
    looks_classic = is_classic(text)
    # A file that the shell opened, as in -c <(helm template …), has no suffix.
    if path.suffix in YAML_SUFFIXES or (not path.suffix and not looks_classic):
        return _load_manifest(text, source, must_be_manifest=False)
    if not looks_classic:
        raise UsageError(
            f"{source}: has no section such as [PARSER]; name a Fluent Bit configuration"
        )
    return [_load_files({path: text}, source)]


def _load_files(texts: Mapping[Path, str], label: str) -> Configuration:
    loader = Loader(label)
    files = [(str(path), text, 1) for path, text in texts.items()]
    if len(files) > 1:
        files = main_files(files, find_beside(Path(files[0][0])))
    for file in files:
        loader.load(file, find_beside(Path(file[0])))
    return loader.finish()


def _load_directory(directory: Path) -> list[Configuration]:
    texts: dict[str, dict[Path, str]] = {"classic": {}, "YAML": {}}
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        raise UsageError(f"{directory}: can't be read: {error.strerror}") from None
    for path in filter(is_file, paths):
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
    is_yaml = name.endswith(YAML_SUFFIXES) and any(map(is_configuration, compose(text, label)))
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
            Loader(f"{owner} ({name})"),
            _find_embedded([*members, *files], source),
        )
        texts = [(source, file.text, file.first_line) for file in members]
        for text in main_files(texts, find_files):
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
