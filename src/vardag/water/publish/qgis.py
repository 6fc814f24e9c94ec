"""The style that QGIS opens the ranking with: QML, with SLD for other programs.

The QML has the form that QGIS 3.22 writes itself; both are kept in the GeoPackage's ``layer_styles`` table, which
QGIS reads when it opens the layer.
"""

from typing import Any

from vardag.water.publish.classes import CLASSES, RankClass
from vardag.water.publish.context import TEXTS
from vardag.water.publish.render import render
from vardag.water.publish.tables import COLUMNS

MM_TO_PX = 3.78  # at 96 dots an inch


def qml(language: str) -> str:
    """QGIS layer style: categories by rank class, the highest on top, ranks as labels, aliases and map tip."""
    return render(
        "style.qml.j2",
        classes=[_class(one, language) for one in CLASSES],
        fields=[("fid", ""), *((name, TEXTS(f"column_{name}", language)) for name in COLUMNS)],
        map_tip=_map_tip(language),
        tip_title='"pipe_id"',
    )


def sld(layer: str, language: str) -> str:
    """Styled layer descriptor 1.1.0 of the same classes."""
    return render("style.sld.j2", layer=layer, classes=[_class(one, language) for one in CLASSES])


def class_label(number: int, language: str) -> str:
    """Legend text of a rank class."""
    return TEXTS(f"class_{number}", language)


def _class(one: RankClass, language: str) -> dict[str, Any]:
    red, green, blue = (int(one.colour[place : place + 2], 16) for place in (1, 3, 5))
    properties = {
        "line_color": f"{red},{green},{blue},255",
        "line_style": "solid",
        "line_width": f"{one.width_mm}",
        "line_width_unit": "MM",
        "capstyle": "round",
        "joinstyle": "round",
    }
    return {
        "number": one.number,
        "label": class_label(one.number, language),
        "colour": one.colour,
        "width_px": round(one.width_mm * MM_TO_PX, 1),
        "properties": list(properties.items()),
    }


def _map_tip(language: str) -> str:
    """HTML of the map tip. Names come from data, and QGIS does not escape them: ``<`` is replaced there."""
    reasons = "<br>".join(f"[% {_safe(f'reason_{place}')} %]" for place in (1, 2, 3))
    figures = TEXTS("tip_figures", language)
    return (
        f'<b>{TEXTS("column_rank", language)} [% "rank" %]</b> · [% {_safe("street")} %]<br>{figures}<br>{reasons}'
    )


def _safe(column: str) -> str:
    return f"replace(coalesce(\"{column}\", ''), '<', '&lt;')"
