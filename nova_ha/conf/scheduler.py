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

"""Options of the filters and weighers that run inside nova-scheduler.

They belong into *nova.conf*: the scheduler reads no other file.
"""

from oslo_config import cfg

GROUP = cfg.OptGroup("nova_ha", title="Filters and weighers of nova_ha")

_ZOOKEEPER_OPTS = [
    cfg.StrOpt(
        "zookeeper_hosts",
        default="127.0.0.1:2181",
        help="Where the ensemble listens: host:port, separated by commas.",
    ),
    cfg.StrOpt(
        "zookeeper_namespace",
        default="default",
        help="Name of this region's tree, /nova-ha/<namespace>; the same as "
        "[zookeeper] namespace of the engines and agents.",
    ),
    cfg.FloatOpt(
        "zookeeper_session_timeout",
        default=10.0,
        min=1.0,
        help="Seconds after which the scheduler's own session ends without "
        "contact. Nothing depends on it but its connection.",
    ),
    cfg.StrOpt(
        "zookeeper_username",
        default="scheduler",
        help="The role of this process; it may read the tree and no more.",
    ),
    cfg.StrOpt(
        "zookeeper_password",
        secret=True,
        help="Password of the role. Prefer zookeeper_password_file.",
    ),
    cfg.StrOpt(
        "zookeeper_password_file",
        help="File that holds the password of the role and nothing else. It "
        "must not be readable for everybody.",
    ),
    cfg.BoolOpt(
        "zookeeper_use_ssl",
        default=False,
        help="Talk TLS to the ensemble.",
    ),
    cfg.StrOpt(
        "zookeeper_ca_file",
        help="Certificate authority (PEM) that the servers' certificates are "
        "checked against; the system's own if unset.",
    ),
    cfg.StrOpt(
        "zookeeper_cert_file", help="Certificate (PEM) of this client."
    ),
    cfg.StrOpt(
        "zookeeper_key_file",
        help="Private key (PEM) of zookeeper_cert_file.",
    ),
    cfg.BoolOpt(
        "zookeeper_verify",
        default=True,
        help="Check the servers' certificates, and that they are for the "
        "names in zookeeper_hosts. Turn it off for experiments only.",
    ),
]

_DOMAIN_OPTS = [
    cfg.StrOpt(
        "failure_domain_aggregate_key",
        default="",
        help="Metadata key of host aggregates whose values are the failure "
        "domains, for example rack; all aggregates with the same value are "
        "one domain, and a host may be in several. Where it is empty, the "
        "failure domain of a host is what `nova-ha host domains` has set.",
    ),
    cfg.IntOpt(
        "failure_domain_max_members",
        default=1,
        min=1,
        help="How many members of a server group with the policy "
        "anti-affinity FailureDomainAntiAffinityFilter lets into one failure "
        "domain. Too small a number for the domains that there are makes "
        "requests fail, evacuations too.",
    ),
]

_WEIGHER_OPTS = [
    cfg.FloatOpt(
        "stability_weight_multiplier",
        default=1.0,
        help="Multiplier of StabilityWeigher, which prefers hosts that have "
        "not failed lately. Negative: it shuns them. Aggregate metadata of "
        "the same name overrides it for the aggregate's hosts.",
    ),
    cfg.FloatOpt(
        "stability_window",
        default=7 * 24 * 3600.0,
        min=60.0,
        help="Seconds after which a host's death, or the loss of its agent, "
        "no longer makes it less stable. Until then it counts less and "
        "less.",
    ),
    cfg.FloatOpt(
        "failure_domain_weight_multiplier",
        default=1.0,
        help="Multiplier of FailureDomainWeigher, which prefers failure "
        "domains with fewer members of the server group, for the policies "
        "anti-affinity and soft-anti-affinity. Aggregate metadata of the "
        "same name overrides it for the aggregate's hosts.",
    ),
    cfg.FloatOpt(
        "evacuation_spread_weight_multiplier",
        default=1.0,
        help="Multiplier of EvacuationSpreadWeigher, which prefers hosts "
        "that fewer instances are being evacuated to. Aggregate metadata of "
        "the same name overrides it for the aggregate's hosts.",
    ),
]

_METRICS_OPTS = [
    cfg.HostAddressOpt(
        "metrics_host",
        default="127.0.0.1",
        help="Address that each worker of nova-scheduler serves the age of "
        "its view of the hosts on, as a metric for Prometheus. There is "
        "neither encryption nor a password: keep it to the management "
        "network.",
    ),
    cfg.PortOpt(
        "metrics_port",
        default=0,
        help="TCP port for it. The first worker takes this one, each further "
        "one the next that is free: keep as many free as there are workers. "
        "0: none.",
    ),
]

OPTS = [
    *_ZOOKEEPER_OPTS,
    *_DOMAIN_OPTS,
    *_WEIGHER_OPTS,
    *_METRICS_OPTS,
    cfg.FloatOpt(
        "max_view_age",
        default=30.0,
        min=1.0,
        help="Seconds for which the filters go on using what they know of "
        "the hosts while ZooKeeper is away. After that, fail_closed "
        "decides.",
    ),
    cfg.BoolOpt(
        "fail_closed",
        default=False,
        help="What the filters do while nothing is known of the hosts, in "
        "the first moments of a scheduler too: true rejects all hosts, and "
        "so all requests; false passes all of them, as if nova_ha were not "
        "there.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    # A group of its own: oslo.config would share GROUP's values among all
    # that register it.
    conf.register_group(cfg.OptGroup(GROUP.name, title=GROUP.title))
    conf.register_opts(OPTS, group=GROUP.name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
