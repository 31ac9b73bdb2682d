"""What the picture of traffic shows, as plain data. Times of the day are hours (7.5 is half past seven)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lam_env.envs.signs import TONES

NODE_KINDS = ("crossing", "zone", "home", "work")
MODES = ("car", "bus")


@dataclass(frozen=True)
class NodeView:
    """A place. `x`, `y`: any units, y upwards; the map is a diagram and stretches them."""

    x: float
    y: float
    name: str = ""  # a word, or up to 3 letters in a large network
    kind: str = "crossing"  # crossing | zone | home | work
    people: int | None = None  # who are at this place now


@dataclass(frozen=True)
class LinkView:
    """A road or a bus line from node `tail` to node `head`."""

    tail: int
    head: int
    mode: str = "car"  # car | bus
    name: str = ""  # "main road"
    load: float = 0.0  # flow / capacity, or passengers / seats
    queue: int = 0  # vehicles that stand at its end, or people at a bus stop
    closed: bool = False
    time: float | None = None  # [min] now
    free_time: float | None = None  # [min] without traffic
    capacity: float | None = None  # [veh/h]; a road with much less than the one before it is drawn as a bottleneck


@dataclass(frozen=True)
class VehicleView:
    """A vehicle that moves; one that stands in a queue is only counted in `LinkView.queue`."""

    link: int
    position: float  # 0 at the link's tail, 1 at its head (or at the end of the queue there)
    kind: str = "car"  # car | bus
    occupants: int = 1
    advised: bool = False  # its driver follows the agent's advice


@dataclass(frozen=True)
class TravellerView:
    """The one who is asked, or was asked last, for the people who watch."""

    name: str
    habit: str  # "car, main road, 07:20"
    advice: str = ""  # "bus, 07:12"; empty: none was given
    answer: str = ""  # what was done: "takes the bus"
    tone: str = ""  # "" | accepted | refused | ignored: how the advice was taken
    trust: float | None = None  # 0..1
    habit_links: tuple[int, ...] = ()  # the usual route, marked on the map
    advice_links: tuple[int, ...] = ()  # the route of the advice
    clock: str = ""  # when the question was, "06:41"; empty: now


@dataclass(frozen=True)
class CountsView:
    """Where everybody is now; a person is counted once."""

    at_home: int = 0
    on_road: int = 0  # in cars
    on_bus: int = 0
    arrived: int = 0


@dataclass(frozen=True)
class FiguresView:
    """Today so far; None is shown as a dash."""

    cost: float | None = None  # mean generalised cost [min]
    usual_cost: float | None = None  # what it is compared with [min], such as the mean without the agent
    delay: float | None = None  # mean [min]
    peak_queue: int | None = None  # [veh]
    acceptance: float | None = None  # share of advice that was followed
    shares: dict[str, float] = field(default_factory=dict)  # mode -> share of departures, adding up to 1


@dataclass(frozen=True)
class TrafficEventView:
    """Something that happened. `who`: a traveller's name, "agent", or another word."""

    clock: str  # "07:42"
    who: str
    text: str
    tone: str = ""  # "" | accepted | refused | ignored


@dataclass(frozen=True)
class ChartView:
    """The day in bins of 5 minutes from the hour `start` on, to the end of the longest series or of the window."""

    start: float  # [h]
    today: tuple[int, ...]  # departures by car in each bin, up to now
    yesterday: tuple[int, ...] = ()
    queue: tuple[float, ...] = ()  # [veh] of all links, so far
    window: tuple[float, float] | None = None  # [h] when most want to have arrived
    queue_yesterday: tuple[float, ...] = ()

    @property
    def bins(self) -> int:
        """Of the longest series."""
        return max(map(len, (self.today, self.yesterday, self.queue, self.queue_yesterday)))


@dataclass(frozen=True)
class TrafficView:
    """All that the picture shows."""

    network: str  # its name, for the headline
    nodes: tuple[NodeView, ...]
    links: tuple[LinkView, ...]
    clock: str  # "Tue 07:42"
    hour: float  # [h] 0..24
    day: int = 1
    days: int = 1
    vehicles: tuple[VehicleView, ...] = ()
    traveller: TravellerView | None = None  # None: nobody is asked now
    counts: CountsView = field(default_factory=CountsView)
    figures: FiguresView = field(default_factory=FiguresView)
    events: tuple[TrafficEventView, ...] = ()  # newest first; those that have room are shown
    chart: ChartView | None = None

    def __post_init__(self) -> None:
        if not self.nodes:
            _refuse("no nodes; a network has at least one")
        for i, node in enumerate(self.nodes):
            _among(f"node {i}", "kind", node.kind, NODE_KINDS)
        for i, link in enumerate(self.links):
            _among(f"link {i}", "mode", link.mode, MODES)
            if link.tail == link.head or not {link.tail, link.head} <= set(range(len(self.nodes))):
                _refuse(f"link {i} from {link.tail} to {link.head}; give two different nodes below {len(self.nodes)}")
        for vehicle in self.vehicles:
            _among("a vehicle", "kind", vehicle.kind, MODES)
            self._known(vehicle.link)
        if self.traveller is not None:
            _among("the traveller", "tone", self.traveller.tone, ("", *TONES))
            for link_id in self.traveller.habit_links + self.traveller.advice_links:
                self._known(link_id)
        if self.chart is not None and self.chart.bins > 288:
            _refuse("a chart of more than 288 bins of 5 minutes; a day has no more")

    def _known(self, link: int) -> None:
        if not 0 <= link < len(self.links):
            _refuse(f"link {link}; there are {len(self.links)} links")


def _among(what: str, name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        _refuse(f"{what} has the {name} {value!r}; choose one of {', '.join(filter(None, allowed))}")


def _refuse(what: str) -> None:
    raise ValueError(f"traffic view: {what}")
