"""The flags that say where the list of nodes comes from, and the list."""

import argparse
from collections.abc import Mapping

from node_observability.inputs.files import check_readable, file_name, file_path, label, read_text
from node_observability.inputs.nodes import MAX_BYTES
from node_observability.zabbix.hosts import nodes, service_account

__all__ = ["add_nodes", "nodes_of"]


def add_nodes(parser: argparse.ArgumentParser, *, selector: str) -> None:
    """Add the flags for the list of nodes; ``selector`` is the command's default."""
    group = parser.add_argument_group("nodes")
    source = group.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--kubeconfig",
        type=file_path,
        metavar="FILE",
        help="list the nodes of this cluster, with kubectl",
    )
    source.add_argument(
        "--in-cluster",
        action="store_true",
        help="list the nodes of the cluster that this pod runs in",
    )
    source.add_argument(
        "--nodes-file",
        type=file_name,
        metavar="FILE",
        help="names, one per line, or `kubectl get nodes -o json`; - is standard input",
    )
    group.add_argument(
        "--context", default="", metavar="NAME", help="context of the kubeconfig to use"
    )
    group.add_argument(
        "--selector",
        default=None,
        metavar="KEY=VALUE",
        help=f"only nodes with this label (default: {selector or 'all nodes'}; not for a file of names)",
    )
    parser.set_defaults(default_selector=selector)


def nodes_of(options: argparse.Namespace, environment: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the nodes."""
    given: str | None = options.selector
    if options.nodes_file is not None:
        text = read_text(options.nodes_file, MAX_BYTES)
        is_json = text.lstrip().startswith("{")
        selector = options.default_selector if given is None and is_json else given or ""
        return nodes.from_text(text, label(options.nodes_file), selector)
    selector = options.default_selector if given is None else given
    if options.in_cluster:
        access = service_account.in_cluster(environment)
        return nodes.from_api(access, selector, options.timeout)
    # kubectl would wait for a pipe that nobody writes into.
    check_readable(options.kubeconfig, "name the kubeconfig's file")
    return nodes.from_kubectl(
        options.kubeconfig, environment, context=options.context, selector=selector
    )
