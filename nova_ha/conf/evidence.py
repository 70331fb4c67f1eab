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

"""Options of ``nova-ha-engine``: what beside the beacon tells of a host."""

from oslo_config import cfg

GROUP = cfg.OptGroup("evidence", title="Evidence of life beside the beacon")

OPTS = [
    cfg.ListOpt(
        "drivers",
        default=["nova"],
        help="Sources of evidence, by their names in the entry point group "
        "nova_ha.evidence. 'nova': Nova's own service reports, required. "
        "'storage': heartbeats that agents write on the shared instances "
        "path, see [agent] heartbeat_interval; needs storage_path.",
    ),
    cfg.StrOpt(
        "storage_path",
        default="",
        sample_default="/var/lib/nova/instances",
        help="For the driver storage: where Nova's shared instances path is "
        "mounted on this machine. It is only read.",
    ),
    cfg.FloatOpt(
        "interval",
        default=2.0,
        min=0.5,
        max=4.0,
        help="Seconds between two looks of the driver storage, each of which "
        "opens one small file for each host.",
    ),
    cfg.StrOpt(
        "isolated",
        default="wait",
        choices=[
            ("wait", "raise an alarm and keep new instances away"),
            ("fence", "fence it like a dead host"),
        ],
        help="What to do with a host whose agent and nova-compute are silent "
        "while another source shows that it lives. It is cut off from the "
        "management network, and its guests run and write.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
