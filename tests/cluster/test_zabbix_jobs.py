"""The chart's Jobs with the toolbox's image: ``zabbix apply`` after an install, ``zabbix prune`` on schedule.

Nothing else prepares Zabbix, so that the node can register only with what the Job made. The tests build on
each other.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node_observability.zabbix.hosts.inventory import PRUNED_TAG
from tests.cluster.control_plane import ControlPlane
from tests.cluster.machines import BOTTLEROCKET, machines
from tests.cluster.processes import ClusterError, run
from tests.cluster.release import AGENT, CRI, DOCKER, VALUES, Release
from tests.support.helm import NAMESPACE, RELEASE
from tests.support.waiting import wait_for
from tests.support.zabbix.hosts import UNHEARD, Host, create_host
from tests.support.zabbix.stack import Stack

TEMPLATE = "Bottlerocket node by Zabbix agent active"
GROUP = "Kubernetes/cluster-test/Bottlerocket nodes"
GONE, BY_HAND, ELSEWHERE = "gone-1", "by-hand-1", "elsewhere-1"
# The server processes a repeated registration only every two minutes; then the action exists.
REGISTERED_S = 300.0
SETTINGS = {
    "existingSecret": "zabbix-api",
    "apply.enabled": "true",
    "apply.retries": "0",
    "prune.enabled": "true",
    "prune.suspend": "true",  # the tests start it
    "prune.grace": "1s",
    "prune.deleteAfter": "1s",
}

States = dict[str, tuple[str, list[str]]]


@dataclass
class Jobs:
    """The cluster, Zabbix and the release."""

    plane: ControlPlane
    zabbix: Stack
    release: Release
    objects: set[str]
    """What existed before the first install."""

    def put_token(self, token: str) -> None:
        """Give the Jobs another token."""
        changes = {"stringData": {"token": token}}
        self.plane.api.patch(f"/api/v1/namespaces/{NAMESPACE}/secrets/zabbix-api", changes)

    def prune(self, name: str) -> str:
        """Run the CronJob's Job now; return what it printed."""
        self._kubectl("create", "job", name, "--from", f"cronjob/{RELEASE}-prune-hosts")
        path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{name}"

        def ended() -> bool:
            status = self.plane.api.get(path).get("status", {})
            return bool(status.get("succeeded") or status.get("failed"))

        wait_for(ended, f"{name} to end", 120, evidence=self.plane.evidence, every_s=0.2)
        output = self._kubectl("logs", f"job/{name}")
        assert self.plane.api.get(path)["status"].get("succeeded") == 1, output
        return output

    def states(self) -> States:
        """Return whether each host of Zabbix is disabled ("1"), and its tags' names."""
        found = self.zabbix.call(
            "host.get", {"output": ["host", "status"], "selectTags": ["tag", "value"]}
        )
        return {
            host["host"]: (host["status"], sorted(tag["tag"] for tag in host["tags"]))
            for host in found
        }

    def may(self, *words: str) -> bool:
        """Whether the account of the CronJob is allowed to do something, such as ``list nodes``."""
        account = f"system:serviceaccount:{NAMESPACE}:{RELEASE}-prune-hosts"
        answer = self.plane.command(
            *("kubectl", "auth", "can-i", *words, "--all-namespaces", "--as", account),
            codes=(0, 1),
        )
        return answer.strip() == "yes"

    def _kubectl(self, *words: str) -> str:
        return self.plane.kubectl(*words, "--namespace", NAMESPACE)


@pytest.fixture(scope="module")
def jobs(plane: ControlPlane, zabbix: Stack, evidence: list[Callable[[], str]]) -> Iterator[Jobs]:
    """Run both nodes with the images, the toolbox's too, and a Zabbix without any preparation."""
    sets = {
        "zabbix.server.port": str(zabbix.port),
        "zabbix.api.url": zabbix.url,
        **{f"zabbix.api.{key}": value for key, value in SETTINGS.items()},
    }
    flags = [text for key, value in sets.items() for text in ("--set", f"{key}={value}")]
    release = Release(plane, "--values", str(VALUES), *flags)
    with machines(plane, release.manifest()) as running:
        evidence += [release.evidence, running.bottlerocket.evidence, running.other.evidence]
        release.prepare(zabbix.psk)
        secrets = f"/api/v1/namespaces/{NAMESPACE}/secrets"
        secret = {"metadata": {"name": "zabbix-api"}, "stringData": {"token": "0" * 64}}
        plane.api.create(secrets, secret)
        yield Jobs(plane, zabbix, release, release.objects())


def test_an_apply_that_zabbix_refuses_fails_the_install_and_its_pod_logs_the_reason(
    jobs: Jobs,
) -> None:
    with pytest.raises(ClusterError, match="post-install"):
        jobs.release.install("--timeout", "120s")
    output = jobs.plane.kubectl("logs", f"job/{RELEASE}-apply-template", "--namespace", NAMESPACE)
    assert re.search("authori[sz]ed|re-login", output), output
    assert "Traceback" not in output
    assert jobs.release.daemon_set(AGENT), "the objects are installed"
    assert jobs.zabbix.call("template.get", {"filter": {"host": TEMPLATE}}) == []


