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


"""The package as installed, and the pages that describe it."""

import ast
import pathlib
import re
import sys
from importlib import metadata

from nova_ha import version
from nova_ha.core import model
from tests import base

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONCEPTS = ROOT / "doc/source/concepts"
EVENTS = ROOT / "doc/source/admin/events.rst"
DISTRIBUTION = "nova-ha"

CODE = re.compile(
    r'"((?:action|case|control|device|engine|fencing|host|instance|operator)'
    r'\.[a-z_]+)"'
)


def canonical(name: str) -> str:
    """A distribution's name in its one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> set[str]:
    """Top-level names of all that the package imports."""
    found = set()
    for path in (ROOT / "nova_ha").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


class PackagingTest(base.TestCase):
    def test_every_entry_point_loads(self) -> None:
        entries = metadata.distribution(DISTRIBUTION).entry_points
        self.assertNotEqual(0, len(entries))
        for entry in entries:
            with self.subTest(entry=f"{entry.group}: {entry.name}"):
                self.assertTrue(callable(entry.load()))

    def test_every_library_in_use_is_required(self) -> None:
        lines = metadata.distribution(DISTRIBUTION).requires or []
        required = {canonical(re.split(r"[^\w.-]", line)[0]) for line in lines}
        owners = metadata.packages_distributions()
        used = {
            frozenset(map(canonical, owners.get(library, [library])))
            for library in imported() - {"nova_ha", *sys.stdlib_module_names}
        }
        self.assertEqual([], [one for one in used if not one & required])

    def test_version_is_known(self) -> None:
        self.assertRegex(version.version_string(), r"^\d+\.\d+")

    def test_style_tools_are_the_same_before_a_commit(self) -> None:
        pins = (ROOT / "tools/style-requirements.txt").read_text()
        hooks = (ROOT / ".pre-commit-config.yaml").read_text()
        for pin in re.findall(r'"(\w+==[\d.]+)"', hooks):
            self.assertIn(f"\n{pin} ", pins)


class DocumentationTest(base.TestCase):
    """The pages define every word that the product shows."""

    def defined(self, page: pathlib.Path) -> set[str]:
        """Words that have a definition of their own on a page."""
        terms = re.findall(
            r"^([a-z][a-z_., -]+)\n    \S", page.read_text(), re.MULTILINE
        )
        return {word.strip() for term in terms for word in term.split(",")}

    def test_every_state_of_a_case_is_defined(self) -> None:
        states = {state.value for state in model.CaseState}
        self.assertEqual(set(), states - self.defined(CONCEPTS / "case.rst"))

    def test_every_verdict_is_defined(self) -> None:
        kinds = {kind.value for kind in model.VerdictKind}
        self.assertEqual(
            set(), kinds - self.defined(CONCEPTS / "verdicts.rst")
        )

    def test_every_event_is_defined(self) -> None:
        codes = {
            f"case.{state.value.replace('-', '_')}"
            for state in model.CaseState
        }
        for part in ("core", "engine", "cmd"):
            for path in (ROOT / "nova_ha" / part).rglob("*.py"):
                codes |= set(CODE.findall(path.read_text()))
        self.assertEqual(set(), codes - self.defined(EVENTS))
