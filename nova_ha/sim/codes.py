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

"""The journal's codes, as scripts name them."""

from nova_ha.fencing import document
from nova_ha.sim import fields

GROUPS = (
    "action",
    "agent",
    "bmc",
    "case",
    "compute",
    "control",
    "device",
    "engine",
    "fault",
    "fencing",
    "guest",
    "host",
    "instance",
    "machine",
    "nova",
    "operator",
    "storm",
    "zookeeper",
)
"""What a code begins with, before its dot."""


def read(item: document.Item) -> str:
    """A code, in a script.

    :raises ConfigError: nothing has a code like that.
    """
    code = fields.text(item)
    fields.one_of(item, code.partition(".")[0], GROUPS, "group of codes")
    return code
