"""Values of options with which Fluent Bit does not start (measured with 5.1.1)."""

import re
from collections.abc import Callable, Iterator

from node_observability.parsers.configuration.multiline_rules import split_rule
from node_observability.parsers.configuration.sections import Property, read_switch
from node_observability.parsers.lint.finding import Finding, error, refusal
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError

__all__ = [
    "LEVELS",
    "bad_value",
    "check_common_value",
    "check_pattern",
    "check_value",
    "number",
    "size_bytes",
]

LEVELS = ("off", "error", "warn", "warning", "info", "debug", "trace")
_STORAGE = ("filesystem", "memory", "memrb")
_COMMON_SWITCHES = ("threaded", "storage.pause_on_chunks_overlimit", "tls.verify_client_cert")
_MAY_BE_EMPTY = ("listen", "host", "port", "match", "retry_limit", "condition", "active")
_SIZES = ("mem_buf_limit", "storage.total_limit_size")
_AWS_COMPRESSION = ("gzip", "snappy", "zstd")
_WRITE_OPERATIONS = ("index", "create", "update", "upsert")
_CHOICES = {
    ("filter", "nest", "operation"): ("nest", "lift"),
    ("input", "systemd", "systemd_filter_type"): ("and", "or"),
    ("input", "tcp", "format"): ("json", "none"),
    ("input", "syslog", "mode"): ("unix_udp", "unix_tcp", "tcp", "udp"),
    ("output", "syslog", "mode"): ("tcp", "tls", "udp"),
    ("output", "file", "format"): ("csv", "ltsv", "plain", "msgpack", "template", "out_file"),
    ("output", "es", "write_operation"): _WRITE_OPERATIONS,
    ("output", "forward", "compress"): ("gzip", "text"),
    ("output", "gelf", "mode"): ("tcp", "tls", "udp"),
    ("output", "http", "compress"): ("gzip", "snappy", "zstd"),
    ("output", "kinesis_firehose", "compression"): _AWS_COMPRESSION,
    ("output", "kinesis_streams", "compression"): _AWS_COMPRESSION,
    ("output", "loki", "drop_single_key"): ("on", "off", "true", "false", "yes", "no", "raw"),
    ("output", "loki", "line_format"): ("json", "key_value"),
    ("output", "opensearch", "write_operation"): _WRITE_OPERATIONS,
    ("output", "opentelemetry", "compress"): ("gzip", "zstd"),
    ("output", "syslog", "syslog_format"): ("rfc3164", "rfc5424"),
    ("processor", "content_modifier", "action"): (
        *("insert", "upsert", "delete", "rename", "hash", "extract", "convert"),
    ),
    ("processor", "content_modifier", "converted_type"): ("string", "boolean", "int", "double"),
}
# The conditions of the filter modify, and how many words each needs.
_CONDITIONS = {
    "key_exists": 1,
    "key_does_not_exist": 1,
    "a_key_matches": 1,
    "no_key_matches": 1,
    "key_value_equals": 1,
    "key_value_does_not_equal": 1,
    "key_value_matches": 3,
    "key_value_does_not_match": 3,
    "matching_keys_have_matching_values": 3,
    "matching_keys_do_not_have_matching_values": 3,
}
# With a wrong pattern in these, Fluent Bit ends at the first record; in others it goes on.
_FATAL_PATTERNS = ("a_key_matches", "no_key_matches")
_SMALLEST_S3_FILE_BYTES = 1_000_000
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^ ]+")
_MOST_WORDS = 3
# How many words an option needs that the table does not count.
_WORDS = dict.fromkeys(("set", "add", "rename", "hard_rename", "copy", "hard_copy"), 2)


def bad_value(item: Property, fix: str) -> Finding:
    """Return the finding that Fluent Bit does not start with a value."""
    text = f"{item.key}: {item.value} is not valid, so Fluent Bit does not start; {fix}"
    return refusal(item.place, "option-value", text)


def number(text: str) -> float:
    """Return the number at the beginning of a text, 0 without one, as C's ``atof`` does."""
    found = re.match(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)
    return float(found[0]) if found else 0.0


def check_common_value(item: Property, kind: str, name: str, *, has_tls: bool) -> Iterator[Finding]:
    """Yield a finding about the value of an option that many plugins have."""
    key, value = item.key.lower(), item.value
    if "${" in value:
        return
    if not value:
        if kind in ("input", "output") and key not in _MAY_BE_EMPTY and not key.startswith("tls."):
            text = f"{item.key} is empty, so Fluent Bit does not start; add a value or remove it"
            yield refusal(item.place, "option-value", text)
    elif key == "log_level" and value.lower() not in LEVELS:
        yield bad_value(item, f"use one of {', '.join(LEVELS)}")
    elif key == "storage.type" and value.lower() not in _STORAGE:
        yield bad_value(item, f"use one of {', '.join(_STORAGE)}")
    elif key in _SIZES and not _is_size(key, value):
        yield bad_value(item, "write it like 5M or 512K: without Mi, and without a space")
    elif key in _COMMON_SWITCHES and read_switch(value) is None:
        yield bad_value(item, "use On or Off")
    elif key == "tls" and read_switch(value) and not has_tls:
        yield bad_value(item, f"{name} has no TLS")


