"""Every command ends with the exit code that the table of ``--help`` gives it.

What needs a Zabbix server has its tests in ``tests/zabbix/server``: 1 of ``check``, 3 of ``diff`` and
``apply --check``.
"""

import json
import shlex
from pathlib import Path

import pytest

from node_observability import cli
from node_observability.exit_codes import DIFFERENCE, ERROR, FINDINGS, SUCCESS, TABLE

FILES = {
    "covered.json": json.dumps({"items": [{"metadata": {"name": "a", "labels": {"os": "x"}}}]}),
    "bare.json": json.dumps({"items": [{"metadata": {"name": "a"}}]}),
    "manifest.yaml": """
kind: DaemonSet
metadata: {name: fb}
spec:
  template:
    metadata: {labels: {app.kubernetes.io/component: fluent-bit-cri}}
    spec: {nodeSelector: {os: x}}
""",
    "parsers.conf": "[PARSER]\n    Name p\n    Format json\n",
    "twice.conf": "[PARSER]\n    Name p\n    Format json\n" * 2,
    "right.yaml": "parser: p\ncases:\n- {name: a, line: x, expected: unmatched}\n",
    "wrong.yaml": "parser: p\ncases:\n- {name: a, line: '{}', expected: unmatched}\n",
    "lines.log": '{"k":"v"}\n',
    "group.yaml": "name: a\ncluster: {name: a}\nsubnets: [subnet-01234567]\n",
    "user-data.toml": "[settings]\nmotd = 'a'\n",
    "unknown-key.toml": "[settings]\nmodt = 'a'\n",
    "wrong.toml": "[settings]\nmotd = 1\n",
    "broken.toml": "[settings\n",
    "broken.yaml": "a: [\n",
    "broken.conf": "[PARSER]\n    Name\n",
    "invalid.conf": "[PARSER]\n    Name p\n    Format regex\n    Regex (\n",
    "missing.conf": "[SERVICE]\n    Parsers_File none.conf\n",
}
LATIN_1 = {
    "latin-1.toml": b"[settings]\nmotd = '\xe9'\n",
    "latin-1.yaml": b"name: '\xe9'\n",
    "latin-1.conf": b"[PARSER]\n    Name \xe9\n    Format json\n",
}
ASK = "--cluster c --url http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("--version", SUCCESS),
        ("", ERROR),
        ("coverage --nodes covered.json --manifest manifest.yaml", SUCCESS),
        ("coverage --nodes bare.json --manifest manifest.yaml", FINDINGS),
        ("coverage --nodes no.json --manifest manifest.yaml", ERROR),
        ("coverage --nodes covered.json --manifest broken.yaml", ERROR),
        ("coverage --manifest manifest.yaml --context no-such-context", ERROR),
        ("debug node a --print", SUCCESS),
        ("debug node A --print", ERROR),
        ("debug pod a --target b --print", SUCCESS),
        ("debug pod a --target B --print", ERROR),
        ("nodegroup render --target cloudformation group.yaml", SUCCESS),
        ("nodegroup render --target cloudformation --output no/file group.yaml", ERROR),
        ("nodegroup render --target cloudformation no.yaml", ERROR),
        ("nodegroup check user-data.toml group.yaml", SUCCESS),
        ("nodegroup check wrong.toml", FINDINGS),
        ("nodegroup check --target eksctl group.yaml", FINDINGS),
        ("nodegroup check wrong.yaml", FINDINGS),
        ("nodegroup check broken.yaml", FINDINGS),
        ("nodegroup check broken.toml", FINDINGS),
        ("nodegroup check latin-1.yaml", FINDINGS),
        ("nodegroup check latin-1.toml", FINDINGS),
        ("nodegroup check --chart-values broken.yaml group.yaml", ERROR),
        ("nodegroup render --target cloudformation broken.yaml", ERROR),
        ("nodegroup check no.toml wrong.toml", ERROR),
        ("nodegroup check --chart-values twice.conf group.yaml", ERROR),
        ("nodegroup kube-reserved --cores 8 --max-pods 58", SUCCESS),
        ("parsers test -c parsers.conf right.yaml", SUCCESS),
        ("parsers test -c parsers.conf wrong.yaml", FINDINGS),
        ("parsers test -c no.conf right.yaml", ERROR),
        ("parsers lint -c parsers.conf", SUCCESS),
        ("parsers lint -c twice.conf", FINDINGS),
        ("parsers lint -c broken.conf", FINDINGS),
        ("parsers lint -c invalid.conf", FINDINGS),
        ("parsers lint -c missing.conf", FINDINGS),
        ("parsers lint -c latin-1.conf", FINDINGS),
        ("parsers lint -c lines.log", ERROR),
        ("parsers lint -c no.conf", ERROR),
        ("parsers test -c broken.conf right.yaml", ERROR),
        ("parsers test -c parsers.conf broken.yaml", ERROR),
        ("parsers test -c parsers.conf --junit no/file right.yaml", ERROR),
        ("parsers explain -c broken.conf x", ERROR),
        ("parsers bench -c broken.conf lines.log", ERROR),
        ("parsers convert broken.conf", ERROR),
        ("parsers convert lines.log", ERROR),
        ("parsers explain -c parsers.conf '{}'", SUCCESS),
        ("parsers explain -c parsers.conf x", FINDINGS),
        ("parsers explain -c parsers.conf -p no x", ERROR),
        ("parsers bench -c parsers.conf --seconds 0 lines.log", SUCCESS),
        ("parsers bench -c parsers.conf no.log", ERROR),
        ("parsers convert parsers.conf", SUCCESS),
        ("parsers convert no.conf", ERROR),
        ("zabbix render", SUCCESS),
        ("zabbix render --output no/file", ERROR),
        ("zabbix render --readme no/file", ERROR),
        ("zabbix render --output - --readme -", ERROR),
        ("zabbix render --macro {$NODEOBS.LOG.HISTORY}=abc", ERROR),
        ("zabbix render --catalogue broken.yaml", ERROR),
        ("zabbix render --catalogue group.yaml", ERROR),
        (f"zabbix diff {ASK}", ERROR),
        (f"zabbix apply {ASK}", ERROR),
        (f"zabbix apply --check {ASK}", ERROR),
        (f"zabbix prune --nodes-file covered.json {ASK}", ERROR),
        (f"zabbix check --nodes-file covered.json {ASK}", ERROR),
    ],
)
def test_a_command_ends_with_the_code_of_the_table(
    line: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    for name, data in LATIN_1.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZABBIX_API_TOKEN", "t")
    assert cli.main(shlex.split(line), cli.COMMANDS) == code, capsys.readouterr().err


def test_the_help_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == SUCCESS
    assert capsys.readouterr().out.endswith(TABLE)
    codes = [line.split()[0] for line in TABLE.splitlines()[1:]]
    assert codes == [str(code) for code in (SUCCESS, FINDINGS, ERROR, DIFFERENCE)]
