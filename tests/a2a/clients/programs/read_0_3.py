"""Reads values with the types of release 0.3, and writes them again: a line of JSON each."""

import json
import sys

from a2a import types
from pydantic import ValidationError

for line in sys.stdin:
    asked = json.loads(line)
    try:
        read = getattr(types, asked["type"]).model_validate(asked["value"])
        told = {"value": read.model_dump(mode="json", by_alias=True, exclude_none=True)}
    except ValidationError as error:
        told = {"error": str(error)}
    print(json.dumps(told), flush=True)
