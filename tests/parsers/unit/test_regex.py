"""Patterns: they mean what they mean to Onigmo, and errors name their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_observability.parsers.regex.characters import boundaries
from node_observability.parsers.regex.pattern import Pattern, split_delimiters
from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError


def groups(pattern: str, text: bytes) -> dict[str, bytes | None] | None:
    compiled = Pattern(pattern)
    found = compiled.search(text)
    return None if found is None else dict(zip(compiled.names, found.groups(), strict=True))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"^(?<a>[^ ]+) (?<b>.*)$", b"x y z", {"a": b"x", "b": b"y z"}),
        (r"(?'a'x)", b"x", {"a": b"x"}),
        (r"(x)(?<a>y)", b"xy", {"a": b"y"}),
        (r"^(?<a>.)$", "é".encode(), {"a": "é".encode()}),
        (r"^(?<a>.)$", b"\xff", {"a": b"\xff"}),
        (r"^(?<a>.)$", b"\xe3\x81", {"a": b"\xe3\x81"}),
        (r"^(?<a>.)(?<b>.)$", b"\xe3\x81x", None),
        (r"^(?<a>.)(?<b>.)(?<c>.)$", b"\xe3\x81x", {"a": b"\xe3", "b": b"\x81", "c": b"x"}),
        (r"^(?<a>.*)(?<b>.)$", "aé".encode(), {"a": b"a", "b": "é".encode()}),
        (r"(?<a>[^x])é", "xéé".encode(), {"a": "é".encode()}),
        (r"(?<a>[é-])", "é".encode(), {"a": "é".encode()}),
        (r"(?<a>[^é])", "éx".encode(), {"a": b"x"}),
        (r"(?<a>[é\W])", "é".encode(), {"a": "é".encode()}),
        (r"(?<a>[^é\W])", "éx".encode(), {"a": b"x"}),
        (r"(?<a>\d+)", "٣4".encode(), {"a": b"4"}),
        (r"(?<a>\w+)", "é_a".encode(), {"a": b"_a"}),
        (r"(?<a>\h+)", b"xyz09AFg", {"a": b"09AF"}),
        (r"(?<a>\H)", b"0z", {"a": b"z"}),
        (r"(?<a>[[:alpha:]]+)", b"12ab", {"a": b"ab"}),
        (r"(?<a>[^[:space:]]+)", b" ab", {"a": b"ab"}),
        (r"(?<a>[\]\[a-c-]+)", b"x]b-[", {"a": b"]b-["}),
        (r"(?<a>[]x]+)", b"]x", {"a": b"]x"}),
        (r"(?<a>a{,2})b", b"aab", {"a": b"aa"}),
        (r"(?<a>a{2})", b"aaa", {"a": b"aa"}),
        (r"(?<a>{x})", b"{x}", {"a": b"{x}"}),
        (r"(?<a>a++)", b"aaa", {"a": b"aaa"}),
        (r"(?<a>a+?)", b"aaa", {"a": b"a"}),
        (r"(?<a>(?>a|ab))c", b"abc", None),
        (r"\A(?<a>.*)\z", b"x", {"a": b"x"}),
        (r"(?<a>x)\Z", b"x\n", {"a": b"x"}),
        (r"^(?<a>y)$", b"x\ny\nz", {"a": b"y"}),
        (r"(?<a>a.b)", b"a\nb", None),
        (r"/(?<a>a.b)/m", b"a\nb", {"a": b"a\nb"}),
        (r"/(?<a>AB)/i", b"ab", {"a": b"ab"}),
        (r"/(?<a>[^a])/i", b"AaB", {"a": b"B"}),
        (r"/(?<a> a b ) # c/x", b"ab", {"a": b"ab"}),
        (r"/(?<a>a)/", b"a", {"a": b"a"}),
        (r"(?m:(?<a>a.b))", b"a\nb", {"a": b"a\nb"}),
        (r"(?<a>(?i)a)B", b"AB", {"a": b"A"}),
        (r"(?<a>(?i:a)a)", b"Aa", {"a": b"Aa"}),
        (r"(?#comment)(?<a>a)", b"a", {"a": b"a"}),
        (r"(?<a>x)\k<a>", b"xx", {"a": b"x"}),
        (r"(?<a>x)(?=y)", b"xy", {"a": b"x"}),
        (r"(?<=x)(?<a>y)", b"xy", {"a": b"y"}),
        (r"(?<a>\x41\t\u0042)", b"A\tB", {"a": b"A\tB"}),
        (r"(?<a>\/\-\")", b'/-"', {"a": b'/-"'}),
        (r"(?<a>a)|(?<b>b)", b"b", {"a": None, "b": b"b"}),
        (r"\b(?<a>b)\b", b"a b", {"a": b"b"}),
        (r"(?<a>é+)", "éé".encode(), {"a": "éé".encode()}),
        (r"(?<a>\(\?<x>)", b"(?<x>", {"a": b"(?<x>"}),
    ],
)
def test_a_pattern_means_what_it_means_to_onigmo(
    pattern: str, text: bytes, expected: dict[str, bytes | None] | None
) -> None:
    assert groups(pattern, text) == expected


def test_a_name_that_stands_twice_makes_two_groups() -> None:
    assert Pattern(r"(?<a>x)|(?<a>y)").names == ("a", "a")


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("(?<a>x", 1),
        ("x)", 2),
        ("[a", 1),
        ("*a", 1),
        ("(?<1>x)", 1),
        ("(?<a-b>x)", 1),
        (r"(?<a>\k<b>)", 6),
        (r"(?<a>x)\1", 8),
        ("[z-a]", 2),
        ("[[:nothing:]]", 2),
        ("a\\", 2),
        ("/(?<a>x/", 2),
        ("(?<a>a{99999999999})", 7),
        ("(?<a>a{100001,})", 7),
        ("(?<a>a{0,100001})", 7),
        (r"(?<a>a{2,1})", 7),
        (r"(?<a>[\w-.])", 9),
        (r"(?<a>[[:alpha:]-z])", 16),
        (r"(?<a>[a-\d])", 7),
        ("(?<a>a{" + "9" * 5000 + "})", 7),
    ],
)
def test_a_pattern_that_onigmo_refuses_is_refused_at_the_same_place(
    pattern: str, place: int
) -> None:
    with pytest.raises(PatternError, match=rf"\(at character {place} of the pattern\)") as caught:
        Pattern(pattern)
    assert not isinstance(caught.value, UnsupportedError)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<a>\p{L})",
        r"(?<a>a)\g<a>",
        r"(?<a>[a[bc]])",
        r"(?<a>[a&&b])",
        "(?<a>[\u0430-\u044f])",
        r"(?<a>a{2}?)",
        r"(?<a>(a*)*+)*?+",
        r"(?<a>\R)",
        r"(?<a>\xff)",
        "(?:" * 200 + "(?<a>x)" + ")" * 200,
        r"(?<=.)(?<a>x)",
        r"(?<a>x)(?<b>(?~y))",
        r"(?i)(?<a>é)",
    ],
)
def test_a_pattern_that_can_not_be_translated_exactly_is_unsupported(pattern: str) -> None:
    with pytest.raises(UnsupportedError):
        Pattern(pattern)


def test_unicode_properties_are_supported_for_ascii_lines_only() -> None:
    pattern = Pattern(r"(?<a>[[:alpha:]]+)")
    assert pattern.search(b"abc")
    with pytest.raises(UnsupportedError, match="at character 6"):
        pattern.search("é".encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a", "", 0)),
        ("/a/", ("a", "", 1)),
        ("/a/m", ("a", "m", 1)),
        ("/a/o", ("/a/o", "", 0)),
        ("/a/q", ("/a/q", "", 0)),
        ("/a", ("/a", "", 0)),
        ("/", ("/", "", 0)),
        ("a/b/m", ("a/b/m", "", 0)),
    ],
)
def test_slashes_and_options_are_split_as_in_fluent_bit(
    text: str, expected: tuple[str, str, int]
) -> None:
    assert split_delimiters(text) == expected


_PIECES = (
    *(text.encode() for text in ("a", " ", "é", "あ", "😀")),
    *(b"\xff", b"\xe3", b"\x81", b"\xf0\x9f"),
)
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=8).map(b"".join)


@given(_TEXTS)
def test_the_dot_matches_exactly_the_characters_of_onigmo(text: bytes) -> None:
    # A sequence that the end of the text cuts off is one character.
    offsets = list(boundaries(text))
    pattern = Pattern("^(?<all>.*)(?<last>.)$")
    found = pattern.search(text)
    if not text:
        assert found is None
    else:
        assert found is not None
        assert found.start(2) == offsets[-2]


@given(st.text(alphabet="ab é", max_size=10), st.text(alphabet="ab é", max_size=3))
def test_the_pattern_for_any_bytes_agrees_with_the_one_for_ascii(text: str, behind: str) -> None:
    pattern = Pattern(r"(?<a>[^ ]+) (?<b>\w*)(?<c>.*)$")
    data = (text + behind).encode()
    found = pattern.search(data)
    expected = pattern.search(data + b"x") if not data.isascii() else pattern._bytes.search(data)
    if data.isascii():
        assert (found and found.groups()) == (expected and expected.groups())
    elif found:
        assert b"".join((found[1], b" ", found[2], found[3])) in data


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"\R(a", "the ( is not closed (at character 3 of the pattern)"),
        (r"/\R(a/", "the ( is not closed (at character 4 of the pattern)"),
        (r"\Ra)", "this ) closes nothing (at character 4 of the pattern)"),
        (r"(?<a>[^ [+) (?<b>.)$", "the [ is not closed"),
        (r"[^[[:alpha:]]+(?<b>.)", "the [ is not closed"),
        (r"(?<a(?=b>x))", "this group has no valid name"),
        (r"\R(?<1a>x)", "this group has no valid name"),
        (r"\R[a[:foo:]]", "there is no class [:foo:]"),
        (r"(?\a>x)", "there is no group (?\\"),
        (r'(?"a">x)', 'there is no group (?"'),
        (r"(?(a)b)", "there is no group (?("),
        (r"\Ra{3,1}", "{3,1} has the larger number first"),
        (r"\R(?#a", "the ( is not closed"),
    ],
)
def test_a_mistake_behind_what_can_not_be_translated_is_found(pattern: str, problem: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert not isinstance(caught.value, UnsupportedError)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\R[a[b]]",
        r"\R[]a]",
        r"\R[^]a[:alpha:]]",
        r"\R(?#(()a",
        r"(a)(?(1)b|c)",
        r"\R\(\[",
        r"\Ra{1,3}",
    ],
)
def test_what_onigmo_accepts_and_the_kit_does_not_support_is_no_mistake(pattern: str) -> None:
    with pytest.raises(UnsupportedError):
        Pattern(pattern)
