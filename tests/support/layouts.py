"""Files as they are laid out, each with how the problem begins that Fluent Bit 5.1 has with it.

A text that begins in lower case is YAML. The kit and, where there is one, a real Fluent Bit judge each.
"""

from tests.support.configurations import TAIL

__all__ = ["LAYOUTS"]

DUMMY = "[INPUT]\n    Name dummy\n"
YAML = "pipeline:\n  inputs:\n  - name: dummy\n"
TELEMETRY = "{metrics: {logs: {tag_records: {enabled: true}}}}"
# Each with how the problem begins, as LINE and TEXT; empty if Fluent Bit starts.
LAYOUTS: tuple[tuple[str, str], ...] = (
    (f"@SET PLUGIN=dummy\n\n{DUMMY.replace('dummy', '${PLUGIN}')}".replace("\n", "\r\n"), ""),
    (f"@SET  PLUGIN=dummy  \n{DUMMY.replace('dummy', '${PLUGIN}')}", ""),
    (f"{DUMMY}\n{TAIL}".replace("\n", "\r\n"), ""),
    (f"{DUMMY}    \n".replace("\n", "\r\n"), ""),
    (f"{DUMMY}  \n".replace("\n", "\r\n"), "3: this blank line is not indented like"),
    (f"{DUMMY}        # a\n# b\n", ""),
    (f"{DUMMY}    # a\n  # b\n", "4: '# b' is not indented like the lines above it"),
    (f"[SERVICE]\n    Flush 1\n{DUMMY.replace('    ', '  ')}", "4: 'Name dummy' is not indented"),
    (f"{DUMMY}[SERVICE]\n        Flush 1\n", ""),
    (f"{DUMMY}[SERVICE]\n            Flush 1\n", "4: 'Flush 1' is indented by 12; the first"),
    (f"[SERVICE]\n\tFlush 1\n{DUMMY}", "4: 'Name dummy' is not indented like the lines above it"),
    (f"{DUMMY} [OUTPUT]\n    Name null\n", "3: '[OUTPUT]' is not indented like"),
    (f"{DUMMY}[OUTPUT\n    Name null\n", "3: [OUTPUT is not a section header"),
    (f"{DUMMY}[OUTPUT] x\n    Name null\n", ""),
    (f"{DUMMY}    [a] \n        B c\n", ""),
    (f"    Name dummy\n{DUMMY}", "1: the key Name stands before the first [SECTION]"),
    (f"{DUMMY}    Tag\n", "3: the key Tag has no value"),
    (f"{DUMMY}    Tag\tx\n", "3: the key Tag has no value; separate them by a space"),
    (f"{DUMMY}@SET\n", "3: @SET has no value"),
    (f"{DUMMY}@SET  \n", "3: @SET has no value"),
    (f"{DUMMY}@INCLUDE \n", "3: @INCLUDE has no value"),
    (f"{DUMMY}@ x\n", "3: @ x is not a command"),
    (f"{DUMMY}@INCLUDE  x\n", "3: @INCLUDE ' x': remove the spaces around the name"),
    (f"{YAML}    tag: &a x\n    alias: *a\n", "5: an alias (*), which Fluent Bit refuses"),
    (f"{YAML}service: {{flush: 1}}\nservice: {{grace: 1}}\n", "5: a second service, which"),
    (f"{YAML}    tag: []\n", "4: tag is an empty list, which Fluent Bit refuses"),
    (f"{YAML}    tag: '  '\n", "4: tag has only spaces as its value"),
    (f"{YAML}    tag: {{a: b}}\n", "4: tag must be a text or a list of texts"),
    (f"{YAML}    processors: {{log: []}}\n", "4: unknown key log of processors"),
    (f"{YAML}  other: []\n", "4: unknown key other of pipeline"),
    (f"{YAML}other: [a]\n", "4: other, which Fluent Bit does not know, must be a mapping"),
    (f"{YAML}service:\n", "4: service must be a mapping"),
    (f"{YAML}service: {{parsers_file: [a, b]}}\n", "4: parsers_file must be a text"),
    (f"{YAML}service: {{telemetry: {TELEMETRY}}}\n", ""),
    (f"{YAML}service: {{telemetry: x}}\n", "4: telemetry must be a mapping"),
    (f"{YAML}    telemetry: {TELEMETRY}\n    routes: {{}}\n", ""),
    (f"{YAML}parsers: [a]\n", "4: an entry of parser must be a mapping"),
    (f"{YAML}env: {{A: '  ', B: ''}}\n", ""),
    (f"{YAML}---\n{YAML}", ""),
    ("pipeline: {}\n", ""),
)
