"""Weather, daylight and tariff on a grid of ten minutes."""

from __future__ import annotations

import math

import numpy as np

from lam_env.core.rng import Stream, Streams
from lam_env.core.shared import Swapped

from .params import HomeParams

SLOT = 600  # [s]
SLOTS = 144  # per day
SUN = 2  # channel
AHEAD = 8  # days drawn at once, those of an episode of a week: one by one takes three times as long
DARK = 0.06  # daylight (sine of the sun's elevation times clearness) below which a room wants light
LATITUDE = math.radians(50.0)

_HOUR = (np.arange(SLOTS) + 0.5) / 6
_NOON = np.cos((_HOUR - 12) * np.pi / 12)  # height of the sun in its daily course
_WARMTH = 3.5 * np.cos((_HOUR - 3) * np.pi / 12)  # [K] below the day's mean: coldest at three in the morning
_EVENING = 1 + 0.25 * np.cos((_HOUR - 19) * np.pi / 6) * (_HOUR > 6)


class Climate(Swapped):
    """One world's weather, daylight and tariff, drawn some days at a time.

    `slots` (SLOTS) of the loaded day: outdoor [C], sun 0..1, tariff [EUR/kWh], and what sensors report anew, as
    (channel, value); the channels are, from 1, outdoor, sun, tariff and tariff in three hours, rounded.
    """

    def __init__(self, params: HomeParams, streams: Streams):
        self.params = params
        self._weather: Stream = streams("climate", "weather")
        self._clouds: Stream = streams("climate", "clouds")
        self._prices: Stream = streams("climate", "prices")
        self._day, self._first = -1, -AHEAD  # the loaded day; the first of the days that are drawn
        self._prices_of_day = None if params.tariff == "hourly" else self._price_readings(self._fixed_tariff())
        self._drawn: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        self._readings = np.zeros((SLOTS, 4))  # of the four channels
        self.slots: list[tuple[float, float, float, tuple[tuple[int, float], ...]]] = []

    def readings(self, slot: int) -> list[float]:
        """(4,) of the channels in a slot."""
        values: list[float] = self._readings[slot].tolist()
        return values

    def load(self, day: int) -> None:
        """Make a day the present one."""
        if day == self._day:
            return
        self._day = day
        if not 0 <= day - self._first < AHEAD:
            self._first, self._drawn = day, [self._draw(day + i) for i in range(AHEAD)]
        outdoor, sun, tariff, readings = self._drawn[day - self._first]
        self._readings = readings
        new = np.empty(readings.shape, bool)
        new[0] = True
        np.not_equal(readings[1:], readings[:-1], out=new[1:])
        news: list[tuple[tuple[int, float], ...]] = [()] * SLOTS
        slots, channels = new.nonzero()
        for slot, channel, value in zip(slots.tolist(), channels.tolist(), readings[new].tolist(), strict=True):
            news[slot] += ((channel + 1, value),)
        self.slots = list(zip(outdoor.tolist(), sun.tolist(), tariff.tolist(), news, strict=True))

    def _draw(self, day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Outdoor temperature, sun and tariff of a day, each (SLOTS,), and readings (SLOTS, 4)."""
        p = self.params
        season = 2 * np.pi * (p.season + day) / 365
        # Cooper 1969: declination of the sun
        declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + p.season + day) / 365)
        high, wide = math.sin(LATITUDE) * math.sin(declination), math.cos(LATITUDE) * math.cos(declination)
        clouds = 0.3 * (self._clouds.block(day * 24, 24).repeat(6) - 0.5)
        clear = 0.35 + 0.65 * self._weather.uniform(2 * day) + clouds
        sun = np.maximum(high + wide * _NOON, 0) * np.minimum(np.maximum(clear, 0.15), 1.0)
        # a yearly wave, a daily one and weather that lasts about three days
        weather = sum(0.7**k * self._weather.normal(2 * (day - k) + 1) for k in range(6) if day >= k)
        outdoor = 10 - 9 * math.cos(season - 0.35) + 2.5 * weather - _WARMTH
        tariff, now, ahead = self._prices_of_day or self._price_readings(self._hourly_tariff(day))
        return outdoor, sun, tariff, np.stack([outdoor.round(), sun.round(2), now, ahead], 1)

    def _fixed_tariff(self) -> np.ndarray:
        p = self.params
        if p.tariff == "flat":
            return np.full(SLOTS, p.price)
        peak, night = (_HOUR >= 17) & (_HOUR < 21), (_HOUR >= 22) | (_HOUR < 6)
        return p.price * np.select([peak, night], [1.4, 0.73], 1.0)

    def _hourly_tariff(self, day: int) -> np.ndarray:
        return self.params.price * _EVENING * (0.7 + 0.6 * self._prices.block(day * 24, 24).repeat(6))

    @staticmethod
    def _price_readings(tariff: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The tariff and its readings: now, and in three hours as far as today's prices are known."""
        ahead = np.concatenate([tariff[18:], tariff[-1:].repeat(18)])
        return tariff, tariff.round(3), ahead.round(3)
