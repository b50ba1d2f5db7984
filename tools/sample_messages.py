"""What `tools.sample_journal` says: programs of a Bottlerocket node and typical messages.

A message's priority is the number in front, as the kernel writes it, by default 6.
Messages are %-formats; the placeholders are the keys that `sample_journal.realistic` fills in.
"""

import uuid
from typing import NamedTuple

__all__ = ["PROGRAMS", "Program"]


class Program(NamedTuple):
    """A source of messages: its weight, its constant journal fields, its messages."""

    weight: int
    fields: tuple[tuple[str, str], ...]
    messages: tuple[str, ...]


def _service(
    transport: str,
    identifier: str,
    command: str,
    pid: int,
    *,
    unit: str = "",
    slice_: str = "system.slice",
    facility: int = 3,
    label: str = "system_t",
) -> tuple[tuple[str, str], ...]:
    """Return the fields that journald itself adds for a process of a systemd unit."""
    uid = 992 if identifier == "chronyd" else 0
    executable = command.split(" ", 1)[0]
    unit = unit or f"{identifier}.service"
    cgroup = "/init.scope" if unit == "init.scope" else f"/{slice_}/{unit}"
    fields = [
        ("_TRANSPORT", transport),
        ("SYSLOG_FACILITY", str(facility)),
        ("SYSLOG_IDENTIFIER", identifier),
        ("_PID", str(pid)),
        ("_UID", str(uid)),
        ("_GID", str(uid)),
        ("_COMM", executable.rsplit("/", 1)[-1][:15]),
        ("_EXE", executable),
        ("_CMDLINE", command),
        ("_CAP_EFFECTIVE", "2000000" if uid else "1ffffffffff"),
        ("_SELINUX_CONTEXT", f"system_u:system_r:{label}:s0"),
        ("_SYSTEMD_CGROUP", cgroup),
        ("_SYSTEMD_UNIT", unit),
        ("_SYSTEMD_SLICE", slice_),
    ]
    if unit != "init.scope":
        fields.append(("_SYSTEMD_INVOCATION_ID", uuid.uuid5(uuid.NAMESPACE_DNS, unit).hex))
    if transport == "stdout":
        fields.append(("_STREAM_ID", uuid.uuid5(uuid.NAMESPACE_URL, unit).hex))
    if transport == "syslog":
        fields.append(("SYSLOG_PID", str(pid)))
    return tuple(fields)


_KERNEL = (
    ("_TRANSPORT", "kernel"),
    ("SYSLOG_FACILITY", "0"),
    ("SYSLOG_IDENTIFIER", "kernel"),
)
_KLOG = "%(klog)b.%(us)06d    1312"
_LOGFMT = 'time="%(iso)b.%(us)06d417Z"'

