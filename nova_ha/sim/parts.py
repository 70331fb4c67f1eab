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

"""Everything that is modelled: what engines act upon, and checkers look at."""

import dataclasses
from collections.abc import Mapping, Sequence

from nova_ha.coordination import paths as paths_mod
from nova_ha.core import policy as policy_mod
from nova_ha.sim import devices
from nova_ha.sim import journal as journal_mod
from nova_ha.sim import kernel as kernel_mod
from nova_ha.sim import machines
from nova_ha.sim import network
from nova_ha.sim import nova as nova_mod
from nova_ha.sim import shared_storage
from nova_ha.sim import zookeeper


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """The cloud without its engines, as it really is."""

    kernel: kernel_mod.Kernel
    journal: journal_mod.Journal
    networks: network.Networks
    zookeeper: zookeeper.Ensemble
    paths: paths_mod.Paths
    nova: nova_mod.Nova
    machines: Mapping[str, machines.Machine]
    bmcs: Mapping[str, Sequence[devices.Bmc]]
    """By host, one a fence level; none where no device is configured."""
    policy: policy_mod.Policy
    share: shared_storage.Share | None = None
    """Where agents write storage heartbeats; None: they write none."""
