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
"""What is read from Nova's RequestSpec."""

from nova.objects import request_spec

from nova_ha.scheduler import domains
from nova_ha.scheduler import selection
from nova_ha.scheduler import spec
from tests import base as tests_base
from tests.unit.scheduler import base
from tests.unit.scheduler.base import INSTANCE
from tests.unit.scheduler.base import MEMBER
from tests.unit.scheduler.base import OTHER


class SpecTest(tests_base.TestCase):
    def test_nothing_is_set(self) -> None:
        empty = request_spec.RequestSpec()
        self.assertEqual("", spec.instance(empty))
        self.assertIsNone(spec.move(empty))
        self.assertIsNone(spec.group(empty))

    def test_a_boot_is_no_move(self) -> None:
        for fields in ({"ignore_hosts": None}, {"ignore_hosts": []}):
            self.assertIsNone(spec.move(base.spec(**fields)))

    def test_moves(self) -> None:
        self.assertEqual(
            selection.Move(INSTANCE, ("a", "b"), named=False),
            spec.move(base.leaving("a", "b")),
        )

    def test_a_named_destination(self) -> None:
        for destination, named in (
            (None, False),
            (request_spec.Destination(), False),
            (request_spec.Destination(host="c"), True),
        ):
            asked = base.leaving("a", requested_destination=destination)
            found = spec.move(asked)
            assert found is not None
            self.assertIs(named, found.named)

    def test_groups(self) -> None:
        asked = base.leaving("a", "b", instance_group=base.group("a", "c"))
        self.assertEqual(
            domains.Group(
                policy="anti-affinity",
                members=frozenset([INSTANCE, MEMBER, OTHER]),
                hosts=frozenset(["a", "c"]),
                instance=INSTANCE,
                source="a",
            ),
            spec.group(asked),
        )

    def test_no_group(self) -> None:
        self.assertIsNone(spec.group(base.spec(instance_group=None)))
