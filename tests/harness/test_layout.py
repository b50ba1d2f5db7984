"""What several tests need is in tests/support."""

import re
from itertools import chain

import pytest

from tests.support.paths import ROOT

IMPORT = re.compile(r"tests(\.\w+)*\.(test_\w+|conftest)\b|tests[\w.]* import (test_|conftest)")


def test_no_file_imports_a_test_file() -> None:
    files = chain.from_iterable((ROOT / top).rglob("*.py") for top in ("tests", "tools"))
    texts = {path: path.read_text() for path in files}
    assert len(texts) > 100
    assert [path for path, text in texts.items() if IMPORT.search(text)] == []


@pytest.mark.parametrize(
    "text", ["from {}.a.test_b import c", "import {}.a.conftest", "from {}.a import test_b"]
)
def test_an_import_of_a_test_file_is_found(text: str) -> None:
    assert IMPORT.search(text.format("tests"))
