"""Key figures of one player's life, counted as it goes."""

from __future__ import annotations

WEEK = 7


class PlayTally:
    """Days are days of her life, from 0; the day turns at four in the morning."""

    __slots__ = (
        *("days", "sessions", "plays", "per_session", "minutes", "flow", "late", "shown", "followed", "annoyed"),
        *("parroted", "thumbs", "gaps", "left", "level_7"),
    )

    def __init__(self) -> None:
        self.days: set[int] = set()  # on which she began a session
        self.sessions = self.plays = 0
        self.per_session: list[int] = []
        self.minutes = self.flow = self.late = 0.0
        self.shown = self.followed = self.parroted = 0
        self.annoyed = 0.0
        self.thumbs = 0.0
        self.gaps: list[float] = []  # [h] until the next session, also where that is after the end
        self.left = -1  # day on which she left for good
        self.level_7 = 1  # at the end of her first week

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
        if day < WEEK:
            self.level_7 = level

    def advice(self, followed: bool, annoyed: bool, anyway: bool) -> None:
        self.shown += 1
        self.followed += followed
        self.annoyed += annoyed
        self.parroted += anyway

    def figures(self, days: int) -> dict[str, float]:
        """Retention is classic: whether she played on that day of her life, the 30th day (the last of an episode) for D30."""
        per = sorted(self.per_session)
        found = {f"d{n}": float(min(n, days - 1) in self.days) for n in (1, 7, 30) if n <= days}
        found |= {
            "sessions": float(self.sessions),
            "plays_per_day": self.plays / days,
            "session_median": float(per[len(per) // 2]) if per else 0.0,
            "flow_share": self.flow / self.minutes if self.minutes else 0.0,
            "minutes_per_day": self.minutes / days,
            "advice": self.shown / max(1, self.plays),
            "parroted": self.parroted / max(1, self.shown),
            "annoyed_per_hour": self.annoyed / max(1.0, self.minutes) * 60,
            "annoyed_per_100": 100 * self.annoyed / max(1, self.shown),
            "level_7": float(self.level_7),
            "late_minutes": self.late / days,
            "stayed": float(self.left < 0),
        }
        return found
