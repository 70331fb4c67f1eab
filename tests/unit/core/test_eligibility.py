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


from nova_ha.core import eligibility
from nova_ha.core.rules import Rules
from tests import base
from tests.unit.core import builders as make


class EligibilityTestCase(base.TestCase):
    def excluded(self, rules=None, **instance):
        return eligibility.excluded(
            make.instance(**instance), rules or Rules()
        )

    def test_all_of_them_unless_somebody_says_otherwise(self):
        self.assertEqual("", self.excluded())

    def test_a_false_mark_excludes(self):
        for words in ("False", "no", " OFF ", "0", "n", "f"):
            self.assertEqual(
                f"its metadata says HA_Enabled={words}",
                self.excluded(metadata={"HA_Enabled": words}),
            )

    def test_only_marked_ones(self):
        rules = Rules(only_marked=True, mark_image="ha")
        self.assertEqual("it is not marked", self.excluded(rules))
        for marked in (
            {"metadata": {"HA_Enabled": "True"}},
            {"flavor_specs": {"nova_ha:enabled": "yes"}},
            {"image_properties": {"ha": "1"}},
        ):
            self.assertEqual("", self.excluded(rules, **marked), marked)

    def test_the_instance_overrules_its_flavor(self):
        self.assertEqual(
            "",
            self.excluded(
                metadata={"HA_Enabled": "on"},
                flavor_specs={"nova_ha:enabled": "off"},
            ),
        )

    def test_a_mark_that_says_nothing_counts_as_none(self):
        unclear = {"metadata": {"HA_Enabled": "maybe"}}
        self.assertEqual("", self.excluded(**unclear))
        self.assertEqual(
            "it is not marked: metadata HA_Enabled=maybe says neither yes "
            "nor no",
            self.excluded(Rules(only_marked=True), **unclear),
        )

    def test_no_key_no_mark(self):
        rules = Rules(mark_metadata="", mark_flavor="")
        self.assertEqual("", self.excluded(rules, metadata={"": "no"}))

    def test_exclusions(self):
        rules = Rules(
            excluded_metadata=("role=amphora",),
            excluded_flavors=("pci_passthrough:alias",),
            excluded_images=("os_type=windows",),
            excluded_projects=("p1",),
        )
        for instance, words in (
            ({"project": "p1"}, "project p1"),
            ({"metadata": {"role": " Amphora"}}, "metadata has role"),
            (
                {"flavor_specs": {"pci_passthrough:alias": "gpu:1"}},
                "flavor has pci_passthrough:alias=gpu:1",
            ),
            ({"image_properties": {"os_type": "windows"}}, "image has"),
        ):
            self.assertIn(words, self.excluded(rules, **instance))
        for instance in (
            {"project": "p2"},
            {"metadata": {"role": "database"}},
            {"flavor_specs": {"role": "amphora"}},
        ):
            self.assertEqual("", self.excluded(rules, **instance))

    def test_an_exclusion_overrules_a_mark(self):
        rules = Rules(excluded_projects=("p1",))
        reason = self.excluded(
            rules, project="p1", metadata={"HA_Enabled": "yes"}
        )
        self.assertIn("p1", reason)

    def test_error(self):
        self.assertEqual("", self.excluded(vm_state="error"))
        rules = Rules(evacuate_error=False)
        self.assertIn("ERROR", self.excluded(rules, vm_state="error"))
        self.assertEqual("", self.excluded(rules))
