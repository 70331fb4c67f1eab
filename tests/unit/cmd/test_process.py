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
import pathlib
import signal
import tempfile
import threading

from oslo_config import cfg

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

    def test_a_hangup_reloads_and_goes_on(self):
        before = signal.getsignal(signal.SIGHUP)
        reloaded, stopped = threading.Event(), threading.Event()

        def run():
            os.kill(os.getpid(), signal.SIGHUP)
            if not reloaded.wait(10):
                raise TimeoutError
            os.kill(os.getpid(), signal.SIGTERM)
            if not stopped.wait(10):
                raise TimeoutError

        process.run_until_signalled(run, stopped.set, reloaded.set)
        self.assertTrue(stopped.is_set())
        self.assertEqual(before, signal.getsignal(signal.SIGHUP))


class TestReload(base.TestCase):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory()), "x.conf"
        )
        self.conf = cfg.ConfigOpts()
        self.conf.register_opts(
            [
                cfg.BoolOpt("debug", default=False, mutable=True),
                cfg.IntOpt("soak_time", default=60),
            ]
        )
        self.file.touch()
        self.conf([], default_config_files=[str(self.file)])

    def _reload(self, text):
        self.file.write_text(text)
        with self.assertLogs(level="INFO") as logs:
            process.reload(self.conf)
        return "\n".join(logs.output)

    def test_what_can_change_does_and_what_cannot_is_named(self):
        told = self._reload("[DEFAULT]\ndebug = true\nsoak_time = 5\n")
        self.assertEqual((True, 60), (self.conf.debug, self.conf.soak_time))
        self.assertIn("in force at once: debug", told)
        self.assertIn("immutable option DEFAULT.soak_time", told)

    def test_a_file_that_cannot_be_used_changes_nothing(self):
        self.assertIn("is kept", self._reload("nonsense"))
        self.assertFalse(self.conf.debug)

    def test_a_file_that_has_gone_changes_nothing(self):
        self.file.unlink()
        with self.assertLogs(level="ERROR"):
            process.reload(self.conf)
        self.assertFalse(self.conf.debug)


class TestGuarded(base.TestCase):
    def test_status(self):
        def refuse():
            raise exception.ConfigError("[agent] host", "bad", "mend it")

        self.assertEqual(3, process.guarded(lambda: 3))
        self.assertEqual(1, process.guarded(refuse))
