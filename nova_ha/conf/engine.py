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

"""Options of ``nova-ha-engine``: judging and recovering."""

from oslo_config import cfg

GROUP = cfg.OptGroup("engine", title="Judging and recovering")

OPTS = [
    cfg.FloatOpt(
        "service_poll_interval",
        default=1.0,
        min=0.2,
        help="Seconds between two looks at Nova's own service reports, the "
        "second source of evidence. A longer interval delays detection.",
    ),
    cfg.FloatOpt(
        "assumed_report_gap",
        default=10.0,
        min=1.0,
        help="Seconds between two reports of a nova-compute that has not been "
        "seen to report yet: Nova's [DEFAULT] report_interval. Once reports "
        "have been seen, their largest gap counts.",
    ),
    cfg.IntOpt(
        "small_cloud",
        default=5,
        min=1,
        help="Up to this number of monitored hosts, one host at a time is "
        "fenced and recovered.",
    ),
    cfg.FloatOpt(
        "brake_fraction",
        default=0.1,
        min=0.0,
        max=1.0,
        help="In larger clouds: the fraction of the monitored hosts that may "
        "be suspect or in recovery at the same time (at least one). Above "
        "it nothing new is fenced.",
    ),
    cfg.IntOpt(
        "fence_rounds",
        default=10,
        min=1,
        help="How often all fence levels of a host are tried before only an "
        "operator's word, or the device reading off, goes on.",
    ),
    cfg.FloatOpt(
        "fence_backoff",
        default=5.0,
        min=0.1,
        help="Seconds before the second round of fencing; doubled with each "
        "further one, up to five minutes.",
    ),
    cfg.IntOpt(
        "evacuations",
        default=32,
        min=1,
        help="How many instances of one host are evacuated at the same time.",
    ),
    cfg.IntOpt(
        "evacuations_per_target",
        default=6,
        min=1,
        help="How many instances one target rebuilds at the same time.",
    ),
    cfg.IntOpt(
        "evacuation_attempts",
        default=5,
        min=1,
        help="How often an instance is tried before it is reported as failed.",
    ),
    cfg.FloatOpt(
        "evacuation_backoff",
        default=2.0,
        min=0.1,
        help="Seconds before an instance is tried again; doubled each time, "
        "up to one minute.",
    ),
    cfg.FloatOpt(
        "progress_interval",
        default=0.5,
        min=0.1,
        help="Seconds between two looks at the migration records of a "
        "recovery.",
    ),
    cfg.IntOpt(
        "soak_time",
        default=60,
        min=0,
        help="Seconds that a returned host must be healthy before it takes "
        "instances again.",
    ),
    cfg.IntOpt(
        "workers",
        default=64,
        min=4,
        help="Threads for conversations with devices, Nova and ZooKeeper.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
