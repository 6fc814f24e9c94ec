"""Every number of the synthetic town, in one place, with its unit.

The levels follow what Swedish utilities report (about 10 breaks per 100 km and year, half a percent of the network
renewed each year); the effects are rounded from published rate models of cast-iron networks. Nothing here is
fitted to one city, and nothing in the product's own calculations reads this file.
"""

# --- where the town lies --------------------------------------------------------------------------------------
TOWN = "Vardagsköping"
CRS = "EPSG:3006"
CENTRE_E_M, CENTRE_N_M = 560_000.0, 6_500_000.0  # SWEREF 99 TM

# --- the plan of the town -------------------------------------------------------------------------------------
PIPE_KM_PER_KM2 = 22.0  # used only to guess the radius; the plan is then scaled to the wanted length
DISTRICT_WIDTH_M = 600.0
EMPTY_DISTRICT_SHARE = 0.10  # parks, forest, fields inside the town
RADIALS = 6
RING_ROADS = (0, 3, 7, 12)  # a ring road lies just outside these rings of districts
JUNCTION_GRID_M = 20.0  # side streets meet a collector at multiples of this
SHORTEST_STREET_M = 10.0
WARPS_M = ((75.0, 1700.0), (10.0, 380.0))  # amplitude, wavelength of the bends laid over the plan
RIVER_HALF_WIDTH_M = 45.0

# built-up share of today's network by year: growth from the centre outwards
GROWTH = ((1900, 0.0), (1925, 0.05), (1950, 0.18), (1965, 0.40), (1980, 0.75), (2000, 0.91), (2022, 1.0))
# style of a district by the year it was built: (until, spacing of streets m, of cross streets m, bend m,
# share of cross streets left out, share of streets left out)
STYLES = (
    (1935, 80.0, 105.0, 4.0, 0.06, 0.04),
    (1962, 72.0, 130.0, 22.0, 0.22, 0.08),
    (1982, 66.0, 150.0, 38.0, 0.42, 0.14),
    (2100, 62.0, 115.0, 45.0, 0.40, 0.20),
)
STUB_SHARE = 0.62  # of the streets that reach a district's edge, those that meet the collector there
INFILL_SHARE = 0.06  # street links built later than their district

# road class: ÅDT vehicles per day (median), spread (log), speeds km/h, width m
ROADS = {
    "huvudväg": (9000.0, 0.35, (50, 60, 70), 11.0),
    "uppsamlingsgata": (2600.0, 0.45, (40, 50), 8.0),
    "lokalgata": (350.0, 0.60, (30, 40), 6.0),
}

# --- the pipes ------------------------------------------------------------------------------------------------
PIPE_M = 62.0  # mean length of a pipe
PIPE_SPREAD = 0.75  # log standard deviation of the lengths within a street link
STUMP_SHARE, STUMP_FACTOR = 0.15, 0.05  # very short pipes at valves and joints
LOCAL_WITHOUT_MAIN = 0.03
PIPE_OFFSET_M = 2.5  # from the centre line of the street
OTHER_MATERIAL_SHARE = 0.05  # single pipes that differ from their street

# material of mains laid in a period: (until, {canonical material: share})
MAIN_MATERIALS = (
    (1950, {"CI": 0.97, "ST": 0.03}),
    (1964, {"CI": 0.90, "AC": 0.06, "ST": 0.04}),
    (1973, {"DI": 0.42, "PVC": 0.33, "AC": 0.13, "CI": 0.12}),
    (1981, {"DI": 0.35, "PVC": 0.50, "PE": 0.15}),
    (1995, {"PVC": 0.45, "PE": 0.42, "DI": 0.13}),
    (2100, {"PE": 0.82, "PVC": 0.08, "DI": 0.10}),
)
TRUNK_MATERIALS = (
    (1964, {"CI": 0.85, "ST": 0.15}),
    (1990, {"DI": 0.70, "CON": 0.15, "ST": 0.15}),
    (2100, {"DI": 0.55, "PE": 0.45}),
)
# nominal sizes mm: (share per size), by use of the pipe; rigid pipes by bore, plastics by outer diameter
RIGID_MM = {
    "trunk": {300: 0.45, 400: 0.30, 500: 0.15, 600: 0.10},
    "arterial": {150: 0.25, 200: 0.50, 250: 0.25},
    "collector": {100: 0.15, 150: 0.55, 200: 0.30},
    "local": {80: 0.08, 100: 0.60, 150: 0.30, 200: 0.02},
}
PLASTIC_MM = {
    "trunk": {315: 0.55, 400: 0.30, 500: 0.15},
    "arterial": {160: 0.25, 225: 0.55, 250: 0.20},
    "collector": {110: 0.20, 160: 0.55, 225: 0.25},
    "local": {63: 0.18, 90: 0.14, 110: 0.48, 160: 0.20},
}
PLASTICS = ("PE", "PVC")

