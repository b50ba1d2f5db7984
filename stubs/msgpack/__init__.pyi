from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

class ExtType(NamedTuple):
    code: int
    data: bytes

class Unpacker:
    def __init__(
        self, file_like: BinaryIO, *, raw: bool, strict_map_key: bool, max_buffer_size: int
    ) -> None: ...
    def __iter__(self) -> Iterator[list[object]]: ...
