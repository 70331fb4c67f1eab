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

"""Options of the group ``[fencing]``."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    "fencing",
    title="Fencing",
    help="How hosts are powered off, and how that is proven.",
)

OPTS = [
    cfg.StrOpt(
        "topology_file",
        default="/etc/nova-ha/fencing.yaml",
        help="""
File that names the fence devices and the levels of each host. It holds
passwords, or names the files that do: it is refused if anybody but its owner
may read or write it. It is read again when it changes; if the new one has an
error, the old one stays in force.
""",
    ),
    cfg.FloatOpt(
        "poll_interval",
        default=0.5,
        min=0.1,
        max=10.0,
        help="""
Seconds between two questions for the power state, after a power-off command,
until the device says off.
""",
    ),
    cfg.FloatOpt(
        "call_timeout",
        default=10.0,
        min=0.1,
        max=300.0,
        help="""
Seconds that one question or command to a fence device may take. A device can
have its own (``call_timeout`` in the topology file).
""",
    ),
    cfg.IntOpt(
        "parallel",
        default=32,
        min=2,
        max=1024,
        help="""
Hosts that are fenced at the same time, and at most as many whose devices are
asked for their state. Conversations with devices have threads of their own: a
device that hangs keeps nobody from saving a case or from calling Nova.
""",
    ),
    cfg.IntOpt(
        "check_interval",
        default=4 * 3600,
        min=0,
        help="""
Seconds between two questions of the leading engine to the fence devices of a
host whether they could fence: their state, and the machine that they control.
A device that could not is an alarm before it is needed. Nothing is ever
switched. Spread over the interval; no host is asked in a storm, in maintenance
or with an open case. A host with a device that could not is asked again every
10 minutes. 0: never.
""",
    ),
    cfg.BoolOpt(
        "power_on_after_recovery",
        default=False,
        help="""
Whether a host is switched on again once all of its instances run elsewhere.
Only a host that nova_ha has switched off itself, in that very case, and that
is neither in quarantine nor in maintenance nor disabled by an operator. It is
tried once.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
