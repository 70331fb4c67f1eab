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

"""Every recipe for fencing.yaml is a file that can be loaded."""

import pathlib
import re
import shutil
import tempfile
import textwrap

from nova_ha.core.model import HostName
from nova_ha.fencing import configuration
from nova_ha.fencing import loader
from tests import base

PAGE = (
    pathlib.Path(__file__).parents[3]
    / "doc/source/configuration/fencing-cookbook.rst"
)
BLOCK = re.compile(r"(?m)^\.\. code-block:: yaml\n\n((?:(?: {3}.*)?\n)+)")


class RecipesTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.directory = pathlib.Path(directory)

    def load(self, text: str) -> configuration.Configuration:
        for name in re.findall(r"password_file: (\S+)", text):
            self.write(name, "secret")
        path = self.write("fencing.yaml", text)
        return configuration.load(str(path), loader.find_driver)

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def test_all_can_be_loaded(self) -> None:
        recipes = [
            textwrap.dedent(found.group(1))
            for found in BLOCK.finditer(PAGE.read_text())
        ]
        self.assertGreater(len(recipes), 5)
        for recipe in recipes:
            agents = re.findall(r"agent: (\S+)", recipe)
            if all(map(shutil.which, agents)):
                found = self.load(recipe)
                self.assertNotEqual([], list(found.rules))
                host = found.rules[0].pattern.replace("*", "compute-1")
                self.assertIsNotNone(found.rule_for(HostName(host)))
