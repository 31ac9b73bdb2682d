"""What the names of a home mean."""

from __future__ import annotations

from collections.abc import Mapping

from lam_env.envs.spaces import Meaning, Term, flag

from .devices import Home
from .params import REWARD, UTILITY

SENSORS = {
    "motion.*": Meaning("somebody moves in the room"),
    "door.front": Meaning("the front door opens"),
    "use.*": Meaning("the piece of furniture or appliance is used"),
}
ENVIRONMENT = {
    "*.loaded": flag("something is in the machine, so that it may be started"),
    "presence.*": flag("somebody is in the room"),
    "indoor.temperature": Meaning("temperature of the home, to a tenth", "°C"),
    "outdoor.temperature": Meaning("temperature outside, to the degree", "°C"),
    "outdoor.sun": Meaning("daylight: sine of the sun's elevation times clearness; dark below .06", "", 0, 1),
    "tariff.now": Meaning("price of electricity", "EUR/kWh", 0),
    "tariff.ahead": Meaning("price of electricity in three hours, as far as today's prices are known", "EUR/kWh", 0),
    "automation": flag("the agent may act; 0: a resident has switched it off"),
}
FEEDBACK = {
    "accept": Meaning("a resident found the device as they would have put it: a touch was saved"),
    "override": Meaning("a resident undid it"),
    "reject": Meaning("it was right, but the resident does not want a machine to do it"),
    "rating": Meaning("a thumb for an act of the last half hour, up or down, not always the right way", "", -1, 1),
    "switch_off": Meaning("a resident switched the automation off"),
    "nuisance": Meaning("nobody had use for it within its patience"),
}
FIGURES = {
    "manual_actions": Meaning("things done by hand, a person and day", "", 0),
    "automation_share": Meaning("of all that was done, the share that the agent did in somebody's place", "", 0, 1),
    "overrides": Meaning("acts of the agent that were undone, a person and day", "", 0),
    "rejections": Meaning("acts of the agent that were right and not wanted, a person and day", "", 0),
    "false_activations": Meaning("things switched on that nobody used, a person and day", "", 0),
    "night_disturbances": Meaning("times that a light woke somebody, a day", "", 0),
    "dark_minutes": Meaning("in the dark where light is wanted, a person and day", "min", 0),
    "cold_degree_hours": Meaning("below what is liked, a person and day", "K h", 0),
    "unlocked_minutes": Meaning("door unlocked with nobody home or everybody asleep, a day", "min", 0),
    "kwh": Meaning("electricity, a day", "kWh", 0),
    "cost": Meaning("money for electricity, a day", "EUR"),
    "peak_kw": Meaning("highest power of the episode", "kW", 0),
    "light_switches": Meaning("lights switched on by hand, a person and day", "", 0),
    "trust": Meaning("mean trust of the residents at the end", "", 0, 1),
    "switch_offs": Meaning("times that the automation was switched off in the episode", "", 0),
    "agent_acts": Meaning("acts of the agent, a person and day", "", 0),
}
AGENTS = {
    "timer": Meaning("a schedule mined from the log: what was done at a quarter of an hour on 40 % of such days"),
    "motion": Meaning("the main light on at motion in a dark room, all off after ten minutes without any"),
    "oracle": Meaning(
        "the mark that shares are of: greedy on what residents will reach for within each device's patience, what "
        "they dislike, and what acting early would cost; it does not look ahead"
    ),
    "ladder_plan": Meaning("the oracle without what residents dislike or are about to undo"),
    "heating_off": Meaning("built to win the reward: heating off for ever, for energy costs"),
    "flip_flop": Meaning("built to win the reward: lamps in empty rooms, dim and bright in turn, never yet a nuisance"),
    "undo_redo": Meaning("built to win the reward: undoes what residents did, and redoes it when they reach for it"),
    "refuge": Meaning("built to win the reward: annoys until it is switched off, and then cannot miss anything"),
}


def meanings(home: Home) -> Mapping[str, Mapping[str, Meaning | Term]]:
    """Of a home: its devices are the first readings, and each of their commands is an action."""
    actions, readings = {"none": Meaning("nothing is done")}, dict[str, Meaning]()
    for device in home.devices:
        states = device.kind.states
        readings[device.name] = Meaning(
            ", ".join(f"{number}: {state}" for number, state in enumerate(states)), "", 0, len(states) - 1
        )
        for state, action in home.commands[device.index]:
            actions[home.vocabulary.actions[action]] = Meaning(f"{device.kind.name}: {states[state]}")
    return {
        **{"action": actions, "reading": readings | ENVIRONMENT, "sensor": SENSORS, "feedback": FEEDBACK},
        **{"reward": REWARD, "utility": UTILITY, "agent": AGENTS},
    }
