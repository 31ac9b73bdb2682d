"""Hand-made runs in the form of Slay the Spire's run histories."""

import json


def run(timestamp=1_546_376_628, **changes):
    """Two floors and a boss: a card, a card left, a rest, a boss relic; lost."""
    made = {
        "character_chosen": "IRONCLAD",
        "ascension_level": 20,
        "neow_bonus": "HUNDRED_GOLD",
        "path_per_floor": ["M", "?", "R", "B", None, "M"],
        "path_taken": ["M", "?", "R", "BOSS", "M"],
        "card_choices": [
            {"picked": "Clash", "not_picked": ["Flex", "Anger+1"], "floor": 1},
            {"picked": "SKIP", "not_picked": ["Clash", "Flex", "Havoc"], "floor": 6},
        ],
        "campfire_choices": [{"key": "SMITH", "data": "Clash", "floor": 3}],
        "event_choices": [{"event_name": "Beggar", "player_choice": "Ignored", "floor": 2}],
        "boss_relics": [{"picked": "Velvet Choker", "not_picked": ["Black Blood"]}],
        "items_purchased": [],
        "item_purchase_floors": [],
        "items_purged": [],
        "items_purged_floors": [],
        "potions_floor_usage": [4],
        "relics_obtained": [],
        "damage_taken": [{"floor": 1, "damage": 10, "turns": 5, "enemies": "Cultist"}],
        "current_hp_per_floor": [70, 70, 70, 40, 70, 60],
        "max_hp_per_floor": [80, 80, 80, 80, 80, 80],
        "gold_per_floor": [100, 110, 110, 200, 200, 210],
        "timestamp": timestamp,
        "playtime": 600,
        "local_time": "20190101130348",
        "victory": False,
    }
    return made | changes


def write(path, *runs):
    path.write_text("".join(json.dumps(one) + "\n" for one in runs), encoding="utf-8")
    return str(path)
