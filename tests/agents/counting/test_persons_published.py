"""Next places of 45 people (Geolife), by the protocol of the reference: better than its rankers and its network."""

import csv
import gzip
import json

import numpy as np
from bags import log_of
from lam_env.agents.counting.persons import Persons, suits
from lam_env.agents.predictors.likelihood import blocks_of
from outside import FIGURES, STAYS, needs

from lam_env.core.events import Vocabulary

REFERENCE = FIGURES / "traffic/geolife_next_place.json"


def stays():
    """Decision points at the ends of stays, each person's from a Monday on; which part (n,) each row's target is in."""
    rows = []
    for part, name in enumerate(("train", "valid", "test")):
        with gzip.open(STAYS / f"geolife_{name}.csv.gz", "rt") as file:
            for row in csv.DictReader(file):
                cells = {k: int(float(v)) for k, v in row.items()}
                monday = (cells["weekday"] - cells["start_day"]) % 7
                end = ((cells["end_day"] + monday) * 1440 + cells["end_min"]) * 60
                rows.append((cells["user_id"], part, end, cells["location_id"]))
    rows.sort(key=lambda row: row[:2])
    person, part, end, place = np.array(rows).T
    known, number = np.unique(place, return_inverse=True)
    vocabulary = Vocabulary(("none", *(f"place {i}" for i in known.tolist())))
    points = log_of((number + 1)[:, None].tolist(), end, person, vocabulary)
    return points, np.where(np.r_[person[1:] == person[:-1], False], np.r_[part[1:], 0], -1)


@needs(STAYS, REFERENCE)
def test_next_places():
    points, part = stays()
    learns, test = (part == 0) | (part == 1), part == 2
    told = json.loads(REFERENCE.read_text(encoding="utf-8"))
    assert test.sum() == told["results"]["markov1 online"]["n"]
    train = points.select(learns)
    assert suits(train)
    persons, _ = Persons.fit(train, blocks_of(train, 5))
    said = np.concatenate(list(persons.blocks(points, test)))
    hits, p, visited = [], [], dict[int, set[int]]()
    rows = iter(said)
    for world, token, target, tests in zip(points.world, points.tokens[:, -1], points.target, test, strict=True):
        mine = visited.setdefault(int(world), set())
        mine.add(int(token))
        if tests:
            row, places = next(rows), np.array(sorted(mine))
            # a place never visited is no hit, and one of twenty that could be new
            new = target not in mine
            p.append((1 - row[places].sum()) / 20 if new else row[target])
            hits.append(not new and places[row[places].argmax()] == target)
    nll = -np.log(0.999 * np.array(p) + 0.001 / told["places"]).mean()
    assert np.mean(hits) > 0.55 > max(row["top1"] for row in told["results"].values())
    assert nll < 1.75 < min(row["nll"] for row in (*told["results"].values(), *told["LSTM"]))
