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

"""What a fault is told besides its targets."""

from collections.abc import Mapping

from nova_ha.sim import script
from nova_ha.sim import verb as verb_mod


class Arguments:
    """A fault's parameters, with the defaults of its verb, by type."""

    def __init__(
        self, verb: verb_mod.Verb, given: Mapping[str, script.Value]
    ) -> None:
        known = {one.name: one.default for one in verb.parameters}
        self._values = {**known, **given}

    def text(self, name: str) -> str:
        return str(self._values[name])

    def number(self, name: str) -> float:
        value = self._values[name]
        if not isinstance(value, int | float):
            raise TypeError(f"{name} is not a number")
        return float(value)

    def count(self, name: str) -> int:
        return int(self.number(name))

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values[name]
        if not isinstance(value, tuple):
            raise TypeError(f"{name} is not a list")
        return value
