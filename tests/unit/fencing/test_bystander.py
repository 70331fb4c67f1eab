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

"""Real programs of a shell, and a stranger's beside them."""

import os
import signal
import subprocess

from nova_ha.fencing import bystander
from tests import base


def _shell(script: str) -> str:
    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        check=True,
        text=True,
        start_new_session=True,
    )
    return done.stdout


class CommandLinesTest(base.TestCase):
    def _seen(self, script: str) -> set[str]:
        return bystander.command_lines_during(lambda: _shell(script))

    def test_what_is_started_by_what_was_started(self) -> None:
        seen = self._seen("sh -c 'sleep 0.3125; true'; true")
        self.assertIn("sleep\x000.3125\x00", seen)

    def test_what_outlives_its_parent(self) -> None:
        # The outer shell waits for the pipe, which the orphan holds too.
        seen = self._seen("(sh -c 'sleep 0.2; sleep 0.3125; true' &) | cat")
        self.assertIn("sleep\x000.3125\x00", seen)

    def test_nothing_of_others(self) -> None:
        # In a session of its own, and left alone by its parent.
        script = "setsid sleep 61.25 >/dev/null 2>&1 & echo $!"
        stranger = int(_shell(script))
        self.addCleanup(os.kill, stranger, signal.SIGKILL)
        seen = self._seen("sleep 0.3125; true")
        self.assertIn("sleep\x000.3125\x00", seen)
        self.assertNotIn("sleep\x0061.25\x00", seen)
