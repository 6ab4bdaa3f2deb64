"""The HTTP API's description, made from the table of its routes."""

from __future__ import annotations

import json
from importlib.metadata import version

import yaml

from codetether_adapters.http import document, encode_json
from codetether_adapters.http.resources import shapes
from codetether_adapters.json_schema import Schemas
from tests.http.conformance import table

__all__ = ["description", "task"]


def description() -> str:
    """``contracts/http/openapi.yaml``: what ``/openapi.json`` serves, in its order."""
    served = json.loads(encode_json(document(table(), version=version("codetether-hub"))))
    return yaml.dump(served, Dumper=_Plain, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)


def task() -> str:
    """``contracts/events/task.schema.json``: a task, as answers and offers have it."""
    schemas = Schemas()
    schemas.of(shapes.Task)
    known = {name: schema for name, schema in sorted(schemas.components.items()) if name != "Task"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:codetether:events:task"}
    made = json.dumps({**head, "title": "Task", **schemas.components["Task"], "$defs": known}, indent=2)
    return made.replace("#/components/schemas/", "#/$defs/") + "\n"


class _Plain(yaml.SafeDumper):
    """Without anchors: what occurs twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True
