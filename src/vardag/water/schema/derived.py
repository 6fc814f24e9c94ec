"""Tables that a run derives: what was loaded, what was found, what was predicted."""

from vardag.water.schema.model import Column, Table
from vardag.water.schema.network import PIPE

SOURCE = Table(
    "source",
    "What was loaded, from whom, under which licence and secrecy.",
    (
        Column("source", "TEXT", "name in city.toml"),
        Column("table_name", "TEXT", "table it fills"),
        Column("path", "TEXT", "file, relative to the city folder, or address of the service"),
        Column("content_hash", "TEXT", "SHA-256 of the file"),
        Column("mapping_hash", "TEXT", "hash of the source's part of city.toml and of the reader's version"),
        Column("owner", "TEXT", "who owns the data"),
        Column("contact", "TEXT", "whom to ask"),
        Column("licence", "TEXT", "licence"),
        Column("secrecy", "TEXT", "secrecy class"),
        Column("source_date", "DATE", "day the delivery describes"),
        Column("refresh_days", "INTEGER", "how often it is renewed", "days"),
        Column("rows_in", "BIGINT", "rows read"),
        Column("rows_kept", "BIGINT", "rows in the table"),
        Column("rows_quarantined", "BIGINT", "rows that could not be used; rows_in = kept + quarantined"),
        Column("loaded_at", "TIMESTAMPTZ", "time of the load"),
        Column("run_id", "TEXT", "run that loaded it"),
        Column("service", "TEXT", "file, or the kind of service that it was fetched from"),
        Column("columns", "TEXT", "JSON list of the columns that the file or layer had"),
    ),
    key="source",
)

DELIVERY = Table(
    "delivery",
    "Every load of every source, oldest first; a load that changed nothing leaves no row.",
    (
        Column("source", "TEXT", "name in city.toml"),
        Column("table_name", "TEXT", "table it fills"),
        Column("run_id", "TEXT", "run that loaded it"),
        Column("loaded_at", "TIMESTAMPTZ", "time of the load"),
        Column("source_date", "DATE", "day the delivery describes"),
        Column("content_hash", "TEXT", "SHA-256 of what was delivered"),
        Column("rows_in", "BIGINT", "rows read"),
        Column("rows_kept", "BIGINT", "rows in the table"),
        Column("rows_quarantined", "BIGINT", "rows that could not be used"),
    ),
)

FIELD_FILL = Table(
    "field_fill",
    "How many rows of each delivery have a value, field by field.",
    (
        Column("source", "TEXT", "name in city.toml"),
        Column("run_id", "TEXT", "run that loaded it"),
        Column("loaded_at", "TIMESTAMPTZ", "time of the load"),
        Column("field", "TEXT", "column of the table"),
        Column("rows", "BIGINT", "rows in the table"),
        Column("filled", "BIGINT", "rows with a value"),
    ),
)

FORMER_PIPE = Table(
    "former_pipe",
    "Pipes of earlier deliveries that the register no longer has, or whose id means another pipe now.",
    (
        Column("pipe_key", "TEXT", "pipe_id@year of installation, unlike a new pipe with the same id"),
        Column("left_because", "TEXT", "gone or reused"),
        Column("last_seen", "DATE", "day of the last delivery that had it"),
        Column("first_missed", "DATE", "day of the first delivery that had it no longer"),
        *PIPE.columns,
    ),
    key="pipe_key",
)

PIPE_CHANGE = Table(
    "pipe_change",
    "What each delivery of the register changed: one row per pipe and field.",
    (
        Column("run_id", "TEXT", "run that loaded the delivery"),
        Column("source", "TEXT", "name in city.toml"),
        Column("before_date", "DATE", "day that the earlier delivery describes"),
        Column("after_date", "DATE", "day that the later delivery describes"),
        Column("pipe_id", "TEXT", "the city's own id"),
        Column("change", "TEXT", "new, changed, gone, reused, back or unreadable (in quarantine now)"),
        Column("field", "TEXT", "column that changed; NULL where the whole pipe did"),
        Column("before", "TEXT", "value before; the former pipe's key where the whole pipe changed"),
        Column("after", "TEXT", "value after"),
    ),
)

SETTLEMENT = Table(
    "settlement",
    "Links that a person has settled; a reload never overwrites them.",
    (
        Column("break_id", "TEXT", "break"),
        Column("break_mark", "TEXT", "hash of the break's date, place and details when it was settled"),
        Column("pipe_key", "TEXT", "pipe that broke; NULL where it is none of the register's"),
        Column("settled_by", "TEXT", "who"),
        Column("settled_at", "TIMESTAMPTZ", "when"),
        Column("reason", "TEXT", "why, in the person's words"),
    ),
    key="break_id",
)

LINK_CANDIDATE = Table(
    "link_candidate",
    "Pipes that a doubtful break may belong to, surest first: the queue that a person settles.",
    (
        Column("break_id", "TEXT", "break"),
        Column("pipe_key", "TEXT", "candidate"),
        Column("place", "INTEGER", "1 = surest"),
        Column("confidence", "DOUBLE", "0 to 1"),
        Column("distance_m", "DOUBLE", "distance from break to pipe", "m"),
        Column("evidence", "TEXT", "JSON object: field to agrees, differs or unknown"),
        Column("reason", "TEXT", "why it is in the queue; a break without a candidate has one row without a pipe"),
    ),
)

