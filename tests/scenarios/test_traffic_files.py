"""Networks of one's own: a TNTP file by path, its trips beside it."""

import gzip

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.picture.of_world import traffic_view
from lam_env.scenarios.traffic.roads import region as regions
from outside import NETWORKS, needs

from lam_env.config.cli import ConfigError
from lam_env.core.errors import UserError
from lam_env.envs.single import LamEnv
from lam_env.evaluation.rollout import rollout

# three zones and a crossing: from 1 to 2 there are three ways, from 3 to 2 there is less choice
LINKS = ["1 4 3000 1 6 0.15 4", "4 2 1000 1 5 0.15 4", "1 2 1500 1 15 0.15 4", "3 4 2000 1 0 0 0", "1 3 1500 1 9 1 1"]
TRIPS = {(1, 2): 1500, (3, 2): 500}


def written(folder, links=LINKS, trips=TRIPS, zones=3, nodes=4, name="town"):
    rows = [f"\t{link}\t0\t0\t1\t;" for link in links]
    head = [
        f"<NUMBER OF ZONES> {zones}",
        f"<NUMBER OF NODES> {nodes}",
        "<FIRST THRU NODE> 1",
        f"<NUMBER OF LINKS> {len(links)}",
    ]
    path = folder / f"{name}_net.tntp"
    path.write_text("\n".join([*head, "<END OF METADATA>", *rows, ""]))
    if trips is not None:
        rows = [f"Origin {o}\n {d} : {v};" for (o, d), v in trips.items()]
        head = [f"<NUMBER OF ZONES> {zones}", f"<TOTAL OD FLOW> {sum(trips.values())}", "<END OF METADATA>"]
        (folder / f"{name}_trips.tntp").write_text("\n".join([*head, *rows, ""]))
    return path


