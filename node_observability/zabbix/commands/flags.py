"""The flags that commands share, and what they come to."""

import argparse
import re
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.zabbix.commands.secrets import secret
from node_observability.zabbix.server.connection import Connection
from node_observability.zabbix.server.desired import Cluster, Psk
from node_observability.zabbix.template import catalogue
from node_observability.zabbix.template import render as rendering
from node_observability.zabbix.template.catalogue import Pattern

__all__ = [
    "add_cluster",
    "add_connection",
    "add_psk",
    "add_template",
    "cluster_of",
    "connection_of",
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
    """Return the seconds of a time such as 30m or 7d, for argparse."""
    found = re.fullmatch(r"([0-9]+)(s|min|m|h|d)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"`{text}` must be a time such as 90s, 30m, 12h or 7d")
    seconds = int(found[1][:_MAX_DIGITS]) * _UNITS_S[found[2]]
    if len(found[1]) > _MAX_DIGITS or seconds > _MAX_S:
        raise argparse.ArgumentTypeError(f"`{text[:_MAX_DIGITS]}…` is more than ten years")
    return seconds


def _timeout_s(text: str) -> float:
    seconds = duration_s(text if text[-1:].isalpha() else f"{text}s")
    if not seconds:
        raise argparse.ArgumentTypeError("must be more than 0")
    return float(seconds)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add how to reach the server."""
    group = parser.add_argument_group(
        "server",
        "Credentials come from the environment or files: ZABBIX_API_TOKEN, or ZABBIX_USER and "
        "ZABBIX_PASSWORD; "
        "each also as NAME_FILE, the path of a file that holds it (not the user).",
    )
    group.add_argument("--url", help="address of the frontend (default: ZABBIX_URL)")
    group.add_argument("--token-file", type=Path, metavar="FILE", help="file with an API token")
    group.add_argument("--password-file", type=Path, metavar="FILE", help="file with the password")
    group.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="authorities to trust instead of the system's"
    )
    group.add_argument(
        "--proxy", default="", metavar="URL", help="proxy to use; the environment's are not"
    )
    group.add_argument(
        "--timeout", type=_timeout_s, default=30.0, metavar="TIME", help="of a call (default: 30s)"
    )


def connection_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Connection:
    """Return what the flags and the environment say."""
    url = (options.url or environment.get("ZABBIX_URL", "")).strip()
    if not url:
        raise UsageError("no address of a Zabbix frontend; give --url or ZABBIX_URL")
    ca_file: Path | None = options.ca_file
    if ca_file is not None:
        _check_authorities(ca_file)
    token = secret(environment, "ZABBIX_API_TOKEN", options.token_file)
    username = environment.get("ZABBIX_USER", "").rstrip("\r\n")
    password = secret(environment, "ZABBIX_PASSWORD", options.password_file)
    if not token and not (username and password):
        raise UsageError(
            "no credentials; give ZABBIX_API_TOKEN_FILE, or ZABBIX_USER and ZABBIX_PASSWORD_FILE"
        )
    return Connection(
        url=url,
        token=token,
        username=username,
        password=password,
        ca_file=ca_file,
        proxy=options.proxy,
        timeout_s=options.timeout,
    )


def _check_authorities(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise UsageError(f"--ca-file {path}: holds no certificates in PEM form") from error
    except OSError as error:
        raise UsageError(f"--ca-file {path}: {error.strerror}") from error


def add_template(parser: argparse.ArgumentParser) -> None:
    """Add what the template is made from."""
    group = parser.add_argument_group("template")
    group.add_argument(
        "--catalogue", type=Path, metavar="FILE", help="log patterns to use instead of ours"
    )
    group.add_argument(
        "--macro",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a macro of the template, such as '{$NODEOBS.LOG.HISTORY}=31d' (repeatable)",
    )


def patterns_of(options: argparse.Namespace) -> tuple[Pattern, ...]:
    """Return the catalogue."""
    return catalogue.load(options.catalogue)


def template_of(options: argparse.Namespace) -> str:
    """Return the template's YAML."""
    patterns = patterns_of(options)
    known = rendering.macros(patterns)
    return rendering.render(patterns, rendering.with_values(known, pairs("--macro", options.macro)))


def pairs(flag: str, texts: Iterable[str]) -> dict[str, str]:
    """Return NAME=VALUE flags as a mapping."""
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


def add_cluster(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add which cluster it is about."""
    group = parser.add_argument_group("cluster")
    group.add_argument(
        "--cluster",
        required=required,
        metavar="NAME",
        help="as in the agents' metadata: bottlerocket cluster=NAME",
    )
    group.add_argument(
        "--host-group",
        metavar="GROUP",
        help="host group (default: Kubernetes/NAME/Bottlerocket nodes)",
    )
    group.add_argument(
        "--metadata-prefix", default="bottlerocket", metavar="WORD", help=argparse.SUPPRESS
    )


def cluster_of(options: argparse.Namespace) -> Cluster:
    """Return the cluster."""
    group = options.host_group
    if group is None:
        group = f"Kubernetes/{options.cluster}/Bottlerocket nodes"
    return Cluster(name=options.cluster, group=group, prefix=options.metadata_prefix)


def add_psk(parser: argparse.ArgumentParser) -> None:
    """Add the pre-shared key of auto-registration."""
    group = parser.add_argument_group(
        "auto-registration", "The key comes from ZABBIX_PSK, ZABBIX_PSK_FILE or --psk-file."
    )
    group.add_argument(
        "--psk-identity", metavar="NAME", help="identity of the PSK (default: ZABBIX_PSK_IDENTITY)"
    )
    group.add_argument(
        "--psk-file", type=Path, metavar="FILE", help="file with the PSK in hex digits"
    )
    group.add_argument(
        "--psk-only",
        action="store_true",
        help="refuse unencrypted auto-registration, for all agents of the server",
    )


def psk_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Psk | None:
    """Return the key; None where none is given."""
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
