"""Tables from rows of results."""

from __future__ import annotations

import pytest
from rich.console import Console

from lam_env.core.catalogue import JUDGE, SUMMARY, TOP1
from lam_env.evaluation import tables
from lam_env.evaluation.results import ResultRow, ResultsError, result_rows
from lam_env.evaluation.tables import Provenance, Table

ABOUT = Provenance("python -m lam_env.benchmark", "CPU", 1234.5, {"torch": "2.13.0"})


def runs() -> list[ResultRow]:
    """none: one run a seed; prior: predicts; tuned: five training seeds, better than none on 3 of 4 seeds."""
    out: list[ResultRow] = []
    for i, seed in enumerate((10, 11, 12, 13)):
        out += result_rows({"utility.total": float(i), "utility.lift": 0.0}, "home", "none", seed)
        out += result_rows(
            {"utility.total": i + 1.0, "utility.lift": 1.0, "pred.top1": 0.4 + 0.02 * i}, "home", "prior", seed
        )
        for t in range(5):
            utility = i + (2.0 if i else -1.0)
            out += result_rows({"utility.total": utility, "utility.lift": utility - i}, "home", "tuned", seed, t)
    return [*out, *result_rows({"pred.top1": 0.9}, "home", "prior", 10, variant="log")]


def cell(table: Table, agent: str, column: str) -> str:
    row = next(r for r in table.rows if r[0] == agent)
    return row[table.columns.index(column)]


def test_a_prediction_table_has_the_agents_that_predict_and_the_scores_that_exist() -> None:
    table = tables.score_table(runs(), "home", "prediction")
    assert table.columns == ("agent", "top-1")
    assert [r[0] for r in table.rows] == ["prior"]
    assert cell(table, "prior", "top-1").startswith("0.430 [0.3")  # four runs only


def test_a_reward_table_keeps_the_order_of_agents() -> None:
    table = tables.score_table(runs(), "home", "reward")
    assert [r[0] for r in table.rows] == ["none", "prior", "tuned"]
    assert cell(table, "prior", "true utility").startswith("2.500 [")


def test_how_acts_were_taken_is_left_empty_where_an_agent_has_not_acted() -> None:
    taken = {"feedback.noop_rate": 0.9, "feedback.accept_rate": 0.5, "feedback.override_rate": 0.25}
    idle = {"feedback.noop_rate": 1.0, "feedback.accept_rate": 0.0, "feedback.override_rate": 0.0}
    both = [("none", idle, 0), ("timer", taken, 0), ("timer", taken, 1), ("timer", idle, 2)]
    rows = [r for agent, scores, seed in both for r in result_rows(scores, "home", agent, seed)]
    table = tables.score_table(rows, "home", "reward")
    assert table.rows == (("none", "1.000", "", ""), ("timer", "0.933 [0.791, 1.000]", "0.500", "0.250"))
    alone = tables.score_table(rows[:3], "home", "reward")
    assert alone.rows == (("none", "1.000", "", ""),)


def test_variants_are_kept_apart() -> None:
    assert tables.score_table(runs(), "home", "prediction", "log").rows == (("prior", "0.900"),)


def test_notes_say_runs_seeds_versions_device_time_and_command() -> None:
    notes = "\n".join(tables.score_table(runs(), "home", "reward", about=ABOUT).notes)
    for text in ("4 to 20", "training seeds 0 to 4", "evaluation seeds 10 to 13", "torch 2.13.0", "CPU", "1,234 s"):
        assert text in notes
    assert "`python -m lam_env.benchmark`" in notes
    assert "t with bootstrap standard error" in notes
    assert "interval" not in "".join(tables.score_table(runs(), "home", "summary", intervals=()).notes)


def test_only_metrics_that_are_named_have_an_interval() -> None:
    table = tables.score_table(runs(), "home", "summary", intervals=(TOP1,))
    assert cell(table, "prior", "top-1").startswith("0.430 [0.3")
    assert cell(table, "prior", "lift") == "1.000"
    assert cell(table, "tuned", "lift").count("[") == 0
    assert "interval" in table.notes[0]


@pytest.mark.parametrize(("units", "said"), [
    (1, "; on 1 day or stream: of fewer than 3 there are no intervals."),
    (2, "; on 2 days or streams: of fewer than 3 there are no intervals."), (9, " [95 % interval"),
])  # fmt: skip
def test_a_log_of_which_few_days_test_says_that_there_is_no_interval(units: int, said: str) -> None:
    rows = result_rows({"pred.top1": 0.5, "pred.units": units}, "home", "prior", 0, variant="log")
    note = tables.score_table(rows, "home", "prediction", "log").notes[0]
    assert note.startswith(f"Mean{said}")  # of what no seed chooses there is nothing to say