def refused(path, **settings):
    with pytest.raises((UserError, ConfigError, ValueError)) as caught:
        SCENARIO(network=str(path), **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_travellers_divide_among_pairs_as_the_trips_do_and_all_choose_from_as_many_options(tmp_path):
    scenario = SCENARIO(network=str(written(tmp_path)), travellers=1000)
    supply = scenario.supply
    assert supply.pairs == ((0, 1), (2, 1))
    assert supply.share == pytest.approx([0.75, 0.25])
    assert [len(ways) for ways in supply.paths] == [3, 3]
    assert supply.offered.tolist() == [[True] * 3, [True, False, False]]
    env = LamEnv("traffic", network=scenario.params.network, travellers=1000, burn_in=7, days=2)
    env.reset(seed=1)
    people = env.world.people
    assert np.bincount(people.pair) / 1000 == pytest.approx([0.75, 0.25], abs=0.04)
    few = people.pair == 1
    assert (supply.way[np.where(few, env.world.chosen, 0)] == 0).all()  # nobody takes what is not offered
    assert (people.possible[few].sum(1) == 7).all()
    assert (people.possible[~few].sum(1) == 21).all()


def test_flows_over_capacity_are_those_of_the_file_whoever_many_travel(tmp_path):
    path = written(tmp_path)
    for travellers in (200, 1000):
        place = regions.region(SCENARIO(network=str(path), travellers=travellers).params)
        hour = place.demand.total * 70 / 60  # departures span 70 min
        assert hour / place.network.capacity == pytest.approx(2000 / np.array([3000, 1000, 1500, 2000, 1500]))
        assert place.model == "bpr"
        assert place.fullest == 1
    slow = regions.region(SCENARIO(network=str(path), minute=2).params)
    assert slow.network.free_flow_time.tolist() == [12, 10, 30, 0, 18]


def test_a_world_of_a_file_runs_and_is_drawn(tmp_path):
    path = written(tmp_path)
    env, done = LamEnv("traffic", network=str(path), burn_in=14, days=3, record=True), False
    env.reset(seed=0)
    assert traffic_view(env.world).network.startswith("town")
    assert len({(node.x, node.y) for node in traffic_view(env.world).nodes}) == 4  # on a circle
    chance = np.random.default_rng(0)
    while not done:
        *_, done, info = env.step(int(chance.choice(np.flatnonzero(env.action_masks()))))
    assert all(np.isfinite(v) for v in info["totals"].values())
    assert env.world.loading.departed == env.world.loading.arrived > 0


def test_gzipped_files_and_coordinates_are_found(tmp_path):
    path = written(tmp_path)
    plain = SCENARIO(network=str(path)).supply
    trips = tmp_path / "town_trips.tntp"
    for file in (path, trips):
        (tmp_path / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    (tmp_path / "town_node.tntp").write_text("Node X Y ;\n" + "".join(f"{i} {i} {i * i} ;\n" for i in range(1, 5)))
    packed = SCENARIO(network=f"{path}.gz").supply
    assert packed.paths == plain.paths
    assert packed.network.name == plain.network.name == "town"
    assert packed.network.xy.tolist() == [[i, i * i] for i in range(1, 5)]


def test_a_closure_works_where_there_is_a_way_around(tmp_path):
    assert "no way around its fullest link, 4 to 2, for trips from 3 to 2" in refused(
        written(tmp_path), shock="closure"
    )
    path = written(tmp_path, trips={(1, 2): 1500}, name="one")
    assert SCENARIO(network=str(path), shock="closure").supply.tight == 1


def test_what_is_wrong_with_a_file_is_one_line(tmp_path):
    assert "no such file" in refused(tmp_path / "none_net.tntp")
    assert "must end in _net.tntp" in refused(tmp_path / "town.tntp")
    assert "or the path of a *_net.tntp file, not 'town'" in refused("town")
    path = written(tmp_path, name="alone", trips=None)
    assert "alone_trips.tntp: no such file" in refused(path)
    for model in ("point", "spatial"):
        assert f"link_model={model}: {path} is given by delay functions; take bpr" in refused(path, link_model=model)


@pytest.mark.parametrize(("links", "trips", "what"), [
    (["1 9 3000 1 6 0.15 4", *LINKS[1:]], TRIPS, "line 6: the head node is 9; it must be a whole number from 1 to 4"),
    (["1 4 0 1 6 0.15 4", *LINKS[1:]], TRIPS, "line 6: the link has a capacity that is not positive"),
    (["1 4 3000 1 -6 0.15 4", *LINKS[1:]], TRIPS, "line 6: the link has a negative free_flow_time"),
    (["1 4 3000", *LINKS[1:]], TRIPS, "line 6: 6 columns instead of 10"),
    (LINKS, {(2, 1): 100}, "100 trips from 2 to 1, but network 'town' has no way there"),
    (LINKS, {(1, 2): -3}, "-3 trips from 1 to 2; they must not be negative"),
    (LINKS, {(1, 1): 3}, "no trips between different zones"),
])  # fmt: skip
def test_a_line_that_makes_no_sense_is_named(tmp_path, links, trips, what):
    assert what in refused(written(tmp_path, links, trips))


def test_a_file_cut_short_is_noticed(tmp_path):
    path = written(tmp_path)
    text = path.read_text()
    path.write_text(text[: text.rindex("1 3")])
    assert "4 links, but <NUMBER OF LINKS> is 5" in refused(path, days=29)
    path.write_text(text[:-12])
    assert "cut short" in refused(path, days=28)


def test_a_network_too_large_for_a_world_is_refused_before_it_takes_all_day(tmp_path, monkeypatch):
    path = written(tmp_path)
    monkeypatch.setattr(regions, "MOST_PAIRS", 1)
    assert "trips between 2 pairs of zones; a world takes at most 1" in refused(path)
    monkeypatch.setattr(regions, "MOST_LINKS", 4)
    assert "town_net.tntp: 5 links; a world takes at most 4" in refused(path)


def test_a_bad_file_ends_the_command_with_one_line(fails, tmp_path):
    path = written(tmp_path, ["1 4 0 1 6 0.15 4", *LINKS[1:]])
    assert "town_net.tntp, line 6" in fails("scenario=traffic", f"world.network={path}", "agents=none")


@pytest.mark.slow
@needs(NETWORKS)
def test_sioux_falls_is_calm_and_can_be_helped():
    scenario = SCENARIO(network=str(NETWORKS / "SiouxFalls/SiouxFalls_net.tntp"), days=14)

    class Silent:
        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            return np.zeros(len(observation["epoch"]), int), state

    none, oracle = (rollout(p, scenario, [11])[0] for p in (Silent(), scenario.baselines()["oracle"](None)))
    assert 15 < none["kpi.mean_cost"] < 35
    assert oracle["utility.total"] > none["utility.total"]
    assert all(np.isfinite(v) for v in (*none.values(), *oracle.values()))


@needs(NETWORKS)
def test_chicago_is_too_large():
    assert "2,950 links; a world takes at most 1,000" in refused(NETWORKS / "Chicago-Sketch/ChicagoSketch_net.tntp.gz")
