"""The check of a GPU, tried on the processor: its table, what it names, and what it will not let pass."""

import check_gpu
import pytest
import torch

SMALL = {"hidden": 16, "readout": 8, "embedding": 4}


def test_the_table_of_a_device_that_is_the_same(monkeypatch):
    monkeypatch.setattr(check_gpu, "ROWS", 16)
    lines = []
    assert check_gpu.check("cpu", (4, 8), lines.append, **SMALL) == []
    text = "\n".join(lines)
    for what in ("pre-training, mixed", "PPO, frozen, 4 worlds", "PPO, full, 8 worlds", "60,000 steps"):
        assert what in text
    assert "both devices come to the same" in lines[-1]
    assert all(len(line) <= 80 for line in lines)


def test_what_there_is_no_time_for_is_named():
    lines = []
    check_gpu.check("cpu", (4,), lines.append, limit=0.0, **SMALL)
    assert "left out: PPO in 4 worlds, as 0 s are over" in lines


def test_devices_that_differ_are_told():
    cpu = {"word": torch.ones(2, 3), "loss": 1.0, "loss, mixed": 1.01}
    assert check_gpu.differences(cpu, cpu) == []
    assert check_gpu.differences(cpu, {**cpu, "loss": 1.01}) == ["loss: 1.01 in place of 1"]
    assert "word: by up to 0.01" in check_gpu.differences(cpu, {**cpu, "word": torch.full((2, 3), 1.01)})[0]
    assert check_gpu.differences(cpu, {**cpu, "loss, mixed": 1.04}) == []
    assert check_gpu.differences(cpu, {**cpu, "loss, mixed": 1.2}) == ["loss, mixed: 1.2 in place of 1.01"]


def test_a_python_that_lacks_packages_is_told_which(monkeypatch, capsys):
    monkeypatch.setattr(check_gpu, "NEEDED", ("torch", "no_such_package", "nor_this"))
    assert check_gpu.main([]) == 2
    assert "lacks no_such_package, nor_this: `make gpu-site` packs" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys):
    assert check_gpu.main([]) == 2
    assert "no CUDA device" in capsys.readouterr().err
