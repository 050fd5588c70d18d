"""The example package, and what `tracejury new` writes, each installed into a clean environment and used."""

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.models import WeightsError, weights_path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "tracejury-hospital"


ONE_AFTER_ANOTHER = """
import json, sys
from typer.testing import CliRunner
from tracejury.console.app import app
outputs = []
for arguments in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    if result.exit_code:
        sys.exit(f"{arguments}: {result.output}")
    outputs.append(result.stdout)
print(json.dumps(outputs))
"""


class Environment:
    """A virtual environment that sees tracejury and its dependencies, and holds nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False)
        site = next((folder / "lib").glob("python*/site-packages"))
        # The dependencies are read from where the tests run; what is installed below goes here alone.
        (site / "dependencies.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        self.python = folder / "bin" / "python"

    def install(self, *packages: Path) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet", "--no-deps"]
        options = ["--no-build-isolation", "--no-index", "--disable-pip-version-check"]
        subprocess.run([*command, *options, *map(str, packages)], check=True, timeout=120)

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(self.python), *arguments], cwd=cwd, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def tracejury(self, *arguments: str, cwd: Path) -> str:
        return self.run("-c", "from tracejury.console.app import main; main()", *arguments, cwd=cwd).stdout

    def commands(self, *commands: tuple[str, ...], cwd: Path) -> list[str]:
        """Run commands in one process, whose start takes longer than most of them."""
        outputs: list[str] = json.loads(self.run("-c", ONE_AFTER_ANOTHER, json.dumps(commands), cwd=cwd).stdout)
        return outputs


@pytest.fixture
def clean(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "venv")


def needs_minilm() -> None:
    try:
        weights_path("minilm")
    except WeightsError as missing:
        pytest.skip(str(missing))


def test_the_example_package_works_from_a_clean_environment(clean: Environment, tmp_path: Path) -> None:
    needs_minilm()
    package = tmp_path / "package"
    shutil.copytree(EXAMPLE, package)
    clean.install(package)
    assert len((EXAMPLE / "src/tracejury_hospital/protocols.py").read_text().splitlines()) < 30
    clean.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=package)

    at = tmp_path / "work"
    at.mkdir()
    listed = {s["name"]: s for s in json.loads(clean.tracejury("index", "sources", "--json", cwd=at))}
    assert listed["st-elsewhere"]["package"] == "tracejury-hospital 0.1.0"
    runs = (
        ("hospital", "traces.jsonl", "panel.yaml"),
        ("before", "ward.jsonl", "panel-before.yaml"),
        ("after", "ward.jsonl", "panel.yaml"),
    )
    _, searched, *_, effect = clean.commands(
        ("index", "build", "st-elsewhere", "reference-ranges"),
        ("index", "search", "potassium without a monitor", "--json"),
        *(
            ("adjudicate", f"{package / traces}", "--reader", "native", "--panel", f"{package / panel}", "--run", run)
            for run, traces, panel in runs
        ),
        ("export", "hospital", "--out", "rows.jsonl"),
        ("sources", "--effect", "before", "after"),
        cwd=at,
    )
    hits = json.loads(searched)
    assert hits[0]["passage"]["citation"] == "St Elsewhere, Intravenous potassium on the wards, 3rd edition 2026"
    rows = [json.loads(line) for line in (at / "rows.jsonl").read_text().splitlines()]
    first = {row["arm"]: row for row in rows if row["step_index"] == 0}
    wrong = first["distilled"]
    assert (wrong["outcome"], wrong["error_type"]) == ("error", "unsafe_management")
    quotes = [c for opinion in wrong["opinions"] for c in opinion["citations"]]
    assert any(c["verified"] and "no more than 10 mmol/h" in c["quote"] for c in quotes)
    assert first["base"]["outcome"] == "supported"

    first_line, *changes = effect.split("\n\n")
    assert "8 of 20 steps changed" in first_line
    assert all("abstained ->" in change and "[st-elsewhere]" in change for change in changes), "each names its passage"
    overdosed = next(change for change in changes if "40 mmol/h" in change)
    assert "-> error" in overdosed
    assert "St Elsewhere, Intravenous potassium on the wards, 3rd edition 2026" in overdosed


def test_skeletons_are_complete(clean: Environment, tmp_path: Path) -> None:
    packages = []
    for kind in ("source", "judge", "reader", "segmenter", "checker"):
        made = CliRunner().invoke(app, ["new", kind, f"my-{kind}", "--in", str(tmp_path)])
        assert made.exit_code == 0, made.output
        packages.append(tmp_path / f"tracejury-my-{kind}")
    clean.install(*packages)
    tests = [str(package / "tests") for package in packages]
    clean.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, cwd=tmp_path)
    again = CliRunner().invoke(app, ["new", "judge", "my-judge", "--in", str(tmp_path)])
    assert again.exit_code == 1
    assert "exists already" in again.output
    unfit = CliRunner().invoke(app, ["new", "judge", "My Judge"])
    assert unfit.exit_code == 1
    assert "small letters" in unfit.output
