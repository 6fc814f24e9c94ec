"""Networks of EPANET (.inp), through WNTR; everything in SI units, as WNTR converts it."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import shapely

from vardag.core.errors import ConfigError, InputError
from vardag.water.city import did_you_mean
from vardag.water.sources.chunk import LINE, WKB, Chunk, Progress
from vardag.water.sources.notes import Note
from vardag.water.sources.vector_file import BATCH_ROWS, as_text, row_json


class EpanetLayer:
    """One kind of element of an EPANET network, one row each.

    Lengths, heads and elevations are in m, diameters in mm, demands in m3/s; links are lines through their
    vertices.
    The file has no coordinate system: city.toml must state it.

    Raises
    ------
    ConfigError
        When WNTR is not installed.
    InputError
        When the file cannot be read as a network, or no kind, or one it has not, is named.
    """

    crs: str | None = None
    has_geometry = True

    def __init__(self, path: Path, *, layer: str | None = None) -> None:
        self.path = path
        self.notes: list[Note] = []
        if layer not in LAYERS:
            listed = ", ".join(LAYERS)
            found = f"no layer {layer!r}; a network has" if layer else "a network has several layers:"
            raise InputError(
                f'{path.name}: {found} {listed}. Name one in city.toml: layer = "pipes"'
                + (did_you_mean(layer, LAYERS) if layer else "")
            )
        rows = [LAYERS[layer](element) for element in _all(_network(path), layer)]
        self.frame = pl.DataFrame(rows, infer_schema_length=None)
        self.columns: Sequence[str] = [name for name in self.frame.columns if name != WKB]

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """Give the elements in the order of the file; ``__line`` is their number, from 1."""
        for start in range(0, self.frame.height, BATCH_ROWS):
            part = self.frame.slice(start, BATCH_ROWS)
            lines = pl.int_range(start + 1, start + 1 + part.height, dtype=pl.Int64, eager=True).alias(LINE)
            columns = [as_text(part[name]).alias(name) for name in wanted]
            yield Chunk(pl.DataFrame([lines, *columns, part[WKB]]), _writer(part))
            if progress:
                progress(min((start + BATCH_ROWS) / self.frame.height, 1.0))


def _writer(part: pl.DataFrame) -> Callable[[int], str]:
    return lambda row: row_json(part, row)


def _network(path: Path) -> Any:
    try:
        import wntr  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ConfigError(
            f"{path.name}: EPANET networks are read through WNTR, which is not installed ({error}). Install it: "
            'pip install "vardag[epanet]"'
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"wntr|pandas|networkx")
            warnings.filterwarnings("ignore", category=UserWarning)  # what WNTR says of the file's options
            return wntr.network.WaterNetworkModel(str(path))
    except Exception as error:  # noqa: BLE001 - a broken file ends in any error inside WNTR
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path.name}: cannot be read as an EPANET network ({said}). Open it in EPANET, mend what it says and "
            "export it again (File, Export, Network)."
        ) from None


def _all(network: Any, layer: str) -> Iterator[Any]:
    return (element for _, element in getattr(network, layer)())


def _link(element: Any) -> dict[str, Any]:
    ends = [element.start_node.coordinates, *element.vertices, element.end_node.coordinates]
    return {
        "id": element.name,
        "start": element.start_node_name,
        "end": element.end_node_name,
        "status": str(element.initial_status),
        WKB: shapely.LineString(ends).wkb,
    }


def _node(element: Any) -> dict[str, Any]:
    return {"id": element.name, WKB: shapely.Point(element.coordinates).wkb}


def _rounded(value: float) -> float:
    """Undo the noise of converting units there and back."""
    return round(float(value), 6)


def _pipe(element: Any) -> dict[str, Any]:
    return _link(element) | {
        "length": _rounded(element.length),
        "diameter": _rounded(element.diameter * 1000),
        "roughness": _rounded(element.roughness),
    }


def _valve(element: Any) -> dict[str, Any]:
    return _link(element) | {"diameter": _rounded(element.diameter * 1000), "type": element.valve_type}


def _pump(element: Any) -> dict[str, Any]:
    return _link(element) | {"type": element.pump_type}


def _junction(element: Any) -> dict[str, Any]:
    return _node(element) | {
        "elevation": _rounded(element.elevation),
        "demand": float(element.base_demand),
    }


def _tank(element: Any) -> dict[str, Any]:
    return _node(element) | {
        "elevation": _rounded(element.elevation),
        "diameter": _rounded(element.diameter * 1000),
        "level": _rounded(element.init_level),
    }


def _reservoir(element: Any) -> dict[str, Any]:
    return _node(element) | {"head": _rounded(element.base_head)}


LAYERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "pipes": _pipe, "valves": _valve, "pumps": _pump, "junctions": _junction, "tanks": _tank,
    "reservoirs": _reservoir,
}  # fmt: skip