def test_apply_makes_all_that_a_node_needs_to_register_by_itself(jobs: Jobs) -> None:
    jobs.put_token(jobs.zabbix.token())
    jobs.release.upgrade("--timeout", "120s")
    assert f"job.batch/{RELEASE}-apply-template" not in jobs.release.objects()
    assert len(jobs.zabbix.call("template.get", {"filter": {"host": TEMPLATE}})) == 1
    assert len(jobs.zabbix.call("hostgroup.get", {"filter": {"name": GROUP}})) == 1
    jobs.release.wait_ready({AGENT: 1, CRI: 1, DOCKER: 1})
    wait_for(
        Host(jobs.zabbix, BOTTLEROCKET).is_registered,
        f"{BOTTLEROCKET} to be registered",
        REGISTERED_S,
        every_s=1,
        evidence=lambda: jobs.zabbix.server.log()[-2000:],
    )
    (host,) = jobs.zabbix.call(
        "host.get",
        {
            "filter": {"host": BOTTLEROCKET},
            "selectGroups": ["name"],
            "selectParentTemplates": ["host"],
        },
    )
    assert GROUP in {group["name"] for group in host["groups"]}
    assert {template["host"] for template in host["parentTemplates"]} == {TEMPLATE}


def test_diff_finds_nothing_after_the_job(jobs: Jobs) -> None:
    program = Path(sys.executable).with_name("node-observability")
    environment = {
        **os.environ,
        "ZABBIX_URL": jobs.zabbix.url,
        "ZABBIX_API_TOKEN": jobs.zabbix.token(),
    }
    run(program, "zabbix", "diff", "--cluster", "cluster-test", environment=environment)


def test_the_clean_ups_account_may_list_nodes_and_nothing_else(jobs: Jobs) -> None:
    assert jobs.may("list", "nodes")
    for words in (
        *(("get", "nodes"), ("watch", "nodes"), ("delete", "nodes"), ("patch", "nodes")),
        *(("list", "pods"), ("list", "secrets"), ("get", "configmaps")),
    ):
        assert not jobs.may(*words), words


def test_prune_disables_and_then_deletes_the_host_of_a_node_that_is_gone_and_no_other(
    jobs: Jobs,
) -> None:
    jobs.zabbix.call("hostgroup.create", {"name": "Somebody's"})
    create_host(jobs.zabbix, GONE, UNHEARD, group=GROUP)
    create_host(jobs.zabbix, BY_HAND, UNHEARD, group=GROUP, enabled=False)
    create_host(jobs.zabbix, ELSEWHERE, UNHEARD, group="Somebody's")
    # Without a label no DaemonSet places a pod there, which would need a kubelet to end it.
    jobs.plane.api.create("/api/v1/nodes", {"metadata": {"name": GONE}})
    before = jobs.states()
    assert before.keys() == {BOTTLEROCKET, GONE, BY_HAND, ELSEWHERE}

    jobs.prune("prune-none")
    assert jobs.states() == before

    jobs.plane.api.delete(f"/api/v1/nodes/{GONE}")
    assert f"disable: {GONE}\n" in jobs.prune("prune-disable")
    assert jobs.states() == {**before, GONE: ("1", [PRUNED_TAG])}

    assert f"delete: {GONE}\n" in jobs.prune("prune-delete")
    assert jobs.states() == {name: state for name, state in before.items() if name != GONE}

    jobs.prune("prune-again")
    assert jobs.states() == {name: state for name, state in before.items() if name != GONE}


def test_uninstall_removes_jobs_cronjob_and_rights(jobs: Jobs) -> None:
    jobs.release.uninstall()
    wait_for(
        lambda: jobs.release.objects() == jobs.objects,
        "everything of the release to be gone",
        60,
        evidence=lambda: str(jobs.release.objects() ^ jobs.objects),
    )


def test_a_job_that_failed_stays_past_an_uninstall_until_it_is_deleted(jobs: Jobs) -> None:
    """Helm leaves hooks, as the chart's README explains."""
    jobs.put_token("0" * 64)
    with pytest.raises(ClusterError, match="post-install"):
        jobs.release.install("--timeout", "120s")
    jobs.release.uninstall()
    name = f"{RELEASE}-apply-template"
    wait_for(
        lambda: all(name in one for one in jobs.release.objects() ^ jobs.objects),
        "all but the failed Job to be gone",
        60,
        evidence=lambda: str(jobs.release.objects() ^ jobs.objects),
    )
    assert f"job.batch/{name}" in jobs.release.objects()
    jobs.plane.kubectl(
        *("delete", "pod,job", "--namespace", NAMESPACE),
        *("--selector", f"app.kubernetes.io/instance={RELEASE}"),
    )
    assert jobs.release.objects() == jobs.objects
