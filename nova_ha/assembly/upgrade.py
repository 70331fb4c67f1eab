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

"""From configuration to what an upgrade check looks at."""

from collections.abc import Sequence

from oslo_config import cfg

from nova_ha import clock as nova_clock
from nova_ha.assembly import operator
from nova_ha.coordination import opening
from nova_ha.coordination import paths as paths_module
from nova_ha.coordination import payloads
from nova_ha.fencing import configuration
from nova_ha.fencing import loader


def unreadable(conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> Sequence[str]:
    """What is wrong with each stored payload that this release cannot read.

    :raises ConfigError: a setting cannot be used.
    :raises CoordinationError: the tree cannot be read.
    """
    own = operator.settings(conf)
    session = opening.new_session(own, clock)
    try:
        session.start()
        paths = paths_module.Paths(own.namespace)
        return list(payloads.unreadable(session, paths))
    finally:
        session.close()


def fenced_hosts(conf: cfg.ConfigOpts) -> int:
    """How many host entries the file of fence devices has.

    :raises ConfigError: it cannot be used.
    """
    topology = configuration.load(
        conf.fencing.topology_file, loader.find_driver
    )
    return len(topology.rules)
