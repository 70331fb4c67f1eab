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

"""A cloud is there when a run begins, as its script says."""

from nova_ha.core import codec
from nova_ha.core import model
from nova_ha.sim import world as world_mod
from tests import base
from tests.unit.sim import scripts

CLOUD = """
cloud:
  hosts:
    - {name: a, failure_domain: rack-1, storage_domain: pool-1}
    - {name: b, failure_domain: rack-1}
    - c
"""


class WorldTest(base.TestCase):
    def test_hosts_are_enrolled_in_their_domains(self) -> None:
        made = scripts.parse(CLOUD)
        world = world_mod.World(made.cloud, made.policy, made.seed)
        self.addCleanup(world.close)
        found = {}
        for host in made.cloud.host_names:
            path = world.parts.paths.host(model.HostName(host))
            data = world.zookeeper.read(path)
            record = codec.decode(model.HostRecord, data or b"", path)
            found[host] = (record.failure_domain, record.storage_domain)
        self.assertEqual(
            {"a": ("rack-1", "pool-1"), "b": ("rack-1", ""), "c": ("", "")},
            found,
        )
