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

"""The proof that a host is off: how it comes about, and how it perishes."""

from nova_ha.core import actions
from nova_ha.core import barring
from nova_ha.core import model
from nova_ha.core import sources
from nova_ha.core import verdict as verdict_mod
from nova_ha.core.model import CaseState
from nova_ha.core.model import EvidenceKind
from nova_ha.core.model import Hold
from nova_ha.core.model import PowerState
from nova_ha.core.work import Work


def prove(work: Work, evidence: model.FenceEvidence) -> None:
    """The host is proven to be off: the only entry to FENCED."""
    anew = work.case.died_at is None or work.case.evidence is None
    if anew and not work.case.refencing:
        work.update(died_at=work.now.utc)
    work.update(
        evidence=evidence, refencing=False, hold=None, held_by=None, doubt=""
    )
    work.remember(
        proven_at=work.now.mono,
        survey=None,
        survey_used=True,
        listed_at=None,
    )
    if work.case.power_on.perhaps_on:
        work.update(power_on=model.PowerOn.SPENT)
    _note_signs(work)
    message = f"{evidence.kind.value} by {evidence.by}"
    if work.case.state is CaseState.FENCED:
        work.tell("case.proven_again", message)
        return
    work.enter(CaseState.FENCED, message)


def confirmed(work: Work) -> bool:
    """Use an operator's confirmation of this very case and boot. It never
    overrides a beacon that is there."""
    case = work.case
    word = work.world.confirmations.get(case.id)
    if word is None or word.host != case.host:
        return False
    if word.boot_id != case.boot_id or work.present:
        return False
    work.act(actions.Consume(host=case.host, case=case.id))
    prove(
        work,
        model.FenceEvidence(
            kind=EvidenceKind.OPERATOR_CONFIRMED,
            by=word.by,
            seen_at=word.at,
            detail=word.comment,
        ),
    )
    return True


def device_off(work: Work) -> bool:
    """The device reads off by now: somebody has done it for us."""
    view = work.view
    if view is None or not verdict_mod.reads_off(view) or view.power is None:
        return False
    if not work.barred.isdisjoint(view.power.devices):
        return False  # its bar is yet to be written
    prove(
        work,
        model.FenceEvidence(
            kind=EvidenceKind.POWER_OFF_OBSERVED,
            by=view.power.device,
            devices=view.power.devices,
            seen_at=view.power.seen_at,
            detail="read off without a command of this round",
        ),
    )
    return True


def ask_device(work: Work) -> None:
    """Ask a suspect's device, every now and then, without touching it."""
    if work.due("ReadPower"):
        work.act(
            actions.ReadPower(
                host=work.case.host, case=work.case.id, barred=work.barred
            )
        )
        work.later("ReadPower", POWER_PAUSE)


POWER_PAUSE = 2.0
"""Seconds between two questions to a suspect's device."""


def holds(work: Work) -> bool:
    """Whether the host is still proven to be off, by all that is known.

    Where it is not, the case is held, or the host is fenced again.
    """
    if in_doubt(work):
        return False
    if work.present:
        _beacon_after_proof(work)
        return False
    if not _power_agrees(work):
        return False
    return _sources_agree(work)


def in_doubt(work: Work) -> bool:
    """Whether the evidence is void. No pause, outage or successor ends that,
    but an operator's word; or a later boot, in which nothing of the doubtful
    one can run; or that nothing was ever sent on that evidence."""
    if not work.case.doubt:
        return False
    if confirmed(work):
        return True
    if _stays(work) and (_new_boot(work) or _nothing_sent(work)):
        work.update(doubt="")
        work.remember(reports_at_return=None)
        work.enter(CaseState.RETURNING, "its agent is there; nothing moves")
    else:
        work.hold(Hold.LIFE_AFTER_OFF, work.case.doubt)
    return True


def _stays(work: Work) -> bool:
    """The host's beacon has been there for a soak time."""
    view = work.view
    since = None if view is None else view.beacon_since
    return (
        since is not None
        and work.now.mono - since >= work.world.policy.soak_time
    )


def _new_boot(work: Work) -> bool:
    view = work.view
    return view is not None and view.boot_id != work.case.boot_id


def _nothing_sent(work: Work) -> bool:
    return all(
        move.attempts == 0 and not move.state.in_flight
        for move in work.case.moves
    )


def _beacon_after_proof(work: Work) -> None:
    view = work.view
    if view is None:
        return
    if view.boot_id != work.case.boot_id:
        fence_again(work, "its agent has started in a new boot")
    elif _lingers(work, view.beacon_since):
        work.wait_for("off; the session of its agent has yet to expire")
    else:
        void(work, "the boot that was fenced shows life again")


def _lingers(work: Work, since: float | None) -> bool:
    """A beacon that was there before the proof outlives the power, for as
    long as a session does."""
    proven = work.progress.proven_at
    if proven is None:
        proven = work.progress.taken_over_at
    if proven is None or since is None or since > proven:
        return False
    policy = work.world.policy
    longest = policy.session_timeout + 2 * policy.tick + policy.touch_interval
    return work.now.mono - proven <= longest


