"""The days of traffic in SUMO: plans and files handed over, and, where SUMO is there, what it makes of them."""

import importlib.util
from itertools import pairwise
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.sumo import __main__ as command
from lam_env.scenarios.traffic.sumo import files
from lam_env.scenarios.traffic.sumo.compare import compare_days, kendall, text_table, verdict
from lam_env.scenarios.traffic.sumo.plans import Anything, NoAdvice, Plans, days_of
from lam_env.scenarios.traffic.sumo.simulation import sumo
from lam_env.scenarios.traffic.units import HOUR
from scipy.stats import kendalltau

from lam_env.core.errors import UserError
from lam_env.evaluation.rollout import rollout

with_sumo = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("sumo", "libsumo")),
    reason="SUMO is an extra: pip install -e '.[sumo]'",
)
MINUTE = 60_000
QUEUES = ("corridor", "bottleneck", "grid")


def scenario_of(**settings):
    return SCENARIO(**({"travellers": 60, "burn_in": 7, "days": 3} | settings))


def some_plans(supply, departs, path=0, **others):
    """Cars that leave at these times [min] on one path."""
    departs = np.array(departs, float) * MINUTE
    paths = tuple(path for ways in supply.paths for path in ways)
    same = {"share": (1.0,) * supply.network.links, "arrives": departs, "wish": departs, "other": 0 * departs}
    return Plans(day=0, paths=paths, departs=departs, path=np.full(len(departs), path), **(same | others))


# -- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"network": "grid"}, {"shock": "closure", "shock_day": 0, "travellers": 30}])
def test_the_plans_hold_every_trip_and_all_that_it_costs(settings):
    scenario = scenario_of(**settings)
    days = days_of(scenario, Anything(), 5)
    assert [plans.day % 7 for plans in days] == [0, 1, 2]
    costs = np.concatenate([plans.cost(scenario.params, plans.arrives) for plans in days])
    (totals,) = rollout(Anything(), scenario, [5])
    assert costs.mean() == pytest.approx(totals["kpi.mean_cost"], rel=1e-9)
    for plans in days:
        assert all(plans.paths[k] for k in plans.path[plans.drives])
        assert (plans.arrives > plans.departs).all()


def test_days_on_which_nobody_is_asked_are_not_lost_in_silence():
    scenario = scenario_of(travellers=3, home=0.6, days=20)
    seen = []
    assert len(days_of(scenario, NoAdvice(), 1, seen.append)) == 20
    assert seen[-1] == 20
    lonely = scenario_of(travellers=2, advised=0.5, home=0.9, days=20)
    with pytest.raises(UserError, match=r"take more world\.travellers"):
        days_of(lonely, NoAdvice(), 1)


# -- files ------------------------------------------------------------------------------------------------------------


def tags(path, name):
    return [dict(tag.attrib) for tag in ElementTree.parse(path).iter(name)]


@pytest.mark.parametrize("network", QUEUES)
def test_roads_and_gates_have_the_times_of_the_links_and_lead_to_each_other(tmp_path, network):
    supply = scenario_of(network=network, travellers=3000).supply
    paths = [path for ways in supply.paths for path in ways if path]
    files.write_network(supply.network, paths, tmp_path)
    edges = {edge["id"]: edge for edge in tags(tmp_path / "edges.xml", "edge")}
    nodes = {node["id"] for node in tags(tmp_path / "nodes.xml", "node")}
    joined = {(c["from"], c["to"]) for c in tags(tmp_path / "connections.xml", "connection")}
    for k in {k for path in paths for k in path}:
        seconds = [float(edges[e]["length"]) / float(edges[e]["speed"]) for e in (f"{k}", f"{k}.gate")]
        assert sum(seconds) == pytest.approx(supply.network.free_flow_time[k] * 60, abs=0.01)
    for edge in edges.values():
        assert {edge["from"], edge["to"]} <= nodes
    for path in paths:
        way = [e for k in path for e in (f"{k}", f"{k}.gate")] + [f"exit{supply.network.head[path[-1]]}"]
        for a, b in pairwise(way):
            assert edges[a]["to"] == edges[b]["from"]
            assert (a, b) in joined


@pytest.mark.parametrize("travellers", [60, 20_000])
def test_headways_are_those_of_the_capacity_that_is_there(tmp_path, travellers):
    network, path = scenario_of(travellers=travellers).supply.network, tmp_path / "headways.xml"
    files.write_headways(network, [0.9] * network.links, 0.0, path)
    found = tags(path, "meso")
    for k in range(network.links):
        capacity = float(network.capacity[k])
        for state in ("tauff", "taufj", "taujf", "taujj"):
            tau = float(found[k][state])
            assert tau > 0
            headway = (tau + files.VEHICLE / files.SPEED) / files.lanes(capacity)
            assert 3600 / headway == pytest.approx(0.9 * capacity, rel=1e-3)


def test_only_who_drives_is_handed_over_in_the_order_of_departure(tmp_path):
    supply = scenario_of().supply
    bus = supply.paths[0].index(())
    plans = some_plans(supply, [30, 10, 20], path=0)
    plans.path[1] = -1
    files.write_trips(supply.network, plans, tmp_path / "trips.xml")
    trips = [(trip["id"], float(trip["depart"])) for trip in tags(tmp_path / "trips.xml", "vehicle")]
    assert trips == [("2", 1200.0), ("0", 1800.0)]
    assert bus not in plans.path


# -- comparison -------------------------------------------------------------------------------------------------------


def test_kendall_is_that_of_scipy():
    chance = np.random.default_rng(0)
    for n in (2, 3, 8):
        here, there = chance.normal(size=(2, n))
        assert kendall(here, there) == pytest.approx(kendalltau(here, there).statistic)
    assert kendall(np.ones(1), np.ones(1)) == 1.0


