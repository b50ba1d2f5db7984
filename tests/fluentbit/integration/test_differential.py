"""Compares the parser kit with a real ``fluent-bit``: every field and every nanosecond of many lines.

Skipped if no ``fluent-bit`` is on the PATH. ``DIFFERENTIAL_LINES`` sets the number of lines per route;
every run has other lines, which its seed repeats.
"""

import math
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from node_observability.parsers.cases.files import CaseFile, read
from node_observability.parsers.cases.runner import new_routes
from node_observability.parsers.model.definitions import Definitions
from node_observability.parsers.model.json_object import parse_json_object
from node_observability.parsers.model.parser import Parsed
from tests.support.fluentbit import RealRecord, need_fluent_bit, tail
from tests.support.log_lines import cri_lines, docker_lines, plain_lines, time_lines
from tests.support.parsers import definitions_of
from tests.support.paths import ROOT

CASES = sorted((ROOT / "fluentbit" / "cases").rglob("*.yaml"))
LINES = int(os.environ.get("DIFFERENTIAL_LINES", "5000"))
EXTRA = Path(__file__).with_name("differential.conf")


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    both = tmp_path_factory.mktemp("parsers") / "both.conf"
    # Two files, as in the run of Fluent Bit: within one file, a Parser applies to later sections too.
    files = (ROOT / "fluentbit" / "parsers.conf", EXTRA)
    both.write_text("[SERVICE]\n" + "".join(f"    Parsers_File {path}\n" for path in files))
    return definitions_of(both)


def same_value(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    return type(one) is type(other) and one == other


def difference(ours: Parsed, real: RealRecord) -> str:
    if not same_value(ours.fields, real.fields):
        return f"fields {ours.fields!r:.300} are {real.fields!r:.300} in Fluent Bit"
    if ours.has_time and (ours.seconds, ours.nanoseconds) != (real.seconds, real.nanoseconds):
        return f"time {ours.seconds}.{ours.nanoseconds:09} is {real.seconds}.{real.nanoseconds:09} there"
    if not ours.has_time and not real.is_now:
        return f"time now is {real.seconds}.{real.nanoseconds:09} there"
    return ""


def compare(ours: list[Parsed], real: list[RealRecord], name: str) -> list[str]:
    kept = [parsed for parsed in ours if not parsed.is_lost]
    problems = [
        f"{name} record {number}: {text}"
        for number, (mine, theirs) in enumerate(zip(kept, real, strict=False))
        if (text := difference(mine, theirs))
    ]
    if len(kept) != len(real):
        problems.append(f"{name}: {len(kept)} records are {len(real)} in Fluent Bit")
    return problems


def run_both(
    definitions: Definitions,
    directory: Path,
    kind: str,
    names: Sequence[str],
    files: dict[str, list[bytes]],
) -> list[str]:
    """Return the differences, without records that are still pending when Fluent Bit stops."""
    key = {"parser": "Parser", "multiline": "multiline.parser"}.get(kind)
    real = tail(
        need_fluent_bit(),
        directory,
        files,
        parsers=[ROOT / "fluentbit" / "parsers.conf", EXTRA],
        route={key: ", ".join(names)} if key else {},
        chain=() if key else names,
    )
    new_route = new_routes(definitions, kind, names)
    problems = []
    for name, lines in files.items():
        route = new_route()
        ours = [record for line in lines for record in route.append(line)]
        problems += compare(ours, real[name], name)
    return problems


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_fluent_bit_and_the_kit_make_the_same_records_of_the_corpus(
    path: Path, definitions: Definitions, tmp_path: Path
) -> None:
    cases: CaseFile = read(path)
    files = {f"case{number:04}": case.lines for number, case in enumerate(cases.cases)}
    assert run_both(definitions, tmp_path / "run", cases.route, cases.names, files) == []


def _has_odd_stream(line: bytes) -> bool:
    # Fluent Bit 5.1.1 crashes at the sixth stream of a file, whatever its name.
    record = parse_json_object(line) or {}
    return record.get("stream", b"stdout") not in (b"stdout", b"stderr")


ROUTES = [
    ("parser", ("nodeobs_cri",)),
    ("parser", ("diff_cri_loose",)),
    ("parser", ("diff_cri_keep",)),
    ("parser", ("diff_characters",)),
    ("parser", ("diff_types",)),
    ("parser", ("diff_unanchored",)),
    ("parser", ("nodeobs_docker",)),
    ("parser", ("diff_docker_zone",)),
    ("parsers", ("nodeobs_cri_fraction", "nodeobs_cri_second")),
    ("parsers", ("nodeobs_docker", "nodeobs_cri")),
    ("multiline", ("cri",)),
    ("multiline", ("docker",)),
    ("multiline", ("docker", "cri")),
    ("multiline", ("nodeobs_cri_join", "nodeobs_cri_join_second")),
    ("multiline", ("docker", "nodeobs_cri_join", "nodeobs_cri_join_second")),
    ("multiline", ("diff_ml_ends",)),
    ("multiline", ("diff_ml_negated",)),
    ("multiline", ("diff_ml_equal",)),
    ("multiline", ("diff_ml_key",)),
    ("multiline", ("diff_ml_parsed",)),
    ("multiline", ("diff_ml_inherited",)),
    ("multiline", ("diff_ml_inherited_bare",)),
    ("multiline", ("cri", "diff_ml_ends")),
    ("multiline", ("diff_ml_ends", "cri")),
]


@pytest.mark.parametrize(
    ("kind", "names"),
    ROUTES,
    ids=lambda value: "-".join([value] if isinstance(value, str) else value),
)
def test_fluent_bit_and_the_kit_make_the_same_records_of_generated_lines(
    kind: str,
    names: tuple[str, ...],
    definitions: Definitions,
    tmp_path: Path,
    rng: random.Random,
) -> None:
    lines = [*cri_lines(rng, LINES // 2), *docker_lines(rng, LINES // 2)]
    if any(name.startswith("diff_ml") for name in names):
        lines += plain_lines(rng, LINES // 2)
    rng.shuffle(lines)
    if "docker" in names:
        lines = [line for line in lines if not _has_odd_stream(line)]
    assert run_both(definitions, tmp_path / "run", kind, names, {"generated": lines}) == []


@pytest.mark.parametrize("name", ["iso", "apache", "syslog", "epoch", "zones", "twelve", "space"])
def test_fluent_bit_and_the_kit_read_times_of_every_format_alike(
    name: str, definitions: Definitions, tmp_path: Path, rng: random.Random
) -> None:
    lines = time_lines(rng, LINES // 2)
    assert (
        run_both(definitions, tmp_path / "run", "parser", (f"diff_time_{name}",), {"times": lines})
        == []
    )