def _power_agrees(work: Work) -> bool:
    survey = work.progress.survey
    power = None if survey is None else survey.power
    if power is None:
        return True
    observed = (
        work.case.evidence is not None
        and work.case.evidence.kind is EvidenceKind.POWER_OFF_OBSERVED
    )
    match power.state:
        case PowerState.ON if observed:
            fence_again(work, f"{power.device} reads on")
            return False
        case PowerState.ON:
            work.hold(
                Hold.POWER_ON,
                f"{power.device} reads on, against the operator's word: "
                "switch the host off, or take the device out of "
                "fencing.yaml if it is wrong",
            )
            return False
        case PowerState.UNKNOWN if observed:
            work.hold(
                Hold.POWER_UNKNOWN,
                f"{power.device} no longer says that the host is off: "
                f"{power.error}",
            )
            return False
    if work.case.hold in (Hold.POWER_ON, Hold.POWER_UNKNOWN):
        work.release()
    return True


def _note_signs(work: Work) -> None:
    """What each source has shown so far belongs to the time before."""
    view = work.view
    work.remember(
        signs_at_proof={} if view is None else view.moves,
        signs_since=work.now.mono,
    )


def _sources_agree(work: Work) -> bool:
    """No source moves for a host that is off."""
    view, before = work.view, work.progress.signs_at_proof
    if before is None:
        _note_signs(work)
        return True
    if view is None:
        return True
    # All of them: each may void the proof.
    return all(
        [
            _agrees(work, name, source, source.moves - before.get(name, 0))
            for name, source in sorted(view.sources.items())
        ]
    )


def _agrees(work: Work, name: str, source: sources.Source, moves: int) -> bool:
    """One sign may have been on its way since before the power went, in the
    message queue or a peer's report; it only delays. Two are life."""
    if moves == 0:
        return not _lived(work, name) or _ended(work, name, source)
    late = source.moved_at - work.progress.signs_since
    if moves >= 2 and late >= _delay(work, name, source):
        # Its device has the last word: it may just have been switched on.
        if _power_read_since(work, source.moved_at):
            void(work, f"{sources.moves(name)}, and yet it does not read on")
        return False
    return _ended(work, name, source)


def _lived(work: Work, name: str) -> bool:
    """Whether the host was fenced though this source showed that it ran: then
    its silence is a second proof, and costs a few seconds only."""
    isolated = work.case.verdict.reason is model.Reason.ISOLATED
    return isolated and name != sources.NOVA


def _ended(work: Work, name: str, source: sources.Source) -> bool:
    """Whether a source has fallen silent."""
    if name != sources.NOVA and source.stale(work.now.mono):
        # Nobody can read it any more; the device's word stands.
        return True
    policy = work.world.policy
    if source.silent(policy.silence_factor, policy.assumed_gap):
        return True
    work.wait_for(f"off; {name} has yet to fall silent")
    return False


def _delay(work: Work, name: str, source: sources.Source) -> float:
    """How much later than it was given a sign may be seen. Nova's are read
    from its database; others may come through several peers, one by one."""
    if name == sources.NOVA:
        return 0.0
    policy = work.world.policy
    return policy.silence_factor * source.gap(policy.assumed_gap)


def _power_read_since(work: Work, moment: float) -> bool:
    survey, began = work.progress.survey, work.progress.survey_began
    return survey is not None and survey.power is not None and began > moment


def fence_again(work: Work, why: str) -> None:
    """Power came back in the middle. What runs in Nova goes on; nothing
    more is sent until the host is off again."""
    view = work.view
    boot_id = work.case.boot_id
    if view is not None and view.present:
        boot_id = view.boot_id
    work.update(
        evidence=None,
        boot_id=boot_id,
        refencing=True,
        off_sent=True,
        fence_rounds=0,
    )
    work.remember(survey=None, survey_used=True)
    work.enter(
        CaseState.FENCING,
        f"{why}: fenced again",
        severity=model.Severity.WARNING,
    )


def void(work: Work, why: str) -> None:
    """Life after an observed off: the device lies or belongs to another
    chassis. Nothing more is evacuated on its word, and it is barred."""
    by = "nobody" if work.case.evidence is None else work.case.evidence.by
    doubt = (
        f"{why}: what {by} said is void. Check that the device belongs to "
        "this host; once you have made sure that the host is off: "
        f"`nova-ha confirm-fenced {work.case.host}`"
    )
    work.update(doubt=doubt)
    barring.accuse(
        work, _liars(work), "the host showed life after it had said off"
    )
    work.hold(Hold.LIFE_AFTER_OFF, doubt)
    work.tell("case.evidence_void", work.case.message, model.Severity.ALARM)


def _liars(work: Work) -> set[str]:
    """The devices that have called the host off: at the proof, and when its
    power was last read again. Of a level that spoke as one, all."""
    evidence, survey = work.case.evidence, work.progress.survey
    found = set() if evidence is None else set(evidence.devices)
    power = None if survey is None else survey.power
    if power is not None and power.state is PowerState.OFF:
        found.update(power.devices)
    return found