def _is_size(key: str, text: str) -> bool:
    """Return whether Fluent Bit takes a text as a size: it looks at what follows the last digit only."""
    if text.lower() == "false" or (key != "mem_buf_limit" and read_switch(text) is False):
        return True
    unit = re.sub(r".*[0-9]", "", text[1:], flags=re.DOTALL)
    return unit.upper() in ("", "K", "M", "G", "KB", "MB", "GB")


def size_bytes(text: str) -> float | None:
    """Return a size such as 32k in bytes, as Fluent Bit reads it; None if it can't."""
    unit = re.sub(r".*[0-9]", "", text[1:], flags=re.DOTALL).upper()
    factor = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}.get(unit.removesuffix("B"))
    return None if factor is None or unit == "B" else number(text) * factor


def check_value(kind: str, name: str, item: Property) -> Iterator[Finding]:
    """Yield a finding about the value of a plugin's own option."""
    key = item.key.lower()
    if choices := _CHOICES.get((kind, name, key)):
        if item.value.lower() not in choices:
            yield bad_value(item, f"use one of {', '.join(choices)}")
    elif check := _CHECKS.get((kind, name, key)):
        yield from check(item)
    elif (kind, name) == ("filter", "modify"):
        yield from _modify(item)


def _modify(item: Property) -> Iterator[Finding]:
    key, words = item.key.lower(), _QUOTED.findall(item.value)
    needed = _WORDS.get(key, 1)
    if len(words) < needed:
        yield bad_value(item, f"it needs {needed} values")
    elif len(words) > _MOST_WORDS:
        yield bad_value(item, f"it has more than {_MOST_WORDS} values; put quotes around each")
    elif key == "condition":
        yield from _condition(item, words)
    else:
        # Fluent Bit compiles all of them, whether the rule needs patterns or not.
        for word in words[:2]:
            yield from check_pattern(item, word.strip("'\""))


def _condition(item: Property, words: list[str]) -> Iterator[Finding]:
    name = words[0].lower()
    needed = _CONDITIONS.get(name)
    if needed is None:
        yield bad_value(item, f"begin it with one of {', '.join(_CONDITIONS)}")
    elif len(words) < needed:
        yield bad_value(item, f"{words[0]} needs {needed - 1} values")
    elif name in _FATAL_PATTERNS and len(words) > 1:
        for found in check_pattern(item, words[1].strip("'\"")):
            text = found.text.replace("does not start", "starts, and ends at the first record")
            yield error(item.place, "option-value", text)


def check_pattern(item: Property, pattern: str) -> Iterator[Finding]:
    """Yield a finding about a pattern that Fluent Bit refuses."""
    try:
        Pattern(pattern)
    except UnsupportedError:
        pass  # Onigmo accepts it.
    except PatternError as problem:
        yield bad_value(item, f"correct the pattern: {problem}")


def _grep(item: Property) -> Iterator[Finding]:
    field, _, pattern = item.value.partition(" ")
    if not pattern:
        yield bad_value(item, f"write a field and a pattern, as in {item.key} {field} ^ERROR")
    else:
        yield from check_pattern(item, pattern.strip())


def _rewrite_tag(item: Property) -> Iterator[Finding]:
    parts = split_rule(item.value)
    if len(parts) > 1:
        yield from check_pattern(item, parts[1])


def _above_zero(item: Property) -> Iterator[Finding]:
    if number(item.value) <= 0:
        yield bad_value(item, "use a number of seconds above 0")


def _systemd_filter(item: Property) -> Iterator[Finding]:
    if "=" not in item.value:
        yield bad_value(item, "write it like _SYSTEMD_UNIT=kubelet.service")


def _absolute(item: Property) -> Iterator[Finding]:
    if not item.value.startswith("/"):
        yield bad_value(item, "begin it with /")


def _loki_labels(item: Property) -> Iterator[Finding]:
    for label in filter(None, map(str.strip, item.value.split(","))):
        _, equals, value = label.partition("=")
        if not label.startswith("$") and not (equals and value):
            yield bad_value(item, f"write {label} as NAME=VALUE, NAME=$FIELD or $FIELD")


def _loki_label_keys(item: Property) -> Iterator[Finding]:
    for field in filter(None, map(str.strip, item.value.split(","))):
        if not field.startswith("$"):
            yield bad_value(item, f"write {field} as ${field}")


def _s3_file_size(item: Property) -> Iterator[Finding]:
    if (size_bytes(item.value) or 0) < _SMALLEST_S3_FILE_BYTES:
        yield bad_value(item, "use at least 1M")


_CHECKS: dict[tuple[str, str, str], Callable[[Property], Iterator[Finding]]] = {
    ("filter", "grep", "regex"): _grep,
    ("filter", "grep", "exclude"): _grep,
    ("filter", "rewrite_tag", "rule"): _rewrite_tag,
    ("input", "systemd", "systemd_filter"): _systemd_filter,
    ("input", "tail", "refresh_interval"): _above_zero,
    ("input", "tail", "rotate_wait"): _above_zero,
    ("output", "loki", "labels"): _loki_labels,
    ("output", "loki", "label_keys"): _loki_label_keys,
    ("output", "s3", "s3_key_format"): _absolute,
    ("output", "s3", "total_file_size"): _s3_file_size,
    ("processor", "content_modifier", "pattern"): lambda item: check_pattern(item, item.value),
}
