"""How many unknown names a JSON object or a query may have before it is refused as a whole.

pydantic makes an error for each of them: 14 MiB of unknown names took 21 s and 2 GB.
"""

from __future__ import annotations

from itertools import islice

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

MAX_UNKNOWN_NAMES = 50


def with_few_unknown_names(model: type[BaseModel], given: object) -> object:
    """`given` as it is. Raises PydanticCustomError for an object with more unknown names than MAX_UNKNOWN_NAMES."""
    if not isinstance(given, dict):
        return given
    unknown = (name for name in given if name not in model.model_fields)
    if len(list(islice(unknown, MAX_UNKNOWN_NAMES + 1))) > MAX_UNKNOWN_NAMES:
        raise PydanticCustomError(
            "too_many_unknown_names", "More than {most} names are unknown.", {"most": MAX_UNKNOWN_NAMES}
        )
    return given
