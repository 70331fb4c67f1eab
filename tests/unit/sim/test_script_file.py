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

"""Scripts as operators write them, and what they get wrong."""

import pathlib
import tempfile

from nova_ha import exception
from nova_ha.core import policy
from nova_ha.sim import script
from nova_ha.sim import script_file
from tests import base
from tests.unit.sim import scripts

FULL = """
cloud:
  hosts:
  - {name: a, failure_domain: r1, storage_domain: s1, marker: m1, drift: 0.001}
  - {name: b, bmc: {mode: slow, delay: 3, dead_with_host: true}}
  - {name: c, bmc: none, colocated: [engine], boot_seconds: 1m, room: 3}
  instances: {a: 2, b: 1}
  engines: [{name: e1}, {name: e2, drift: -0.001}]
  zookeeper: {members: 5, tick: 2}
  armed: false
policy: {soak_time: 5, reminder: 100, service_poll_interval: 2}
minutes: 2.5
seed: 7
allow: undetectable
faults:
- {at: 1m30s, crash: [a, b]}
- {at: 90, freeze: e1, for: 20s}
- {when: case.evacuating, of: a, count: 2, after: 0.5, kill: e1}
- {when: {code: case.fenced, after: 1}, reboot: a, after: 7}
- {at: 0, rebuilds: , outcomes: [failed, done]}
- {at: 0, cut: a, from: zookeeper}
expect:
- {host: a, case: closed}
- {host: c, case: none}
- {instance: instance-1, on: b}
- {instance: instance-2, not_on: [a, c]}
- {code: case.opened, of: a, min: 2}
- {code: case.fenced, times: 1}
- {code: case.held, max: 3}
- {fenced: [a, b]}
"""


class ReadTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.made = scripts.parse(FULL)

    def test_the_cloud(self) -> None:
        cloud = self.made.cloud
        a, b, c = cloud.hosts
        self.assertEqual(("r1", "s1", "m1", 0.001), a_domains(a))
        self.assertEqual(script.BmcSpec(), a.bmc)
        wanted = script.BmcSpec(mode="slow", delay=3.0, dead_with_host=True)
        self.assertEqual(wanted, b.bmc)
        self.assertIsNone(c.bmc)
        self.assertEqual((("engine",), 60.0), (c.colocated, c.boot_seconds))
        self.assertEqual((64, 3), (b.room, c.room))
        self.assertEqual(
            ["a", "a", "b"], [instance.host for instance in cloud.instances]
        )
        self.assertEqual(("e1", "e2"), cloud.engine_names)
        self.assertEqual(-0.001, cloud.engines[1].drift)
        self.assertEqual(
            script.ZooKeeperSpec(members=5, tick=2.0), cloud.zookeeper
        )
        self.assertFalse(cloud.armed)

    def test_the_run(self) -> None:
        self.assertEqual(
            (150.0, 7, ("undetectable",)),
            (self.made.seconds, self.made.seed, self.made.allow),
        )
        self.assertEqual(5.0, self.made.policy.soak_time)
        self.assertEqual(100.0, self.made.policy.reminder)
        self.assertEqual(2.0, self.made.cloud.intervals.service_poll)

    def test_the_faults(self) -> None:
        crash, freeze, kill, reboot, rebuilds, cut = self.made.faults
        self.assertEqual((90.0, ("a", "b")), (crash.at, crash.targets))
        self.assertEqual((90.0, 20.0), (freeze.at, freeze.lasts))
        trigger = script.Trigger(
            code="case.evacuating", of="a", count=2, after=0.5
        )
        self.assertEqual(trigger, kill.when)
        self.assertEqual(
            script.Trigger(code="case.fenced", after=1.0), reboot.when
        )
        self.assertEqual({"after": 7.0}, reboot.parameters)
        self.assertEqual({"outcomes": ("failed", "done")}, rebuilds.parameters)
        self.assertEqual({"from": "zookeeper"}, cut.parameters)

    def test_a_key_beside_when_is_the_verbs_own_first(self) -> None:
        (fault,) = scripts.faults(
            "when: case.fenced, reboot: host-1, after: 7"
        )
        self.assertEqual({"after": 7.0}, fault.parameters)
        self.assertEqual(script.Trigger(code="case.fenced"), fault.when)

    def test_the_expectations(self) -> None:
        told = [
            (one.code, one.of, one.least, one.most)
            for one in self.made.expect
            if isinstance(one, script.ExpectCode)
        ]
        self.assertEqual(
            [
                ("case.opened", "a", 2, None),
                ("case.fenced", "", 1, 1),
                ("case.held", "", 0, 3),
            ],
            told,
        )
        fenced = self.made.expect[-1]
        self.assertIsInstance(fenced, script.ExpectFenced)

    def test_hardly_anything_has_to_be_said(self) -> None:
        made = scripts.parse("cloud: {hosts: 2, instances: 3}")
        self.assertEqual(("host-1", "host-2"), made.cloud.host_names)
        self.assertEqual(
            [
                ("instance-1", "host-1"),
                ("instance-2", "host-2"),
                ("instance-3", "host-1"),
            ],
            [(one.name, one.host) for one in made.cloud.instances],
        )
        self.assertEqual(("engine-1", "engine-2"), made.cloud.engine_names)
        self.assertEqual(script.SECONDS, made.seconds)
        self.assertEqual(policy.Policy(), made.policy)

    def test_fence_levels(self) -> None:
        made = scripts.parse(
            "cloud: {hosts: [{name: a, bmc: [{mode: dead}, {delay: 2}]}, b]}"
        )
        a, b = made.cloud.hosts
        levels = (script.BmcSpec(mode="dead"), script.BmcSpec(delay=2.0))
        self.assertEqual(levels, a.levels)
        self.assertEqual((script.BmcSpec(),), b.levels)
        self.assertEqual((), script.HostSpec(name="c", bmc=None).levels)

    def test_storage_heartbeats(self) -> None:
        made = scripts.parse("cloud: {hosts: 1, heartbeats: true}")
        self.assertTrue(made.cloud.heartbeats)
        self.assertEqual(4.0, made.policy.patience)
        for also in ("", ", heartbeats: false"):
            made = scripts.parse(
                f"cloud: {{hosts: 1{also}}}\n"
                "policy: {drivers: [nova, storage]}"
            )
            self.assertEqual(not also, made.cloud.heartbeats)
        self.assertFalse(scripts.parse(scripts.CLOUD).cloud.heartbeats)

    def test_the_ensembles_tick_is_the_one_that_is_believed(self) -> None:
        made = scripts.parse("cloud: {hosts: 1}\npolicy: {tick: 2}")
        self.assertEqual(2.0, made.cloud.zookeeper.tick)


