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

"""Reads a script's second part: what goes wrong, and when."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping

from nova_ha.coordination import acl
from nova_ha.fencing import document
from nova_ha.sim import codes
from nova_ha.sim import fields
from nova_ha.sim import script
from nova_ha.sim import verbs
from nova_ha.sim.verb import Kind
from nova_ha.sim.verb import Parameter
from nova_ha.sim.verb import Target
from nova_ha.sim.verb import Verb

_OWN = ("at", "when", "for")
_HINT = "'nova-ha simulate faults' lists the verbs"


def read(
    item: document.Item | None, cloud: script.Cloud
) -> Iterator[script.Fault]:
    """:raises ConfigError: there is a mistake in one of them."""
    if item is not None:
        for one in item.sequence():
            yield _fault(one, cloud)


def _fault(item: document.Item, cloud: script.Cloud) -> script.Fault:
    given = fields.Fields(item)
    at, when, lasts = map(given.take, _OWN)
    verb, target = _verb(given)
    if (at is None) == (when is None):
        raise item.place.error(
            "needs either 'at' or 'when'", "'at: 30' is after 30 seconds"
        )
    if lasts is not None and not verb.ends:
        raise lasts.place.error(
            f"{verb.name} has no end", "leave it out, or undo it by hand"
        )
    made = script.Fault(
        verb=verb.name,
        targets=_targets(verb, target, cloud),
        at=0.0 if at is None else fields.seconds(at),
        when=None if when is None else _trigger(when, given, verb),
        lasts=None if lasts is None else fields.seconds(lasts),
        parameters=_parameters(verb, given, cloud),
        line=item.place.line,
    )
    given.finish()
    return made


def _verb(given: fields.Fields) -> tuple[Verb, document.Item]:
    """The one key that is a verb, and what it is done to."""
    found = [key for key in given.left() if key in verbs.VERBS]
    if len(found) != 1:
        raise given.item.place.error(_not_one(given, found), _HINT)
    target = given.needed(found[0])
    return verbs.VERBS[found[0]], target


def _not_one(given: fields.Fields, found: list[str]) -> str:
    if found:
        return f"does several things at once: {', '.join(found)}"
    for key in given.left():
        close = difflib.get_close_matches(key, verbs.VERBS, 1)
        if close:
            return f"{key} is no verb; {close[0]}?"
    return "does nothing: no verb among its keys"


def _targets(
    verb: Verb, item: document.Item, cloud: script.Cloud
) -> tuple[str, ...]:
    targets = fields.texts(item)
    if verb.target is Target.NOTHING:
        if targets:
            raise item.place.error("takes no target", f"write '{verb.name}:'")
        return ()
    if not targets:
        raise item.place.error(f"needs a {verb.target.value}, or several")
    known = _known(verb.target, cloud)
    for target in targets:
        fields.one_of(item, target, known, verb.target.value)
    return targets


def _known(target: Target, cloud: script.Cloud) -> tuple[str, ...]:
    if target is Target.HOST:
        return cloud.host_names
    if target is Target.ENGINE:
        return cloud.engine_names
    if target is Target.NODE:
        return cloud.host_names + cloud.engine_names
    return cloud.instance_names


def _trigger(
    item: document.Item, fault: fields.Fields, verb: Verb
) -> script.Trigger:
    """``when`` as a mapping; or as a code, whose other keys stand beside it
    unless the verb has parameters of that name."""
    if isinstance(item.value, dict):
        given = fields.Fields(item)
        made = _moment(given, given.needed("code"), ("of", "count", "after"))
        given.finish()
        return made
    beside = [k for k in ("of", "count", "after") if not verb.parameter(k)]
    return _moment(fault, item, beside)


def _moment(
    given: fields.Fields, code: document.Item, keys: Collection[str]
) -> script.Trigger:
    return script.Trigger(
        code=codes.read(code),
        of=given.text("of") if "of" in keys else "",
        count=given.count("count", 1, least=1) if "count" in keys else 1,
        after=given.seconds("after", 0.0) if "after" in keys else 0.0,
    )


# -- parameters --------------------------------------------------------------


def _parameters(
    verb: Verb, given: fields.Fields, cloud: script.Cloud
) -> dict[str, script.Value]:
    found: dict[str, script.Value] = {}
    for parameter in verb.parameters:
        item = given.take(parameter.name)
        if item is not None:
            found[parameter.name] = _value(parameter, item, cloud)
        elif parameter.default is None:
            raise given.item.place.error(
                f"{verb.name} needs {parameter.name}: {parameter.help}"
            )
    return found


def _value(
    parameter: Parameter, item: document.Item, cloud: script.Cloud
) -> script.Value:
    value = _READERS[parameter.kind](item)
    known = parameter.choices
    if parameter.kind is Kind.HOST:
        known = cloud.host_names
    if known:
        for one in value if isinstance(value, tuple) else (value,):
            fields.one_of(item, str(one), known, parameter.name)
    return value


def _znode(item: document.Item) -> str:
    """A path below the tree's root, without a slash before it."""
    path = fields.text(item).lstrip("/")
    try:
        acl.place_of("", f"/{path}")
    except ValueError:
        known = sorted(place for place in acl.GRANTS if place)
        raise item.place.error(
            f"nova_ha keeps nothing at {path!r}",
            f"any of: {', '.join(known)}",
        ) from None
    return path


_READERS: Mapping[Kind, Callable[[document.Item], script.Value]] = {
    Kind.SECONDS: fields.seconds,
    Kind.NUMBER: fields.number,
    Kind.COUNT: lambda item: float(fields.count(item, least=1)),
    Kind.TEXT: fields.text,
    Kind.TEXTS: fields.texts,
    Kind.FLAG: fields.flag,
    Kind.HOST: fields.text,
    Kind.ZNODE: _znode,
}
