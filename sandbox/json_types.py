"""The one name for JSON objects as they stand on the wire."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
