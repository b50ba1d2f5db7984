"""Values of options with which Fluent Bit does not start (measured with 5.1.1)."""

import re
from collections.abc import Callable, Iterator

from node_observability.parsers.configuration.multiline_rules import split_rule
from node_observability.parsers.configuration.sections import Property, Section, read_switch
from node_observability.parsers.lint.finding import Finding, refusal
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError

__all__ = [
    "LEVELS",
    "bad_value",
    "check_common_value",
    "check_value",
    "conflict",
    "missing_options",
    "number",
]

LEVELS = ("off", "error", "warn", "warning", "info", "debug", "trace")
_STORAGE = ("filesystem", "memory", "memrb")
_COMMON_SWITCHES = ("threaded", "storage.pause_on_chunks_overlimit", "tls.verify_client_cert")
_MAY_BE_EMPTY = ("listen", "host", "port", "match", "retry_limit", "condition", "active")
_SIZES = ("mem_buf_limit", "storage.total_limit_size")
# Options that a plugin needs: one of each group.
_REQUIRED = {
    ("input", "blob"): ("path",),
    ("input", "exec"): ("command",),
    ("input", "health"): ("host",),
    ("input", "kafka"): ("brokers", "topics"),
    ("input", "netif"): ("interface",),
    ("input", "proc"): ("proc_name",),
    ("input", "tail"): ("path",),
    ("filter", "geoip2"): ("database",),
    ("filter", "log_to_metrics"): ("tag", "metric_description"),
    ("filter", "lua"): ("script|code", "call"),
    ("filter", "parser"): ("key_name", "parser"),
    ("processor", "sampling"): ("type",),
    ("output", "azure"): ("customer_id", "shared_key"),
    ("output", "azure_blob"): ("account_name",),
    ("output", "cloudwatch_logs"): (
        "log_group_name",
        "log_stream_name|log_stream_prefix",
        "region",
    ),
    ("output", "datadog"): ("apikey",),
    ("output", "gcs"): ("bucket",),
    ("output", "kafka"): ("brokers",),
    ("output", "kinesis_firehose"): ("delivery_stream", "region"),
    ("output", "kinesis_streams"): ("stream", "region"),
    ("output", "logdna"): ("api_key",),
    ("output", "nrlogs"): ("api_key|license_key",),
    ("output", "s3"): ("bucket",),
    ("output", "slack"): ("webhook",),
    ("output", "splunk"): ("splunk_token|http_user",),
    ("output", "td"): ("api", "database", "table"),
}
_CHOICES = {
    ("filter", "nest", "operation"): ("nest", "lift"),
    ("input", "systemd", "systemd_filter_type"): ("and", "or"),
    ("input", "tcp", "format"): ("json", "none"),
    ("input", "syslog", "mode"): ("unix_udp", "unix_tcp", "tcp", "udp"),
    ("output", "syslog", "mode"): ("tcp", "tls", "udp"),
    ("output", "file", "format"): ("csv", "ltsv", "plain", "msgpack", "template", "out_file"),
}
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


def missing_options(section: Section, name: str) -> list[str]:
    """Return the options that a plugin needs and does not have, such as ``script or code``."""
    missing = [
        group.replace("|", " or ")
        for group in _REQUIRED.get((section.kind, name), ())
        if not any(section.value(key) for key in group.split("|"))
    ]
    if (section.kind, name) == ("filter", "multiline"):
        is_partial = section.value("mode").lower() == "partial_message"
        needed = "multiline.key_content" if is_partial else "multiline.parser"
        missing += [needed] if not section.find(needed) else []
    is_old_multiline = name == "tail" and read_switch(section.value("multiline"))
    if is_old_multiline and not section.find("parser_firstline"):
        missing.append("parser_firstline, for Multiline On")
    return missing


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


def conflict(section: Section, name: str) -> str:
    """Return why Fluent Bit does not start with options that exclude each other, or an empty text."""
    has = section.find
    is_logical = section.value("logical_op").lower() not in ("", "legacy")
    if name == "grep" and is_logical and has("regex") and has("exclude"):
        return "with Logical_Op, write either Regex or Exclude"
    if (
        name == "record_modifier"
        and has("remove_key")
        and (has("allowlist_key") or has("whitelist_key"))
    ):
        return "write either Remove_key or Allowlist_key"
    return ""


def check_value(section: Section, name: str, item: Property) -> Iterator[Finding]:
    """Yield a finding about the value of a plugin's own option."""
    key = item.key.lower()
    if choices := _CHOICES.get((section.kind, name, key)):
        if item.value.lower() not in choices:
            yield bad_value(item, f"use one of {', '.join(choices)}")
    elif check := _CHECKS.get((section.kind, name, key)):
        yield from check(item)
    elif (section.kind, name) == ("filter", "modify"):
        yield from _modify(item)


def _modify(item: Property) -> Iterator[Finding]:
    key, words = item.key.lower(), _QUOTED.findall(item.value)
    needed = _WORDS.get(key, 1)
    if len(words) < needed:
        yield bad_value(item, f"it needs {needed} values")
    elif len(words) > _MOST_WORDS:
        yield bad_value(item, f"it has more than {_MOST_WORDS} values; put quotes around each")
    elif key != "condition":
        # Fluent Bit compiles all of them, whether the rule needs patterns or not.
        for word in words[:2]:
            yield from _pattern(item, word.strip("'\""))


def _pattern(item: Property, pattern: str) -> Iterator[Finding]:
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
        yield from _pattern(item, pattern.strip())


def _rewrite_tag(item: Property) -> Iterator[Finding]:
    parts = split_rule(item.value)
    if len(parts) > 1:
        yield from _pattern(item, parts[1])


def _above_zero(item: Property) -> Iterator[Finding]:
    if number(item.value) <= 0:
        yield bad_value(item, "use a number of seconds above 0")


def _systemd_filter(item: Property) -> Iterator[Finding]:
    if "=" not in item.value:
        yield bad_value(item, "write it like _SYSTEMD_UNIT=kubelet.service")


def _absolute(item: Property) -> Iterator[Finding]:
    if not item.value.startswith("/"):
        yield bad_value(item, "begin it with /")


_CHECKS: dict[tuple[str, str, str], Callable[[Property], Iterator[Finding]]] = {
    ("filter", "grep", "regex"): _grep,
    ("filter", "grep", "exclude"): _grep,
    ("filter", "rewrite_tag", "rule"): _rewrite_tag,
    ("input", "systemd", "systemd_filter"): _systemd_filter,
    ("input", "tail", "refresh_interval"): _above_zero,
    ("input", "tail", "rotate_wait"): _above_zero,
    ("output", "s3", "s3_key_format"): _absolute,
}
