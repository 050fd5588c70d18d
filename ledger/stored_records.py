"""Stored records that this version can read. One that it cannot read costs its own row: it is named and left out."""

from __future__ import annotations

import logging
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tracejury.storage import first_fault

log = logging.getLogger("tracejury.ledger")
Stored = TypeVar("Stored", bound=BaseModel)


def read_stored(kind: type[Stored], body: str, name: str) -> Stored | None:
    """Return the record in the JSON text of a row; None: it cannot be read, which the log says.

    Args:
        kind: The type of the record.
        body: The stored text.
        name: What the row is, such as `step s_12 of trace t_34`, for the log.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        log.warning("%s cannot be read and is left out (%s)", name, first_fault(error, kind.__name__))
        return None
