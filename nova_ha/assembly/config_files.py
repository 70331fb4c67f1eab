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

"""What can be said of configuration files by reading them."""

import enum
import functools
import pathlib
import stat
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

from oslo_config import cfg

from nova_ha.conf import opts
from nova_ha.core.model import record

_OPTIONS = "oslo.config.opts"
_OWNERS = ("oslo.log", "oslo.messaging", "oslo.policy")
"""Whose options, by entry points, nova-ha.conf holds beside our own."""

_LIBRARIES = "oslo_"
"""Groups of libraries register options as their drivers are loaded."""

_INVALID = " is not valid: "
"""What oslo.config says before the reason."""

_NAMES = "names of options"
_VALUES = "values of options"
_ACCESS = "access to files"


class Grade(enum.StrEnum):
    """What a check has come to."""

    OK = "ok"
    WARNING = "warning"
    """It works, and not as well as it could."""
    ERROR = "error"
    """An engine or agent would not start, or would not do its work."""


@record
class Finding:
    """One thing that was looked at."""

    check: str
    grade: Grade
    detail: str


def good(check: str, detail: str) -> Finding:
    return Finding(check=check, grade=Grade.OK, detail=detail)


def doubtful(check: str, detail: str) -> Finding:
    return Finding(check=check, grade=Grade.WARNING, detail=detail)


def bad(check: str, detail: str) -> Finding:
    return Finding(check=check, grade=Grade.ERROR, detail=detail)


def used(conf: cfg.ConfigOpts) -> list[pathlib.Path]:
    """The files that were read, in their order."""
    files = [pathlib.Path(one) for one in conf.config_file or ()]
    for directory in conf.config_dir or ():
        files += sorted(pathlib.Path(directory).glob("*.conf"))
    return files


def values(conf: cfg.ConfigOpts) -> Iterator[Finding]:
    """Each option of ours has a value of its kind.

    oslo.config tells only when an option is asked for: a daemon, perhaps, in
    the middle of a recovery.
    """
    broken = 0
    for group, options in opts.list_opts():
        values = conf if str(group) == "DEFAULT" else conf[str(group)]
        for option in options:
            try:
                # Those of a kind of credentials may not be registered.
                values.get(option.dest)
            except cfg.NoSuchOptError:
                continue
            except (cfg.Error, ValueError) as error:
                broken += 1
                reason = str(error).rpartition(_INVALID)[2]
                yield bad(_VALUES, f"[{group}] {option.dest}: {reason}")
    if not broken:
        yield good(_VALUES, "all are of their kind and within their range")


def names(
    conf: cfg.ConfigOpts,
    files: Iterable[pathlib.Path],
    passed_over: Iterable[str] = (),
) -> Iterator[Finding]:
    """Each option in the files is one: what is misspelt has no effect.

    :param passed_over: groups whose options are not all known yet.
    """
    strange = 0
    for path in files:
        for group, options in _sections(path).items():
            if group.startswith(_LIBRARIES) or group in passed_over:
                continue
            for name in options:
                if not _is_known(conf, group, name):
                    strange += 1
                    yield doubtful(
                        _NAMES,
                        f"{path}: there is no option [{group}] {name}; it has "
                        "no effect",
                    )
    if not strange:
        yield good(_NAMES, "all are known")


def access(files: Iterable[pathlib.Path]) -> Iterator[Finding]:
    """No file with a secret can be read by everybody."""
    exposed = 0
    for path in files:
        secrets = _secrets(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if secrets and mode & stat.S_IRWXO:
            exposed += 1
            yield doubtful(
                _ACCESS,
                f"{path} holds {', '.join(secrets)}, and its mode is "
                f"{mode:o}: chmod o= {path}",
            )
    if not exposed:
        yield good(_ACCESS, "no secret is open to everybody")


def _secrets(path: pathlib.Path) -> list[str]:
    return [
        f"[{group}] {name}"
        for group, options in _sections(path).items()
        for name in options
        if name in _listed().get(group, {}) and _listed()[group][name].secret
    ]


def _sections(path: pathlib.Path) -> dict[str, set[str]]:
    """Names of the options of each group, as they are written."""
    found: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(str(path), found).parse()
    return {
        group: {name.replace("-", "_") for name in options}
        for group, options in found.items()
    }


def _is_known(conf: cfg.ConfigOpts, group: str, name: str) -> bool:
    if name in _listed().get(group, {}):
        return True
    return group in conf and group != "DEFAULT" and name in conf[group]


@functools.cache
def _listed() -> Mapping[str, Mapping[str, cfg.Opt]]:
    """All options that can be in the files, by group and name."""
    known: dict[str, dict[str, cfg.Opt]] = {}
    for group, options in [*opts.list_opts(), *_of_libraries()]:
        of_group = known.setdefault(str(group or "DEFAULT"), {})
        for option in options:
            of_group[option.dest] = option
            for old in option.deprecated_opts:
                of_group[(old.name or option.dest).replace("-", "_")] = option
    return known


def _of_libraries() -> Iterator[tuple[object, list[cfg.Opt]]]:
    for entry in metadata.entry_points(group=_OPTIONS):
        if entry.name in _OWNERS:
            yield from entry.load()()
