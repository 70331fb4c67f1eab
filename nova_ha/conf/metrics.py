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

"""Options of the port where an engine tells its numbers and its health."""

from oslo_config import cfg

GROUP = cfg.OptGroup("metrics", title="Metrics and health")

OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt(
        "host",
        default="127.0.0.1",
        help="Address that nova-ha-engine serves /metrics (for Prometheus) "
        "and /healthz (for HAProxy) on. There is neither encryption nor a "
        "password: keep it to the management network.",
    ),
    cfg.PortOpt(
        "port",
        default=0,
        help="TCP port for it, for instance 9798. 0: none. Two engines on one "
        "machine need one each.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
