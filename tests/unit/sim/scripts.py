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

"""Scripts for tests, from text."""

import textwrap

from nova_ha.fencing import document
from nova_ha.sim import script
from nova_ha.sim import script_file

CLOUD = "cloud: {hosts: 3, instances: 4}\n"


def parse(text: str) -> script.Script:
    """A script, as if it stood in the file ``x.yaml``."""
    item = document.parse(textwrap.dedent(text), "x.yaml")
    return script_file.parse(item, "x")


def faults(text: str) -> tuple[script.Fault, ...]:
    """The faults of a small cloud's script, each line a mapping."""
    lines = [f"- {{{line.strip()}}}\n" for line in text.strip().splitlines()]
    return parse(f"{CLOUD}faults:\n{''.join(lines)}").faults
