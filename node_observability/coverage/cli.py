"""``node-observability coverage``: shows which DaemonSets each node gets, and why others are missing.

A node without a Fluent Bit, or with two, is a finding; with --strict a warning is one too. Without --nodes
and --manifest, ``kubectl`` and ``helm`` ask the cluster of their context.
"""

import argparse

from node_observability.coverage import workloads
from node_observability.coverage.findings import evaluate
from node_observability.coverage.report import json_text, summary, table
from node_observability.errors import UsageError
from node_observability.exit_codes import FINDINGS, SUCCESS
from node_observability.inputs import nodes
from node_observability.inputs.files import STDIN, file_name, label, read_text
from node_observability.programs import ask

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--nodes",
        type=file_name,
        metavar="FILE",
        help="output of `kubectl get nodes -o json` (default: ask kubectl); - reads standard input",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--manifest",
        type=file_name,
        metavar="FILE",
        help="output of `helm template` (default: ask helm for the release); - reads standard input",
    )
    source.add_argument(
        "--release",
        metavar="NAME",
        default="node-observability",
        help="name of the release (default: %(default)s)",
    )
    parser.add_argument(
        "-n",
        "--namespace",
        metavar="NAME",
        help="namespace of the release (default: that of the kubeconfig context)",
    )
    parser.add_argument("--context", metavar="NAME", help="kubeconfig context for kubectl and helm")
    parser.add_argument(
        "-o",
        "--output",
        choices=("table", "json"),
        default="table",
        help="output format (default: %(default)s)",
    )
    parser.add_argument(
        "--problems", action="store_true", help="show only nodes with an error or a warning"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")


def run(options: argparse.Namespace) -> int:
    """Print which DaemonSets each node gets; return FINDINGS if a node has none or two Fluent Bits.

    Raises:
        UsageError: a file can't be used.
        ToolboxError: kubectl or helm failed.
    """
    if options.nodes == options.manifest == STDIN:
        raise UsageError(
            "--nodes and --manifest can't both read standard input; name a file for one of them"
        )
    found = workloads.parse(*_manifest(options))
    coverage = evaluate(nodes.parse(*_nodes(options)), found)
    if not any(workload.is_fluent_bit or workload.is_agent for workload in found):
        names = ", ".join(workload.name for workload in found)
        raise UsageError(
            f"none of these DaemonSets is the chart's: {names}; use the manifest of its release"
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