def test_the_verdict_says_when_the_order_turns():
    scenario = scenario_of()
    plans = some_plans(scenario.supply, [0, 5], arrives=np.array([10.0, 20.0]) * MINUTE)
    slow = plans.arrives + 30 * MINUTE
    late = some_plans(scenario.supply, [0, 5], arrives=plans.arrives + 9 * MINUTE)
    judged = [
        compare_days(n, scenario.params, [(0, p, a)]) for n, p, a in (("a", plans, slow), ("b", late, late.arrives))
    ]
    a, b = judged
    assert a.time == (12.5, 42.5)
    assert a.correlation == pytest.approx(1.0)
    assert a.cost[0] < b.cost[0] == b.cost[1] < a.cost[1]
    lines = verdict(judged, [0])
    assert lines[0].endswith("a < b")
    assert lines[1].endswith("b < a")
    assert "not the same (Kendall's tau -1.00)" in lines[2]
    assert text_table(judged).splitlines()[1].split()[:2] == ["a", f"{a.cost[0]:.2f}"]


# -- the command ------------------------------------------------------------------------------------------------------


def refused(capsys, *argv):
    with pytest.raises(SystemExit) as caught:
        command.main(argv)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_without_sumo_it_says_what_to_install_before_it_simulates_anything(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *a: None if n in ("sumo", "libsumo") else find(n, *a))
    monkeypatch.setattr(command, "days_of", lambda *a: pytest.fail("simulated"))
    line = refused(capsys, "world.days=1")
    assert line.startswith("error: SUMO is not installed: pip install ")


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("policies=orcale", "did you mean 'oracle'"),
        ("policies=", "give at least one"),
        ("seed=", "give at least one"),
        ("world.day=3", "did you mean 'world.days'"),
        ("drop=2", "drop"),
        ("world.network=braess", "take world.network=corridor"),
    ],
)
def test_bad_settings_are_one_line(capsys, monkeypatch, argument, said):
    monkeypatch.setattr(command, "find_sumo", lambda: None)
    assert said in refused(capsys, argument)


# -- in SUMO ----------------------------------------------------------------------------------------------------------


@with_sumo
@pytest.mark.parametrize("settings", [{"network": n} for n in QUEUES] + [{"travellers": 3000}])
def test_the_capacity_in_sumo_is_that_of_the_point_queue(settings):
    supply = scenario_of(**settings).supply
    with sumo(supply) as simulation:
        assert simulation.capacity(supply.tight) == pytest.approx(supply.network.capacity[supply.tight], rel=0.02)


@with_sumo
def test_out_of_a_queue_less_may_pass():
    supply = scenario_of(travellers=300).supply
    with sumo(supply, drop=0.2) as simulation:
        assert simulation.capacity(supply.tight) == pytest.approx(0.8 * supply.network.capacity[supply.tight], rel=0.03)
        alone = simulation.arrivals(some_plans(supply, [0, 30, 60]))
        assert np.diff(alone) == pytest.approx(30 * MINUTE, abs=1000)


@with_sumo
@pytest.mark.parametrize("network", QUEUES)
def test_times_are_those_of_the_empty_network_and_of_the_queue(network):
    """To two seconds: SUMO looks at its roads once a second."""
    supply = scenario_of(network=network).supply
    first = supply.paths[0][0]
    headway = HOUR / supply.network.capacity[list(first)].min()
    plans = some_plans(supply, [1, 400, 400, 400])
    with sumo(supply) as simulation:
        arrives = simulation.arrivals(plans)
    free = float(supply.network.free_flow_time[list(first)].sum()) * MINUTE
    assert plans.minutes(arrives)[:2] * MINUTE == pytest.approx([free, free], abs=2000)
    assert np.diff(np.sort(arrives[1:])) == pytest.approx([headway, headway], abs=2000)


@with_sumo
def test_bus_passengers_keep_their_times_and_who_never_arrives_is_counted_until_the_evening():
    supply = scenario_of().supply
    plans = some_plans(supply, [60, 60, 60, 22 * 60 + 59], arrives=np.full(4, 90.0 * MINUTE))
    plans.path[0] = -1
    with sumo(supply) as simulation:
        arrives = simulation.arrivals(plans)
    assert arrives[0] == 90 * MINUTE
    assert arrives[3] == 23 * 60 * MINUTE


@with_sumo
def test_what_sumo_cannot_do_is_one_line():
    supply = scenario_of().supply
    plans = some_plans(supply, [60])
    broken = SimpleNamespace(links=supply.network.links, capacity=supply.network.capacity, head=supply.network.head + 7)
    with sumo(supply) as simulation:
        object.__setattr__(simulation, "supply", SimpleNamespace(network=broken))
        with pytest.raises(UserError, match=r"SUMO failed on day 0: .*exit8") as caught:
            simulation.arrivals(plans)
    assert "\n" not in str(caught.value)


@with_sumo
def test_the_command_compares_and_says_whether_the_order_is_the_same(capsys):
    argv = ["policies=none,oracle", "seed=0,1", "world.travellers=100", "world.days=2", "world.burn_in=21"]
    assert command.main(argv) == 0
    said = capsys.readouterr()
    table = {
        line.split()[0]: line.split()[1:] for line in said.out.splitlines() if line[:6].strip() in ("none", "oracle")
    }
    for cells in table.values():
        assert float(cells[0]) == pytest.approx(float(cells[1]), rel=0.01)
        assert float(cells[5]) > 0.99
    assert list(table) == ["oracle", "none"]
    assert "The order is the same (Kendall's tau 1.00)." in said.out
    assert "Seed by seed: the same in 2 of 2" in said.out
    assert "SUMO: 8 days" in said.err
