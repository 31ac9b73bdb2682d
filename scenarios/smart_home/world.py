"""The world of a smart home: residents who come and go, see to devices, and answer what the agent does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.dislikes import NEVER
from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.shared import Fixed
from lam_env.core.units import DAY, HOUR

from .devices import FEEDBACK
from .house import AWAY, AgentAct, House
from .params import HomeParams
from .people.dislikes import dislikes_of
from .people.personas import PersonaTraits
from .people.resident import Resident
from .people.wants import Item

ACCEPT, OVERRIDE, REJECT, RATING, SWITCH_OFF, NUISANCE = range(len(FEEDBACK))
BLAME = 3 * HOUR  # [s] for which a change of heating is put down to the agent beyond its patience
REST = {"lock": 1}  # states in which nothing is wasted, where that is not 0
NEUTRAL = ("alarm", "blinds", "dishwasher", "washer")  # never a waste


class HomeWorld(House):
    """One home with its residents. `last_agent_act`: per device, the act that its state is put down to."""

    residents: list[Resident]

    def __init__(
        self,
        params: HomeParams,
        streams: Streams,
        row: ObservationRow,
        people: Sequence[tuple[str, BehaviourTables, PersonaTraits]],
        *,
        start: int,
        record: bool,
        reveal: Callable[[HomeWorld], None] | None = None,
    ):
        super().__init__(params, streams, row, start, record)
        home = self.home
        self.last_agent_act: list[AgentAct | None] = [None] * len(home.devices)
        self.switch_offs = 0
        self.counts = dict.fromkeys(
            ("manual", "assists", "overrides", "rejections", "nuisances", "woken", "light_on"), 0
        )
        self.dislikes = dislikes_of(params.rooms, params.households, params.dislikes, params.devices)
        self._disliked = Fixed(self._drawn(streams))
        self._ratings = streams("home", "ratings")
        self.residents = [Resident(self, self.attend, i, *person, streams) for i, person in enumerate(people)]
        self.notice(*(r.room for r in self.residents))
        for resident in self.residents:
            self.add(resident)
        self.reveal = reveal
        if reveal:
            reveal(self)

    def _drawn(self, streams: Streams) -> dict[int, bool]:
        """By cell, whether this household has the dislike."""
        draws, u = streams("home", "dislikes"), streams("home", "openness").uniform(0)
        openness = int((np.cumsum(self.dislikes.classes[:-1]) < u).sum())
        return {NEVER: False} | {i: draws.uniform(i) < p for i, p in enumerate(self.dislikes.p[openness].tolist())}

    def minds(self, action: int) -> bool:
        """Does the household dislike that a machine does this now?"""
        return self.minds_at(action, self.now)

    def minds_at(self, action: int, time: int) -> bool:
        cells = self.dislikes.cells
        return self._disliked[int(cells[time % DAY * len(cells) // DAY, action])]

    def disliked(self) -> list[bool]:
        """(A,) what the household minds now."""
        cells = self.dislikes.cells
        return [self._disliked[cell] for cell in cells[self.now % DAY * len(cells) // DAY].tolist()]

    # -- what residents do to devices ---------------------------------------------------------------------------------

    def attend(self, resident: Resident, item: Item) -> tuple[()] | tuple[Item] | None:
        """A resident reaches for a device; what comes back is told at `Attend`."""
        device, state, ok = item
        if self.states[device] not in ok:
            if state and device in self.home.loaded and device not in self.loaded:
                return None
            self.touch(resident, device, state, ok)
            return ()
        act = self.agent_acts_on[device]
        if act is None or self.shadow[device] in ok:
            return None
        if self.minds(act.action) and act.before not in ok:
            self._reject(resident, act)
            return (item,)
        self._assist(resident, act)
        return None

    def touch(self, resident: Resident, device: int, state: int, ok: tuple[int, ...]) -> None:
        """A resident does it by hand: a correction of the agent, or something that it might have done."""
        kind = self.home.devices[device].kind
        action = self.home.devices[device].commands[state]
        broken = self.last_agent_act[device]
        self.utility_totals["touch"] += kind.effort
        self.counts["manual"] += 1
        answers = -1
        if broken is not None and self.shadow[device] in ok:
            answers = broken.id
            self.counts["overrides"] += 1
            self.utility_totals["override"] += 1
            self.earn("override")
            self.feedback_event(resident.index, OVERRIDE, broken.action, broken.id, -1.0, False)
            self._feel(resident, "override", broken)
        else:
            self.earn("miss")
        self.agent_acts_on[device] = self.last_agent_act[device] = None
        self.shadow[device] = state
        self.set(device, state)
        if kind.name == "light" and state:
            self.counts["light_on"] += 1
        self.user_event(resident.index, action, answers)

    def _assist(self, resident: Resident, act: AgentAct) -> None:
        self.counts["assists"] += 1
        self.shadow[act.device] = act.state
        self.agent_acts_on[act.device] = self.last_agent_act[act.device] = None
        self.earn("assist")
        self.feedback_event(resident.index, ACCEPT, act.action, act.id, 1.0, True)
        self._feel(resident, "assist", act)

    def _reject(self, resident: Resident, act: AgentAct) -> None:
        """Right, but not by a machine: the resident puts it back, and will do it by hand."""
        self.counts["rejections"] += 1
        self.counts["manual"] += 1
        self.utility_totals["touch"] += self.home.devices[act.device].kind.effort
        self.utility_totals["rejection"] += 1
        self.earn("rejection")
        self.feedback_event(resident.index, REJECT, act.action, act.id, -1.0, False)
        self.agent_acts_on[act.device] = self.last_agent_act[act.device] = None
        self.set(act.device, act.before)
        undo = self.home.devices[act.device].commands[act.before]
        self._feel(resident, "rejection", act)
        self.user_event(resident.index, undo or act.action, act.id)

    # -- what residents make of the agent -----------------------------------------------------------------------------

    def act(self, action: int) -> None:
        device, state = self.home.device_of[action], self.home.state_of[action]
        earlier = self.agent_acts_on[device]
        if earlier is not None:  # it takes back what nobody has answered yet: that was for nothing
            self._nuisance(earlier)
        done = AgentAct(self.agent_acts, action, device, state, self.states[device], self.now)
        self.agent_acts_on[device] = self.last_agent_act[device] = done
        self.set(device, state)
        for _, command in self.home.commands[device]:  # one act per device per instant
            self.row.mask[command] = 0
        self._held.append(device)
        kind = self.home.devices[device].kind
        self.call_at(self.now + kind.patience, self._expire, done)
        for r in self.residents:
            if r.room == AWAY or kind.name == "heating":
                continue  # heating is felt, not seen: `Resident.feel_climate`
            ok = r.wants.get(device)
            if ok is None or state in ok:
                continue
            if r.asleep:
                wakes = (kind.name == "light" and device in self.home.lights[r.room]) or kind.name in ("music", "tv")
                if not wakes or not state:
                    continue
                self.counts["woken"] += 1
                self.utility_totals["woken"] += 1
            wait = 1 + r.delay(32 + device, self.params.override_delay * (1 + r.habituation) * r.traits.tolerance, 0.5)
            self.call_at(self.now + wait, self._override, (r, done))

    def _override(self, what: tuple[Resident, AgentAct]) -> None:
        resident, act = what
        ok = resident.wants.get(act.device)
        if resident.room == AWAY or ok is None or self.states[act.device] != act.state or act.state in ok:
            return
        if self.last_agent_act[act.device] is act:
            commands = self.home.devices[act.device].commands
            state = next((state for state in ok if commands[state]), ok[0])
            self.shadow[act.device] = state
            self.touch(resident, act.device, state, ok)

    def _expire(self, act: AgentAct) -> None:
        """Its patience is over and nobody had use for it."""
        if self.agent_acts_on[act.device] is not act:
            return
        self.agent_acts_on[act.device] = None
        kind = self.home.devices[act.device].kind.name
        if kind == "heating":  # it is felt later: what follows is put down to the agent for some hours more
            self.call_at(self.now + BLAME, self._forget, act)
        else:
            self._forget(act)
        matters = any(act.device in r.wants for r in self.residents if r.room != AWAY)
        if not matters and kind not in NEUTRAL and act.state != REST.get(kind, 0):
            self._nuisance(act)

    def _nuisance(self, act: AgentAct) -> None:
        self.counts["nuisances"] += 1
        self.earn("nuisance")
        self.feedback_event(0, NUISANCE, act.action, act.id, -0.05, None)
        for r in self.residents:
            if r.room != AWAY and not r.asleep:
                self._feel(r, "nuisance", act)

    def feel_climate(self, dusk_or_dawn: bool) -> None:
        indoor = self.indoor
        for r in self.residents:
            if not r.asleep and r.room != AWAY and (dusk_or_dawn or not r.like - 0.5 <= indoor <= r.like + 1.5):
                r.feel_climate(self, dusk_or_dawn)

    def machine_done(self, device: int) -> None:
        act = self.agent_acts_on[device]
        if act is not None and device in self.home.loaded:  # somebody would have had to start it
            self._assist(self.residents[0], act)

    def _forget(self, act: AgentAct) -> None:
        """What happens to the device from now on is not put down to the agent. `shadow` stays: what a resident has
        never had to do, nobody can do for them."""
        if self.last_agent_act[act.device] is act:
            self.last_agent_act[act.device] = None

    def _feel(self, resident: Resident, what: str, act: AgentAct) -> None:
        resident.feel(what)
        if what != "nuisance":
            u = self._ratings.uniform(act.time * 64 + act.device)
            if u < resident.traits.talkativeness:
                u /= resident.traits.talkativeness
                wrong = u < self.params.rating_noise
                value = 1.0 if (what == "assist") != wrong else -1.0
                self.call_at(self.now + 1 + int(u * self.params.rating_delay), self._rate, (resident, act, value))
        if resident.trust < resident.trust_params.threshold and self.automation:
            self._switch_off(resident)

    def _rate(self, rating: tuple[Resident, AgentAct, float]) -> None:
        resident, act, value = rating
        self.earn("rating", value)
        self.feedback_event(resident.index, RATING, act.action, act.id, value, None)

    def _switch_off(self, resident: Resident) -> None:
        self.automation = False
        self.switch_offs += 1
        self.earn("switched_off")
        self.feedback_event(resident.index, SWITCH_OFF, 0, -1, -5.0, None)
        for action in range(1, len(self.vocabulary)):
            self.row.mask[action] = 0
        self.reading(self.home.n_channels + 5, 0.0)
        if self.switch_offs < resident.trust_params.give_up:
            self.call_at(self.now + resident.trust_params.off_time, self._switch_on)

    def _switch_on(self, _: None) -> None:
        self.automation = True
        self._refresh_masks()
        self.reading(self.home.n_channels + 5, 1.0)
        for r in self.residents:
            r.trust = max(r.trust, r.trust_params.restart)
