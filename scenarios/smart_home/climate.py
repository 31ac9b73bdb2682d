"""Weather, daylight and tariff on a grid of ten minutes."""

from __future__ import annotations

import math

import numpy as np

from lam_env.rng import Stream, Streams

from .params import HomeParams

SLOT = 600  # [s]
SLOTS = 144  # per day
DARK = 0.06  # daylight (sine of the sun's elevation times clearness) below which a room wants light
LATITUDE = math.radians(50.0)


class Climate:
    """Outdoor temperature [C], daylight 0..1 and tariff [EUR/kWh] of one world, drawn a day at a time."""

    def __init__(self, params: HomeParams, streams: Streams):
        self.params = params
        self._weather: Stream = streams("climate", "weather")
        self._clouds: Stream = streams("climate", "clouds")
        self._prices: Stream = streams("climate", "prices")
        self._day = -1
        self.slots: list[tuple[float, float, float]] = []  # outdoor, sun, tariff
        self.shown: list[list[float]] = []  # outdoor, sun, tariff, tariff in three hours, as sensors report them
        self.news: list[list[tuple[int, float]]] = []  # (channel of these, value) that are new in a slot

    def load(self, day: int) -> None:
        """Fill the lists (SLOTS) of a day."""
        if day == self._day:
            return
        self._day = day
        p = self.params
        hour = (np.arange(SLOTS) + 0.5) / 6
        season = 2 * np.pi * (p.season + day) / 365
        # Cooper 1969: declination of the sun
        declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + p.season + day) / 365)
        elevation = math.sin(LATITUDE) * math.sin(declination) + math.cos(LATITUDE) * math.cos(declination) * np.cos(
            (hour - 12) * np.pi / 12
        )
        clear = 0.35 + 0.65 * self._weather.uniform(2 * day)
        clear = np.clip(clear + 0.3 * (np.repeat(self._clouds.block(day * 24, 24), 6) - 0.5), 0.15, 1.0)
        # a yearly wave, a daily one and weather that lasts about three days
        weather = sum(0.7**k * self._weather.normal(2 * (day - k) + 1) for k in range(6) if day >= k)
        mean = 10 - 9 * math.cos(season - 0.35) + 2.5 * weather
        tariff = self._tariff(day, hour)
        ahead = np.r_[tariff[18:], np.repeat(tariff[-1:], 18)]  # in three hours, as far as today's prices are known
        outdoor = mean - 3.5 * np.cos((hour - 3) * np.pi / 12)
        sun = np.maximum(elevation, 0) * clear
        self.slots = list(zip(outdoor.tolist(), sun.tolist(), tariff.tolist(), strict=True))
        # what the sensors report, and at which slots that is something new
        shown = np.stack([np.round(outdoor), np.round(sun, 2), np.round(tariff, 3), np.round(ahead, 3)], 1)
        self.shown = shown.tolist()
        news: list[list[tuple[int, float]]] = [[] for _ in range(SLOTS)]
        for slot, channel in np.argwhere(np.diff(shown, axis=0, prepend=np.nan)):
            news[slot].append((int(channel), float(shown[slot, channel])))
        self.news = news

    def _tariff(self, day: int, hour: np.ndarray) -> np.ndarray:
        p = self.params
        if p.tariff == "flat":
            return np.full(SLOTS, p.price)
        if p.tariff == "time_of_use":
            return p.price * np.select([(hour >= 17) & (hour < 21), (hour >= 22) | (hour < 6)], [1.4, 0.73], 1.0)
        wave = 1 + 0.25 * np.cos((hour - 19) * np.pi / 6) * (hour > 6)
        return p.price * wave * (0.7 + 0.6 * np.repeat(self._prices.block(day * 24, 24), 6))