PROGRAMS = (
    Program(
        46,
        _service(
            "stdout",
            "kubelet",
            "/usr/bin/kubelet --cloud-provider external --kubeconfig /etc/kubernetes/kubelet/"
            "kubeconfig --config /etc/kubernetes/kubelet/config --v=2",
            1312,
            slice_="runtime.slice",
            label="runtime_t",
        ),
        (
            (
                f'I{_KLOG} kubelet.go:2548] "SyncLoop (PLEG): event for pod" pod="%(pod)b" '
                'event={"ID":"%(uid)b","Type":"ContainerStarted","Data":"%(hex)b"}'
            ),
            (
                f'I{_KLOG} pod_startup_latency_tracker.go:104] "Observed startup duration" '
                'pod="%(pod)b" podStartSLOduration=%(num)d.%(us)06d watch="%(num)ds" '
                'firstStartedPulling="%(iso)b.%(us)06d +0000 UTC" lastFinishedPulling="0001-01-01"'
            ),
            (
                f'E{_KLOG} pod_workers.go:1324] "Error syncing pod" err="failed to \\"'
                'StartContainer\\" for \\"app\\" with CrashLoopBackOff: \\"back-off %(num)ds '
                'restarting failed container=app\\"" pod="%(pod)b" podUID="%(uid)b"'
            ),
            (
                f'I{_KLOG} prober.go:107] "Probe failed" probeType="Readiness" pod="%(pod)b" '
                'containerName="app" probeResult="failure" output="HTTP probe failed: %(num)d"'
            ),
            (
                f'I{_KLOG} kubelet.go:2532] "SyncLoop UPDATE" source="api" pods=["%(pod)b"] '
                'generation=%(num)d uid="%(uid)b"'
            ),
            (
                f'W{_KLOG} eviction_manager.go:376] "Attempting to reclaim" resource="memory" '
                'thresholds="memory.available<100Mi" usage=%(n)dKi pod="%(pod)b"'
            ),
        ),
    ),
    Program(
        26,
        _service(
            "stdout",
            "containerd",
            "/usr/bin/containerd",
            1190,
            slice_="runtime.slice",
            label="runtime_t",
        ),
        (
            f'{_LOGFMT} level=info msg="StartContainer for \\"%(hex)b\\" is done"',
            (
                f'{_LOGFMT} level=info msg="CreateContainer within sandbox \\"%(hex)b\\" for '
                '&ContainerMetadata{Name:app,Attempt:%(num)d,} returns id \\"%(hex)b\\""'
            ),
            (
                f'{_LOGFMT} level=error msg="failed to handle event" error="cgroups: cgroup '
                'deleted: unknown" id=%(hex)b'
            ),
            (
                f'{_LOGFMT} level=info msg="Pulled image \\"registry.example.com/team/app:'
                'v1.%(num)d\\" with digest \\"sha256:%(hex)b\\", size %(n)d in %(num)dms"'
            ),
        ),
    ),
    Program(
        7,
        _KERNEL,
        (
            "eth0: renamed from tmp%(num)d",
            "IPv6: ADDRCONF(NETDEV_CHANGE): eni%(uid)b: link becomes ready",
            (
                "<4>oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-"
                "%(hex)b.scope,mems_allowed=0,task=java,pid=%(num)d,uid=1000"
            ),
            "<3>Memory cgroup out of memory: Killed process %(num)d (java) total-vm:%(n)dkB",
            '<5>audit: type=1400 avc:  denied  { write } for  pid=%(num)d comm="app"',
        ),
    ),
    Program(
        9,
        (
            *_service(
                "journal",
                "systemd",
                "/sbin/init systemd.log_target=journal-or-kmsg systemd.log_color=0",
                1,
                unit="init.scope",
                slice_="-.slice",
                label="init_t",
            ),
            ("CODE_FILE", "src/core/job.c"),
            ("CODE_LINE", "713"),
            ("CODE_FUNC", "job_emit_done_message"),
            ("TID", "1"),
        ),
        (
            "Started cri-containerd-%(hex)b.scope - libcontainer container %(hex)b.",
            "cri-containerd-%(hex)b.scope: Deactivated successfully.",
            "<4>run-containerd-%(hex)b-rootfs.mount: Consumed %(num)dms CPU time.",
            "<3>Failed to start metricdog.service - Anonymous health metrics.",
        ),
    ),
    Program(
        4,
        _service("stdout", "host-containerd", "/usr/bin/host-containerd", 1044),
        (f'{_LOGFMT} level=info msg="shim disconnected" id=control namespace=default',),
    ),
    Program(
        3,
        _service(
            "stdout",
            "apiserver",
            "/usr/bin/apiserver --datastore-path /var/lib/bottlerocket/datastore/current",
            988,
            label="api_t",
        ),
        (
            "%(clock)b [INFO] GET /settings?prefix=settings.kubernetes HTTP/1.1 200 %(num)d",
            "%(clock)b [WARN] transaktion für „größere“ Änderung — %(num)d ключей ✓ 日本語",
        ),
    ),
    Program(
        3,
        _service("syslog", "chronyd", "/usr/sbin/chronyd -d -F -1", 961, label="clock_t"),
        ("Selected source 169.254.169.123", "<4>System clock wrong by 0.%(us)06d seconds"),
    ),
    Program(
        1,
        _service("syslog", "CROND", "/usr/sbin/crond -n", 1501, unit="crond.service", facility=9),
        ("(root) CMD (run-parts /etc/cron.hourly)",),
    ),
    Program(
        1,
        _service("syslog", "sshd", "/usr/sbin/sshd -D", 1502, unit="sshd.service", facility=10),
        ("Accepted publickey for ec2-user from 10.0.0.9 port %(num)d ssh2: RSA",),
    ),
    Program(
        1,
        _service("stdout", "java-agent", "/usr/bin/java -jar /opt/agent.jar", 2201),
        (
            (
                "<3>java.lang.IllegalStateException: pool is empty (%(num)d waiting)\n"
                "\tat com.example.Pool.take(Pool.java:88)\n\tat com.example.Main.run()"
            ),
        ),
    ),
)
