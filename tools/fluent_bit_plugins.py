"""Writes the table of Fluent Bit's plugins and their options, by asking a real program.

    tools/fluent_bit_plugins.py PROGRAM > node_observability/parsers/lint/plugins.txt

``PROGRAM -J`` lists names and types. Whether an option may stand twice is found by a trial run with each.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_KINDS = {
    "customs": "custom",
    "inputs": "input",
    "processors": "processor",
    "filters": "filter",
    "outputs": "output",
}
_TYPES = {"boolean": "?", "prefixed string": "…"}
_MINIMUM = re.compile(r"minimum ([2-9])")
_TRIAL = {
    "custom": "customs: [{ENTRY}]\npipeline:\n  inputs: [{name: dummy}]\n",
    "input": "pipeline:\n  inputs: [ENTRY]\n",
    "filter": "pipeline:\n  inputs: [{name: dummy}]\n  filters: [ENTRY]\n",
    "output": "pipeline:\n  inputs: [{name: dummy}]\n  outputs: [ENTRY]\n",
}
_WIDTH = 110

Schema = dict[str, list[dict[str, dict[str, list[dict[str, str]]]]]]


def _trial(program: str, kind: str, plugin: str, options: str, directory: Path) -> str:
    match = "match: '*', " if kind in ("filter", "output") else ""
    entry = f"{{name: {plugin}, {match}{options}}}"
    trial = directory / "trial.yaml"
    trial.write_text(_TRIAL[kind].replace("{ENTRY}", entry).replace("ENTRY", entry))
    done = subprocess.run(
        [program, "--dry-run", "-c", trial], capture_output=True, text=True, check=False
    )
    return done.stderr


def _lines(program: str, directory: Path) -> Iterator[str]:
    text = subprocess.run([program, "-J"], capture_output=True, text=True, check=True).stdout
    schema = json.loads(text)
    version = schema["fluent-bit"]["version"]
    yield f"# Plugins and options of Fluent Bit {version}, by tools/fluent_bit_plugins.py."
    yield "# After a plugin: client or server (it connects or listens), tls, any (it takes any option)."
    yield "# After an option: * it may repeat, ? it is On or Off, … a name begins with it,"
    yield "# 2 to 4 it needs so many values."
    for name, options in _common(program, schema, directory).items():
        yield f"common {name}"
        yield from _wrapped(sorted(options))
    for group, kind in _KINDS.items():
        for plugin in sorted(schema[group], key=lambda plugin: str(plugin["name"])):
            properties = plugin["properties"]
            names = {option["name"] for option in properties.get("networking", [])}
            # Every output takes the options of a client, whether it connects or not.
            role = "client" if kind == "output" else _role(names)
            words, flags = [], f" {role}" if role else ""
            flags += " tls" if "network_tls" in properties else ""
            if kind in _TRIAL:
                answer = _trial(program, kind, plugin["name"], "no_such_option: '1'", directory)
                flags += "" if "unknown configuration property" in answer else " any"
            for option in properties.get("options", []):
                name, type_name = option["name"].lower(), option["type"]
                minimum = _MINIMUM.search(type_name)
                is_of_core = name.startswith(("tls", "net.")) or name in ("host", "port")
                if kind in ("input", "output") and is_of_core:
                    continue
                twice = f"{option['name']}: '1', {option['name']}: '1'"
                repeats = kind in _TRIAL and "times" not in _trial(
                    program, kind, plugin["name"], twice, directory
                )
                mark = "*" * repeats + _TYPES.get(type_name, "") + (minimum[1] if minimum else "")
                words.append(f"{name}:{mark}" if mark else name)
            yield f"{kind} {plugin['name']}{flags}"
            yield from _wrapped(sorted(set(words)))


def _common(program: str, schema: Schema, directory: Path) -> dict[str, set[str]]:
    """Return the options of connections, TLS and OAuth2, which are the same for all plugins."""
    groups: dict[str, set[str]] = {"client": set(), "server": set(), "tls": set()}
    for group in _KINDS:
        for plugin in schema[group]:
            properties = plugin["properties"]
            names = {option["name"].lower() for option in properties.get("networking", [])}
            groups[_role(names) or "client"] |= names
            groups["tls"] |= {
                option["name"].lower() for option in properties.get("network_tls", [])
            }
    for kind, entry in (("input", "http"), ("output", "http")):
        trial = directory / "trial.yaml"
        options = f"{{name: {entry}, match: '*', oauth2.no_such_option: '1'}}"
        options = options if kind == "output" else options.replace("match: '*', ", "")
        trial.write_text(_TRIAL[kind].replace("ENTRY", options))
        done = subprocess.run([program, "-c", trial], capture_output=True, text=True, check=False)
        groups[f"oauth2-{kind}"] = set(
            re.findall(r"oauth2\.\w+", done.stderr.partition("allowed:")[2])
        )
    return groups


def _role(names: set[str]) -> str:
    if not names:
        return ""
    return "server" if "net.backlog" in names else "client"


def _wrapped(words: list[str]) -> Iterator[str]:
    line = "  "
    for word in words:
        if len(line) + len(word) > _WIDTH:
            yield line.rstrip()
            line = "  "
        line += f"{word} "
    if line.strip():
        yield line.rstrip()


def main() -> None:
    """Print the table of the program that the first argument names."""
    with tempfile.TemporaryDirectory() as directory:
        print("\n".join(_lines(sys.argv[1], Path(directory))))


if __name__ == "__main__":
    main()
