# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""JSON Schemas of the notifications, one for each code.

They are made from the catalogue of what is told, so that they cannot promise
anything else.
"""

from collections.abc import Mapping
from typing import Any

from nova_ha.core import catalogue
from nova_ha.core.catalogue import Scope
from nova_ha.notify import bus

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT = {"type": "string"}
_PERHAPS = {"type": ["string", "null"]}
_NOBODY = {"type": "null"}
_NAME = {"type": "string", "minLength": 1}

_HOST = {Scope.CLOUD: _NOBODY, Scope.HOST: _NAME, Scope.CASE: _NAME}
_CASE = {Scope.CLOUD: _NOBODY, Scope.HOST: _PERHAPS, Scope.CASE: _NAME}


def of(kind: catalogue.Kind) -> Mapping[str, Any]:
    """The schema of a payload. What it does not name is allowed: a later
    minor version may bring it."""
    properties = {
        "version": {
            "type": "string",
            "pattern": rf"^{bus.VERSION.partition('.')[0]}\.[0-9]+$",
        },
        "code": {"const": kind.code},
        "severity": {"enum": [one.value for one in kind.severities]},
        "at": {"type": "string", "format": "date-time"},
        "host": _HOST[kind.scope],
        "case": _CASE[kind.scope],
        "message": _TEXT,
        "details": _details(kind),
    }
    return {
        "$schema": DIALECT,
        "$id": f"urn:nova-ha:notification:{kind.code}:{bus.VERSION}",
        "title": bus.event_type(kind.code),
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _details(kind: catalogue.Kind) -> Mapping[str, Any]:
    names = sorted(kind.required | kind.optional)
    return {
        "type": "object",
        "properties": {name: _TEXT for name in names},
        "required": sorted(kind.required),
        "additionalProperties": _TEXT,
    }
