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

"""All options, for ``oslo-config-generator`` and the documentation."""

from oslo_config import cfg

from nova_ha.conf import agent
from nova_ha.conf import engine
from nova_ha.conf import evacuation
from nova_ha.conf import evidence
from nova_ha.conf import fencing
from nova_ha.conf import metrics
from nova_ha.conf import notifications
from nova_ha.conf import nova
from nova_ha.conf import rpc
from nova_ha.conf import zookeeper

MODULES = (
    agent,
    engine,
    evacuation,
    evidence,
    fencing,
    metrics,
    notifications,
    nova,
    rpc,
    zookeeper,
)


def list_opts() -> list[tuple[cfg.OptGroup | str | None, list[cfg.Opt]]]:
    return [entry for module in MODULES for entry in module.list_opts()]
