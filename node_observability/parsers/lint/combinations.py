"""Options that a plugin needs, and options that exclude each other (measured with Fluent Bit 5.1.1)."""

from math import inf

from node_observability.parsers.configuration.sections import Section, read_switch
from node_observability.parsers.lint.option_values import size_bytes

__all__ = ["conflict", "missing_options"]

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
    ("processor", "content_modifier"): ("action",),
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
# What an action of the processor content_modifier needs beside its key.
_NEEDS_OF_ACTION = {
    "insert": "value",
    "upsert": "value",
    "rename": "value",
    "extract": "pattern",
    "convert": "converted_type",
}
_BUFFER_SIZE = "32k"


def missing_options(section: Section, kind: str, name: str) -> list[str]:
    """Return the options that a plugin needs and does not have, such as ``script or code``."""
    missing = [
        group.replace("|", " or ")
        for group in _REQUIRED.get((kind, name), ())
        if not any(section.value(key) for key in group.split("|"))
    ]
    if (kind, name) == ("filter", "multiline"):
        is_partial = section.value("mode").lower() == "partial_message"
        parser = "multiline.key_content" if is_partial else "multiline.parser"
        missing += [parser] if not section.find(parser) else []
    if (kind, name) == ("processor", "content_modifier"):
        needed = [_NEEDS_OF_ACTION.get(section.value("action").lower(), "")]
        # These contexts have one key, which Fluent Bit adds.
        if section.value("context").lower() not in ("otel_scope_name", "otel_scope_version"):
            needed.append("key")
        missing += [key for key in needed if key and not section.find(key)]
    is_old_multiline = name == "tail" and read_switch(section.value("multiline"))
    if is_old_multiline and not section.find("parser_firstline"):
        missing.append("parser_firstline, for Multiline On")
    return missing


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
    if name == "tail" and _buffers_conflict(section):
        return "Buffer_Max_Size must be at least Buffer_Chunk_Size (both are 32k by default)"
    has_id = has("id_key") or read_switch(section.value("generate_id"))
    is_update = section.value("write_operation").lower() in ("update", "upsert")
    if name in ("es", "opensearch") and is_update and not has_id:
        return "this Write_Operation needs Id_Key or Generate_ID On"
    return ""


def _buffers_conflict(section: Section) -> bool:
    texts = [section.value(key) or _BUFFER_SIZE for key in ("buffer_chunk_size", "buffer_max_size")]
    if any("${" in text for text in texts):
        return False
    # Fluent Bit takes what is no size, or below zero, for the largest number.
    sizes = [size_bytes(text) for text in texts]
    chunk, most = (inf if size is None or size < 0 else size for size in sizes)
    return chunk > most
