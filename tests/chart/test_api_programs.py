"""The Jobs for the Zabbix API: the toolbox accepts their commands, and their pods get only what they need."""

from pathlib import Path

import pytest

from node_observability import cli
from node_observability.zabbix.commands import flags
from node_observability.zabbix.commands.session import connection_of
from node_observability.zabbix.server.desired import Psk
from tests.support.helm import CHART, Manifest, rendered

EVERYTHING = CHART / "ci" / "everything-values.yaml"
ZABBIX_API = CHART / "ci" / "zabbix-api-values.yaml"
ON = (
    "zabbix.api.url=https://z",
    "zabbix.api.existingSecret=s",
    "zabbix.api.apply.enabled=true",
    "zabbix.api.prune.enabled=true",
)


def pod(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = [one for one in manifests if one["kind"] == kind]
    spec = found["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else found["spec"]
    return dict(spec["template"]["spec"])


def variables(spec: Manifest) -> dict[str, str]:
    """Return a container's variables; a variable from a Secret has the value ``SECRET/KEY``."""
    return {
        entry["name"]: entry.get("value")
        or f"{entry['valueFrom']['secretKeyRef']['name']}/{entry['valueFrom']['secretKeyRef']['key']}"
        for entry in spec["containers"][0]["env"]
    }


@pytest.mark.parametrize("case", [EVERYTHING, ZABBIX_API], ids=["everything", "zabbix-api"])
@pytest.mark.parametrize(("kind", "command"), [("Job", "apply"), ("CronJob", "prune")])
def test_the_toolbox_accepts_the_command_of_each_job(case: Path, kind: str, command: str) -> None:
    arguments = pod(rendered(case), kind)["containers"][0]["args"]
    options = cli.parser("zabbix").parse_args(arguments)
    assert (options.command, options.zabbix_command) == ("zabbix", command)
    assert options.cluster == ("prod-eu" if case == EVERYTHING else "cluster")


def test_values_become_options_of_the_command() -> None:
    manifests = rendered(EVERYTHING)
    options = cli.parser("zabbix").parse_args(pod(manifests, "Job")["containers"][0]["args"])
    assert flags.pairs("--macro", options.macro) == {
        "{$NODEOBS.EXPORTER.PORT}": "9465",
        "{$NODEOBS.LOG.HISTORY}": "31d",
    }
    assert options.psk_only is True
    assert flags.cluster_of(options).group == "Kubernetes/prod"
    sets = (
        *ON,
        "zabbix.api.prune.grace=2h",
        "zabbix.api.prune.deleteAfter=0d",
        "zabbix.api.prune.allGone=true",
    )
    pruning = cli.parser("zabbix").parse_args(
        pod(rendered(sets=sets), "CronJob")["containers"][0]["args"]
    )
    assert (pruning.grace, pruning.delete_after, pruning.dry_run) == (7200, 0, False)
    assert (pruning.in_cluster, pruning.all_gone) == (True, True)
    assert pruning.selector is None


def test_the_template_gets_the_port_of_the_exporter() -> None:
    manifests = rendered(sets=(*ON, "zabbix.journalExporter.port=19465"))
    options = cli.parser("zabbix").parse_args(pod(manifests, "Job")["containers"][0]["args"])
    template = flags.template_of(options, flags.patterns_of(options))
    assert "'19465'" in template or '"19465"' in template
    assert "9465" not in template.replace("19465", "")


def test_credentials_and_the_pre_shared_key_come_from_secrets() -> None:
    manifests = rendered(EVERYTHING)
    options = cli.parser("zabbix").parse_args(pod(manifests, "Job")["containers"][0]["args"])
    environment = variables(pod(manifests, "Job"))
    assert environment["ZABBIX_PSK"] == "zabbix-psk/psk"
    environment["ZABBIX_PSK"] = "ab" * 32
    options.ca_file = None  # it is in the pod only
    connection = connection_of(options, environment)
    assert connection.url == "https://zabbix.example.com"
    assert {connection.token} == {"zabbix-api/token"}
    assert (connection.username, connection.password) == ("zabbix-api/user", "zabbix-api/password")
    assert flags.psk_of(options, environment) == Psk(identity="bottlerocket", key="ab" * 32)
    assert "ZABBIX_PSK" not in variables(pod(manifests, "CronJob"))


def test_secrets_made_from_files_may_end_with_a_line_break() -> None:
    manifests = rendered(EVERYTHING)
    options = cli.parser("zabbix").parse_args(pod(manifests, "Job")["containers"][0]["args"])
    options.ca_file = None
    environment = variables(pod(manifests, "Job")) | {"ZABBIX_PSK": "ab" * 32}
    broken = {
        name: text if name in ("ZABBIX_URL", "ZABBIX_PSK_IDENTITY") else f"{text}\n"
        for name, text in environment.items()
    }
    assert connection_of(options, broken) == connection_of(options, environment)
    assert flags.psk_of(options, broken) == flags.psk_of(options, environment)


def test_a_secret_may_hold_a_token_or_a_password() -> None:
    for entry in pod(rendered(ZABBIX_API), "Job")["containers"][0]["env"]:
        if "valueFrom" in entry:
            assert entry["valueFrom"]["secretKeyRef"]["optional"] is True


def test_the_pre_shared_key_is_not_passed_if_psk_is_false() -> None:
    sets = ("zabbix.api.apply.psk=false", "zabbix.api.apply.pskOnly=false")
    assert "ZABBIX_PSK" not in variables(pod(rendered(EVERYTHING, sets=sets), "Job"))


def test_files_that_options_name_are_mounted() -> None:
    for kind in ("Job", "CronJob"):
        (container,) = pod(rendered(EVERYTHING), kind)["containers"]
        places = {mount["mountPath"] for mount in container["volumeMounts"]}
        files = [
            text.partition("=")[2]
            for text in container["args"]
            if text.startswith(("--ca-file=", "--catalogue="))
        ]
        assert len(files) == (2 if kind == "Job" else 1)
        assert {str(Path(name).parent) for name in files} <= places


def test_only_prune_has_a_token_of_the_cluster() -> None:
    manifests = rendered(ZABBIX_API)
    assert pod(manifests, "CronJob")["automountServiceAccountToken"] is True
    assert pod(manifests, "Job")["automountServiceAccountToken"] is False
    assert pod(manifests, "Job")["serviceAccountName"] == "default"


def test_apply_and_prune_are_installed_independently() -> None:
    off = rendered()
    assert not {"Job", "CronJob"} & {found["kind"] for found in off}
    apply_only = rendered(sets=(*ON, "zabbix.api.prune.enabled=false"))
    extra = {(found["kind"], found["metadata"]["name"]) for found in apply_only} - {
        (found["kind"], found["metadata"]["name"]) for found in off
    }
    assert extra == {("Job", "node-observability-apply-template")}
    prune_only = rendered(sets=(*ON, "zabbix.api.apply.enabled=false"))
    kinds = [
        found["kind"] for found in prune_only if found["metadata"]["name"].endswith("prune-hosts")
    ]
    assert sorted(kinds) == ["ClusterRole", "ClusterRoleBinding", "CronJob", "ServiceAccount"]


def test_the_template_is_applied_after_an_installation_and_an_upgrade() -> None:
    (job,) = [found for found in rendered(ZABBIX_API) if found["kind"] == "Job"]
    annotations = job["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "post-install,post-upgrade"
    assert "before-hook-creation" in annotations["helm.sh/hook-delete-policy"]


def test_two_runs_of_prune_never_overlap() -> None:
    (found,) = [one for one in rendered(ZABBIX_API) if one["kind"] == "CronJob"]
    assert found["spec"]["concurrencyPolicy"] == "Forbid"
    job = found["spec"]["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] == 600
    # The next run makes up for one that failed.
    assert job["backoffLimit"] == 0


def test_a_cron_job_has_a_name_that_leaves_room_for_its_jobs() -> None:
    sets = (*ON, f"fullnameOverride={'n' * 40}")
    (found,) = [one for one in rendered(sets=sets) if one["kind"] == "CronJob"]
    assert len(found["metadata"]["name"]) <= 52