@pytest.mark.parametrize(("top1", "sd", "cell", "exact"), [
    (1.0, 0.0, "1.000 [0.692, 1.000]", True), (0.0, 0.0, "0.000 [0.000, 0.308]", True),
    (0.5, 0.1, "0.500 [0.274, 0.726]", False), (0.5, 0.0, "0.500", False),
])  # fmt: skip
def test_the_note_says_which_interval_a_share_of_0_or_1_has(top1: float, sd: float, cell: str, exact: bool) -> None:
    scores = {"pred.top1": top1, "sd.pred.top1": sd, "pred.units": 10}
    rows = result_rows(scores, "home", "prior", 0, variant="log")
    table = tables.score_table(rows, "home", "prediction", "log")
    assert table.rows[0][1] == cell
    assert ("standard error; of shares of 0 and 1 the exact one, Clopper-Pearson]" in table.notes[0]) == exact
    assert "exact" not in tables.score_table(rows, "home", "prediction", "log", intervals=()).notes[0]


def test_of_a_log_training_seeds_and_folds_are_told() -> None:
    def note(*scores: tuple[int, int]) -> str:
        values = {"pred.top1": 0.5, "pred.units": 9}
        rows = [r for t, s in scores for r in result_rows(values, "home", "prior", s, t, "log")]
        return tables.score_table(rows, "home", "prediction", "log").notes[0]

    assert note((0, 0), (1, 0)).startswith("Runs an agent: 2; training seeds 0, 1; mean")
    assert note((0, 1), (0, 2), (0, 3)).startswith("Runs an agent: 3; folds 1 to 3; mean")


def test_of_two_seeds_there_are_no_intervals_and_the_note_says_so() -> None:
    table = tables.score_table([r for r in runs() if r.seed in (10, 12)], "home", "reward")
    assert "[" not in "".join(c for row in table.rows for c in row)
    assert table.notes[0].endswith("interquartile mean; no intervals of fewer than 3 evaluation seeds.")


def test_columns_are_picked_by_their_names() -> None:
    table = Table("t", ("agent", "x", "y"), (("a", "1", "2"), ("b", "3", "4")), ("note",))
    assert table.only(["agent", "y"]) == Table("t", ("agent", "y"), (("a", "2"), ("b", "4")), ("note",))
    with pytest.raises(ValueError, match="not in tuple"):
        table.only(["z"])


def test_markdown_is_a_table_whatever_the_names() -> None:
    text = Table("t", ("agent", "x"), (("a|b", "1"), ("c", "")), ("note",)).markdown()
    assert text == "**t**\n\n| agent | x |\n| --- | ---: |\n| a\\|b | 1 |\n| c |  |\n\nnote\n"


