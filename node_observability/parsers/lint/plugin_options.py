"""Findings about plugins: names and options with which Fluent Bit does not start."""

from collections import Counter
from collections.abc import Iterable, Iterator

from node_observability.hints import close_to
from node_observability.parsers.configuration.sections import (
    Configuration,
    Property,
    Section,
    read_switch,
)
from node_observability.parsers.lint.combinations import conflict, missing_options
from node_observability.parsers.lint.finding import Finding, refusal, warning
from node_observability.parsers.lint.option_values import (
    bad_value,
    check_common_value,
    check_pattern,
    check_value,
)
from node_observability.parsers.lint.plugins import KNOWN_ELSEWHERE, Option, Plugin, plugins

__all__ = ["check_plugins"]

_ALIASES = {("output", "elasticsearch"): "es"}
# Options that Fluent Bit's core takes for every plugin of a kind; it does not count how often.
_CORE = "alias log_level log_suppress_interval active condition"
_CORE_OF = {
    "input": f"{_CORE} tag routable mem_buf_limit listen host port ipv6 storage.type threaded"
    " thread.ring_buffer.capacity thread.ring_buffer.window rate_window rate_gate rate_gate.max_bytes"
    " rate_gate.max_records rate_gate.backpressure rate_gate.resume_ratio"
    " storage.pause_on_chunks_overlimit",
    "filter": f"{_CORE} match match_regex",
    "output": f"{_CORE} match match_regex host port ipv6 retry_limit storage.total_limit_size workers"
    " tls.windows.certstore_name tls.windows.use_enterprise_store tls.windows.client_thumbprints",
    "custom": _CORE,
}


def check_plugins(configuration: Configuration) -> Iterator[Finding]:
    """Yield a finding for each plugin with which Fluent Bit does not start."""
    for section in configuration.sections:
        if section.kind in _CORE_OF:
            yield from _plugin(configuration, section)
        elif section.kind == "processor":
            yield from _processor(section)


def _name(configuration: Configuration, section: Section) -> str | None:
    """Return the plugin's name in lower case; None if it comes from the environment."""
    name = configuration.expand(section.name, {})
    if not name and "${" in section.name:
        return None
    name = name.lower().partition("://")[0]
    return _ALIASES.get((section.kind, name), name)


def _plugin(configuration: Configuration, section: Section) -> Iterator[Finding]:
    name = _name(configuration, section)
    if name is None:
        return
    if not name:
        text = f"this {section.kind} has no Name, so Fluent Bit does not start; add one"
        yield refusal(section.place, "no-name", text)
        return
    plugin = plugins().get((section.kind, name))
    if plugin is None:
        yield from _unknown_plugin(configuration, section, name)
    else:
        yield from _options(section, name, plugin)
        yield from _combination(section, section.kind, name)
    if section.kind == "filter" and not (section.find("match") or section.find("match_regex")):
        text = f"the filter {name} has no Match, so Fluent Bit does not start; add one"
        yield refusal(section.place, "missing-option", text)
    yield from _storage_path(configuration, section)


def _combination(section: Section, kind: str, name: str) -> Iterator[Finding]:
    for missing in missing_options(section, kind, name):
        text = f"the {section.kind} {name} needs {missing}, or Fluent Bit does not start; add it"
        yield refusal(section.place, "missing-option", text)
    if problem := conflict(section, name):
        text = f"the {section.kind} {name}: {problem}, or Fluent Bit does not start"
        yield refusal(section.place, "option-conflict", text)


def _storage_path(configuration: Configuration, section: Section) -> Iterator[Finding]:
    services = configuration.sections_of("service")
    item = section.find("storage.type")
    is_on_disk = section.kind == "input" and item and item.value.lower() == "filesystem"
    if item and is_on_disk and not any(one.find("storage.path") for one in services):
        text = "storage.type filesystem needs a storage.path in the service section"
        if any(
            missing.key.lower() in ("@include", "includes") for missing in configuration.missing
        ):
            yield warning(item.place, "missing-option", f"{text}; a missing file must have it")
        else:
            yield refusal(item.place, "missing-option", f"{text}, or Fluent Bit does not start")


