"""``node-observability coverage``: which node gets which DaemonSet, and why not.

Exit codes: 0 every node is covered once, 1 a node has no or two Fluent Bits (with --strict also a warning), 2
wrong use. Without --nodes and --manifest the cluster is asked, by ``kubectl`` and ``helm`` in their context.
"""

import argparse

from node_observability.coverage import workloads
from node_observability.coverage.findings import judge
from node_observability.coverage.report import json_text, summary, table
from node_observability.errors import UsageError
from node_observability.exit_codes import FINDINGS, SUCCESS
from node_observability.inputs import nodes
from node_observability.inputs.files import STDIN, label, read_text
from node_observability.programs import ask

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--nodes",
        metavar="FILE",
        help="what `kubectl get nodes -o json` printed; - is standard input",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--manifest", metavar="FILE", help="what `helm template` printed; - is standard input"
    )
    source.add_argument(
        "--release", default="node-observability", help="the release to ask helm for (%(default)s)"
    )
    parser.add_argument("-n", "--namespace", metavar="NAME", help="the release's namespace")
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig")
    parser.add_argument(
        "-o", "--output", choices=("table", "json"), default="table", help="(%(default)s)"
    )
    parser.add_argument(
        "--problems", action="store_true", help="only nodes with an error or a warning"
    )
    parser.add_argument("--strict", action="store_true", help="let warnings fail too")


def run(options: argparse.Namespace) -> int:
    """Print what each node gets.

    Raises:
        UsageError: a file can't be used.
        ToolboxError: kubectl or helm failed.
    """
    if options.nodes == options.manifest == STDIN:
        raise UsageError("--nodes and --manifest both read standard input; give one of them a file")
    found = workloads.parse(*_manifest(options))
    coverage = judge(nodes.parse(*_nodes(options)), found)
    if not any(workload.is_fluent_bit or workload.is_agent for workload in found):
        names = ", ".join(workload.name for workload in found)
        raise UsageError(
            f"no DaemonSet of the chart among {names}; give the manifest of its release"
        )
    if options.output == "json":
        print(json_text(coverage))
    else:
        print("\n".join([*table(coverage, problems_only=options.problems), summary(coverage)]))
    has_findings = coverage.errors or (options.strict and coverage.warnings)
    return FINDINGS if has_findings else SUCCESS


def _nodes(options: argparse.Namespace) -> tuple[str, str]:
    if options.nodes:
        return read_text(options.nodes, nodes.MAX_BYTES), label(options.nodes)
    context = ["--context", options.context] if options.context else []
    command = ["kubectl", "get", "nodes", "--output", "json", *context]
    return ask(command, "--nodes FILE"), "kubectl"


def _manifest(options: argparse.Namespace) -> tuple[str, str]:
    if options.manifest:
        return read_text(options.manifest), label(options.manifest)
    flags = ["--kube-context", options.context] if options.context else []
    flags += ["--namespace", options.namespace] if options.namespace else []
    command = ["helm", "get", "manifest", options.release, *flags]
    return ask(command, "--manifest FILE"), "helm"