def test_a_summary_fits_a_terminal_and_shows_square_brackets_as_they_are() -> None:
    scores = dict.fromkeys([m.id for m in (*SUMMARY, JUDGE)], 123.456)
    rows = [
        r
        for seed in range(3)
        for a in ("none", "[red]agent_with_a_long_name")
        for r in result_rows(scores, "[b]home", a, seed)
    ]
    console = Console(width=120, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115 -- lives as long as the test
    console.print(tables.score_table(rows, "[b]home", "summary", about=ABOUT).rich())
    text = console.export_text()
    console.file.close()
    assert "[red]agent_with_a_long_name" in text
    assert "[b]home (sim): summary" in text
    assert "…" not in text
    assert len({len(line) for line in text.splitlines() if "│" in line}) == 1


def test_where_the_output_is_no_screen_the_title_is_a_whole_line_and_notes_fit_80_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    title, note = "a title [that] is long " * 4, "a note [b]with[/b] many words " * 6
    Table(title.strip(), ("agent", "x"), (("a[i]", "1"),), (note.strip(), "short")).show()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == title.strip()
    assert " ".join(lines[-4:]).endswith(f"{note.strip()} short")
    assert max(map(len, lines[-4:])) <= 80
    assert any("a[i]" in line for line in lines)


def test_nothing_to_show_is_an_error_in_one_line() -> None:
    with pytest.raises(ResultsError, match="no prediction scores of 'road', variant 'sim'"):
        tables.score_table(runs(), "road", "prediction")


def test_versions_name_python_and_the_kit() -> None:
    assert {"Python", "lam-env", "torch"} <= set(tables.versions())


def test_a_table_of_which_seeds_are_missing_says_so_in_one_line() -> None:
    whole = runs()
    assert not any("Incomplete" in note for note in tables.score_table(whole, "home", "reward").notes)
    fewer = [r for r in whole if not (r.agent == "tuned" and r.seed == 12 and r.train_seed in (1, 2))]
    fewer = [r for r in fewer if not (r.agent == "none" and r.seed == 10 and r.variant == "sim")]
    (said,) = [note for note in tables.score_table(fewer, "home", "reward").notes if "Incomplete" in note]
    assert said == (
        "Incomplete: tuned lacks evaluation seeds 12 of training seeds 1, 2; "
        "none lacks evaluation seeds 10 of training seeds 0."
    )


def test_an_agent_that_failed_has_a_marked_row() -> None:
    table = tables.score_table(runs(), "home", "reward").with_failed(["mine:Agent", "none"])
    assert [r[0] for r in table.rows] == ["none", "prior", "tuned", "mine:Agent"]  # none has its scores
    assert table.rows[-1] == ("mine:Agent", "failed", *[""] * (len(table.columns) - 2))


def test_csv_can_be_read_back_and_ends_with_the_notes() -> None:
    import csv

    table = Table("t", ("agent", "a, b"), (('x "y"', "1.0 [0.5, 1.5]"),), ("Runs: 4.", "Made by `x`."))
    *body, first, second = table.csv().splitlines()
    assert list(csv.reader(body)) == [["agent", "a, b"], ['x "y"', "1.0 [0.5, 1.5]"]]
    assert (first, second) == ("# Runs: 4.", "# Made by `x`.")


def test_latex_writes_out_what_tex_takes_for_its_own() -> None:
    table = Table("a_b & 50 %", ("agent", "P(x > y)"), (("my_agent:X{1}", "~$1^2 \\ #3"),), ("A_note <1>.",))
    assert table.latex().splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{a\_b \& 50 \%}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"agent & P(x \textgreater{} y) \\",
        r"\midrule",
        r"my\_agent:X\{1\} & \textasciitilde{}\$1\textasciicircum{}2 \textbackslash{} \#3 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\footnotesize A\_note \textless{}1\textgreater{}.",
        r"\end{table}",
    ]


def acted(agent: str, lift: float, noop: float, top1: float | None = None) -> list[ResultRow]:
    scores = {"utility.total": 1 + lift, "utility.lift": lift, "utility.share_of_oracle": lift / 4}
    scores |= {"feedback.noop_rate": noop}
    scores |= {} if top1 is None else {"pred.top1": top1}
    return [
        r for s in range(4) for r in result_rows({k: v * (1 + s / 10) for k, v in scores.items()}, "home", agent, s)
    ]


def test_in_brief_are_lift_and_share_with_intervals_and_who_never_acts_is_one_line() -> None:
    rows = [*acted("none", 0, 1), *acted("quiet", 0, 1, 0.25), *acted("still", 0, 1), *acted("bold", -2, 0.5, 0.5)]
    rows += acted("oracle", 4, 0.1)
    table = tables.brief_table([*rows, *[r._replace(variant="twin") for r in rows]], "home")
    assert table.columns == ("agent", "top-1", "lift", "share of oracle")
    assert [row[0] for row in table.rows] == ["none", "bold", "oracle"]
    assert cell(table, "bold", "top-1") == "0.575"
    assert cell(table, "bold", "lift").startswith("-2.300 [-")
    assert cell(table, "bold", "share of oracle") == "-0.50"  # the same on each seed
    assert cell(table, "oracle", "share of oracle") == "1.00"
    assert table.notes[0] == "Never act, so they win nothing: quiet (top-1 0.287), still."


def test_in_brief_fits_80_columns_whatever_the_numbers() -> None:
    rows = [
        r for a, lift in (("none", 0.0), ("plugin_context", -212.2), ("oracle", 987.6)) for r in acted(a, lift, 0.5)
    ]
    noise = [r._replace(value=r.value * (1 + 0.2 * (-1) ** r.seed)) for r in rows]
    console = Console(width=80, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115 -- lives as long as the test
    console.print(tables.brief_table(noise, "home").rich())
    lines = console.export_text().splitlines()
    console.file.close()
    (row,) = [line for line in lines if "plugin_context" in line]
    assert row.count("[") == row.count("]") == 2  # no interval is broken into two lines
    assert max(map(len, lines)) <= 80