def _unknown_plugin(configuration: Configuration, section: Section, name: str) -> Iterator[Finding]:
    if name in KNOWN_ELSEWHERE.get(section.kind, "").split():
        return
    text, place = f"Fluent Bit 5.1 has no {section.kind} {name}", section.place_of("name")
    services = configuration.sections_of("service")
    if any(configuration.sections_of("plugins")) or any(
        service.find("plugins_file") for service in services
    ):
        yield warning(place, "unknown-plugin", f"{text}; a plugin file must have it")
        return
    known = sorted(known for kind, known in plugins() if kind == section.kind)
    hint = close_to(name, known)
    yield refusal(place, "unknown-plugin", f"{text}, so it does not start{hint}")


def _common(section: Section, plugin: Plugin) -> set[str]:
    """Return the options that are not the plugin's own, and that it takes."""
    groups = []
    if section.kind in ("input", "output"):
        groups = [plugin.role, "tls", f"oauth2-{section.kind}"]
    found = {key for group in filter(None, groups) for key in plugins()["common", group].options}
    return found | set(_CORE_OF[section.kind].split())


def _options(section: Section, name: str, plugin: Plugin) -> Iterator[Finding]:
    common = _common(section, plugin)
    counts = Counter(item.key.lower() for item in section.properties)
    for item in section.properties:
        key = item.key.lower()
        option = plugin.option(key)
        if key == "name" or plugin.takes_any:
            continue
        # The filter modify has a Condition of its own.
        is_own = key == "condition" and option is not None
        if key in common and not is_own and not (key.startswith("net.") and counts[key] > 1):
            yield from check_common_value(item, section.kind, name, has_tls=plugin.has_tls)
        elif option is None and key not in common:
            yield _unknown_option(item, section.kind, name, [*plugin.options, *common])
        elif counts[key] > 1 and not (option and option.repeats):
            text = (
                f"{item.key} is set {counts[key]} times, so Fluent Bit does not start; set it once"
            )
            yield refusal(item.place, "option-twice", text)
        elif option:
            yield from _value(section.kind, name, item, option)


def _value(kind: str, name: str, item: Property, option: Option) -> Iterator[Finding]:
    if not item.value or "${" in item.value:
        return
    if option.is_switch and read_switch(item.value) is None:
        yield bad_value(item, "use On or Off")
    elif option.minimum > len(item.value.split()):
        yield bad_value(item, f"it needs {option.minimum} values")
    else:
        yield from check_value(kind, name, item)


def _unknown_option(item: Property, kind: str, name: str, known: Iterable[str]) -> Finding:
    text = f"the {kind} {name} has no option {item.key}, so Fluent Bit does not start"
    return refusal(item.place, "unknown-option", text + close_to(item.key.lower(), sorted(known)))


def _processor(section: Section) -> Iterator[Finding]:
    name = section.name.lower()
    known = sorted(known for kind, known in plugins() if kind in ("filter", "processor"))
    elsewhere = KNOWN_ELSEWHERE["filter"].split()
    if name not in (*known, *elsewhere) and "${" not in name:
        text = f"Fluent Bit 5.1 has no processor {section.name}, so it does not start"
        yield refusal(section.place_of("name"), "unknown-plugin", text + close_to(name, known))
        return
    for rule in section.groups:
        operator, value = rule.find("op"), rule.find("value")
        if operator and value and operator.value.lower() in ("regex", "not_regex"):
            yield from check_pattern(value, value.value)
    # A filter that is used as a processor is the same filter.
    kind = "filter" if ("filter", name) in plugins() else "processor"
    plugin = plugins().get((kind, name))
    if plugin is None or plugin.takes_any:
        return
    yield from _combination(section, kind, name)
    common = _CORE_OF["filter"].split()
    for item in section.properties:
        key = item.key.lower()
        option = plugin.option(key)
        # Here, Fluent Bit takes NAME for an option.
        if item.key == "name" or key in common:
            continue
        if option:
            yield from _value(kind, name, item, option)
        else:
            yield _unknown_option(item, "processor", name, [*plugin.options, *common])
