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

import os
import signal
import threading

from nova_ha import exception
from nova_ha.cmd import process
from tests import base


class TestRunUntilSignalled(base.TestCase):
    def test_ends_with_what_it_runs(self):
        ran = []
        process.run_until_signalled(lambda: ran.append(1), self.fail)
        self.assertEqual([1], ran)

    def test_raises_what_it_runs_raises(self):
        def run():
            raise KeyError("x")

        self.assertRaises(
            KeyError, process.run_until_signalled, run, self.fail
        )

    def test_a_signal_stops_it_and_handlers_are_put_back(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)
            stopped = threading.Event()

            def run(number=number, stopped=stopped):
                os.kill(os.getpid(), number)
                if not stopped.wait(10):
                    raise TimeoutError

            process.run_until_signalled(run, stopped.set)
            self.assertTrue(stopped.is_set())
            self.assertEqual(before, signal.getsignal(number))


class TestGuarded(base.TestCase):
    def test_status(self):
        def refuse():
            raise exception.ConfigError("[agent] host", "bad", "mend it")

        self.assertEqual(3, process.guarded(lambda: 3))
        self.assertEqual(1, process.guarded(refuse))
