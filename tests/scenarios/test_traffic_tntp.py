import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.traffic.roads.network import NetworkError
from lam_env.scenarios.traffic.roads.tntp import TntpError, read_network, read_nodes, read_trips
from outside import NETWORKS, needs
from samples import NETWORK, NODES, TRIPS

from lam_env.core.errors import UserError


@pytest.fixture
def file(tmp_path):
    def write(text: str | bytes, name="Test_net.tntp"):
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["Test_net.tntp", "Test_net.tntp.gz"])
def test_a_network_file(file, name):
    network = read_network(file(NETWORK, name))
    assert (network.name, network.zones, network.nodes, network.first_thru) == ("Test", 2, 3, 2)
    assert network.tail.tolist() == [0, 2, 1]
    assert network.head.tolist() == [2, 1, 0]
    assert network.capacity.tolist() == [100, 200.5, 300]
    assert network.length.tolist() == [2, 1, 1]
    assert network.free_flow_time.tolist() == [6, 5, 0]
    assert network.b.tolist() == [0.15, 1, 0]
    assert network.power.tolist() == [4, 1, 0]
    assert network.toll.tolist() == [50, 0, 0]
    assert network.fixed.tolist() == [0, 0, 0]


def test_a_trips_file_without_the_trips_within_a_zone(file):
    demand = read_trips(file(TRIPS), read_network(file(NETWORK, "net")))
    assert list(zip(demand.origin, demand.destination, demand.volume, strict=True)) == [(0, 1, 10.5), (1, 0, 5)]


def test_a_node_file(file):
    assert read_nodes(file(NODES), read_network(file(NETWORK, "net"))).tolist() == [[0, 0], [1.5, 2], [-1, 0]]


