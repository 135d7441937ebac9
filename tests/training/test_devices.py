"""Devices: what is listed, and what a recipe gets when it asks for one that is not there."""

import importlib
import subprocess
import sys

import pytest
import torch

from alf.training.devices import Device, choose, devices

module = importlib.import_module("alf.training.devices")  # alf.training.devices is also the function


def test_the_cpu_is_always_there_and_last():
    found = devices()
    assert found[-1].key == "cpu" and found[-1].label.startswith("CPU: ")
    assert choose("auto")[0] == found[0].key


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_falling_back_is_said_in_words():
    key, words = choose("cuda")
    assert key == "cpu" and words.startswith("Runs on the CPU instead of CUDA: ")


def test_a_gpu_is_named_with_its_memory(monkeypatch):
    monkeypatch.setattr(module, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (70 * 2**30, 80 * 2**30))
    assert devices()[0] == Device("cuda", "NVIDIA H100", 70 * 2**30, 80 * 2**30)
    assert choose("cuda") == ("cuda", None)


@pytest.mark.skipif(module.may_have_gpu(), reason="torch has to be asked")
def test_looking_without_a_gpu_does_not_import_torch():
    code = "import sys; from alf.training.devices import devices; devices(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
