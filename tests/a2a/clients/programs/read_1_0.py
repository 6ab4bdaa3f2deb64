"""Reads values with the types of release 1.0, and writes them again: a line of JSON each."""

import json
import sys

from a2a import types
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

for line in sys.stdin:
    asked = json.loads(line)
    try:
        read = ParseDict(asked["value"], getattr(types, asked["type"])())
        told = {"value": MessageToDict(read)}
    except ParseError as error:
        told = {"error": str(error)}
    print(json.dumps(told), flush=True)
