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

"""Each phase of the DevStack plugin, in a recorded environment.

With ``DEVSTACK_DIR``, a checkout of openstack/devstack, the same is run on
DevStack's own function library.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

import oslo_messaging
from oslo_config import cfg
from oslo_log import log

from nova_ha.assembly import engine as assembly
from nova_ha.assembly import notify
from nova_ha.assembly import view
from nova_ha.compute import session
from nova_ha.conf import opts
from nova_ha.conf import scheduler as scheduler_conf
from nova_ha.coordination import acl
from nova_ha.coordination import settings
from nova_ha.fencing import configuration
from nova_ha.fencing import loader
from tests import base

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]

CONTROLLER = "rabbit,key,n-api,n-sch,n-cond"
COMPUTE = "n-cpu,placement-client"

STACK = (
    "stack:pre-install",
    "stack:install",
    "stack:post-config",
    "stack:extra",
    "stack:test-config",
)

NOVA_CONF = """
[filter_scheduler]
enabled_filters = ComputeFilter,SameHostFilter
"""


class Node:
    """A machine that is stacked in a directory."""

    def __init__(
        self, directory: str, services: str, library: str = "", **variables
    ) -> None:
        self.root = pathlib.Path(directory)
        for name in ("etc", "enabled", "files/debs", "systemd", "venv/bin"):
            (self.root / name).mkdir(parents=True)
        self.nova_conf = self.root / "etc/nova.conf"
        self.nova_conf.write_text(NOVA_CONF)
        (self.root / "local.conf").touch()
        self._program("java", "exit 0")
        for name in ("nova-ha", "nova-ha-agent"):
            self._program(name, f'echo "{name} $*" >> "$SANDBOX/calls"')
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": directory,
            "SANDBOX": directory,
            "NOVA_HA_REPOSITORY": str(REPOSITORY),
            "ENABLED_SERVICES": services,
            "DEVSTACK_DIR": library,
            **variables,
        }

    def _program(self, name: str, line: str) -> None:
        path = self.root / "venv/bin" / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def run(self, *phases: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", HERE / "run-phases.sh", *phases],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def calls(self) -> list[list[str]]:
        path = self.root / "calls"
        text = path.read_text() if path.exists() else ""
        return [line.split("\t") for line in text.splitlines()]

    def called(self, name: str) -> list[list[str]]:
        """Arguments of the calls of one function."""
        return [rest for first, *rest in self.calls if first == name]

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.root))
            for part in ("etc", "systemd", "stack")
            for path in (self.root / part).rglob("*")
        }

    def conf(self, role: str) -> cfg.ConfigOpts:
        """What a process of a role reads."""
        conf = cfg.ConfigOpts()
        for module in opts.MODULES:
            module.register_opts(conf)
        log.register_options(conf)
        notify.register_opts(conf)
        conf([], default_config_files=[str(one) for one in self._files(role)])
        return conf

    def _files(self, role: str) -> list[pathlib.Path]:
        directory = self.root / "etc/nova-ha"
        return [directory / "nova-ha.conf", directory / f"{role}.conf"]

    def written(self, role: str) -> set[tuple[str, str]]:
        """Sections and names of all options that a role's files set."""
        found = set()
        for path in self._files(role):
            sections: dict[str, dict[str, list[str]]] = {}
            cfg.ConfigParser(str(path), sections).parse()
            found |= {
                (section, name)
                for section, options in sections.items()
                for name in options
            }
        return found

    def nova(self) -> cfg.ConfigOpts:
        """What nova-scheduler reads."""
        conf = cfg.ConfigOpts()
        conf.register_opts(
            [
                cfg.MultiStrOpt("available_filters"),
                cfg.ListOpt("enabled_filters"),
                cfg.ListOpt("weight_classes"),
            ],
            group="filter_scheduler",
        )
        scheduler_conf.register_opts(conf)
        conf([], default_config_files=[str(self.nova_conf)])
        return conf


