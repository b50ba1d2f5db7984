"""The table of Fluent Bit's plugins and their options, which ``tools/fluent_bit_plugins.py`` writes."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

__all__ = ["KNOWN_ELSEWHERE", "Option", "Plugin", "plugins"]

# Plugins that other builds of Fluent Bit 5.1 have; their options are not in the table.
KNOWN_ELSEWHERE = {
    "input": "calyptia_fleet ebpf etw event_test exec_wasi unix_socket windows_exporter_metrics winevtlog"
    " winlog winstat",
    "filter": "tensorflow throttle_size wasm",
    "output": "pgsql retry",
}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a plugin; ``minimum`` is the number of values that it must have."""

    name: str
    repeats: bool
    is_switch: bool
    is_prefix: bool
    minimum: int


@dataclass(slots=True)
class Plugin:
    """A plugin; with ``takes_any``, Fluent Bit does not check its options.

    Attributes:
        role: ``client`` or ``server`` if it takes such options of connections, else empty.
    """

    role: str
    has_tls: bool
    takes_any: bool
    options: dict[str, Option] = field(default_factory=dict)

    def option(self, key: str) -> Option | None:
        """Return the option of that name, in lower case, or the one with which the name begins."""
        found = self.options.get(key)
        if found and not found.is_prefix:
            return found
        prefixes = (option for option in self.options.values() if option.is_prefix)
        return next((one for one in prefixes if key.startswith(one.name) and key != one.name), None)


@functools.cache
def plugins() -> Mapping[tuple[str, str], Plugin]:
    """Return the plugins by kind and name, such as ``("input", "tail")``.

    The kind ``common`` has the options that many plugins share: ``client``, ``server``, ``tls``, ….
    """
    table: dict[tuple[str, str], Plugin] = {}
    last = Plugin(role="", has_tls=False, takes_any=True)
    for line in files(__package__).joinpath("plugins.txt").read_text("utf-8").splitlines():
        if line.startswith(" "):
            for word in line.split():
                option = _read_option(word)
                last.options[option.name] = option
        elif not line.startswith("#"):
            kind, name, *flags = line.split()
            last = Plugin(_role(flags), has_tls="tls" in flags, takes_any="any" in flags)
            table[kind, name] = last
    return table


def _role(flags: list[str]) -> str:
    return next((flag for flag in flags if flag in ("client", "server")), "")


def _read_option(word: str) -> Option:
    name, _, marks = word.partition(":")
    return Option(
        name=name,
        repeats="*" in marks,
        is_switch="?" in marks,
        is_prefix="…" in marks,
        minimum=int(marks[-1]) if marks[-1:].isdigit() else 1,
    )
