"""Published logs, networks and figures that do not come with the repository; without them their tests are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("LAM_ENV_DATA") or Path(__file__).resolve().parents[3] / "shared")
HOMES = FOLDER / "data/smart_home/casas_hh_activity"
AL = FOLDER / "data/smart_home/casas_al_smarthome/data.gz"
KASTEREN = FOLDER / "data/smart_home/kasteren"
MIT = FOLDER / "data/smart_home/mit_placelab/subject1"
ORDONEZ = FOLDER / "data/smart_home/uci_adl_ordonez"
PLAYS = FOLDER / "data/game/mobile_plays/plays.csv.gz"
RUNS = FOLDER / "data/game/slay_the_spire_runs/runs.jsonl.gz"
SHEETS = FOLDER / "data/game/dnd_characters/characters.tsv.gz"
STAYS = FOLDER / "data/traffic/geolife-visits"
NETWORKS = FOLDER / "data/traffic/tntp"
TRIPS = FOLDER / "data/traffic/swissmetro/swissmetro.dat.gz"
CLICKS = FOLDER / "data/ecommerce/yoochoose_100k"
VISITS = FOLDER / "data/traffic/geolife-visits"
PURCHASES = FOLDER / "data/ecommerce/amazon_games/Video.txt.gz"
ANSWERS = FOLDER / "data/qa/assist2009"
FIGURES = FOLDER / "reference"


def needs(*paths: Path) -> pytest.MarkDecorator:
    missing = [str(p.relative_to(FOLDER)) for p in paths if not p.exists()]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} in {FOLDER} (LAM_ENV_DATA)")
