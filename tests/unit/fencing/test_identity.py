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


import uuid

from nova_ha.fencing import identity
from tests import base


class SameSystemTest(base.TestCase):
    def test_any_order_of_bytes_is_the_same_system(self) -> None:
        ours = uuid.UUID("a1234567-89ab-4def-a123-456789abcdef")
        for reported in (
            str(ours),
            str(ours).upper(),
            ours.hex,
            str(uuid.UUID(bytes=ours.bytes_le)),
            str(uuid.UUID(bytes=ours.bytes[::-1])),
        ):
            self.assertIs(True, identity.same_system(str(ours), reported))

    def test_another_system(self) -> None:
        one, two = str(uuid.uuid4()), str(uuid.uuid4())
        self.assertIs(False, identity.same_system(one, two))

    def test_placeholders_say_nothing(self) -> None:
        for nothing in ("", "none", "0" * 32, "f" * 32, "Not Settable"):
            for pair in ((nothing, nothing), (nothing, str(uuid.uuid4()))):
                self.assertIsNone(identity.same_system(*pair))
