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

"""How to reach Nova and Placement: keystoneauth's own options and ours."""

from keystoneauth1 import loading
from oslo_config import cfg

GROUP = cfg.OptGroup("nova", title="Nova and Placement")

OPTS = [
    cfg.StrOpt(
        "region_name",
        help="Region whose Nova and Placement are used; needed where the "
        "service catalog has several.",
    ),
    cfg.StrOpt(
        "interface",
        default="internal",
        choices=["internal", "admin", "public"],
        help="Which endpoints of the service catalog are used.",
    ),
    cfg.URIOpt(
        "endpoint_override",
        schemes=["http", "https"],
        help="Nova's URL, where the one in the catalog does not suit.",
    ),
    cfg.URIOpt(
        "placement_endpoint_override",
        schemes=["http", "https"],
        help="Placement's URL, where the one in the catalog does not suit.",
    ),
    cfg.FloatOpt(
        "request_timeout",
        default=15.0,
        min=1.0,
        help="Seconds after which a request counts as unanswered; a third of "
        "it may be spent on getting a token first. A new leader waits this "
        "long before it repeats what its predecessor may have sent.",
    ),
    cfg.IntOpt(
        "page_size",
        default=500,
        min=10,
        help="Entries asked for in one request of a long list. Nova's own "
        "[api] max_limit may make pages smaller.",
    ),
]


def _session_opts() -> list[cfg.Opt]:
    """TLS options of keystoneauth; its time-out is our request_timeout."""
    return [
        opt
        for opt in loading.get_session_conf_options()
        if opt.dest in ("cafile", "certfile", "keyfile", "insecure")
    ]


def register_opts(conf: cfg.ConfigOpts) -> None:
    # A group of its own: oslo.config would share GROUP's values among all
    # that register it.
    conf.register_group(cfg.OptGroup(GROUP.name, title=GROUP.title))
    loading.register_auth_conf_options(conf, GROUP.name)
    conf.register_opts(_session_opts(), group=GROUP.name)
    conf.register_opts(OPTS, group=GROUP.name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    shown = (
        loading.get_auth_common_conf_options()
        + loading.get_auth_plugin_conf_options("password")
        + _session_opts()
        + OPTS
    )
    unique = {opt.dest: opt for opt in shown}
    return [(GROUP, list(unique.values()))]
