"""``promtool``: checks of rules and expressions, and unit tests of alerts."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.tools import need

__all__ = ["check_expressions", "check_rules", "run_rule_tests"]


def _run(arguments: list[str], directory: Path) -> tuple[int, str]:
    done = subprocess.run(
        [need("promtool"), *arguments], cwd=directory, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def check_rules(groups: dict[str, Any], directory: Path) -> str:
    """Return promtool's complaints about a file of rule groups; empty if there are none."""
    (directory / "rules.yaml").write_text(json.dumps(groups))
    code, text = _run(["check", "rules", "rules.yaml"], directory)
    return text if code else ""


def check_expressions(expressions: Iterable[str], directory: Path) -> str:
    """Return promtool's complaints about expressions; empty if there are none."""
    rules = [{"record": f"check:{number}", "expr": one} for number, one in enumerate(expressions)]
    return check_rules({"groups": [{"name": "check", "rules": rules}]}, directory)


def run_rule_tests(groups: dict[str, Any], tests: list[dict[str, Any]], directory: Path) -> str:
    """Run promtool's unit tests of rules; return what failed, empty if nothing did."""
    (directory / "rules.yaml").write_text(json.dumps(groups))
    spec = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (directory / "tests.yaml").write_text(json.dumps(spec))
    code, text = _run(["test", "rules", "tests.yaml"], directory)
    return text if code else ""
