"""The world of one player: sessions, decisions, plays, and the time between."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import exp
from typing import NamedTuple

from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.shared import Record
from lam_env.core.units import DAY, HOUR
from lam_env.envs.scenario import START_HOUR

from ..params import COUNTED, LONGEST
from ..player.bedtime import NIGHT
from ..player.player import AWAY, CHOOSING, GONE, PAUSING, PLAYING, RAISING
from ..player.traits import FINE, GUMBELS_BITS, QUANTILES, gumbels
from ..rules.compiled import MOST_PLAYS, Compiled, logistic
from ..words import ANNOYED, CHOICE, FOLLOWED, IGNORED, LEVEL_UP, SATISFIED, SURVEY, THUMB
from .calendar import next_session
from .estimates import likely_flow
from .life import Life
from .sensing import tell
from .survey import USUAL, Session, recalled

# The occasion of a draw is (session, plays so far), so what an agent says moves none of them. Each has 8 indices of the
# stream.
CHOOSE, END, ANNOY, THUMBS, CHOOSE_LINE, ANNOY_LINE, AGAIN, END_AGAIN = range(8)  # AGAIN: after a change of difficulty
# One 64-bit draw (CHOOSE, AGAIN) serves a choice and the play that follows, from the lowest bit: 18 bits are the place
# in the table of Gumbel noise (liking of each action), 12 the length of the play (one of the FINE quantiles), 20 the
# luck that decides whether it is won (a share of 2^20); 14 are left over.
_PLACE, _LENGTH, _LUCK = (1 << GUMBELS_BITS) - 1, GUMBELS_BITS, GUMBELS_BITS + 12
_MILLION = 2.0**-20
PAUSE = 20  # [s] after a change of difficulty or a level-up


class Play(NamedTuple):
    """A play of a recorded world."""

    time: int  # [s] of its end
    activity: int
    minutes: float
    outcome: int  # 0 lost, 1 won, 2 neither


def _part(minutes: float, room: float) -> float:
    """What of so many minutes there is room for."""
    return minutes if minutes < room else room if room > 0 else 0.0


class GameWorld(Life):
    """Makes a player's life go on. `observed` False: nobody reads its row, which then has no readings and no mask."""

    __slots__ = (
        *("timeline", "observed", "anyway", "_session_draws", "_play_draws", "_occasion"),
        *("_gumbels", "_flows", "_excess", "_playing", "_followed", "_again", "_mask", "_session", "_satisfied"),
    )

    def __init__(
        self,
        game: Compiled,
        streams: Streams,
        row: ObservationRow,
        *,
        day: int = 0,
        record: bool = False,
        reveal: Callable[[GameWorld], None] | None = None,
        observed: bool = True,
    ):
        super().__init__(game, streams, row, day, record)
        self.observed = observed
        self._session_draws, self._play_draws = streams("player", "session"), streams("player", "play")
        self._gumbels = gumbels(64)
        self._occasion = 0
        self.anyway = 0  # what the last decision would have been without advice
        self._again = False
        self._playing: tuple[int, float, float] = (0, 0.0, 0.0)  # activity, minutes [min] and luck of the play
        self._mask: array[int] | None = None
        self._session = Session()
        self._satisfied = -1.0  # what the latest survey told; -1: not asked after the latest session
        self._followed: tuple[int, int] = (-1, 0)  # event and action of the play that will tell how good advice was
        self.timeline: list[Play] = Record()  # of a recorded world
        if record:
            self.begin_to_watch()
        first = self.traits.prime + 3.0 * QUANTILES[int(self._session_draws.uniform(0) * FINE)]
        hours = min(23.9, max(0.1, first - START_HOUR)) if first >= START_HOUR else 0.1
        self.player.until = self.start + round(hours * HOUR)
        self.add(self.player)
        self.reveal = reveal
        self.run_until_decision()

    # -- what a player does, in `Player.behave` -----------------------------------------------------------------------

    def begin_session(self) -> None:
        player, now, params = self.player, self.now, self.game.params
        if self.sessions:
            hours = self.gap
            player.away(hours)
            self.utility_totals["stay"] += hours / 24 * player.satisfaction
            days = min(hours / 24, LONGEST)
            self.earn_from(0, "return", days)
            if self._satisfied >= 0:
                self.earn_from(0, "satisfied", days * (self._satisfied - USUAL) / params.survey)
        player.bedtime.begins(self.hour())
        if params.drift:
            player.persona = self.traits.at(min(1.0, params.drift * (now - self.start) / (self.end - self.start)))
            player.allure()
        self.tally.session((now - self.start) // DAY)
        self.sessions += 1
        self.plays, self.minutes, self.began = 0, 0.0, now
        self._session, self._satisfied = Session(), -1.0
        player.changed = False
        self.moment = 0
        self.ask_choice()

    def ask_choice(self) -> None:
        """What next? The player is to decide."""
        if self.observed:
            player, game = self.player, self.game
            difficulty = 0
            if not player.changed and game.tunes:
                difficulty = (player.difficulty > -2) | (player.difficulty < 2) << 1
            self._tell(game.mask(player.level, self.plays > 0, difficulty))
        self.player.place = CHOOSING
        self.ask(0, CHOICE)

    def _tell(self, mask: array[int]) -> None:
        """What the agent can sense, and what it may say."""
        if mask is not self._mask:
            self._mask = mask
            self.row.mask[:] = mask
        tell(self)

    def choose(self, advised: int) -> None:
        """The player decides what to do next, having been advised so (0: not)."""
        player, game = self.player, self.game
        words, n = game.words, game.n
        occasion = self._occasion = 8 * ((MOST_PLAYS + 8) * self.sessions + self.plays)
        draws, again = self._play_draws, self._again
        bits = draws.bits(occasion + (AGAIN if again else CHOOSE))
        leave, u, stays = self.leaving(), 1.0, True
        if leave > -100:
            u = draws.uniform(occasion + (END_AGAIN if again else END))
            stays = u > logistic(leave)
        action, answers = words.leave, -1
        if stays or advised:
            place = bits & _PLACE
            noise = self._gumbels[place : place + n + 2]
            self._flows, self._excess = player.flows(), player.excess()
            noisy = player.appeal(self._flows, noise)
            if not player.changed:
                easier, harder = player.tuning()
                noisy += (easier + noise[n], harder + noise[n + 1])
            if stays:
                action = self._action(noisy.index(max(noisy)))
        self._again = False
        self.anyway = action
        player.hear(advised > 0)
        if advised:
            answers = self.agent_acts
            push = player.persuasion(advised)
            if advised == words.leave:
                if u <= logistic(leave + game.params.stop * push):
                    action = words.leave
            else:
                if advised <= n:
                    stays = u > logistic(leave - game.params.stay * push)
                if stays:
                    if advised <= n:
                        noisy[advised - 1] += push
                    else:
                        noisy[advised - words.easier + n] += game.params.click * push
                    action = self._action(noisy.index(max(noisy)))
            self._answer(advised, action, draws.uniform(occasion + ANNOY))
        elif self.plays and (hour := self.hour()) > NIGHT:
            player.bedtime.chooses(hour, action == words.leave, game.ends[self.plays], game.params.sleepy)
        self.user_event(0, action, answers)
        if action <= n:
            k = action - 1
            minutes = game.minutes[k] * exp(game.spread[k] * QUANTILES[(bits >> _LENGTH) & (FINE - 1)])
            seconds = round(60 * minutes) if minutes > 0.5 else 30
            self._playing = k, seconds / 60, (bits >> _LUCK & 0xFFFFF) * _MILLION
            player.place, player.until = PLAYING, self.now + seconds
        elif action == words.leave:
            self._end_session()
        else:
            player.difficulty += 1 if action == words.harder else -1
            player.changed = self._again = True
            player.place, player.until = PAUSING, self.now + PAUSE

    def _action(self, k: int) -> int:
        """Action of the k-th liking: activities, then easier and harder."""
        n = self.game.n
        return k + 1 if k < n else self.game.words.easier + k - n

    def _answer(self, advised: int, action: int, u: float) -> None:
        """What the player makes of advice; called once it is known what they do."""
        player, followed = self.player, advised == action
        irritation = player.irritation(advised != self.anyway)
        annoyed = u < logistic(irritation)
        player.answer(followed, annoyed)
        self.tally.advice(followed, annoyed, advised == self.anyway)
        self.utility_totals["interruption"] += 1
        self.earn_from(0, "nag")
        if followed:
            self.earn_from(0, "follow")
            self._followed = (self.agent_acts, advised)
        else:
            self.earn_from(0, "ignore")
        if annoyed:
            self.utility_totals["annoyed"] += 1
            self.earn_from(0, "annoyed")
            self.feedback_event(0, ANNOYED, advised, self.agent_acts, -1.0, False)
        else:
            kind = FOLLOWED if followed else IGNORED
            self.feedback_event(0, kind, advised, self.agent_acts, float(followed), followed)

    # -- plays --------------------------------------------------------------------------------------------------------

    def finish_play(self) -> None:
        k, minutes, luck = self._playing
        player, game = self.player, self.game
        flow, excess, bare = self._flows[k], self._excess, player.bare[k]
        won = bare is None or luck < logistic(game.params.win * (0.5 - bare - excess))
        level, likely = player.level, likely_flow(player, k)
        gained = player.play(k, minutes, won, flow, excess)
        self.stale = self.stale or gained > 0
        self.plays += 1
        self.minutes += minutes
        self._book(minutes, flow, likely, gained)
        if bare is not None and not self.stale:
            self.row.context[game.win_at[k]] = player.wins[k]
        if self._followed[0] >= 0:
            self._rate_advice(flow, won, self._play_draws.uniform(self._occasion + THUMBS))
        if self._record:
            self.timeline.append(Play(self.now, k, minutes, int(won) if game.hard[k] else 2))
        self.moment = 1 if won else 2
        if player.level > level:
            self._level_up()
        else:
            self.ask_choice()

    def _book(self, minutes: float, flow: float, likely: float, gained: int) -> None:
        """Terms of a play that has just ended."""
        today = (self.now - self.start) // DAY
        if today != self._today:
            self._today, self._today_flow = today, 0.0
        played = self._today_flow
        self._today_flow = played + minutes
        counted = _part(minutes, COUNTED - played)
        self.earn_from(0, "quality", counted * likely)
        self._session.add(minutes, flow, counted, likely)
        self.utility_totals["flow"] += _part(minutes, self.traits.healthy - played) * flow
        self.tally.play(minutes, flow)
        if gained:
            self.utility_totals["progress"] += gained
            self.earn_from(0, "progress", gained)
        awake = self.awake()
        if awake > 0:
            late = min(minutes, 60 * awake)
            self.utility_totals["late"] += late
            self.player.late += late / 60
            self.tally.late += late
        if (hour := self.hour()) > NIGHT:
            self.earn_from(0, "late", self.player.bedtime.late(hour, minutes))

    def _rate_advice(self, flow: float, won: bool, u: float) -> None:
        """Followed advice has come out: trust, and rarely a thumb."""
        pleased = 2 * flow - 0.8 + (0.2 if won else -0.2)
        self.player.judge_advice(max(-1.0, min(1.0, pleased)))
        answers, action = self._followed
        self._followed = (-1, 0)
        if u < 0.1 * abs(pleased):
            thumb = 1.0 if pleased > 0 else -1.0
            self.earn_from(0, "thumb", thumb)
            self.feedback_event(0, THUMB, action, answers, thumb, None)

    def _level_up(self) -> None:
        """A point to spend: the player is to decide on which line."""
        self.moment = 3
        self.tally.level((self.now - self.start) // DAY, self.player.level)
        if self.observed:
            self._tell(self.game.level_up)
        self.player.place = RAISING
        self.ask(0, LEVEL_UP)

    def raise_line(self, advised: int) -> None:
        """The player spends the point, having been advised so (0: not)."""
        player, words = self.player, self.game.words
        place = self._play_draws.bits(self._occasion + CHOOSE_LINE) & _PLACE
        noise = self._gumbels[place : place + words.n_lines]
        noisy = [x + g for x, g in zip(player.builds(), noise, strict=True)]
        action = self.anyway = words.first_line + noisy.index(max(noisy))
        answers = -1
        player.hear(advised > 0)
        if advised:
            noisy[advised - words.first_line] += player.persuasion(advised)
            action = words.first_line + noisy.index(max(noisy))
            answers = self.agent_acts
            self._answer(advised, action, self._play_draws.uniform(self._occasion + ANNOY_LINE))
            self._followed = (-1, 0)  # whether it was good advice cannot be told by the next play
        self.user_event(0, action, answers)
        player.raise_line(action - words.first_line)
        self.stale = True
        self.moment = 1
        player.place, player.until = PAUSING, self.now + PAUSE

    def _end_session(self) -> None:
        player, draw = self.player, self._session_draws
        first = 8 * self.sessions
        self.tally.end(self.plays)
        if self.plays == 1:
            self.earn_from(0, "early_logout")
        player.frustration = min(1.0, player.frustration)
        if draw.uniform(first + 5) < self.game.params.survey:
            self._answer_survey(draw.uniform(first + 6), draw.uniform(first + 7))
        if draw.uniform(first) < logistic(self.quitting()):
            player.place = GONE
            self.terminate()
            self.earn_from(0, "churn")
            self.tally.left = (self.now - self.start) // DAY
            return
        u = [draw.uniform(first + i) for i in range(1, 5)]
        player.place, player.until = AWAY, next_session(self.now, u, self.traits, self.game)
        self.gap = (player.until - self.now) / HOUR
        self.tally.gaps.append(self.gap)

    def _answer_survey(self, u: float, v: float) -> None:
        """The player tells what the session was like; u, v: uniform draws."""
        absorbed = recalled(self._session.share(), u)
        self._satisfied = recalled(self.player.satisfaction, v)
        self.earn_from(0, "survey", self._session.owed(absorbed) / self.game.params.survey)
        self.feedback_event(0, SURVEY, 0, -1, absorbed, None)
        self.feedback_event(0, SATISFIED, 0, -1, self._satisfied, None)