LINK_QUALITY = Table(
    "link_quality",
    "How often the position rule is right, at each confidence, on breaks whose pipe is known.",
    (
        Column("variant", "TEXT", "with_details, or without_details: material, size and year hidden"),
        Column("position", "TEXT", "how well the found pipe's place is known: surveyed, approximate or none"),
        Column("at_least", "DOUBLE", "lower bound of confidence"),
        Column("below", "DOUBLE", "upper bound of confidence"),
        Column("breaks", "BIGINT", "breaks in the band"),
        Column("confidence", "DOUBLE", "mean of the stated confidence"),
        Column("gone", "BIGINT", "of them breaks of pipes that are not in the register: any link is wrong"),
        Column("right", "BIGINT", "of them linked to the right pipe"),
        Column("precision", "DOUBLE", "share that is right"),
        Column("lower", "DOUBLE", "lower end of its 95 % interval"),
        Column("upper", "DOUBLE", "upper end of its 95 % interval"),
    ),
)

QUARANTINE = Table(
    "quarantine",
    "Rows that could not be used, whole, each with its reason.",
    (
        Column("source", "TEXT", "source in city.toml"),
        Column("line", "BIGINT", "line or feature number"),
        Column("reason", "TEXT", "stable code, such as duplicate_id"),
        Column("detail", "TEXT", "what was found"),
        Column("row_json", "TEXT", "the row as read"),
    ),
)

CHECK_RESULT = Table(
    "check_result",
    "Result of the data checks of the last run.",
    (
        Column("check_name", "TEXT", "name of the check"),
        Column("table_name", "TEXT", "table it looks at"),
        Column("severity", "TEXT", "error, warning or note"),
        Column("rows", "BIGINT", "rows found"),
        Column("total", "BIGINT", "rows looked at"),
        Column("first_ids", "TEXT", "first ids, comma separated"),
        Column("message", "TEXT", "what was found"),
        Column("cure", "TEXT", "what to do"),
    ),
)

LINK = Table(
    "link",
    "Which pipe life each break belongs to; one row per break, unlinked ones included.",
    (
        Column("break_id", "TEXT", "break"),
        Column("pipe_key", "TEXT", "pipe life, NULL where unlinked"),
        Column("method", "TEXT", "person, id, position, rebuilt or none"),
        Column("confidence", "DOUBLE", "0 to 1"),
        Column("reason", "TEXT", "stable code"),
        Column("distance_m", "DOUBLE", "distance from break to pipe, where both have a place", "m"),
    ),
    key="break_id",
)

LIFE = Table(
    "life",
    "Pipe lives: the register's pipes and the retired ones rebuilt from the break log.",
    (
        Column("pipe_key", "TEXT", "pipe_id, or pipe_id@year for a former or a rebuilt pipe"),
        Column("pipe_id", "TEXT", "the id in the register or the log"),
        Column("origin", "TEXT", "register or rebuilt"),
        Column("known_from", "DATE", "first day it may be in the risk set"),
        Column("length_m", "DOUBLE", "length", "m"),
        Column("length_source", "TEXT", "register, successor or typical"),
        Column("material", "TEXT", "material"),
        Column("diameter_mm", "DOUBLE", "diameter", "mm"),
        Column("install_date", "DATE", "installation"),
        Column("install_year", "INTEGER", "installation year"),
        Column("retired_date", "DATE", "day out of service, NULL while in service"),
        Column("lined_date", "DATE", "lining"),
        Column("cleaned_date", "DATE", "last cleaning"),
        Column("pressure_zone", "TEXT", "pressure zone"),
        Column("street", "TEXT", "street name"),
        Column("road_id", "TEXT", "road segment"),
        Column("function", "TEXT", "main, trunk or service"),
        Column("geom", "GEOMETRY", "line"),
        Column("position", "TEXT", "surveyed, approximate or none"),
    ),
    key="pipe_key",
)

PREDICTION = Table(
    "prediction",
    "The last prediction: one row per pipe of the risk set, highest rate first.",
    (
        Column("run_id", "TEXT", "run"),
        Column("as_of", "DATE", "last day whose knowledge was used"),
        Column("model", "TEXT", "model"),
        Column("pipe_key", "TEXT", "pipe life"),
        Column("rank", "INTEGER", "1 = highest expected breaks per km"),
        Column("expected_breaks_per_km_year", "DOUBLE", "likelihood of failure", "breaks/(km year)"),
        Column("lower", "DOUBLE", "lower end of the 80 % interval", "breaks/(km year)"),
        Column("upper", "DOUBLE", "upper end of the 80 % interval", "breaks/(km year)"),
        Column("expected_breaks", "DOUBLE", "expected breaks in the year after as_of", "breaks/year"),
        Column("p_break", "DOUBLE", "probability of at least one break in that year"),
        Column("cumulative_length_share", "DOUBLE", "share of network length down to and including this rank"),
        Column("p_top_1", "DOUBLE", "probability that it belongs to the top 1 % of length by its true rate"),
        Column("p_top_5", "DOUBLE", "probability that it belongs to the top 5 % of length by its true rate"),
        Column("years_to_break", "DOUBLE", "years until half of such pipes have broken; null beyond 200", "years"),
        Column("rate_new_pipe", "DOUBLE", "rate that the model gives a new PE pipe there", "breaks/(km year)"),
        Column("rate_relined", "DOUBLE", "rate that it gives the pipe lined today", "breaks/(km year)"),
        Column("rate_lower_pressure", "DOUBLE", "rate that it gives it under 10 m less", "breaks/(km year)"),
        Column("reasons", "TEXT", "JSON list of family, value and multiplier, strongest first"),
    ),
)
