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

"""Options for ZooKeeper, of every process but the scheduler's filters."""

from oslo_config import cfg

GROUP = cfg.OptGroup("zookeeper", title="Coordination by ZooKeeper")

OPTS = [
    cfg.StrOpt(
        "hosts",
        default="127.0.0.1:2181",
        help="Where the ensemble listens: host:port, separated by commas; "
        "behind the last one an optional path that everything lies below.",
    ),
    cfg.StrOpt(
        "namespace",
        default="default",
        help="Name of this region's tree, /nova-ha/<namespace>. One Nova "
        "region, one namespace.",
    ),
    cfg.FloatOpt(
        "session_timeout",
        default=10.0,
        min=1.0,
        help="Seconds without contact after which ZooKeeper ends the session "
        "of an agent (T): the largest part of the time it takes to detect "
        "a failure. The ensemble grants between 2 and 20 of its ticks; the "
        "granted value is what counts. The same on all hosts.",
    ),
    cfg.FloatOpt(
        "tick",
        default=0.5,
        min=0.05,
        help="The ensemble's tickTime, in seconds: a session ends between T "
        "and T + tick. Keep the two equal. 0.5 is recommended; a longer "
        "tick delays detection.",
    ),
    cfg.FloatOpt(
        "touch_interval",
        default=1.0,
        min=0.1,
        help="Seconds between two touches of an agent's session (i). The "
        "same on all hosts.",
    ),
    cfg.FloatOpt(
        "connect_timeout",
        default=15.0,
        min=0.5,
        help="Seconds that a command waits for a connection before it gives "
        "up. Agents and engines go on trying.",
    ),
    cfg.StrOpt(
        "username",
        help="The role of this process: engine, agent, scheduler or "
        "operator. ZooKeeper grants each of them what it needs and no more.",
    ),
    cfg.StrOpt(
        "password",
        secret=True,
        help="Password of the role. Prefer password_file.",
    ),
    cfg.StrOpt(
        "password_file",
        help="File that holds the password of the role and nothing else. It "
        "must not be readable for everybody.",
    ),
    cfg.StrOpt(
        "host_password_file",
        help="Agents only: file that holds the password of this host's own "
        "credential, as 'nova-ha zk enrol' has written it. With it the agent "
        "writes what it says of this host; with that of its role it only "
        "reads. It must not be readable for everybody.",
    ),
    cfg.BoolOpt(
        "use_ssl",
        default=False,
        help="Talk TLS to the ensemble. Without it passwords and all that is "
        "written cross the network in clear text.",
    ),
    cfg.StrOpt(
        "ca_file",
        help="Certificate authority (PEM) that the servers' certificates are "
        "checked against; the system's own if unset.",
    ),
    cfg.StrOpt("cert_file", help="Certificate (PEM) of this client."),
    cfg.StrOpt("key_file", help="Private key (PEM) of cert_file."),
    cfg.BoolOpt(
        "verify",
        default=True,
        help="Check the servers' certificates, and that they are for the "
        "names in hosts. Turn it off for experiments only.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTS)]
