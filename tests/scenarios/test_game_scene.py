"""The picture of the game: honest about the player, and within its frame."""

import pytest
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.picture.scene import HEIGHT, WIDTH
from lam_env.scenarios.game.picture.view import SHOWN, game_view

from lam_env.envs.scene import Rectangle, Text
from lam_env.envs.single import LamEnv


@pytest.fixture(scope="module")
def env():
    env = LamEnv("game", render_mode="ansi")
    env.reset(seed=16)
    for _ in range(40):
        env.step(1)
    return env


def test_the_view_is_the_state(env):
    view, player = game_view(env.world), env.world.player
    assert view.level == player.level
    assert dict(view.moods)["trust"] == player.trust
    assert len(view.plays) == min(SHOWN, env.world.tally.plays)
    assert [q for q, share, _ in view.quests if share >= 1] == [
        q.name for i, q in enumerate(Game().game.rules.quests) if i in player.done
    ]
    assert view.said in Game().vocabulary.actions


def test_everything_is_drawn_within_the_frame(env):
    scene = env.scenario.scene(env.world)
    for item in scene.items:
        if isinstance(item, Rectangle):
            assert 0 <= item.x <= item.x + item.width <= WIDTH
            assert 0 <= item.y <= item.y + item.height <= HEIGHT
        if isinstance(item, Text):
            left, top, right, bottom = item.box()
            assert left >= 0
            assert right <= WIDTH
            assert top >= 0
            assert bottom <= HEIGHT
    texts = " ".join(t.text for t in scene.texts())
    for word in ("quests", "moods (hidden)", "latest plays", "trust", "difficulty"):
        assert word in texts


def test_a_player_who_has_left_is_said_to_have_left():
    env = LamEnv("game", render_mode="ansi")
    for seed in range(20):
        env.reset(seed=seed)
        over = False
        while not over:
            over = any(env.step(0)[2:4])
        if env.world.terminated:
            assert "left for good" in " ".join(t.text for t in env.scenario.scene(env.world).texts())
            return
    pytest.fail("nobody leaves")
