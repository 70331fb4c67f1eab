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
        "be suspect, in recovery or lately switched off at the same time (at "
        "least one). Above it nothing new is fenced.",
    ),
    cfg.FloatOpt(
        "brake_window",
        default=60.0,
        min=0.0,
        help="Seconds for which a host that nova_ha has switched off counts "
        "for the brake, even if it has been recovered by then. Longer than "
        "it takes to detect a death, so that hosts which fail one after the "
        "other are seen together; hosts of one failure domain that fall "
        "silent within it of each other fell silent at once.",
    ),
    cfg.FloatOpt(
        "storm_cooldown",
        default=60.0,
        min=0.0,
        help="Seconds of quiet after a storm before anything new is fenced, "
        "unless it reads off: agents and nova-compute need a while to come "
        "back after a network does.",
    ),
    cfg.IntOpt(
        "flap_count",
        default=3,
        min=0,
        max=20,
        help="How many deaths of a host within flap_window put it into "
        "quarantine: it gets no instances and is not fenced by itself again. "
        "0: none do.",
    ),
    cfg.FloatOpt(
        "flap_window",
        default=3600.0,
        min=1.0,
        help="Seconds within which the deaths of a host are counted.",
    ),
    cfg.FloatOpt(
        "quarantine_time",
        default=86400.0,
        min=0.0,
        help="Seconds of health, as seen by one leader without a break, that "
        "end a quarantine. 0: only an operator does (nova-ha host release).",
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
        help="How many instances of one host are evacuated at the same time. "
        "At most 12 of them wait for Nova to find them their place; the "
        "others are being rebuilt by their targets.",
    ),
    cfg.IntOpt(
        "evacuations_per_target",
        default=3,
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
        help="Threads for conversations with Nova and ZooKeeper. Those with "
        "fence devices have their own: [fencing] parallel.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
