"""The version is the same wherever it is written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

import tracejury

ROOT = Path(__file__).resolve().parents[1]


def test_the_version_is_the_same_in_package_metadata_and_citation() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert project["version"] == tracejury.__version__ == citation["version"]
    assert project["license"] == citation["license"]


def test_every_supported_python_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {line.rsplit(" ", 1)[-1] for line in project["classifiers"] if "Python :: 3." in line}
    assert {"3.11", "3.12", "3.13"} <= declared
