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

"""Options of ``nova-ha-agent``, and the name a host goes by."""

import socket

from oslo_config import cfg

HOST_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "host",
        default=socket.gethostname(),
        sample_default="cmp1.example.org",
        help="Nova service host name of this machine, exactly as 'openstack "
        "compute service list' shows it: the same as [DEFAULT] host in "
        "nova.conf. It is never shortened.",
    ),
]

GROUP = cfg.OptGroup("agent", title="The agent on a hypervisor")

_IDENTITY_OPTS = [
    cfg.StrOpt(
        "machine_id_file",
        default="/etc/machine-id",
        help="Identifies this installation: tells two machines with the same "
        "host name apart.",
    ),
    cfg.StrOpt(
        "system_uuid_file",
        default="/sys/class/dmi/id/product_uuid",
        help="DMI system UUID, compared with what the fence device reports. "
        "A machine without one is accepted.",
    ),
    cfg.StrOpt(
        "boot_id_file",
        default="/proc/sys/kernel/random/boot_id",
        help="Identifies one boot of this machine.",
    ),
    cfg.ListOpt(
        "colocated_services",
        default=["auto"],
        help="What else runs on this machine that must not be powered off: "
        "'auto' looks for it, 'none' says that there is nothing, or a list "
        "of engine, zookeeper and controller. A host with any of them is "
        "protected: it is never fenced, and so never evacuated.",
    ),
]

_CHECK_OPTS = [
    cfg.ListOpt(
        "checks",
        default=["compute_service", "instances_path", "libvirt"],
        help="Local checks, by their names in the entry point group "
        "nova_ha.checks. While one of them fails, the host is degraded.",
    ),
    cfg.FloatOpt(
        "check_interval",
        default=5.0,
        min=0.5,
        help="Seconds between the starts of two runs of a check.",
    ),
    cfg.FloatOpt(
        "check_deadline",
        default=5.0,
        min=0.1,
        help="Seconds after which a check without an answer has failed.",
    ),
    cfg.StrOpt(
        "compute_unit",
        default="nova-compute.service",
        help="systemd unit of nova-compute; the check compute_service wants "
        "it active.",
    ),
    cfg.StrOpt(
        "compute_pid_file",
        default="",
        help="Where nova-compute is not run by systemd: file with its "
        "process id. Overrides compute_unit.",
    ),
    cfg.StrOpt(
        "instances_path",
        default="/var/lib/nova/instances",
        help="Where Nova keeps instances: [DEFAULT] instances_path in "
        "nova.conf. The check instances_path writes a small file there, and "
        "a marker proves who shares it (nova-ha-agent mark-storage).",
    ),
    cfg.StrOpt(
        "libvirt_uri",
        default="",
        sample_default="qemu:///system",
        help="How to reach libvirt. The check libvirt runs only where this is "
        "set; the guests driver libvirt takes qemu:///system if it is not.",
    ),
]

_HEARTBEAT_OPTS = [
    cfg.FloatOpt(
        "heartbeat_interval",
        default=0.0,
        min=0.0,
        max=30.0,
        help="Seconds between two storage heartbeats: a small file in "
        ".nova-ha below instances_path, by which an engine whose [evidence] "
        "drivers contain storage tells a host that is cut off from a dead "
        "one. 0: none, the default, since it is of use only on shared "
        "storage, and costs it one synchronous write a host each time.",
    ),
]

_GUEST_OPTS = [
    cfg.StrOpt(
        "guests_driver",
        default="libvirt",
        help="Who knows the guests that really run here, by its name in the "
        "entry point group nova_ha.guests: 'libvirt' (needs libvirt-python: "
        "pip install nova-ha[libvirt]) or 'command'.",
    ),
    cfg.StrOpt(
        "guests_command",
        default="",
        help="For guests_driver = command: prints the UUIDs of the guests "
        "that run here, one a line, and exits with status 0. Quoted like a "
        "shell command, but run without a shell. Any other output or status "
        "counts as not known, never as no guests.",
    ),
    cfg.FloatOpt(
        "guests_interval",
        default=5.0,
        min=0.5,
        help="Seconds between the starts of two collections. A longer one "
        "delays recoveries that have to wait for proof that a guest is not "
        "running here.",
    ),
    cfg.FloatOpt(
        "guests_deadline",
        default=5.0,
        min=0.1,
        help="Seconds after which the guests count as not known.",
    ),
]

LONGEST_GOODBYE = 3600.0
"""Seconds; as in :mod:`nova_ha.core.model`, which bounds what agents say."""

_LEAVE_OPTS = [
    cfg.FloatOpt(
        "goodbye_ttl",
        default=120.0,
        min=0.0,
        max=LONGEST_GOODBYE,
        help="Seconds for which an agent that was stopped in an orderly way "
        "is not missed: an upgrade or a restart must fit in. A host that "
        "dies within them is recovered only after them. Engines believe no "
        "agent for more than an hour: for longer work take the host into "
        "maintenance.",
    ),
    cfg.FloatOpt(
        "shutdown_ttl",
        default=300.0,
        min=0.0,
        max=LONGEST_GOODBYE,
        help="The same when the whole machine shuts down: a reboot must fit "
        "in.",
    ),
    cfg.StrOpt(
        "allow_start_file",
        default="/run/nova-ha/allow-start",
        help="An operator who creates this file lets 'nova-ha-agent "
        "wait-ready' permit the start of nova-compute without asking "
        "ZooKeeper.",
    ),
]

OPTS: list[cfg.Opt] = [
    *_IDENTITY_OPTS,
    *_CHECK_OPTS,
    *_HEARTBEAT_OPTS,
    *_GUEST_OPTS,
    *_LEAVE_OPTS,
]


def register_host_opts(conf: cfg.ConfigOpts) -> None:
    """Register ``[DEFAULT] host``, which every daemon may want."""
    conf.register_opts(HOST_OPTS)


def register_opts(conf: cfg.ConfigOpts) -> None:
    register_host_opts(conf)
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup | str, list[cfg.Opt]]]:
    return [("DEFAULT", HOST_OPTS), (GROUP, OPTS)]
