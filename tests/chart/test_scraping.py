"""Monitors, Services and NetworkPolicies match the pods: selectors, ports and paths."""

from pathlib import Path

from tests.support.chart.cases import each_case
from tests.support.chart.objects import component, daemonsets, ports
from tests.support.helm import NAMESPACE, rendered

PATHS = {
    "zabbix-agent": "/metrics",
    "fluent-bit-cri": "/api/v2/metrics/prometheus",
    "fluent-bit-docker": "/api/v2/metrics/prometheus",
}
"""Paths at which the programs serve metrics. tests/image and tests/chart request them from real programs."""


@each_case
def test_every_monitor_service_and_policy_selects_pods_of_one_daemonset(case: Path) -> None:
    labels = [found["spec"]["template"]["metadata"]["labels"] for found in daemonsets(case)]
    for found in rendered(case):
        spec = found.get("spec", {})
        selector = {
            "PodMonitor": lambda: spec["selector"]["matchLabels"],  # noqa: B023 - called at once
            "Service": lambda: spec["selector"],  # noqa: B023
            "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],  # noqa: B023
        }.get(found["kind"])
        if selector is None:
            continue
        assert sum(selector().items() <= own.items() for own in labels) == 1


@each_case
def test_monitors_scrape_a_port_and_a_path_that_the_pods_serve(case: Path) -> None:
    manifests = rendered(case)
    services = {component(found): found for found in manifests if found["kind"] == "Service"}
    for found in manifests:
        of = component(found)
        if found["kind"] == "Service":
            (port,) = found["spec"]["ports"]
            assert ports(case, of)[port["targetPort"]] == port["port"]
            # The metrics of a pod that is behind are needed most.
            assert found["spec"]["publishNotReadyAddresses"] is True
        if found["kind"] not in ("PodMonitor", "ServiceMonitor"):
            continue
        spec = found["spec"]
        (endpoint,) = spec.get("podMetricsEndpoints") or spec["endpoints"]
        assert endpoint["path"] == PATHS[of]
        assert spec["namespaceSelector"] == {"matchNames": [NAMESPACE]}
        # The only source of the node's name that both kinds of targets have.
        assert {
            "sourceLabels": ["__meta_kubernetes_pod_node_name"],
            "targetLabel": "node",
            "action": "replace",
        } in endpoint["relabelings"]
        if found["kind"] == "PodMonitor":
            assert endpoint["port"] in ports(case, of)
        else:
            names = [port["name"] for port in services[of]["spec"]["ports"]]
            assert endpoint["port"] in names
            labels = services[of]["metadata"]["labels"]
            assert spec["selector"]["matchLabels"].items() <= labels.items()


@each_case
def test_a_network_policy_opens_the_metrics_port_to_the_named_peers_only(case: Path) -> None:
    for found in rendered(case):
        if found["kind"] != "NetworkPolicy":
            continue
        spec = found["spec"]
        assert "Ingress" in spec["policyTypes"]
        assert ("egress" in spec) == ("Egress" in spec["policyTypes"])
        for rule in spec.get("ingress", []):
            assert rule["from"]
            assert [port["port"] for port in rule["ports"]] == ["metrics"]
            assert "metrics" in ports(case, component(found))
