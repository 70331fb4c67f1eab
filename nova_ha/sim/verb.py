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

"""What a verb of a fault script is: whom it hits, what it can be told."""

import enum

from nova_ha.core.model import record
from nova_ha.sim import script


class Target(enum.StrEnum):
    """Whom a verb hits."""

    NOTHING = "-"
    HOST = "host"
    ENGINE = "engine"
    NODE = "host or engine"
    INSTANCE = "instance"


class Kind(enum.StrEnum):
    """Type of a parameter."""

    SECONDS = "seconds"
    NUMBER = "a number"
    COUNT = "a whole number"
    TEXT = "text"
    TEXTS = "a list"
    FLAG = "true or false"
    HOST = "a host"
    ZNODE = "a node"


@record
class Parameter:
    """Something that a verb can be told besides its target."""

    name: str
    kind: Kind
    help: str
    default: script.Value | None = None
    """None: it has to be given."""
    choices: tuple[str, ...] = ()


@record
class Verb:
    """One kind of trouble."""

    name: str
    target: Target
    help: str
    """One sentence, as documentation and ``nova-ha simulate faults`` show
    it."""
    parameters: tuple[Parameter, ...] = ()
    ends: bool = False
    """Whether ``for`` can undo it."""
    told: bool = True
    """The world's own journal entries tell of it; if not, the trace shows
    that it was done."""

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)


def describe(parameter: Parameter) -> str:
    """A parameter in one line."""
    text = f"{parameter.name}: {parameter.help}"
    if parameter.choices:
        text += f" ({', '.join(parameter.choices)})"
    default = parameter.default
    if default is None:
        return f"{text}; needed"
    if isinstance(default, float):
        return f"{text}; {default:g} unless said" if default > 0.0 else text
    return f"{text}; {default} unless said" if default else text
