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

"""Workers that are forked as nova-scheduler forks them, each with a view of
its own on a real ZooKeeper: what ``make bench-scheduler`` measures, in small.
"""

from benchmarks import expiry
from tests import base

SOON = 5.0
"""Seconds; other tests run meanwhile. The figure is the benchmark's."""


class WorkersTest(base.TestCase):
    def test_every_worker_avoids_lost_hosts_and_no_other(self) -> None:
        found = expiry.measure(hosts=24, workers=3, single=3)
        self.assertLess(found.worst, SOON)
        self.assertLess(found.rack, SOON)
