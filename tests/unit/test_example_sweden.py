"""The Swedish example is a city.toml without a fault once its files are there, and names every Swedish preset."""

import re
import shutil
import tomllib
from pathlib import Path

from vardag.water.city import City
from vardag.water.city.presets import preset_names

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "sverige" / "city.toml"
SWEDISH = {name for name in preset_names() if name.startswith(("sgu", "nvdb", "lm", "smhi"))}


def test_the_swedish_example_has_no_fault(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    for source in tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["sources"].values():
        path = tmp_path / source["path"].replace("*", "98210")
        path.parent.mkdir(exist_ok=True)
        path.touch()
    city = City.read(tmp_path)
    assert {city.sources[name].table for name in city.sources} == {
        "pipe", "break", "soil", "road", "building", "rail", "land_use", "weather",
    }  # fmt: skip
    assert (city.sources["jordarter"].secrecy, city.secrecy) == ("open", "protected")


def test_the_example_and_the_guide_name_every_swedish_preset() -> None:
    guide = (ROOT / "docs" / "how-to" / "swedish-sources.md").read_text(encoding="utf-8")
    example = EXAMPLE.read_text(encoding="utf-8")
    assert set(re.findall(r'preset = "(\w+)"', example)) >= SWEDISH
    assert set(re.findall(r"`(\w+)`", guide)) >= SWEDISH