# --- renewal --------------------------------------------------------------------------------------------------
RENEWAL_SHARE = 0.005  # of the length, per year of the record
EARLIER_RENEWAL_SHARE = 0.0035  # of the length laid before 1970, per year from 1972 to the record's start
WORST_FIRST_SHARE = 0.40  # of the renewal chosen by recent breaks; the rest by other works in the street
RENEWAL_MEMORY_YEARS = 5
SAME_ID_SHARE = 0.45  # of the renewed streets where the new pipes take over the old ids

# --- the true break process -----------------------------------------------------------------------------------
BREAKS_PER_KM_YEAR = 0.10  # 10 per 100 km and year
# relative rate at 50 years of age: (material, laid until, factor)
BASE = (
    ("CI", 1925, 1.0),
    ("CI", 1950, 1.5),
    ("CI", 2100, 3.2),  # thin-walled, spun: the worst of all
    ("DI", 1975, 1.1),  # early, without corrosion protection
    ("DI", 2100, 0.22),
    ("ST", 2100, 1.4),
    ("AC", 2100, 0.9),
    ("CON", 2100, 0.35),
    ("PVC", 1974, 0.80),
    ("PVC", 2100, 0.20),
    ("PE", 1980, 0.60),
    ("PE", 2100, 0.09),
)
AGE_POWER = {"CI": 0.7, "DI": 1.1, "ST": 1.2, "AC": 0.8, "CON": 0.6, "PVC": 0.4, "PE": 0.3}  # (age / 50) ** power
DIAMETER_POWER = -0.65  # (diameter / 150 mm) ** power
SOIL = {"lera": 1.30, "sand": 0.80, "morän": 0.95, "berg": 0.90, "fyllning": 1.35}
CLAY_ON_IRON = 1.45  # once more for cast iron in clay, which moves and corrodes
PRESSURE_PER_10_M = 1.13  # factor per 10 m of head above 50 m
TRAFFIC_PER_DOUBLING = 1.05  # factor per doubling of ÅDT above 400
COHORT_SPREAD = 0.30  # log sd of a factor shared by a material and five years of laying
SPATIAL_SPREAD, SPATIAL_M = 0.60, 700.0  # log sd and wavelength of what the map does not know
STREET_SHAPE = 2.5  # gamma shape of the factor shared by the pipes of a street link (mean 1)
PIPE_SHAPE = 1.5  # gamma shape of the pipe's own factor (mean 1)
FEEDBACK = (0.60, 0.35, 0.20)  # added per own break last year, two and three years ago
FEEDBACK_CAP = 1.5
TREND_PER_YEAR = -0.008
WINTER_SPREAD = 0.22  # log sd of the year effect
WINTER_SENSITIVITY = {"CI": 1.0, "AC": 0.8, "DI": 0.6, "ST": 0.6, "CON": 0.4, "PVC": 0.4, "PE": 0.2}
MONTHS = (1.75, 1.65, 1.25, 0.85, 0.65, 0.60, 0.65, 0.75, 0.80, 0.90, 1.05, 1.40)  # share by month, January first

# --- terrain --------------------------------------------------------------------------------------------------
SOIL_M, SOIL_CELL_M = 700.0, 50.0  # wavelength of the soil map, cell of the raster it is drawn from
SOIL_LEVELS = (("lera", -0.35), ("sand", 0.20), ("morän", 1.00), ("berg", 99.0))  # class below the level
FILL_LEVEL = 0.75  # made ground where the second field is above this, more near the centre
HEAD_M = (38.0, 74.0)  # range of the static head of the pressure zones

# --- the mess of real files -----------------------------------------------------------------------------------
GPS_NOISE_M = 4.0
ADDRESS_NOISE_M, ADDRESS_SHARE = 30.0, 0.06  # located by address, not by GPS
WITHOUT_POSITION_SHARE = 0.02
WITHOUT_ID_SHARE = 0.05
WITHOUT_MATERIAL_SHARE = 0.03
SERVICE_SHARE, LEAK_SHARE, OTHER_SHARE = 0.08, 0.05, 0.04  # further rows of the log, per break of a main
BAD_ROWS = {  # asked-for numbers; a small town gets at most 2 % of its rows
    "pipe_missing_year": 12,
    "pipe_impossible_year": 3,
    "pipe_unknown_material": 5,
    "pipe_duplicate_id": 4,
    "pipe_zero_length": 3,
    "pipe_without_geometry": 2,
    "pipe_planned": 6,
    "break_before_installation": 5,
    "break_duplicate_id": 2,
    "break_unreadable_date": 2,
    "break_far_away": 3,
    "break_before_record": 8,
}
# how each canonical material is written in the register: (spelling, share)
SPELLINGS = {
    "CI": (("GJJ", 0.96), ("gjj", 0.02), ("Gråjärn", 0.02)),
    "DI": (("SEG", 0.97), ("Segjärn", 0.03)),
    "ST": (("STÅL", 1.0),),
    "AC": (("ETE", 0.95), ("Eternit", 0.05)),
    "CON": (("BTG", 1.0),),
    "PVC": (("PVC", 0.98), ("pvc ", 0.02)),
    "PE": (("PE", 0.62), ("PEH", 0.30), ("PE100", 0.08)),
}