def said_of(read, path, *more) -> str:
    with pytest.raises(TntpError) as error:
        read(path, *more)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<NUMBER OF LINKS> 3\n", "", "the metadata lack <NUMBER OF LINKS>"),
        ("<FIRST THRU NODE> 3\n", "", "the metadata lack <FIRST THRU NODE>"),
        (
            "<END OF METADATA>\n",
            "",
            "line 9: '1\\t3\\t100\\t2\\t6\\t0.15\\t4\\t30\\t50\\t1\\t;' before <END OF METADATA>",
        ),
        ("<NUMBER OF LINKS> 3", "<NUMBER OF LINKS> 4", "3 links, but <NUMBER OF LINKS> is 4; the file is cut short"),
        ("<NUMBER OF LINKS> 3", "<NUMBER OF LINKS> many", "line 4: <NUMBER OF LINKS> is 'many'; write a finite number"),
        (
            "<NUMBER OF ZONES> 2",
            "<NUMBER OF ZONES> 2.5",
            "<NUMBER OF ZONES> is 2.5; it must be a whole number from 1 to 3",
        ),
        ("<NUMBER OF ZONES> 2", "<NUMBER OF ZONES> 4", "<NUMBER OF ZONES> is 4"),
        ("<NUMBER OF NODES> 3", "<NUMBER OF NODES> 1e18", "<NUMBER OF NODES> is 1e+18"),
        ("<FIRST THRU NODE> 3", "<FIRST THRU NODE> 0", "<FIRST THRU NODE> is 0"),
        ("\t1\t3\t100", "\t1\t9\t100", "line 10: the head node is 9; it must be a whole number from 1 to 3"),
        ("\t1\t3\t100", "\t\t3\t100", "line 10: 9 columns instead of 10 (tail, head, capacity"),
        ("\t1\t3\t100", "\tA\t3\t100", "line 10: tail is 'A'; write a finite number"),
        ("\t1\t3\t100", "\t1\t1\t100", "line 10: the link starts and ends at the same node"),
        ("\t200.5\t", "\t0\t", "line 11: the link has a capacity that is not positive"),
        ("\t200.5\t", "\t-3\t", "line 11: the link has a capacity that is not positive"),
        ("\t200.5\t", "\tnan\t", "line 11: capacity is 'nan'; write a finite number"),
        ("\t5\t1\t1\t30", "\t-5\t1\t1\t30", "line 11: the link has a negative free_flow_time"),
        ("\t30\t0\t1;", "\t30\t0\t1", "line 11: the link does not end with ';'; the line is cut short"),
    ],
)
def test_a_bad_network_file_is_refused_with_its_line(file, old, new, said):
    assert NETWORK.count(old) == 1
    message = said_of(read_network, file(NETWORK.replace(old, new)))
    assert message.startswith("Test_net.tntp")
    assert said in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<TOTAL OD FLOW> 16.5\n", "", "the metadata lack <TOTAL OD FLOW>"),
        ("<TOTAL OD FLOW> 16.5", "<TOTAL OD FLOW> 17", "16.5 trips, but <TOTAL OD FLOW> is 17; the file is cut short"),
        ("Origin 2\n1:5;\n", "", "11.5 trips, but <TOTAL OD FLOW> is 16.5"),
        (
            "<NUMBER OF ZONES> 2",
            "<NUMBER OF ZONES> 3",
            "3 zones, but network 'net' has 2; give the files of one network",
        ),
        ("Origin \t1", "", "line 7: '1 :      1.0;     2 :    10.5;' before the first 'Origin'"),
        ("Origin 2", "Origin 3", "line 8: the origin is 3; it must be a whole number from 1 to 2"),
        ("Origin 2", "Origin two", "line 8: the origin is 'two'"),
        ("2 :    10.5", "5 :    10.5", "line 7: a destination is 5; it must be"),
        ("2 :    10.5", "2 :    -10.5", "line 7: -10.5 trips from 1 to 2; they must not be negative"),
        ("2 :    10.5", "2 :    x", "line 7: the trips to 2 is 'x'; write a finite number"),
        ("2 :    10.5", "2", "line 7: the trips to 2 is ''"),
        ("1 :      1.0", "2 :      1.0", "line 7: the trips from 1 to 2 are given twice"),
        ("1:5;", "1:5", "line 9: '1:5' does not end with ';'; the line is cut short"),
    ],
)
def test_a_bad_trips_file_is_refused_with_its_line(file, old, new, said):
    assert TRIPS.count(old) == 1
    network = read_network(file(NETWORK, "net"))
    message = said_of(read_trips, file(TRIPS.replace(old, new), "trips"), network)
    assert message.startswith("trips")
    assert said in message


def test_trips_without_a_way_are_refused_with_their_line(file):
    network = read_network(
        file(NETWORK.replace("LINKS> 3", "LINKS> 2").replace("\t2\t1\t300\t1\t0\t0\t0\t30\t0\t1\t;\n", ""))
    )
    message = said_of(read_trips, file(TRIPS, "trips"), network)
    assert message.startswith("trips, line 9: 5 trips from 2 to 1, but network 'Test' has no way there; ")


def test_trips_only_within_zones_are_none(file):
    text = TRIPS.replace("2 :    10.5;", "").replace("1:5", "2:5").replace("16.5", "6")
    assert "no trips between different zones" in said_of(read_trips, file(text))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("3\t-1\t0\t;\n", "", "no line for node 3; the file is cut short"),
        ("3\t-1", "4\t-1", "line 4: the node is 4"),
        ("3\t-1\t0", "3\t-1", "line 4: 2 columns instead of 3 (node, x, y)"),
    ],
)
def test_bad_node_files_are_refused(file, old, new, said):
    assert NODES.count(old) == 1
    assert said in said_of(read_nodes, file(NODES.replace(old, new), "other"), read_network(file(NETWORK, "net")))


def test_what_is_wrong_with_a_file_is_the_users_to_mend():
    assert issubclass(TntpError, NetworkError)
    assert issubclass(NetworkError, UserError)