class PluginTest(base.TestCase):
    """On library.sh."""

    library = ""

    def _node(self, services: str, **variables: str) -> Node:
        directory = self.enterContext(tempfile.TemporaryDirectory())
        return Node(directory, services, self.library, **variables)

    def _stacked(self, services: str, **variables: str) -> Node:
        node = self._node(services, **variables)
        done = node.run(*STACK)
        self.assertEqual(0, done.returncode, done.stderr[-2000:])
        return node

    def _order(self, node: Node) -> list[str]:
        """What was started or initialised, one after the other."""
        return [
            call[1] if call[0] == "run_process" else "zk init"
            for call in node.calls
            if call[0] == "run_process" or " zk init " in call[0]
        ]

    def _assert_known(
        self, node: Node, role: str, conf: cfg.ConfigOpts
    ) -> None:
        """nova_ha knows every option that was written."""
        for section, name in node.written(role):
            group = conf if section == "DEFAULT" else conf[section]
            self.assertIn(name, group, f"[{section}] {name}")

    def test_a_controller_gets_zookeeper_and_an_engine(self):
        node = self._stacked(CONTROLLER)
        packages = {
            name for names in node.called("install_package") for name in names
        }
        self.assertEqual(
            {"ipmitool", "default-jre-headless", "zookeeper"}, packages
        )
        self.assertEqual(
            [[str(REPOSITORY), "redfish"]], node.called("setup_develop")
        )
        self.assertEqual(
            [["nova-ha", "admin"]], node.called("create_service_user")
        )
        # DevStack itself passes over one that is not enabled: the agent.
        started = ["nova-ha-zookeeper", "zk init", "nova-ha-engine"]
        self.assertEqual(
            started, [one for one in self._order(node) if one in started]
        )

    def test_its_engine_can_use_the_configuration(self):
        node = self._stacked(CONTROLLER)
        conf = node.conf("engine")
        # Some options become known only by these.
        session.open_clients(conf, 1)
        oslo_messaging.get_notification_transport(conf)
        self._assert_known(node, "engine", conf)
        policy = assembly.policy(conf)
        self.assertEqual((0.5, 10.0), (policy.tick, policy.assumed_gap))
        self.assertEqual("engine", settings.from_conf(conf).username)
        self.assertEqual("nova-ha", conf.nova.username)
        self.assertEqual(
            ["messagingv2"], conf.oslo_messaging_notifications.driver
        )
        self.assertEqual(
            ["versioned_notifications"], conf.notifications.nova_topics
        )
        configuration.load(conf.fencing.topology_file, loader.find_driver)
        self.assertEqual(9798, conf.metrics.port)

    def test_commands_go_over_the_bus(self):
        node = self._stacked(CONTROLLER)
        engine, operator = node.conf("engine"), node.conf("operator")
        self.assertEqual(
            (True, operator.zookeeper.password_file),
            (engine.rpc.enabled, engine.rpc.zookeeper_password_file),
        )
        # Whoever has the operator's password goes to ZooKeeper itself.
        self.assertFalse(operator.rpc.enabled)
        bus = node.conf("bus")
        self.assertEqual(
            (True, engine.zookeeper.namespace),
            (bus.rpc.enabled, bus.zookeeper.namespace),
        )

    def test_without_a_bus_nothing_is_said_over_it(self):
        node = self._stacked(CONTROLLER.replace("rabbit,", ""))
        engine = node.conf("engine")
        self.assertFalse(engine.rpc.enabled)
        self.assertEqual([], engine.notifications.nova_topics)
        self.assertNotIn("etc/nova-ha/bus.conf", node.files())

    def test_disks_are_where_the_settings_say(self):
        for given, shared in (
            (None, False),
            ("shared", False),
            ("ceph", True),
        ):
            variables = {} if given is None else {"NOVA_HA_STORAGE": given}
            node = self._stacked(CONTROLLER, **variables)
            # A path that all mount is proven by the agents.
            self.assertIs(shared, node.conf("engine").evacuation.shared_disks)
        done = self._node(CONTROLLER, NOVA_HA_STORAGE="nfs").run(*STACK)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("NOVA_HA_STORAGE=nfs is none of", done.stderr)

    def test_a_shared_path_is_marked_before_the_agent_starts(self):
        for given, marked in (("local", False), ("shared", True)):
            node = self._stacked(COMPUTE, NOVA_HA_STORAGE=given)
            order = [" ".join(call) for call in node.calls]
            (agent,) = [
                index
                for index, call in enumerate(order)
                if call.startswith("run_process nova-ha-agent")
            ]
            marks = [
                index
                for index, call in enumerate(order)
                if call.endswith(" mark-storage")
            ]
            self.assertEqual(marked, bool(marks))
            self.assertTrue(all(mark < agent for mark in marks))

    def test_its_operator_can_make_the_tree(self):
        node = self._stacked(CONTROLLER)
        own = settings.from_conf(node.conf("operator"))
        passwords = {acl.Role.OPERATOR: own.password}
        for role in ("agent", "engine", "scheduler"):
            path = node.root / f"etc/nova-ha/{role}.password"
            passwords[acl.Role(role)] = settings.read_password(str(path), "")
            self.assertIn(
                f"--role-password-file {role}={path}",
                (node.root / "calls").read_text(),
            )
        self.assertEqual(set(acl.Role), set(acl.identities(passwords)))

    def test_the_scheduler_gets_filters_and_weighers(self):
        node = self._stacked(CONTROLLER)
        conf = node.nova()
        self.assertEqual(
            [
                "ComputeFilter",
                "SameHostFilter",
                "HostLivenessFilter",
                "ReservedHostFilter",
                "SharedStorageFilter",
                "FailureDomainAntiAffinityFilter",
            ],
            conf.filter_scheduler.enabled_filters,
        )
        self.assertEqual(
            [
                "nova.scheduler.weights.all_weighers",
                "nova_ha.scheduler.all_weighers",
            ],
            conf.filter_scheduler.weight_classes,
        )
        self.assertEqual(
            {
                "nova.scheduler.filters.all_filters",
                "nova_ha.scheduler.all_filters",
            },
            set(conf.filter_scheduler.available_filters),
        )
        self.assertEqual("scheduler", view.settings(conf).username)

    def test_a_compute_node_gets_an_agent_and_no_secret_but_its_own(self):
        node = self._stacked(COMPUTE)
        controller = self._stacked(CONTROLLER)
        self.assertEqual([], node.called("install_package"))
        self.assertEqual([], node.called("create_service_user"))
        self.assertNotIn("zk init", self._order(node))
        conf = node.conf("agent")
        self._assert_known(node, "agent", conf)
        self.assertEqual("192.0.2.10:2181", conf.zookeeper.hosts)
        # The controller has made the tree with the same one.
        self.assertEqual(
            settings.read_password(
                str(controller.root / "etc/nova-ha/agent.password"), ""
            ),
            settings.from_conf(conf).password,
        )
        self.assertEqual(
            {"nova-ha.conf", "agent.conf", "agent.password"},
            {path.name for path in (node.root / "etc/nova-ha").iterdir()},
        )
        self.assertNotIn("password = secret", node.nova_conf.read_text())
        self.assertIsNone(conf.nova.region_name)

    def test_each_host_is_enrolled_before_its_agent_starts(self):
        for services in (COMPUTE, f"{CONTROLLER},{COMPUTE}"):
            node = self._stacked(services)
            order = [" ".join(call) for call in node.calls]
            (enrolled,) = [one for one in order if " zk enrol " in one]
            started = [
                one
                for one in order
                if one.startswith("run_process nova-ha-agent ")
            ]
            self.assertLess(order.index(enrolled), order.index(*started))
            own = pathlib.Path(node.conf("agent").zookeeper.host_password_file)
            self.assertIn(f" {own.stem} --directory {own.parent}", enrolled)
            # For whoever enrols.
            operator = node.root / "etc/nova-ha/operator.conf"
            self.assertEqual(CONTROLLER in services, operator.exists())

    def test_the_agent_is_there_before_nova_and_gates_it(self):
        node = self._node(f"{CONTROLLER},{COMPUTE}")
        for phase in STACK[:-2]:
            self.assertEqual(0, node.run(phase).returncode)
        self.assertIn("nova-ha-agent", self._order(node))
        self.assertNotIn("nova-ha-engine", self._order(node))
        gate = (
            node.root / "systemd/devstack@n-cpu.service.d/nova-ha.conf"
        ).read_text()
        agent = next(
            call[1]
            for call in node.called("run_process")
            if call[0] == "nova-ha-agent"
        )
        self.assertIn(f"ExecStartPre=+{agent} wait-ready\n", gate)

    def test_unstack_stops_and_clean_leaves_nothing(self):
        node = self._node(f"{CONTROLLER},{COMPUTE}")
        before = node.files()
        self.assertEqual(0, node.run(*STACK).returncode)
        self.assertNotEqual(before, node.files())
        done = node.run("unstack")
        self.assertEqual(0, done.returncode, done.stderr[-2000:])
        self.assertEqual(
            [["nova-ha-engine"], ["nova-ha-agent"], ["nova-ha-zookeeper"]],
            node.called("stop_process"),
        )
        self.assertEqual([], list((node.root / "enabled").iterdir()))
        self.assertEqual([], list((node.root / "systemd").glob("*.d")))
        done = node.run("clean")
        self.assertEqual(0, done.returncode, done.stderr[-2000:])
        # DevStack's own directories, which clean.sh removes.
        self.assertEqual(
            {"stack", "stack/data"},
            node.files() - before | {"stack", "stack/data"},
        )

    def test_stacking_again_gives_the_same(self):
        node = self._stacked(CONTROLLER)
        first = sorted(node.files())
        filters = node.nova().filter_scheduler.enabled_filters
        self.assertEqual(0, node.run("unstack", *STACK).returncode)
        self.assertEqual(first, sorted(node.files()))
        self.assertEqual(filters, node.nova().filter_scheduler.enabled_filters)

    def test_another_hypervisor_is_refused_by_name(self):
        node = self._node(COMPUTE, VIRT_DRIVER="fake")
        done = node.run(*STACK)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("disable_service nova-ha-agent", done.stderr)

    def test_a_node_without_nova_is_left_alone(self):
        node = self._node("rabbit,key")
        before = node.files()
        self.assertEqual(0, node.run(*STACK, "unstack", "clean").returncode)
        self.assertEqual((before, []), (node.files(), node.calls))


@unittest.skipUnless(
    os.environ.get("DEVSTACK_DIR"), "DEVSTACK_DIR names no checkout"
)
class DevStackTest(PluginTest):
    """On DevStack's own functions."""

    library = os.environ.get("DEVSTACK_DIR", "")

    def test_local_conf_has_the_last_word(self):
        node = self._node(COMPUTE)
        (node.root / "local.conf").write_text(
            "[[post-config|$NOVA_HA_CONF]]\n[zookeeper]\nhosts = zk9:2181\n"
        )
        done = node.run(*STACK)
        self.assertEqual(0, done.returncode, done.stderr[-2000:])
        self.assertEqual("zk9:2181", node.conf("agent").zookeeper.hosts)

    def test_units_are_written_and_enabled(self):
        node = self._stacked(CONTROLLER)
        unit = node.root / "systemd/devstack@nova-ha-engine.service"
        self.assertIn("nova-ha-engine --config-file", unit.read_text())
        self.assertTrue((node.root / "enabled" / unit.name).exists())
