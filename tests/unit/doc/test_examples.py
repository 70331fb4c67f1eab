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

"""The examples of the contributor's guide work as they are printed."""

import importlib.util
import pathlib
import subprocess
import types
from unittest import mock

from nova.scheduler import filters

from nova_ha import ports
from tests import base

EXAMPLES = (
    pathlib.Path(__file__).parents[3] / "doc/source/contributor/examples"
)


def load(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(
        name, EXAMPLES / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class DrainingFilterTest(base.TestCase):
    def passes(self, **metadata):
        aggregate = mock.Mock(metadata=metadata)
        host = mock.Mock(aggregates=[aggregate])
        return load("draining").DrainingFilter().host_passes(host, mock.Mock())

    def test_is_one_of_novas(self):
        self.assertIsInstance(
            load("draining").DrainingFilter(), filters.BaseHostFilter
        )

    def test_keeps_off_what_is_drained(self):
        self.assertFalse(self.passes(draining="true"))
        self.assertTrue(self.passes(draining="false"))
        self.assertTrue(self.passes())


class ClockCheckTest(base.TestCase):
    def result(self, **answer):
        module = load("clock_check")
        check = module.ClockCheck.from_settings(
            {"check_deadline": 5.0}, mock.Mock()
        )
        self.assertIsInstance(check, ports.Check)
        with mock.patch.object(module.subprocess, "run", **answer):
            return check.run()

    def test_tells_what_systemd_says(self):
        yes = mock.Mock(stdout="yes\n")
        self.assertTrue(self.result(return_value=yes).ok)
        no = mock.Mock(stdout="no\n")
        self.assertIn("not synchronized", self.result(return_value=no).detail)

    def test_fails_where_nobody_answers(self):
        hung = subprocess.TimeoutExpired("timedatectl", 5.0)
        for error in (FileNotFoundError("timedatectl"), hung):
            result = self.result(side_effect=error)
            self.assertFalse(result.ok)
            self.assertIn("does not tell", result.detail)
