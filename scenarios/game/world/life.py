"""A player's life as it stands: what decides how it goes on, and what readings are read off."""

from __future__ import annotations

from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.units import DAY, HOUR
from lam_env.envs.scenario import start_tick
from lam_env.sim.persons import PersonalWorld

from ..params import REWARD_WEIGHTS, UTILITY_WEIGHTS
from ..player.advised import Advised
from ..player.bedtime import MORNING
from ..player.player import CHOOSING, RAISING, Player
from ..player.traits import Traits
from ..rules.compiled import MOST_PLAYS, NEVER, Compiled
from .tally import PlayTally


class Life(PersonalWorld):
    """A tick is 1 s; the only person is 0, and all readings are theirs."""

    lone = quick = True
    __slots__ = (
        *("game", "player", "traits", "sessions", "plays", "minutes", "began", "gap", "moment", "tally"),
        *("stale", "_today", "_today_flow"),
    )

    def __init__(self, game: Compiled, streams: Streams, row: ObservationRow, day: int, record: bool):
        params, words = game.params, game.words
        start = start_tick(day)
        super().__init__(
            streams,
            row,
            words.vocabulary,
            1,
            0,
            start=start,
            end=start + params.days * DAY,
            reward_weights=REWARD_WEIGHTS,
            utility_weights=UTILITY_WEIGHTS,
            record=record,
        )
        self.game = game
        self.traits = Traits(
            streams("player", "traits"), params, game.n, words.n_lines, len(game.rules.classes), game.own
        )
        differ = params.people == "differ"
        advised = Advised.drawn(streams("player", "advised"), params, game.kinds) if differ else None
        self.player = Player(game, self.traits, advised)
        self.sessions = self.plays = 0
        self.minutes = self.gap = 0.0
        self.began = start  # of the session
        self.moment = 0  # 0 session start, 1 after a win, 2 after a loss, 3 level-up
        self.tally = PlayTally()
        self.stale = True  # whether a reading that seldom changes has changed
        self._today, self._today_flow = -1, 0.0

    def awake(self) -> float:
        """[h] after bedtime; negative before it."""
        hour = self.now / HOUR % 24
        if hour < self.traits.wake:
            hour += 24
        return hour - self.traits.bed

    def hour(self) -> float:
        """[h] of the day, from `MORNING` on to that of the next day."""
        hour = self.now / HOUR % 24
        return hour + 24 if hour < MORNING else hour

    @property
    def due(self) -> bool:
        """Whether a decision is due now."""
        return self.player.place in (CHOOSING, RAISING)

    def today_minutes(self) -> float:
        """[min] played today."""
        return self._today_flow if (self.now - self.start) // DAY == self._today else 0.0

    def leaving(self) -> float:
        """Log-odds of logging out now, without advice."""
        if not self.plays:
            return NEVER
        if self.plays >= MOST_PLAYS:
            return -NEVER
        return self.player.leaving(self.plays, self.minutes, self.awake())

    def quitting(self) -> float:
        """Log-odds of leaving for good if the session ends now."""
        return self.player.quitting(self.sessions, self.plays, (self.now - self.start) / DAY)
