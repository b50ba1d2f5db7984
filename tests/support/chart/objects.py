"""Objects of a case: its DaemonSets, all its pods, and the containers of our programs."""

from collections.abc import Iterator
from pathlib import Path

from tests.support.helm import Manifest, rendered

__all__ = ["component", "daemonsets", "ours", "pods", "ports"]


def daemonsets(case: Path) -> list[Manifest]:
    return [found for found in rendered(case) if found["kind"] == "DaemonSet"]


def pods(case: Path) -> Iterator[tuple[str, Manifest]]:
    for found in rendered(case):
        if found["kind"] == "DaemonSet":
            yield found["metadata"]["name"], found["spec"]["template"]["spec"]
        elif found["kind"] == "Pod":
            yield found["metadata"]["name"], found["spec"]
        elif found["kind"] == "Job":
            yield found["metadata"]["name"], found["spec"]["template"]["spec"]
        elif found["kind"] == "CronJob":
            yield (
                found["metadata"]["name"],
                found["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            )


def ours(spec: Manifest) -> list[Manifest]:
    names = ("fluent-bit", "journal-exporter", "zabbix-agent2", "toolbox")
    return [one for one in spec["containers"] if one["name"].startswith(names)]


def component(found: Manifest) -> str:
    return str(found["metadata"]["labels"]["app.kubernetes.io/component"])


def ports(case: Path, of: str) -> dict[str, int]:
    """Return the ports of a component's pods, by name."""
    (spec,) = [
        found["spec"]["template"]["spec"] for found in daemonsets(case) if component(found) == of
    ]
    return {
        port["name"]: port["containerPort"]
        for container in spec["containers"]
        for port in container.get("ports", [])
    }
