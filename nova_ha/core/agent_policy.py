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

"""When: every number that an agent acts by, in one place."""

from nova_ha.core.model import record


@record
class AgentPolicy:
    """The frozen settings of one run of an agent, all in seconds.

    The defaults are those of :mod:`nova_ha.conf`.
    """

    touch_interval: float = 1.0
    """i: the session is touched this often."""
    check_interval: float = 5.0
    check_deadline: float = 5.0
    guests_interval: float = 5.0
    guests_deadline: float = 5.0
    roles_interval: float = 10.0
    """How often to look what else runs on this machine."""
    goodbye_ttl: float = 120.0
    """How long a stopped agent is not missed."""
    shutdown_ttl: float = 300.0
    """The same when the whole machine shuts down."""
