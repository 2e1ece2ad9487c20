"""Turns JSON back into values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import CodecError

from . import json_text
from .dict_keys import TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tagged import TaggedType

__all__ = ["Decoder", "decode_plain", "may_hold_tags"]

_plain = json_text.decoder()

# Finding the place of an error takes some fifty times as long as reading.
_LONGEST_SEARCHED: Final = 100_000


def may_hold_tags(data: bytes) -> bool:
    """Return whether any object in ``data`` can have the reserved key, escaped or not."""
    return b'"~"' in data or b"\\u007" in data


def decode_plain(data: bytes) -> Any:
    """Decode a document without tagged values."""
    return json_text.unpack(data, _plain)


class Decoder:
    """Decodes tagged values of the ``kinds`` that a ``message``, job or reply, may contain."""

    def __init__(self, kinds: Mapping[str, TaggedType], message: str) -> None:
        self._kinds = kinds
        self._message = message

    def decode(self, data: bytes) -> Any:
        """Return the value that ``data`` stands for."""
        try:
            # Keeping the reader would form a cycle, which keeps a client's connections open.
            return json_text.unpack(data, json_text.decoder(self._object))
        except CodecError as error:
            if len(data) > _LONGEST_SEARCHED:
                raise
            raise CodecError(f"{error} (at {self._place(data)})") from None

    def _object(self, pairs: list[tuple[str, Any]]) -> Any:
        value = dict(pairs)
        if TAG not in value:
            return value
        if len(pairs) != 1:
            raise CodecError(f"an object with the reserved key {TAG!r} has other keys too")
        return self._tagged(value[TAG])

    def _tagged(self, content: Any) -> Any:
        if type(content) is not list or not content or type(content[0]) is not str:
            raise CodecError("a tagged value is not a list that begins with its tag")
        tag, *fields = content
        kind = self._kinds.get(tag)
        if kind is None:
            raise CodecError(f"unknown tag {tag!r:.40} in a {self._message}")
        wrong = kind.wrong_field(fields)
        if wrong is not None:
            raise CodecError(wrong)
        return _call(kind, fields)

    def _place(self, data: bytes) -> str:
        # The JSON reader does not know its position, so walk the failed document again.
        steps: list[str] = []
        try:
            self._rebuild(decode_plain(data), steps)
        except CodecError:
            return "$" + "".join(steps)
        return "an object with a repeated key"

    def _rebuild(self, tree: Any, steps: list[str]) -> Any:
        if type(tree) is list:
            return [self._step(f"[{i}]", item, steps) for i, item in enumerate(tree)]
        if type(tree) is not dict:
            return tree
        # Keys may be a sheet's headings, so show their positions instead.
        return self._object(
            [
                (key, self._step(TAG if key == TAG else f"{{{i}}}", item, steps))
                for i, (key, item) in enumerate(tree.items())
            ]
        )

    def _step(self, step: str, tree: Any, steps: list[str]) -> Any:
        steps.append(step)
        value = self._rebuild(tree, steps)
        steps.pop()
        return value


def _call(kind: TaggedType, fields: list[Any]) -> Any:
    try:
        return kind.decode(*fields)
    except CodecError as error:
        raise CodecError(f"tag {kind.tag!r}: {error}") from None
    except Exception as error:  # noqa: BLE001 - its text may quote a cell, so drop it
        raise CodecError(f"tag {kind.tag!r}: {type(error).__name__} while decoding") from None
