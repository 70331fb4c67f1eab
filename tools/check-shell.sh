#!/usr/bin/env bash
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

# Check every shell script that git knows: syntax and bashate.

set -euo pipefail

cd "$(dirname "$0")/.."

# Scripts have a .sh name or a shell's first line.
scripts=()
while IFS= read -r -d '' file; do
    [[ -f $file && ! -L $file ]] || continue
    first=''
    IFS= read -r first < "$file" 2> /dev/null || true
    if [[ $file == *.sh || $first =~ ^'#!'.*[/\ ](ba|da)?sh($|\ ) ]]; then
        scripts+=("$file")
    fi
done < <(git ls-files -z --cached --others --exclude-standard)

for file in "${scripts[@]}"; do
    bash -n "$file"
done
# E006 (line length) is left to judgement: a URL or a message may be long.
bashate --ignore E006 "${scripts[@]}"
echo "${#scripts[@]} shell scripts are clean"
