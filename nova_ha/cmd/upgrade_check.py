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

"""``nova-ha-status upgrade check``: is everything ready for this release?"""

import logging
import os
import sys
from collections.abc import Callable, Sequence

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_ha import clock as nova_clock
from nova_ha import exception
from nova_ha.assembly import operator
from nova_ha.assembly import tree
from nova_ha.assembly import upgrade
from nova_ha.cmd import cli
from nova_ha.cmd import process
from nova_ha.conf import fencing as fencing_conf
from nova_ha.conf import zookeeper as zookeeper_conf
from nova_ha.scheduler import report

PROGRAM = "nova-ha-status"

NOVA_CONF = "/etc/nova/nova.conf"

_CLI_OPTS = [
    cfg.MultiStrOpt(
        "nova-config",
        metavar="FILE",
        default=[],
        help="A nova.conf of nova-scheduler; may be repeated, the last one "
        f"wins. Default: the --config-file that were given, and {NOVA_CONF}.",
    ),
]

_MORE_THAN = 5
"""Unreadable payloads that are named; the others are counted."""


class Checks(upgradecheck.UpgradeCommands):
    """What ``upgrade check`` runs, in this order."""

    def __init__(self, conf: cfg.ConfigOpts, clock: nova_clock.Clock) -> None:
        self._conf = conf
        self._clock = clock

    def scheduler(self) -> upgradecheck.Result:
        """Settings of nova.conf that Nova no longer takes."""
        known = self._conf.nova_config or _existing(NOVA_CONF)
        files = self._conf.nova_config or [*self._conf.config_file, *known]
        try:
            findings = list(report.examine(report.read(files)))
        except (cfg.Error, UnicodeDecodeError) as error:
            return _failure(str(error))
        if any(one.weight is report.Weight.SERIOUS for one in findings):
            return _failure(_sentences([one.text for one in findings]))
        if findings:
            return _warning(_sentences([one.text for one in findings]))
        if not known:
            return _warning(
                f"no {NOVA_CONF} on this machine, and so not checked: name "
                "that of nova-scheduler with --nova-config"
            )
        return upgradecheck.Result(upgradecheck.Code.SUCCESS)

    def tree(self) -> upgradecheck.Result:
        """Every node that this release needs, closed to others."""

        def check() -> upgradecheck.Result:
            tree.check_tree(self._conf, self._clock)
            return upgradecheck.Result(upgradecheck.Code.SUCCESS)

        return self._as_operator(check)

    def payloads(self) -> upgradecheck.Result:
        """What is stored can be read."""

        def check() -> upgradecheck.Result:
            problems = upgrade.unreadable(self._conf, self._clock)
            if not problems:
                return upgradecheck.Result(upgradecheck.Code.SUCCESS)
            named = list(problems[:_MORE_THAN])
            if len(problems) > len(named):
                named.append(f"and {len(problems) - len(named)} more")
            return _failure(_sentences(named))

        return self._as_operator(check)

    def _as_operator(
        self, check: Callable[[], upgradecheck.Result]
    ) -> upgradecheck.Result:
        """Run a check, if this machine has the operator's credentials."""
        try:
            operator.settings(self._conf)
        except exception.ConfigError as error:
            return _warning(f"not checked: {error}")
        return _judged(check)

    def fencing(self) -> upgradecheck.Result:
        """The file of fence devices can be used."""

        def check() -> upgradecheck.Result:
            path = self._conf.fencing.topology_file
            if not os.path.exists(path):
                return _warning(
                    f"no {path} on this machine, and so not checked: run "
                    "this where nova-ha-engine runs"
                )
            if upgrade.fenced_hosts(self._conf):
                return upgradecheck.Result(upgradecheck.Code.SUCCESS)
            return _warning(f"{path} names no hosts: none can be fenced")

        return _judged(check)

    _upgrade_checks = (
        ("Settings of nova-scheduler", scheduler),
        ("Tree in ZooKeeper", tree),
        ("What is stored in ZooKeeper", payloads),
        ("Fence devices", fencing),
    )


def _judged(
    check: Callable[[], upgradecheck.Result],
) -> upgradecheck.Result:
    """A check's result, its errors too."""
    try:
        return check()
    except exception.CoordinationUnavailable as error:
        return _warning(f"not checked: {error}")
    except (exception.NovaHaError, cfg.Error) as error:
        return _failure(str(error))


def _warning(text: str) -> upgradecheck.Result:
    return upgradecheck.Result(upgradecheck.Code.WARNING, text)


def _failure(text: str) -> upgradecheck.Result:
    return upgradecheck.Result(upgradecheck.Code.FAILURE, text)


def _sentences(texts: Sequence[str]) -> str:
    # The table folds its lines, and would swallow our own breaks.
    return "; ".join(texts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks; the status is the worst result's, 255 for an error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    conf = cfg.ConfigOpts()
    for module in (zookeeper_conf, fencing_conf):
        module.register_opts(conf)
    conf.register_cli_opts(_CLI_OPTS)
    # A session that does not come about is told of by the check itself.
    logging.getLogger("nova_ha").setLevel(logging.CRITICAL)
    try:
        return int(
            upgradecheck.main(
                conf,
                process.PROJECT,
                Checks(conf, nova_clock.SystemClock()),
                given or ["--help"],
                cli.default_files(),
            )
        )
    except cfg.Error as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 255


def _existing(path: str) -> list[str]:
    return [path] if os.path.exists(path) else []


if __name__ == "__main__":
    sys.exit(main())
