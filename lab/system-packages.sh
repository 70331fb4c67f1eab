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

# Installs the servers that the lab runs (Debian and Ubuntu). The lab starts
# its own private copies on free loopback ports, so nothing is left running
# or enabled that was not so before. Does nothing when all is there.

set -euo pipefail

# Path that proves the package is there -> package; where distributions name
# it differently, the first of several that is known is taken.
needed=(
    "/usr/sbin/mariadbd mariadb-server"
    "/usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server"
    "/usr/bin/memcached memcached"
    "/usr/share/java/zookeeper.jar libzookeeper-java"
    "/usr/bin/ipmi_sim openipmi"
    "/usr/bin/ipmitool ipmitool"
    "/usr/sbin/fence_ipmilan fence-agents-base|fence-agents"
    "/usr/sbin/fence_redfish fence-agents-extra|fence-agents"
)

# The services that these packages would start, now and at each boot.
units=(
    mariadb.service rabbitmq-server.service memcached.service
    openipmi.service ipmievd.service epmd.service epmd.socket
)

policy=/usr/sbin/policy-rc.d
kept_policy=$policy.before-nova-ha-lab
run_lock=/run/lock/nova-ha-lab-packages
lock_seconds=900

say() {
    echo "system-packages: $*"
}

missing_packages() {
    local entry
    for entry in "${needed[@]}"; do
        [[ -e ${entry%% *} ]] || echo "${entry##* }"
    done
    command -v java >/dev/null || echo default-jre-headless
    python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
}

restore_policy() {
    if [[ -e $kept_policy ]]; then
        mv -f "$kept_policy" "$policy"
    elif grep -qs nova-ha-lab "$policy"; then
        rm -f "$policy"
    fi
}

forbid_service_starts() {
    # What a run that was killed may have left behind.
    restore_policy
    if [[ -e $policy ]]; then
        mv "$policy" "$kept_policy"
    fi
    printf '#!/bin/sh\n# nova-ha-lab, while it installs\nexit 101\n' \
        >"$policy"
    chmod 755 "$policy"
}

# The lock of the package lists has no time-out of its own in apt.
refresh_lists() {
    local answer deadline
    deadline=$((SECONDS + lock_seconds))
    until answer=$(apt-get update 2>&1); do
        if [[ $answer != *"Could not get lock"* || \
                $SECONDS -gt $deadline ]]; then
            say "apt-get update failed, going on with the lists at hand:"
            tail -n 5 <<<"$answer" >&2
            return
        fi
        say "waiting for another apt to release its lock"
        sleep 3
    done
}

# The name that this distribution has for each package.
known_names() {
    local entry name names
    for entry in "$@"; do
        IFS='|' read -ra names <<<"$entry"
        for name in "${names[@]}"; do
            if apt-cache show -- "$name" >/dev/null 2>&1; then
                break
            fi
        done
        echo "$name"
    done | sort -u
}

present_units() {
    local unit
    for unit in "${units[@]}"; do
        if [[ -e /lib/systemd/system/$unit ]]; then
            echo "$unit"
        fi
    done
}

install_packages() {
    local log
    log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get install --yes --no-install-recommends --no-upgrade \
        -o DPkg::Lock::Timeout=$lock_seconds -o Dpkg::Use-Pty=0 \
        -- "$@" >"$log" 2>&1 </dev/null; then
        say "apt-get install failed:" >&2
        tail -n 30 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

disable_new_units() {
    local before=$1 unit
    command -v systemctl >/dev/null || return 0
    for unit in $(present_units); do
        if ! grep -qx "$unit" <<<"$before"; then
            systemctl disable --quiet "$unit" 2>/dev/null || true
        fi
    done
}

main() {
    local missing names before
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        say "everything the lab needs is installed"
        return
    fi
    if ((EUID != 0)); then
        command -v sudo >/dev/null || {
            say "run as root, or install: ${missing[*]}" >&2
            exit 1
        }
        say "needs root to install: ${missing[*]}"
        exec sudo -- "$BASH" "$0"
    fi
    command -v apt-get >/dev/null || {
        say "no apt-get here; install by hand: ${missing[*]}" >&2
        exit 1
    }
    # Two runs at once would take each other's policy for the machine's own.
    mkdir -p "${run_lock%/*}"
    exec 9>"$run_lock"
    flock --timeout "$lock_seconds" 9
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        say "another run has installed everything by now"
        return
    fi
    say "installing ${missing[*]} (no service will be started)"
    before=$(present_units)
    refresh_lists
    mapfile -t names < <(known_names "${missing[@]}")
    trap restore_policy EXIT
    forbid_service_starts
    install_packages "${names[@]}" 9>&-
    disable_new_units "$before"
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} != 0)); then
        say "still missing after the installation: ${missing[*]}" >&2
        exit 1
    fi
    say "done"
}

main
