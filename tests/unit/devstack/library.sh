#!/bin/bash
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

# Stands in for the part of DevStack's function library that the plugin uses:
# for test_plugin.py, which does not need DevStack. Settings are appended to
# files, where oslo.config takes the last one.

function trueorfalse {
    local given=${!2:-$1}
    [[ ${given,,} =~ ^(1|true|yes|on)$ ]] && echo True || echo False
}

function is_service_enabled {
    local service
    for service in "$@"; do
        [[ ,$ENABLED_SERVICES, == *,$service,* ]] && return 0
    done
    return 1
}

function enable_service {
    local service
    for service in "$@"; do
        is_service_enabled "$service" || ENABLED_SERVICES+=,$service
    done
}

function die {
    echo "ERROR: ${*:2}" >&2
    exit 1
}

function get_python_exec_prefix {
    echo "$DEVSTACK_VENV/bin"
}

function get_packages {
    local service
    for service in ${1//,/ }; do
        if [[ -e $FILES/debs/$service ]]; then
            cat "$FILES/debs/$service"
        fi
    done
}

function iniset {
    printf '[%s]\n%s = %s\n' "$2" "$3" "$4" >> "$1"
}

function iniset_multiline {
    local value
    for value in "${@:4}"; do
        iniset "$1" "$2" "$3" "$value"
    done
}

# Only of a file in which the option is once.
function iniget {
    sed -n "s/^$3 = //p" "$1"
}

function setup_logging {
    iniset "$1" DEFAULT log_color True
}

function get_transport_url {
    if is_service_enabled rabbit; then
        echo "rabbit://stackrabbit:secret@$SERVICE_HOST:5672/"
    fi
}

function get_notification_url {
    get_transport_url
}

function iniset_rpc_backend {
    iniset "$2" "${3:-DEFAULT}" transport_url "$(get_transport_url)"
}

# Whose calls are all that matters.
for name in merge_config_file run_process stop_process setup_develop \
    create_service_user; do
    eval "function $name { true; }"
done

# As DevStack runs a plugin.
function run_phase {
    case $1 in
        override_defaults) source "$NOVA_HA_REPOSITORY/devstack/override-defaults" ;;
        source) source "$NOVA_HA_REPOSITORY/devstack/settings" ;;
        *) source "$NOVA_HA_REPOSITORY/devstack/plugin.sh" "$1" "$2" ;;
    esac
}
