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

"""``nova-ha watch``, look by look."""

import io
import os
import signal
import unittest.mock

from nova_ha.cmd import cli
from nova_ha.cmd.commands import watch
from nova_ha.core import policy as policy_module
from tests.unit.cmd import test_cli
from tests.unit.cmd import test_cli_samples as samples

DEADLINE = 10.0


class _Terminal(io.StringIO):
    def isatty(self):
        return True


class WatchTest(test_cli.CliTest):
    """Looks at one picture after the other, then is interrupted."""

    def _watch(self, *pictures, stdout=None, arguments=("watch",)):
        looks = list(pictures)

        def look():
            answer = looks.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        def wait(stopped, seconds):
            if looks:
                return False
            os.kill(os.getpid(), signal.SIGINT)
            return stopped.wait(DEADLINE)

        self.store.picture = look
        stdout = stdout or io.StringIO()
        app = cli.NovaHa(stdout=stdout, stderr=io.StringIO())
        clock = unittest.mock.Mock()
        clock.utcnow.return_value = samples.NOW
        clock.wait = wait
        with unittest.mock.patch.object(
            cli.nova_clock, "SystemClock", return_value=clock
        ):
            status = app.run(["--config-file", str(self.conf), *arguments])
        self.assertEqual(0, status)
        return stdout.getvalue()

    def test_each_change_is_a_line(self):
        before, after = samples.picture(), samples.recovering()
        lines = self._watch(
            before, before, after, samples.UNAVAILABLE, after
        ).splitlines()
        first = [line for line in lines if "host cmp2" in line]
        self.assertEqual(
            [
                "2026-03-01T12:00:00Z host cmp2: alive (beacon)",
                "2026-03-01T12:00:00Z host cmp2: down (all-silent)",
            ],
            first,
        )
        self.assertEqual(1, sum("vm-4 retry: no room" in one for one in lines))
        self.assertIn("no answer: no connection", lines[-2])
        self.assertIn("answered again", lines[-1])

    def test_the_end_of_a_case_is_one_line(self):
        before = watch.lines(_summed(samples.recovering()))
        after = watch.lines(_summed(samples.picture()))
        changes = watch.changes(before, after)
        self.assertIn("case cmp2: over", changes)
        self.assertEqual([], [one for one in changes if "instance" in one])

    def test_a_terminal_is_drawn_anew(self):
        soaking = samples.case(state="soaking")
        text = self._watch(
            samples.recovering(),
            samples.picture(cases=[soaking]),
            stdout=_Terminal(),
            arguments=("status", "--watch"),
        )
        first, second = text.split("\x1b[H\x1b[J")[1:]
        self.assertIn("moved [######..............] 1/3", first)
        self.assertIn("vm-2 running to cmp3", first)
        self.assertIn("20/60 40 s left", second)


def _summed(pictured):
    return watch.overview_module.overview(pictured, policy_module.Policy())
