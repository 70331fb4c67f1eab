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

"""From Nova's configuration to the view that filters look at."""

from oslo_config import cfg

from nova_ha import clock as clock_mod
from nova_ha.assembly import view_metrics
from nova_ha.conf import scheduler
from nova_ha.coordination import settings as settings_mod
from nova_ha.coordination import view

_SECTION = f"[{scheduler.GROUP.name}] zookeeper_"


def open_view(
    conf: cfg.ConfigOpts, clock: clock_mod.Clock
) -> view.LivenessView:
    """The view of this process; nothing is opened before it is looked at.

    :param conf: Nova's, with the options of
        :mod:`nova_ha.conf.scheduler` registered.
    """

    def serve_age(opened: view.LivenessView) -> None:
        view_metrics.serve(conf, clock, lambda: opened.snapshot().age)

    return view.LivenessView(
        lambda: settings(conf),
        clock,
        window=conf[scheduler.GROUP.name].stability_window,
        started=serve_age,
    )


def settings(conf: cfg.ConfigOpts) -> settings_mod.Settings:
    """How to reach ZooKeeper, from group ``[nova_ha]``.

    :raises ConfigError: naming the option.
    """
    group = conf[scheduler.GROUP.name]
    password = group.zookeeper_password or ""
    if group.zookeeper_password_file:
        password = settings_mod.read_password(
            group.zookeeper_password_file, f"{_SECTION}password_file"
        )
    return settings_mod.Settings(
        hosts=group.zookeeper_hosts,
        namespace=group.zookeeper_namespace,
        session_timeout=group.zookeeper_session_timeout,
        username=group.zookeeper_username or "",
        password=password,
        use_ssl=group.zookeeper_use_ssl,
        ca_file=group.zookeeper_ca_file,
        cert_file=group.zookeeper_cert_file,
        key_file=group.zookeeper_key_file,
        verify=group.zookeeper_verify,
        section=_SECTION,
    )
