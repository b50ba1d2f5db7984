"""Fills the Jinja2 templates of the targets' files. Pure but for loading.

Guarantees that a value can't change the structure: every value passes a filter. ``toml_key`` and
``toml_value`` quote for TOML, ``yaml`` quotes for YAML, ``comment`` keeps a text on its line.
"""

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from node_observability.nodegroup.formats import toml_writer, yaml_document


def _comment(text: object) -> str:
    return "".join(char if char.isprintable() else " " for char in str(text))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("node_observability.nodegroup"),
        undefined=StrictUndefined,
        # The filters quote for TOML and YAML; escapes for HTML would damage both.
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml_key"] = toml_writer.key
    environment.filters["toml_value"] = toml_writer.value
    environment.filters["yaml"] = yaml_document.block
    environment.filters["comment"] = _comment
    return environment


_ENVIRONMENT: Final = _environment()


def document(template: str, **values: Any) -> str:  # noqa: ANN401 - a template takes anything
    """Return a template filled with values."""
    return _ENVIRONMENT.get_template(template).render(**values)


def user_data(settings: dict[str, Any], *, preamble: list[str] | None = None) -> str:
    """Return settings as Bottlerocket's user data."""
    tables = list(toml_writer.tables(settings))
    return document("user_data.toml.j2", tables=tables, preamble=preamble or [])
