"""Flags that several commands share: template, cluster, pre-shared key, times."""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence

from node_observability.errors import UsageError
from node_observability.inputs.files import file_name
from node_observability.zabbix.commands.secrets import secret
from node_observability.zabbix.server.desired import Cluster, Psk
from node_observability.zabbix.template import catalogue
from node_observability.zabbix.template.catalogue import Pattern
from node_observability.zabbix.template.render import macros, render, with_values

__all__ = [
    "add_cluster",
    "add_psk",
    "add_template",
    "cluster_of",
    "duration_s",
    "pairs",
    "patterns_of",
    "psk_of",
    "template_of",
]

_MAX_S = 10 * 366 * 86400
_MAX_DIGITS = 12
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def duration_s(text: str) -> int:
    """Return the seconds of a time such as ``30m`` or ``7d``; an ``argparse`` type."""
    found = re.fullmatch(r"([0-9]+)(s|min|m|h|d)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"`{text}` must be a time such as 90s, 30m, 12h or 7d")
    seconds = int(found[1][:_MAX_DIGITS]) * _UNITS_S[found[2]]
    if len(found[1]) > _MAX_DIGITS or seconds > _MAX_S:
        raise argparse.ArgumentTypeError(f"`{text[:_MAX_DIGITS]}…` is more than ten years")
    return seconds


def add_template(parser: argparse.ArgumentParser) -> None:
    """Add the flags for what the template is made from."""
    group = parser.add_argument_group("template")
    group.add_argument(
        "--catalogue",
        type=file_name,
        metavar="FILE",
        help="log patterns to use instead of the built-in ones; - is standard input",
    )
    group.add_argument(
        "--macro",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a macro of the template, such as '{$NODEOBS.LOG.HISTORY}=31d' (repeatable)",
    )


def patterns_of(options: argparse.Namespace) -> tuple[Pattern, ...]:
    """Return the log patterns of ``--catalogue``, or the built-in ones."""
    return catalogue.load(options.catalogue)


def template_of(options: argparse.Namespace, patterns: Sequence[Pattern]) -> str:
    """Return the YAML of the template with these patterns."""
    return render(patterns, with_values(macros(patterns), pairs("--macro", options.macro)))


def pairs(flag: str, texts: Iterable[str]) -> dict[str, str]:
    """Return the values of a repeated ``NAME=VALUE`` flag by the name of the macro.

    Raises:
        UsageError: one is not of that form, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("}=")
        name += "}"
        if not equals or not name.startswith("{$"):
            raise UsageError(
                f"{flag} `{text}` must be NAME=VALUE, such as '{{$NODEOBS.LOG.HISTORY}}=31d'"
            )
        if name in found:
            raise UsageError(f"{flag} {name} is given twice; keep one")
        found[name] = value
    return found


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the cluster."""
    group = parser.add_argument_group("cluster")
    group.add_argument(
        "--cluster",
        required=True,
        metavar="NAME",
        help="name of the cluster, as in the agents' host metadata (bottlerocket cluster=NAME)",
    )
    group.add_argument(
        "--host-group",
        metavar="GROUP",
        help="host group of its nodes (default: Kubernetes/NAME/Bottlerocket nodes)",
    )
    group.add_argument(
        "--metadata-prefix", default="bottlerocket", metavar="WORD", help=argparse.SUPPRESS
    )


def cluster_of(options: argparse.Namespace) -> Cluster:
    """Return the cluster that the flags name."""
    group = options.host_group
    if group is None:
        group = f"Kubernetes/{options.cluster}/Bottlerocket nodes"
    return Cluster(name=options.cluster, group=group, prefix=options.metadata_prefix)


def add_psk(parser: argparse.ArgumentParser) -> None:
    """Add the flags for the pre-shared key of auto-registration."""
    group = parser.add_argument_group(
        "auto-registration",
        "The pre-shared key (PSK) comes from --psk-file, ZABBIX_PSK_FILE or ZABBIX_PSK.",
    )
    group.add_argument(
        "--psk-identity", metavar="NAME", help="identity of the PSK (default: ZABBIX_PSK_IDENTITY)"
    )
    group.add_argument(
        "--psk-file",
        type=file_name,
        metavar="FILE",
        help="file with the PSK in hex digits; - is standard input",
    )
    group.add_argument(
        "--psk-only",
        action="store_true",
        help="refuse unencrypted auto-registration, of any agent of this server",
    )


def psk_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Psk | None:
    """Return the key; None where none is given.

    Raises:
        UsageError: identity or key is missing, or the key can't be used.
    """
    identity = options.psk_identity or environment.get("ZABBIX_PSK_IDENTITY", "")
    key = secret(environment, "ZABBIX_PSK", options.psk_file)
    if not identity and not key:
        if options.psk_only:
            raise UsageError("--psk-only needs a PSK; give --psk-identity and --psk-file")
        return None
    if not key:
        raise UsageError(
            f"PSK identity `{identity}` without a key; give --psk-file or ZABBIX_PSK_FILE"
        )
    return Psk(identity=identity, key=key.lower())
