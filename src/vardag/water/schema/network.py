"""Tables of the water network itself, as the city delivers them."""

from vardag.water.schema.model import TRACE, Column, Table

PIPE = Table(
    "pipe",
    "The pipe register: one record between two nodes; the unit of prediction.",
    (
        Column("pipe_id", "TEXT", "the city's own id", required=True),
        Column("geom", "GEOMETRY", "the line, in the city's coordinate system; NULL where the register has none"),
        Column("length_m", "DOUBLE", "length; from the geometry where no column is mapped", "m"),
        Column("material", "TEXT", "CI, DI, ST, PVC, PE, PP, AC, CON, GRP, CU, PB, OTHER or UNKNOWN"),
        Column("material_raw", "TEXT", "material as the city spells it"),
        Column("diameter_mm", "DOUBLE", "nominal diameter", "mm"),
        Column("install_date", "DATE", "day put in the ground; 1 January where only the year is known"),
        Column("install_year", "INTEGER", "year put in the ground"),
        Column("status", "TEXT", "in_service, retired, planned or unknown"),
        Column("retired_date", "DATE", "day taken out of service"),
        Column("lining", "TEXT", "lining material, NULL where unlined"),
        Column("lined_date", "DATE", "day the lining was put in; without it the lining is no feature"),
        Column(
            "cleaned_date",
            "DATE",
            "day the pipe was last cleaned (flushed hard, scraped or pigged); without it cleaning is no feature",
        ),
        Column("pressure_zone", "TEXT", "pressure zone's id or name"),
        Column("street", "TEXT", "street name"),
        Column("road_id", "TEXT", "id of the road segment it lies in"),
        Column("function", "TEXT", "main, trunk or service"),
        Column("owner", "TEXT", "who owns it"),
        Column("position", "TEXT", "surveyed, approximate or none: how well the place is known"),
        *TRACE,
    ),
    key="pipe_id",
    geometry="line",
    delivered=True,
)

BREAK = Table(
    "break",
    "The log of breaks and leaks: one row per event, describing the pipe that broke.",
    (
        Column("break_id", "TEXT", "the city's own id; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "the place, as a point"),
        Column("break_date", "DATE", "local day of the event", required=True),
        Column("asset_id", "TEXT", "pipe id as written in the log; may mean another pipe today"),
        Column("material", "TEXT", "material of the pipe that broke"),
        Column("material_raw", "TEXT", "material as the city spells it"),
        Column("diameter_mm", "DOUBLE", "diameter of the pipe that broke", "mm"),
        Column("install_year", "INTEGER", "installation year of the pipe that broke"),
        Column("event", "TEXT", "break, leak, service or other; [labels] events says which are predicted"),
        Column("cause", "TEXT", "cause as the city writes it"),
        Column("street", "TEXT", "street name"),
        Column("road_id", "TEXT", "id of the road segment"),
        *TRACE,
    ),
    key="break_id",
    geometry="point",
    delivered=True,
)

PRESSURE_ZONE = Table(
    "pressure_zone",
    "Pressure zones: areas with the same hydraulic source.",
    (
        Column("zone_id", "TEXT", "the zone's id or name", required=True),
        Column("geom", "GEOMETRY", "polygon"),
        Column("pressure_m", "DOUBLE", "typical pressure", "m of water"),
        *TRACE,
    ),
    key="zone_id",
    geometry="polygon",
    delivered=True,
)

DMA = Table(
    "dma",
    "District metered areas: parts of the network whose inflow is metered.",
    (
        Column("dma_id", "TEXT", "the area's id or name", required=True),
        Column("geom", "GEOMETRY", "polygon"),
        Column("night_flow_m3h", "DOUBLE", "typical minimum night flow", "m3/h"),
        Column("connections", "DOUBLE", "number of service connections"),
        *TRACE,
    ),
    key="dma_id",
    geometry="polygon",
    delivered=True,
)

VALVE = Table(
    "valve",
    "Valves: closing them isolates a part of the network.",
    (
        Column("valve_id", "TEXT", "the valve's id", required=True),
        Column("geom", "GEOMETRY", "the place, as a point"),
        Column("valve_type", "TEXT", "kind as the owner writes it"),
        Column("diameter_mm", "DOUBLE", "nominal diameter", "mm"),
        Column("install_date", "DATE", "day put in the ground"),
        Column("install_year", "INTEGER", "year put in the ground"),
        Column("status", "TEXT", "in_service, retired, planned or unknown"),
        Column("normally_open", "BOOLEAN", "open in normal operation"),
        *TRACE,
    ),
    key="valve_id",
    geometry="point",
    delivered=True,
)

HYDRANT = Table(
    "hydrant",
    "Fire hydrants and flushing posts.",
    (
        Column("hydrant_id", "TEXT", "the hydrant's id", required=True),
        Column("geom", "GEOMETRY", "the place, as a point"),
        Column("diameter_mm", "DOUBLE", "nominal diameter", "mm"),
        Column("install_year", "INTEGER", "year put in the ground"),
        Column("status", "TEXT", "in_service, retired, planned or unknown"),
        Column("pressure_zone", "TEXT", "pressure zone's id or name"),
        *TRACE,
    ),
    key="hydrant_id",
    geometry="point",
    delivered=True,
)

SERVICE = Table(
    "service",
    "Service connections and who they serve, without names: the number of customers and their kind.",
    (
        Column("service_id", "TEXT", "the connection's id", required=True),
        Column("geom", "GEOMETRY", "the service pipe, or the property's point"),
        Column("pipe_id", "TEXT", "main that it is connected to, as the owner writes it"),
        Column("use", "TEXT", "kind of customer as the owner writes it"),
        Column("customers", "DOUBLE", "customers behind the connection"),
        Column("consumption_m3", "DOUBLE", "water used in a year", "m3/year"),
        Column("material", "TEXT", "material of the service pipe"),
        Column("material_raw", "TEXT", "material as the city spells it"),
        Column("diameter_mm", "DOUBLE", "nominal diameter", "mm"),
        Column("install_year", "INTEGER", "year put in the ground"),
        *TRACE,
    ),
    key="service_id",
    geometry="any",
    delivered=True,
)

PRESSURE = Table(
    "pressure",
    "Pressure measured or calculated at a point on a day.",
    (
        Column("pressure_id", "TEXT", "id of the reading; made from source and line where none is mapped"),
        Column("geom", "GEOMETRY", "the place, as a point"),
        Column("point_id", "TEXT", "id of the sensor or the node"),
        Column("measured_on", "DATE", "local day"),
        Column("pressure_m", "DOUBLE", "pressure; the day's mean where measured", "m of water", required=True),
        Column("pressure_min_m", "DOUBLE", "lowest of the day", "m of water"),
        Column("pressure_max_m", "DOUBLE", "highest of the day", "m of water"),
        *TRACE,
    ),
    key="pressure_id",
    geometry="point",
    delivered=True,
)
