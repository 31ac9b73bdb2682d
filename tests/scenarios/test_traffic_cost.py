import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads import cost, synthetic
from lam_env.scenarios.traffic.roads.network import RoadNetwork
from optimum import at_marginal_cost, beckmann, flow_cost, marginal_cost


def link(t0=10.0, capacity=100.0, b=0.15, power=4.0, fixed=0.0) -> RoadNetwork:
    """A network of one link."""
    values = {"free_flow_time": t0, "capacity": capacity, "b": b, "power": power, "fixed": fixed}
    columns = {name: np.array([value]) for name, value in values.items()}
    return RoadNetwork("one", 2, 2, np.array([0]), np.array([1]), **columns)


links = st.builds(
    link,
    t0=st.floats(0, 100),
    capacity=st.floats(1, 1e4),
    b=st.floats(0, 5),
    power=st.one_of(st.just(0.0), st.floats(1, 6)),
    fixed=st.floats(0, 10),
)
ratios = st.floats(0, 3)  # flow over capacity


def test_at_capacity_the_classical_link_is_15_per_cent_slower():
    assert cost.link_cost(link(), np.array([100.0])).tolist() == [11.5]
    assert cost.link_cost(link(fixed=3), np.array([100.0])).tolist() == [14.5]
    # 10 * .15 * 4 / 100, and 11.5 + 100 times that
    assert cost.slope(link(), np.array([100.0])) == pytest.approx([0.06])
    assert marginal_cost(link(), np.array([100.0])) == pytest.approx([17.5])
    # 10 * (100 + .15 * 100 / 5)
    assert beckmann(link(), np.array([100.0])) == pytest.approx(1030)
    assert flow_cost(link(), np.array([100.0])) == pytest.approx(1150)


@given(links, ratios)
def test_the_slope_is_the_derivative_of_the_cost(network, ratio):
    flow = (ratio + 0.01) * network.capacity  # at zero flow a power just above 1 has a kink
    h = 1e-5 * network.capacity
    secant = (cost.link_cost(network, flow + h) - cost.link_cost(network, flow - h)) / (2 * h)
    assert cost.slope(network, flow) == pytest.approx(secant, rel=1e-4, abs=1e-6)


@given(links, ratios)
def test_cost_is_the_derivative_of_beckmanns_integral_and_marginal_cost_that_of_the_total(network, ratio):
    flow = (ratio + 0.01) * network.capacity
    h = 1e-5 * network.capacity

    def derivative(function):
        return (function(network, flow + h) - function(network, flow - h)) / (2 * h)

    assert derivative(beckmann) == pytest.approx(cost.link_cost(network, flow), rel=1e-4, abs=1e-6)
    assert derivative(flow_cost) == pytest.approx(marginal_cost(network, flow), rel=1e-4, abs=1e-6)


@given(links, ratios)
def test_a_network_at_marginal_cost_costs_the_marginal_cost(network, ratio):
    flow = ratio * network.capacity
    other = at_marginal_cost(network)
    assert cost.link_cost(other, flow) == pytest.approx(marginal_cost(network, flow))
    # so Beckmann's objective there is the total cost here
    assert beckmann(other, flow) == pytest.approx(flow_cost(network, flow))


@given(links, ratios, ratios)
def test_cost_never_falls_with_flow(network, one, other):
    low, high = sorted([one, other])
    assert cost.link_cost(network, low * network.capacity) <= cost.link_cost(network, high * network.capacity)


def test_constant_links_have_no_slope_even_when_empty():
    assert cost.slope(link(power=0), np.zeros(1)).tolist() == [0]
    assert cost.slope(link(power=1, b=1), np.zeros(1)).tolist() == [0.1]
    assert np.isfinite(cost.slope(synthetic.corridor(), np.zeros(4))).all()


def test_braess_links_cost_what_braess_says():
    cars = np.array([4.0, 2, 2, 2, 4])
    assert cost.link_cost(synthetic.braess(), cars).tolist() == [40, 52, 52, 12, 40]
    assert cost.link_cost(synthetic.braess(), np.zeros(5)) == pytest.approx([0, 50, 50, 10, 0], abs=1e-15)
