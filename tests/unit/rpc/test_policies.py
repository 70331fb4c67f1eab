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

"""Who may do what."""

import inspect

from oslo_config import cfg
from oslo_policy import generator

from nova_ha import exception
from nova_ha.core import audit
from nova_ha.rpc import endpoint
from nova_ha.rpc import messages
from nova_ha.rpc import policies
from nova_ha.rpc.callers import Caller
from tests.unit.cmd import test_cli_samples as samples
from tests.unit.rpc import bus_case

ADMIN = {"roles": ["admin", "member", "reader"]}
TENANT = {"roles": ["member", "reader"], "project_id": "p", "user_id": "u"}
AUDITOR = {"roles": ["reader"], "system_scope": "all"}

RULES = [rule.name for rule in policies.list_rules()]


class RightsTest(bus_case.BusCase):
    def setUp(self):
        super().setUp()
        self.rights = policies.Rights(self.conf)

    def allowed(self, credentials):
        found = set()
        for rule in RULES:
            try:
                self.rights.demand(rule, Caller("jane", credentials))
            except exception.Forbidden:
                continue
            found.add(rule.removeprefix("nova_ha:"))
        return found

    def test_an_administrator_may_do_everything(self):
        self.assertEqual(len(RULES), len(self.allowed(ADMIN)))

    def test_a_reader_of_the_system_may_look(self):
        self.assertEqual({"reader", "read"}, self.allowed(AUDITOR))

    def test_a_user_of_a_project_may_nothing(self):
        self.assertEqual(set(), self.allowed(TENANT))
        self.assertEqual(set(), self.allowed({"roles": []}))
        self.assertEqual(set(), self.allowed({}))

    def test_a_refusal_names_the_rule_and_whom_it_refuses(self):
        error = self.assertRaises(
            exception.Forbidden,
            self.rights.demand,
            policies.ARM,
            Caller("jane@Default", TENANT),
        )
        self.assertIn("nova_ha:arm", str(error))
        self.assertIn("jane@Default", str(error))

    def test_the_file_overrides_the_defaults_without_a_restart(self):
        (self.directory / "policy.yaml").write_text(
            '"nova_ha:pause": "role:member"\n'
        )
        self.assertEqual({"pause"}, self.allowed(TENANT))

    def test_a_file_that_is_broken_later_permits_nothing(self):
        (self.directory / "policy.yaml").write_text("{ ] ")
        error = self.assertRaises(
            exception.ConfigError,
            self.rights.demand,
            policies.READ,
            Caller("jane", ADMIN),
        )
        self.assertIn("[oslo_policy] policy_file", str(error))

    def test_a_broken_file_is_an_error_at_the_start(self):
        (self.directory / "policy.yaml").write_text("{ ] ")
        self.assertRaises(exception.ConfigError, policies.Rights, self.conf)

    def test_the_file_lies_beside_the_configuration_by_default(self):
        conf = cfg.ConfigOpts()
        conf([], project="nova-ha-test", default_config_files=[])
        policies.enforcer(conf)
        self.assertEqual("policy.yaml", conf.oslo_policy.policy_file)


class RulesTest(bus_case.BusCase):
    """Which rule each method asks for."""

    SWITCHES = (
        ({"paused": True}, ["pause"]),
        ({"paused": False}, ["resume"]),
        ({"armed": True}, ["arm"]),
        ({"armed": False}, ["disarm"]),
        ({"armed": True, "paused": False}, ["arm", "resume"]),
        ({}, ["read"]),
    )

    def test_each_switch_has_its_own(self):
        for changed, rules in self.SWITCHES:
            found = policies.of_switch(messages.Switch(**changed))
            self.assertEqual([f"nova_ha:{one}" for one in rules], found)

    def test_a_deed_is_of_power_or_of_a_device(self):
        for deed in audit.Deed:
            entry = audit.Entry(host="c", deed=deed, by="x", at=samples.NOW)
            clear = deed is audit.Deed.CLEAR
            self.assertEqual(
                [policies.CLEAR if clear else policies.POWER],
                policies.of_deed(entry),
            )

    def test_no_method_of_the_interface_is_without_one(self):
        """Whoever may nothing gets nothing, whatever is asked."""
        self.enforce_nothing()
        self.serve()
        methods = [
            name
            for name, one in inspect.getmembers(
                endpoint.Endpoint, inspect.isfunction
            )
            if not name.startswith("_")
        ]
        self.assertLess(14, len(methods))
        for name in methods:
            reply = self.raw().call({}, name, body=BODIES[name])
            self.assertEqual("forbidden", reply.get("error"), name)
        self.assertEqual([], self.store.calls)
        self.assertEqual({}, self.store.trail.entries)

    def enforce_nothing(self):
        rules = "".join(f'"{name}": "!"\n' for name in RULES)
        (self.directory / "policy.yaml").write_text(rules)

    def test_every_rule_is_in_the_sample(self):
        sample = self.directory / "sample"
        conf = cfg.ConfigOpts()
        generator.generate_sample(
            ["--namespace", "nova_ha", "--output-file", str(sample)], conf
        )
        text = sample.read_text()
        for name in RULES:
            self.assertIn(f'"{name}"', text)


NOTHING = '{"v": 1}'
HOST = '{"v": 1, "host": "cmp1"}'
AT = '"at": "2026-03-01T12:00:00Z", "by": "x"'
DEED = f'{{"v": 1, "host": "cmp1", "deed": "power-off", {AT}}}'
BODIES = {
    "picture": NOTHING,
    "history": NOTHING,
    "requests": NOTHING,
    "deeds": NOTHING,
    "facts": HOST,
    "release": HOST,
    "switch": '{"v": 1, "paused": true}',
    "confirm": '{"v": 1, "host": "cmp2", "case": "c", "boot_id": "b"}',
    "request": f'{{"v": 1, "host": "cmp2", {AT}}}',
    "maintenance": '{"v": 1, "host": "cmp1", "on": true}',
    "reserve": '{"v": 1, "host": "cmp1", "on": true}',
    "domains": HOST,
    "clear": '{"v": 1, "host": "cmp1", "device": "bmc"}',
    "begin_deed": DEED,
    "end_deed": DEED,
}
