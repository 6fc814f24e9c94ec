"""Tables of what lies around the network, from the city and from the state."""

from vardag.water.schema.model import TRACE, Column, Table

ROAD = Table(
    "road",
    "Road segments with traffic.",
    (
        Column("road_id", "TEXT", "the road segment's id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "centre line"),
        Column("street", "TEXT", "street name"),
        Column("road_class", "TEXT", "class as the owner writes it"),
        Column("aadt", "DOUBLE", "annual average daily traffic", "vehicles/day"),
        Column("speed_kmh", "DOUBLE", "speed limit", "km/h"),
        Column("truck", "BOOLEAN", "open to heavy trucks"),
        Column("bus", "BOOLEAN", "bus route"),
        Column("width_m", "DOUBLE", "pavement width", "m"),
        *TRACE,
    ),
    key="road_id",
    geometry="line",
    delivered=True,
)

SOIL = Table(
    "soil",
    "Soil polygons.",
    (
        Column("soil_id", "TEXT", "the polygon's id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "polygon"),
        Column("soil_class", "TEXT", "soil class as the owner writes it", required=True),
        *TRACE,
    ),
    key="soil_id",
    geometry="polygon",
    delivered=True,
)

RAIL = Table(
    "rail",
    "Railway and tram tracks.",
    (
        Column("rail_id", "TEXT", "the track's id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "centre line"),
        Column("rail_kind", "TEXT", "rail, tram, metro or other"),
        Column("electrified", "BOOLEAN", "carries traction current"),
        *TRACE,
    ),
    key="rail_id",
    geometry="line",
    delivered=True,
)

LAND_USE = Table(
    "land_use",
    "Land use and land cover.",
    (
        Column("land_use_id", "TEXT", "the polygon's id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "polygon"),
        Column("land_use", "TEXT", "class as the owner writes it", required=True),
        *TRACE,
    ),
    key="land_use_id",
    geometry="polygon",
    delivered=True,
)

BUILDING = Table(
    "building",
    "Buildings that matter when the water is gone: hospitals, schools, care homes.",
    (
        Column("building_id", "TEXT", "the building's id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "footprint or point"),
        Column("building_kind", "TEXT", "hospital, care, school, preschool or other"),
        Column("name", "TEXT", "what it is called"),
        *TRACE,
    ),
    key="building_id",
    geometry="any",
    delivered=True,
)

ELEVATION = Table(
    "elevation",
    "Height of the ground along each pipe, read from a raster.",
    (
        Column("pipe_id", "TEXT", "pipe of the register", required=True),
        Column("geom", "GEOMETRY", "not used"),
        Column("elevation_m", "DOUBLE", "mean height along the pipe", "m", required=True),
        Column("elevation_min_m", "DOUBLE", "lowest point", "m"),
        Column("elevation_max_m", "DOUBLE", "highest point", "m"),
        *TRACE,
    ),
    key="pipe_id",
    geometry="any",
    delivered=True,
)

WEATHER = Table(
    "weather",
    "Temperature and frost by day and station.",
    (
        Column("weather_id", "TEXT", "made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "the station, where the file has it"),
        Column("station", "TEXT", "the station's id or name"),
        Column("day", "DATE", "local day", required=True),
        Column("temperature_c", "DOUBLE", "mean air temperature of the day", "degrees C"),
        Column("temperature_min_c", "DOUBLE", "lowest air temperature of the day", "degrees C"),
        Column("frost_depth_m", "DOUBLE", "depth of frozen ground", "m"),
        *TRACE,
    ),
    key="weather_id",
    geometry="point",
    delivered=True,
)

WORKS = Table(
    "works",
    "Planned street works: when the street will be open anyway.",
    (
        Column("works_id", "TEXT", "id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "place: point, line or polygon"),
        Column("starts_on", "DATE", "first day"),
        Column("ends_on", "DATE", "last day"),
        Column("kind", "TEXT", "kind of work as the owner writes it"),
        Column("title", "TEXT", "what is to be done"),
        Column("street", "TEXT", "street name"),
        *TRACE,
    ),
    key="works_id",
    geometry="any",
    delivered=True,
)

REPORT = Table(
    "report",
    "Citizens' reports, such as Open311 service requests; the free text is left out, it may name people.",
    (
        Column("report_id", "TEXT", "id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "the place, as a point"),
        Column("reported_on", "DATE", "local day", required=True),
        Column("closed_on", "DATE", "local day it was closed"),
        Column("category", "TEXT", "kind of report as the receiver writes it"),
        Column("status", "TEXT", "open or closed, as the receiver writes it"),
        Column("street", "TEXT", "street or address"),
        *TRACE,
    ),
    key="report_id",
    geometry="point",
    delivered=True,
)
