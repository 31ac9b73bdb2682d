"""Key figures of one player's life, counted as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class PlayTally:
    """Counts of a life. Days are those of the life, from 0; a day turns at four in the morning."""

    days: set[int] = field(default_factory=set)  # on which a session began
    sessions: int = 0
    plays: int = 0
    per_session: list[int] = field(default_factory=list)  # plays
    minutes: float = 0.0  # played
    flow: float = 0.0  # [min] of play times flow
    late: float = 0.0  # [min] played after bedtime
    offers: int = 0  # pieces of advice, as the next three
    followed: int = 0
    annoyed: int = 0
    parroted: int = 0  # to do what would have been done anyway
    gaps: list[float] = field(default_factory=list)  # [h] until the next session, also where that is after the end
    left: int = -1  # day of leaving for good
    level_7: int = 1  # level at the end of the first week

    def session(self, day: int) -> None:
        self.days.add(day)
        self.sessions += 1

    def play(self, minutes: float, flow: float) -> None:
        self.plays += 1
        self.minutes += minutes
        self.flow += minutes * flow

    def end(self, plays: int) -> None:
        self.per_session.append(plays)

    def level(self, day: int, level: int) -> None:
        if day < 7:
            self.level_7 = level

    def advice(self, followed: bool, annoyed: bool, anyway: bool) -> None:
        self.offers += 1
        self.followed += followed
        self.annoyed += annoyed
        self.parroted += anyway

    def figures(self, days: int) -> dict[str, float]:
        """Retention is classic: whether that day of life was played on, for D30 the 30th, the last of an episode."""
        per = sorted(self.per_session)
        return {f"d{n}": float(min(n, days - 1) in self.days) for n in (1, 7, 30) if n <= days} | {
            "sessions": float(self.sessions),
            "plays_per_day": self.plays / days,
            "session_median": float(per[len(per) // 2]) if per else 0.0,
            "flow_share": self.flow / self.minutes if self.minutes else 0.0,
            "minutes_per_day": self.minutes / days,
            "advice": self.offers / max(1, self.plays),
            "parroted": self.parroted / max(1, self.offers),
            "annoyed_per_hour": self.annoyed / max(1.0, self.minutes) * 60,
            "annoyed_per_100": 100 * self.annoyed / max(1, self.offers),
            "level_7": float(self.level_7),
            "late_minutes": self.late / days,
            "stayed": float(self.left < 0),
        }
