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


"""Sphinx configuration of the documentation."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "_ext"))

project = "nova_ha"
copyright = "nova_ha maintainers"
extensions = [
    "cliff.sphinxext",
    "nova_ha_docs",
    "openstackdocstheme",
    "oslo_config.sphinxconfiggen",
    "oslo_config.sphinxext",
    "sphinx.ext.graphviz",
]

# Drawn where Graphviz is installed; the table beside it says the same.
graphviz_output_format = "svg"

root_doc = "index"
exclude_patterns = ["_generated"]
pygments_style = "native"
html_theme = "openstackdocs"
openstackdocs_auto_name = False
openstackdocs_use_storyboard = False

# What every list has is said once, on the page itself.
autoprogram_cliff_app_dist_name = "nova-ha"
autoprogram_cliff_ignored = [
    "--help",
    "--format",
    "--column",
    "--quote",
    "--noindent",
    "--max-width",
    "--fit-width",
    "--print-empty",
    "--prefix",
    "--sort-column",
    "--sort-ascending",
    "--sort-descending",
]

# The sample on its page is made from the code the page is built from.
_ETC = pathlib.Path(__file__).parents[2] / "etc/nova-ha"
config_generator_config_file = [
    (str(_ETC / "nova-ha-config-generator.conf"), "_generated/nova-ha"),
]
