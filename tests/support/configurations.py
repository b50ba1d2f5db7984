"""Configurations with which Fluent Bit 5.1 starts, and others with which it does not.

A text that begins in lower case is YAML. The kit and, where there is one, a real Fluent Bit judge each.
"""

__all__ = ["CONDITION", "MULTILINE", "PARSER", "REFUSED", "STARTS", "TAIL", "TAIL_AND_FILTER"]

TAIL = "[INPUT]\n    Name tail\n    Path x\n"
TAIL_AND_FILTER = TAIL + "[FILTER]\n    Match *\n    Name "
PARSER = "[PARSER]\n    Name p\n    Format json\n"
MULTILINE = "[MULTILINE_PARSER]\n    Name m\n    Type regex\n"
INPUT = "pipeline: {inputs: [{name: dummy, "
PROCESSOR = f"{INPUT}processors: {{logs: [{{name: "
CONDITION = f"{PROCESSOR}content_modifier, action: delete, key: a, condition: {{"
STARTS: tuple[str, ...] = (
    f"{PROCESSOR}content_modifier, context: otel_scope_name, action: insert, value: b}}]}}}}]}}\n",
    "[SERVICE]\n    HTTP_Server Off\n    HTTP_Port abc\n    Coro_Stack_Size 4096\n" + TAIL,
    TAIL + "    Buffer_Chunk_Size 64k\n    Buffer_Max_Size 1M\n",
    TAIL_AND_FILTER + "modify\n    Add a b\n    Condition Key_value_equals a b\n",
    TAIL_AND_FILTER + "modify\n    Add a b\n    Condition No_key_matches ^x\n",
    TAIL + "[OUTPUT]\n    Name loki\n    Labels a=b, c=$d['e'],$f\n    Label_Keys $g,$h\n",
    TAIL + "[OUTPUT]\n    Name es\n    Write_Operation upsert\n    Generate_ID On\n",
    f"{CONDITION}op: OR, rules: [{{field: $a, op: not_regex, value: ^x}}]}}}}]}}}}]}}\n",
    f"{CONDITION}rules: [{{field: a, op: in, value: [b]}}]}}}}]}}}}]}}\n",
    TAIL + "        Tag a\n",
    "[SERVICE]\n  Flush 1\n[INPUT]\n    Name tail\n    Path x\n",
    "[SERVICE]\n    Flush 1\n    \n        \n[INPUT]\n    Name tail\n    Path x\n",
    TAIL + "    Mem_Buf_Limit 5MB\n    Tag a\n",
    TAIL + "    Mem_Buf_Limit ${LIMIT}\n    Threaded ${ON}\n",
    TAIL
    + "[OUTPUT]\n    Name ELASTICSEARCH\n    tls On\n    tls.verify Off\n    Trace_Error ${X}\n",
    TAIL + "[OUTPUT]\n    Name ${OUTPUT}\n    Anything a\n",
    "@SET PLUGIN=null\n" + TAIL + "[OUTPUT]\n    Name ${PLUGIN}\n",
    TAIL_AND_FILTER + "modify\n    Add a b\n    Add c d\n    Remove e\n",
    TAIL_AND_FILTER + "rewrite_tag\n    Rule $a ^(x|y)$ new.$1 false\n",
    TAIL_AND_FILTER + "grep\n    Regex a (?<=x)b+\n    Regex c d\n    Logical_Op and\n",
    TAIL_AND_FILTER + "multiline\n    Mode partial_message\n    multiline.key_content log\n",
    TAIL_AND_FILTER + "wasm\n    Wasm_Path x\n",
    TAIL + "[FILTER]\n    Name stdout\n    Match_Regex .*\n",
    TAIL + "[OUTPUT]\n    Name forward://127.0.0.1:9\n",
    TAIL_AND_FILTER + "grep\n    Regex a ^\\p{Alpha}\n",
    "[INPUT]\n    Name fluentbit_logs\n    Anything a\n",
    f"{INPUT}tag: a}}], outputs: [{{name: es, match: '*', tls: on, tls.ca_file: ''}}]}}\n",
    "[SERVICE]\n    storage.path y\n" + TAIL + "    storage.type filesystem\n",
    "[INPUT]\n    Name exec_wasi\n",
    f"{INPUT}dummy: '{{}}', memBufLimit: 5M}}]}}\n",
    f"{INPUT}processors: {{logs: [{{name: labels, insert: a b}}, {{name: grep, regex: a b}}]}}}}]}}\n",
    "multiline_parsers: [{name: m, type: regex, rules: []}]\n",
)
# Each with how the finding begins, as LINE CODE MARK, and what its text has.
REFUSED: tuple[tuple[str, str, str], ...] = (
    ("[SERVICE]\n    HTTP_Server On\n    HTTP_Port 0\n", "3 option-value !", "from 1 to 65535"),
    ("[SERVICE]\n    HTTP_Server On\n    HTTP_Port 2020x\n", "3 option-value !", "a number"),
    ("[SERVICE]\n    Coro_Stack_Size 24k\n", "2 option-value !", "at least 4096"),
    (TAIL + "    Buffer_Max_Size 16k\n", "1 option-conflict !", "at least Buffer_Chunk_Size"),
    (TAIL + "    Buffer_Chunk_Size 1M\n", "1 option-conflict !", "at least Buffer_Chunk_Size"),
    (
        TAIL_AND_FILTER + "modify\n    Add a b\n    Condition Key_Equals a b\n",
        "8 option-value !",
        "begin it with one of key_exists",
    ),
    (
        TAIL_AND_FILTER + "modify\n    Add a b\n    Condition Key_value_matches a\n",
        "8 option-value !",
        "needs 2 values",
    ),
    (TAIL + "[OUTPUT]\n    Name loki\n    Line_Format xml\n", "6 option-value !", "key_value"),
    (TAIL + "[OUTPUT]\n    Name loki\n    Labels a\n", "6 option-value !", "write a as NAME=VALUE"),
    (TAIL + "[OUTPUT]\n    Name loki\n    Label_Keys $a,b\n", "6 option-value !", "write b as $b"),
    (
        TAIL + "[OUTPUT]\n    Name es\n    Write_Operation update\n",
        "4 option-conflict !",
        "needs Id_Key",
    ),
    (
        TAIL + "[OUTPUT]\n    Name http\n    Compress none\n",
        "6 option-value !",
        "gzip, snappy, zstd",
    ),
    (
        TAIL + "[OUTPUT]\n    Name s3\n    Bucket b\n    Total_File_Size 500K\n",
        "7 option-value !",
        "at least 1M",
    ),
    (
        f"{CONDITION}rules: [{{field: $a, op: regex, value: (b}}]}}}}]}}}}]}}\n",
        "1 option-value !",
        "( is not closed",
    ),
    (f"{PROCESSOR}grep, regex: a (b}}]}}}}]}}\n", "1 option-value !", "( is not closed"),
    (f"{PROCESSOR}nest, operation: x}}]}}}}]}}\n", "1 option-value !", "use one of nest, lift"),
    (f"{PROCESSOR}record_modifier, record: a}}]}}}}]}}\n", "1 option-value !", "needs 2 values"),
    (
        f"{PROCESSOR}content_modifier, action: add, key: a}}]}}}}]}}\n",
        "1 option-value !",
        "use one of insert",
    ),
    (
        f"{PROCESSOR}content_modifier, action: hash}}]}}}}]}}\n",
        "1 missing-option !",
        "needs key",
    ),
    (
        f"{PROCESSOR}content_modifier, action: insert, key: a}}]}}}}]}}\n",
        "1 missing-option !",
        "needs value",
    ),
    (TAIL + "    net.keepalive Off\n", "4 unknown-option !", "no option net.keepalive"),
    (
        "[INPUT]\n    Name tcp\n    net.backlog 1\n    net.backlog 2\n",
        "3 option-twice !",
        "net.backlog is set 2 times",
    ),
    (f"{INPUT}tag: ''}}]}}\n", "1 option-value !", "tag is empty"),
    (
        f"{INPUT}processors: {{logs: [{{NAME: labels}}]}}}}]}}\n",
        "1 unknown-option !",
        "option NAME",
    ),
    (
        TAIL_AND_FILTER + "grep\n    Regex a b\n    Exclude c d\n    Logical_Op and\n",
        "4 option-conflict !",
        "write either Regex or Exclude",
    ),
    (
        TAIL_AND_FILTER + "record_modifier\n    Remove_key a\n    Allowlist_key b\n",
        "4 option-conflict !",
        "write either Remove_key or Allowlist_key",
    ),
    (TAIL_AND_FILTER + "modify\n    Add a b c d\n", "7 option-value !", "more than 3 values"),
    (TAIL_AND_FILTER + "modify\n    Add a b(c\n", "7 option-value !", "correct the pattern"),
    (TAIL + PARSER, "4 parser-in-main-file !", "name that in Parsers_File"),
    (TAIL + MULTILINE, "4 parser-in-main-file !", "[MULTILINE_PARSER]"),
    ("[INPUT]\n    Path x\n", "1 no-name !", "has no Name"),
    ("[INPUT]\n    Name tial\n", "2 unknown-plugin !", "did you mean tail?"),
    ("[INPUT]\n    Name tail\n", "1 missing-option !", "needs path"),
    (TAIL + "    Multiline On\n", "1 missing-option !", "needs parser_firstline"),
    (
        TAIL + "    Refresh_Intervall 5\n",
        "4 unknown-option !",
        "did you mean refresh_interval?",
    ),
    (TAIL + "    Path y\n", "3 option-twice !", "Path is set 2 times"),
    (TAIL + "    Read_From_Head yess\n", "4 option-value !", "use On or Off"),
    (TAIL + "    Mem_Buf_Limit 5Mi\n", "4 option-value !", "like 5M or 512K"),
    (TAIL + "    Mem_Buf_Limit 5 MB\n", "4 option-value !", "like 5M or 512K"),
    (TAIL + "    Refresh_Interval 0\n", "4 option-value !", "above 0"),
    (TAIL + "    Threaded 1\n", "4 option-value !", "use On or Off"),
    (TAIL + "    Log_Level verbose\n", "4 option-value !", "use one of off, error"),
    (TAIL + "    storage.type disk\n", "4 option-value !", "use one of filesystem, memory"),
    (TAIL + "    storage.type filesystem\n", "4 missing-option !", "needs a storage.path"),
    (TAIL + "    tls On\n", "4 option-value !", "tail has no TLS"),
    (
        "[INPUT]\n    Name tcp\n    net.keepaliv On\n",
        "3 unknown-option !",
        "did you mean net.keepalive?",
    ),
    (TAIL + "[FILTER]\n    Name stdout\n", "4 missing-option !", "has no Match"),
    (TAIL_AND_FILTER + "modify\n    Add a\n", "7 option-value !", "it needs 2 values"),
    (TAIL_AND_FILTER + "modify\n    Rename a\n", "7 option-value !", "it needs 2 values"),
    (TAIL_AND_FILTER + "record_modifier\n    Record a\n", "7 option-value !", "it needs 2 values"),
    (
        TAIL_AND_FILTER + "rewrite_tag\n    Rule $a ^x new\n",
        "7 option-value !",
        "it needs 4 values",
    ),
    (
        TAIL_AND_FILTER + "rewrite_tag\n    Rule $a (x new true\n",
        "7 option-value !",
        "( is not closed",
    ),
    (TAIL_AND_FILTER + "grep\n    Regex a\n", "7 option-value !", "a field and a pattern"),
    (TAIL_AND_FILTER + "grep\n    Exclude a [b\n", "7 option-value !", "correct the pattern"),
    (TAIL_AND_FILTER + "nest\n    Operation x\n", "7 option-value !", "use one of nest, lift"),
    (TAIL_AND_FILTER + "parser\n    Parser json\n", "4 missing-option !", "needs key_name"),
    (TAIL_AND_FILTER + "lua\n    Call f\n", "4 missing-option !", "needs script or code"),
    (TAIL_AND_FILTER + "multiline\n", "4 missing-option !", "needs multiline.parser"),
    (TAIL + "[OUTPUT]\n    Name s3\n", "4 missing-option !", "needs bucket"),
    ("[SERVICE]\n    Log_Level loud\n", "2 option-value !", "use one of off"),
    ("[SERVICE]\n    Flush 0\n", "2 option-value !", "above 0"),
    ("[SERVICE]\n    storage.sync x\n", "2 option-value !", "normal, full"),
    ("[INPUT]\n    Name syslog\n", "2 undefined-parser !", "syslog-rfc3164-local"),
    ("[INPUT]\n    Name tcp\n    Parser p\n", "3 undefined-parser !", "does not start"),
    (
        TAIL + "    Multiline On\n    Parser_Firstline p\n    Parser_1 q\n",
        "6 undefined-parser !",
        "does not start",
    ),
    (
        f"{INPUT}processors: {{logs: [{{name: grap}}]}}}}]}}\n",
        "1 unknown-plugin !",
        "did you mean grep?",
    ),
    (
        f"{INPUT}processors: {{logs: [{{name: grep, regx: a b}}]}}}}]}}\n",
        "1 unknown-option !",
        "did you mean regex?",
    ),
)
