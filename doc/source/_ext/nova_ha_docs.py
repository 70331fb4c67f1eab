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


"""Sphinx directives that show what the code holds as data.

``transition-diagram`` and ``transition-table`` come from
``nova_ha.core.transitions.TRANSITIONS``, ``reason-table`` from
``nova_ha.core.verdict.EXPLAIN``, ``fence-parameters`` from a driver,
``fault-verbs`` and ``trace-words`` from the simulator: the documentation
cannot fall behind them.
"""

import shutil
from collections.abc import Iterable, Sequence

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.ext import graphviz

from nova_ha.core import transitions
from nova_ha.core import verdict
from nova_ha.fencing import loader
from nova_ha.fencing import parameters
from nova_ha.sim import trace
from nova_ha.sim import verb as verb_mod
from nova_ha.sim import verbs


def _table(
    titles: Sequence[str],
    widths: Sequence[int],
    rows: Iterable[Sequence[nodes.Node]],
) -> nodes.table:
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=width) for width in widths]
    head = [nodes.Text(title) for title in titles]
    group += nodes.thead("", _row(head))
    body = nodes.tbody()
    body += [_row(row) for row in rows]
    group += body
    return nodes.table("", group)


def _row(cells: Iterable[nodes.Node]) -> nodes.row:
    entries = [nodes.entry("", nodes.paragraph("", "", c)) for c in cells]
    return nodes.row("", *entries)


def _sentence(text: str) -> nodes.Text:
    text = text[:1].upper() + text[1:]
    return nodes.Text(text if text.endswith(".") else f"{text}.")


def _literal(text: str) -> nodes.literal:
    return nodes.literal(text, text)


class TransitionTable(Directive):
    """Every change of a case's state, with the reason for it."""

    def run(self) -> list[nodes.Node]:
        rows = (
            (_literal(before.value), _literal(after.value), _sentence(why))
            for (before, after), why in transitions.TRANSITIONS.items()
        )
        return [_table(("From", "To", "Because"), (15, 15, 70), rows)]


class TransitionDiagram(Directive):
    """The same, drawn. Left out where Graphviz is not installed."""

    def run(self) -> list[nodes.Node]:
        if shutil.which("dot") is None:
            return []
        edges = (
            f'"{before.value}" -> "{after.value}";'
            for before, after in transitions.TRANSITIONS
        )
        node = graphviz.graphviz()
        node["code"] = (
            "digraph recovery {\n"
            "node [shape=box, style=rounded, fontname=sans, fontsize=10];\n"
            + "\n".join(edges)
            + "\n}"
        )
        node["options"] = {}
        node["alt"] = "States of a recovery case; the table lists the same."
        return [node]


class ReasonTable(Directive):
    """The reason of each verdict, as operators read it."""

    def run(self) -> list[nodes.Node]:
        rows = (
            (_literal(reason.value), _sentence(text))
            for reason, text in verdict.EXPLAIN.items()
        )
        return [_table(("Reason", "Meaning"), (25, 75), rows)]


class FenceParameters(Directive):
    """What ``fencing.yaml`` may set for a device of one driver."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        driver = loader.find_driver(self.arguments[0])
        rows = (
            (_literal(item.name), _sentence(item.help), self._default(item))
            for item in driver.schema()
        )
        return [_table(("Parameter", "", "Default"), (22, 58, 20), rows)]

    @staticmethod
    def _default(parameter: parameters.Parameter) -> nodes.Node:
        if parameter.required:
            return nodes.Text("required")
        if parameter.default is None:
            return nodes.Text("")
        return _literal(str(parameter.default))


class FaultVerbs(Directive):
    """What can go wrong in a fault script, a table a group of verbs."""

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for about, group in verbs.GROUPS.items():
            found.append(nodes.rubric("", about))
            rows = [row for one in group for row in self._rows(one)]
            titles = ("Verb", "Hits", "What it does, and what it can be told")
            found.append(_table(titles, (20, 15, 65), rows))
        return found

    def _rows(self, verb: verb_mod.Verb) -> Iterable[Sequence[nodes.Node]]:
        ends = " It can be ended by for." if verb.ends else ""
        yield (
            _literal(verb.name),
            nodes.Text(verb.target.value),
            nodes.Text(verb.help + ends),
        )
        for parameter in verb.parameters:
            text = verb_mod.describe(parameter)
            yield nodes.Text(""), nodes.Text(""), nodes.Text(f"– {text}")


class TraceWords(Directive):
    """The words of a trace, and the codes that stand behind them."""

    def run(self) -> list[nodes.Node]:
        rows = (
            (_literal(code), nodes.Text(words))
            for code, words in trace.WORDS.items()
        )
        return [_table(("Code", "In the trace"), (40, 60), rows)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("fault-verbs", FaultVerbs)
    app.add_directive("fence-parameters", FenceParameters)
    app.add_directive("trace-words", TraceWords)
    app.add_directive("transition-table", TransitionTable)
    app.add_directive("transition-diagram", TransitionDiagram)
    app.add_directive("reason-table", ReasonTable)
    return {"parallel_read_safe": True}