def a_domains(host: script.HostSpec) -> tuple[str, str, str, float]:
    return host.failure_domain, host.storage_domain, host.marker, host.drift


class MistakeTest(base.TestCase):
    """Each is named with its line and its key, and how to mend it."""

    def _refused(self, text: str, *words: str) -> None:
        error = self.assertRaises(exception.ConfigError, scripts.parse, text)
        for word in words:
            self.assertIn(word, str(error))

    def _fault_refused(self, fault: str, *words: str) -> None:
        text = f"{scripts.CLOUD}faults:\n- {{{fault}}}\n"
        self._refused(text, "x.yaml:3", *words)

    def test_in_the_whole(self) -> None:
        self._refused("faults: []", "x.yaml:1", "cloud is missing")
        self._refused("cloud: {hosts: 1}\nminute: 1", "x.yaml:2: minute")
        self._refused("cloud: {hosts: 1}\nminutes: 0", "more than 0")
        self._refused("cloud: {hosts: 1}\nallow: all", "undetectable")
        self._refused("- 1", "x.yaml:1", "mapping")
        self._refused("cloud: {hosts: 1}\ncloud: 1", "second time")
        self._refused("cloud: [", "not valid YAML")

    def test_in_the_cloud(self) -> None:
        self._refused("cloud: {hosts: 0}", "cloud.hosts", "at least 1")
        self._refused("cloud: {hosts: []}", "at least one host")
        self._refused("cloud: {hosts: 1, host: 2}", "cloud.host:", "known")
        self._refused("cloud: {hosts: [a, a]}", "a is there twice")
        self._refused(
            "cloud: {hosts: [{name: a, bmc: {mode: lazy}}]}",
            "cloud.hosts.0.bmc.mode",
            "lies-off",
        )
        self._refused(
            "cloud: {hosts: [{name: a, bmc: {controls: b}}]}", "'b' is no host"
        )
        self._refused(
            "cloud: {hosts: [{name: a, bmc: []}]}",
            "cloud.hosts.0.bmc",
            "at least one level",
        )
        self._refused(
            "cloud: {hosts: [{name: a, bmc: [{}, {controls: b}]}]}",
            "'b' is no host",
        )
        self._refused("cloud: {hosts: 1, instances: {a: 1}}", "'a' is no host")

    def test_in_the_policy(self) -> None:
        self._refused("cloud: {hosts: 1}\npolicy: {sok: 1}", "policy.sok")
        self._refused(
            "cloud: {hosts: 1}\npolicy: {soak_time: long}", "policy.soak_time"
        )
        self._refused(
            "cloud: {hosts: 1}\npolicy: {reminder: long}", "policy.reminder"
        )
        self._refused(
            "cloud: {hosts: 1}\npolicy: {session_timeout: 2}", "touch_interval"
        )

    def test_in_a_faults_moment(self) -> None:
        self._fault_refused("crash: host-1", "'at' or 'when'")
        self._fault_refused("at: soon, crash: host-1", "no duration", "1m30s")
        self._fault_refused("at: -1, crash: host-1", "between 0 and")
        self._fault_refused("at: 1, crash: host-1, for: 3", "has no end")
        self._fault_refused("when: case, crash: host-1, of: 1, x: 2", ".x:")
        self._fault_refused("when: kase.x, crash: host-1", "group of codes")
        self._fault_refused(
            "when: {code: case.x, on: 1}, crash: host-1", "when.on"
        )

    def test_in_a_faults_verb(self) -> None:
        self._fault_refused("at: 1", "no verb")
        self._fault_refused("at: 1, crush: host-1", "crush is no verb; crash?")
        self._fault_refused(
            "at: 1, crash: host-1, freeze: host-1", "several things"
        )
        self._fault_refused("at: 1, crash: ", "needs a host")
        self._fault_refused("at: 1, crash: host-9", "'host-9' is no host")
        self._fault_refused("at: 1, kill: host-1", "'host-1' is no engine")
        self._fault_refused("at: 1, arm: host-1", "takes no target")

    def test_in_a_faults_parameters(self) -> None:
        self._fault_refused("at: 1, slow-nova: ", "slow-nova needs seconds")
        self._fault_refused("at: 1, crash: host-1, mode: x", "mode", "known")
        self._fault_refused("at: 1, bmc: host-1, mode: lazy", "lies-off")
        self._fault_refused(
            "at: 1, live-migrate: instance-1, to: x", "'x' is no to"
        )
        self._fault_refused("at: 1, lose-answers: , count: 0", "at least 1")

    def test_in_the_path_of_a_node(self) -> None:
        for verb in ("write-znode:", "forge-znode: host-1"):
            self._fault_refused(
                f"at: 1, {verb}, path: hosts/host-1/beacon, data: x",
                "path: nova_ha keeps nothing at 'hosts/host-1/beacon'",
                "agents/*/*",
            )

    def test_in_an_expectation(self) -> None:
        for text, word in (
            ("{hoast: a}", "begin it with one of"),
            ("{host: host-1}", "case is missing"),
            ("{host: host-1, case: shut}", "'shut' is no state"),
            ("{instance: instance-1}", "'on' or 'not_on'"),
            ("{instance: instance-9, on: host-1}", "no instance"),
            ("{fenced: host-9}", "no host"),
            ("{code: case.fenced, time: 1}", "time"),
        ):
            self._refused(f"{scripts.CLOUD}expect:\n- {text}\n", word, ":3")


class FilesTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )

    def _write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    def test_a_scenario_is_called_by_its_folder(self) -> None:
        file = self._write("one/script.yaml", scripts.CLOUD)
        for path in (file, str(self.folder / "one")):
            self.assertEqual("one", script_file.load(path).name)
        other = self._write("two.yaml", scripts.CLOUD)
        self.assertEqual("two", script_file.load(other).name)

    def test_all_scenarios_of_a_folder_are_found_in_order(self) -> None:
        files = [
            self._write(f"{name}/script.yaml", scripts.CLOUD)
            for name in ("b", "a")
        ]
        found = list(script_file.find([str(self.folder), "other.yaml"]))
        self.assertEqual([files[1], files[0], "other.yaml"], found)

    def test_a_folder_without_any_is_a_mistake(self) -> None:
        paths = [str(self.folder)]
        error = self.assertRaises(
            exception.ConfigError, lambda: list(script_file.find(paths))
        )
        self.assertIn("script.yaml", str(error))

    def test_what_cannot_be_read_is_named(self) -> None:
        missing = str(self.folder / "missing.yaml")
        error = self.assertRaises(
            exception.ConfigError, script_file.load, missing
        )
        self.assertIn(missing, str(error))

    def test_other_settings_and_another_seed(self) -> None:
        file = self._write("a.yaml", FULL)
        conf = "[engine]\nsoak_time = 33\n[zookeeper]\npassword = x\n"
        for policy_file in (
            self._write("policy.yaml", "soak_time: 33"),
            self._write("nova-ha.conf", conf),
        ):
            made = script_file.load(file, policy_file, 99)
            self.assertEqual(33.0, made.policy.soak_time)
            self.assertEqual(99, made.seed)
            # Nothing of the script's own policy is left.
            self.assertEqual(1.0, made.cloud.intervals.service_poll)