@pytest.mark.parametrize("read", [read_network, read_trips])
def test_files_that_are_no_text_or_not_there(file, read, tmp_path):
    assert "no such file; give the path" in said_of(read, tmp_path / "missing.tntp")
    assert "no such file; give the path" in said_of(read, tmp_path)
    assert said_of(read, file("")) == "Test_net.tntp: the file is empty; copy it again"
    assert "the file is empty" in said_of(read, file(" \n\n"))
    assert "line 1: not UTF-8; save it as UTF-8" in said_of(read, file("<NUMBER OF ZONES> ä".encode("latin-1")))
    packed = gzip.compress((NETWORK * 50).encode())
    assert "gzip file is cut short" in said_of(read, file(packed[:-20]))
    assert "no line <END OF METADATA>" in said_of(read, file("~ nothing\n<NUMBER OF ZONES> 2\n"))


@given(st.data())
def test_what_is_written_is_read(tmp_path_factory, data):
    nodes = data.draw(st.integers(2, 5))
    zones = data.draw(st.integers(2, nodes))
    node = st.integers(1, nodes)
    ends = data.draw(st.lists(st.tuples(node, node).filter(lambda e: e[0] != e[1]), min_size=1, max_size=6))
    number = st.floats(0.001, 1e6)
    rows = [
        [*e, *(data.draw(number) for _ in range(4)), data.draw(st.sampled_from([0, 1, 2.5])), 0, 0, 1] for e in ends
    ]
    text = f"<NUMBER OF ZONES> {zones}\n<NUMBER OF NODES> {nodes}\n<FIRST THRU NODE> 1\n<NUMBER OF LINKS> {len(rows)}\n"
    text += "<END OF METADATA>\n" + "".join("\t".join(map(repr, row)) + "\t;\n" for row in rows)
    path = tmp_path_factory.mktemp("tntp") / "x_net.tntp"
    path.write_text(text)
    network = read_network(path)
    columns = ("capacity", "length", "free_flow_time", "b", "power")
    assert [(t + 1, h + 1) for t, h in zip(network.tail, network.head, strict=True)] == ends
    assert np.stack([getattr(network, name) for name in columns], 1).tolist() == [row[2:7] for row in rows]


@given(
    st.sampled_from([(read_network, NETWORK), (read_trips, TRIPS)]),
    st.integers(0, 10_000),
    st.integers(0, 30),
    st.binary(max_size=4),
)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, case, at, length, instead):
    read, text = case
    at %= len(text)
    path = tmp_path_factory.mktemp("tntp") / "damaged.tntp"
    path.write_bytes(text.encode()[:at] + instead + text.encode()[at + length :])
    said = "damaged.tntp"
    try:
        read(path)
    except TntpError as error:
        said = str(error)
    assert said.startswith("damaged.tntp")
    assert "\n" not in said


@given(st.sampled_from([(read_network, NETWORK), (read_trips, TRIPS)]), st.floats(0, 0.98))
def test_a_truncated_file_is_refused(tmp_path_factory, case, share):
    read, text = case
    path = tmp_path_factory.mktemp("tntp") / "short.tntp"
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(TntpError, match=r"^short\.tntp"):
        read(path)


@needs(NETWORKS)
@pytest.mark.parametrize(
    ("place", "zones", "nodes", "links", "pairs", "trips"),
    [
        ("SiouxFalls/SiouxFalls_{}.tntp", 24, 24, 76, 528, 360_600),
        ("Braess-Example/Braess_{}.tntp", 2, 4, 5, 1, 6),
        ("Eastern-Massachusetts/EMA_{}.tntp", 74, 74, 258, 1113, 65_576.375431),
        ("Chicago-Sketch/ChicagoSketch_{}.tntp.gz", 387, 933, 2950, 93_135, 1_137_493.44),
    ],
)
def test_published_files(place, zones, nodes, links, pairs, trips):
    network = read_network(NETWORKS / place.format("net"))
    demand = read_trips(NETWORKS / place.format("trips"), network)
    assert (network.zones, network.nodes, network.links, len(demand.volume)) == (zones, nodes, links, pairs)
    assert demand.total == pytest.approx(trips)
    if (NETWORKS / place.format("node")).exists():
        assert np.isfinite(read_nodes(NETWORKS / place.format("node"), network)).all()
