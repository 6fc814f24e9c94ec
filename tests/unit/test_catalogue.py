"""The catalogue: entries told truly, and a public catalogue that is valid, stable and holds nothing secret."""

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from rdflib import DCAT, DCTERMS, FOAF, RDF, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic

from vardag.core.errors import ConfigError
from vardag.core.texts import LANGUAGES
from vardag.water import schema
from vardag.water.city import City
from vardag.water.publish.catalogue import TEXTS, Entry, dcat, entries, page, validated, write_dcat
from vardag.water.publish.catalogue.dcat import WORDS, frequency, json_ld

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
CITY = """\
[city]
name = "Ytterby"
crs = "EPSG:3006"
record_start = 2000-01-01
record_end = 2020-12-31
owner = "Ytterby kommun"
secrecy = "protected"

[catalogue]
uri = "https://data.ytterby.example/vatten"
publisher = "http://dataportal.se/organisation/SE2120000000"
email = "oppnadata@ytterby.example"
landing_page = "https://data.ytterby.example/"
spatial = "http://sws.geonames.org/2661886/"
access = { roads = "https://data.ytterby.example/vagar.csv" }

[sources.roads]
table = "road"
path = "roads.csv"
secrecy = "open"
columns = { road_id = "ID" }

[sources.hush_pipes]
table = "pipe"
path = "valvet.csv"
secrecy = "protected"
owner = "Hemliga enheten"
columns = { pipe_id = "ID" }
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def city_of(folder: Path, text: str = CITY) -> City:
    (folder / "city.toml").write_text(text, encoding="utf-8")
    for name in ("roads.csv", "valvet.csv"):
        (folder / name).write_text("ID\n1\n", encoding="utf-8")
    return City.read(folder)


def source(name: str, table: str, **values: object) -> dict[str, object]:
    empty: dict[str, object] = dict.fromkeys(schema.SOURCE.names)
    told = {
        "source": name, "table_name": table, "path": f"{name}.csv", "content_hash": f"hash-{name}",
        "owner": "Ytterby kommun", "contact": "Ada Person", "licence": "CC0", "secrecy": "open",
        "source_date": date(2026, 2, 1), "refresh_days": 30, "rows_in": 12, "rows_kept": 10,
        "rows_quarantined": 2, "loaded_at": NOON, "service": "file",
    }  # fmt: skip
    return empty | told | values


SOURCES = [
    source("roads", "road"),
    source(
        "hush_pipes", "pipe", owner="Hemliga enheten", secrecy="protected", path="valvet.csv", contact="Bo Dold"
    ),
    source("inner_breaks", "break", owner="Inre enheten", secrecy="internal"),
    source("sgu", "soil", owner="SGU", refresh_days=None, source_date=None),
    source("valves", "valve", secrecy="internal"),
]


def run(
    run_id: str, day: int, inputs: str, *, status: str = "done", command: str = "water predict"
) -> dict[str, object]:
    return {
        "run_id": run_id, "command": command, "status": status, "inputs": inputs,
        "started_at": datetime(2026, 3, day, tzinfo=UTC),
    }  # fmt: skip


RUNS = [
    run("early", 2, '{"roads": "hash-roads", "hush_pipes": "hash-hush_pipes"}'),
    run("late", 3, '{"roads": "hash-roads", "hush_pipes": "older"}'),
    run("failed", 4, "{}", status="failed"),
    run("check", 5, "{}", command="water check"),
]


def found(day: date = date(2026, 3, 3), runs: list[dict[str, object]] = RUNS) -> list[Entry]:
    checks = {"check_name": ["a", "b", "c", "d"], "table_name": ["pipe", "pipe", "pipe", "break"],
              "severity": ["error", "warning", "note", "error"], "rows": [0, 3, 4, 0]}  # fmt: skip
    return entries(
        source=pl.DataFrame(SOURCES, infer_schema_length=None),
        delivery=pl.DataFrame({"source": ["roads", "roads", "hush_pipes"]}),
        check_result=pl.DataFrame(checks),
        quarantine=pl.DataFrame({"source": ["roads", "roads"], "reason": ["duplicate_id", "duplicate_id"]}),
        run=pl.DataFrame(runs or [run("x", 1, "{}", status="failed")]),
        day=day,
    )


def named(entries_: list[Entry]) -> dict[str, Entry]:
    return {entry.source: entry for entry in entries_}


@pytest.mark.parametrize(("day", "overdue"), [(date(2026, 3, 3), False), (date(2026, 3, 4), True)])
def test_a_source_is_overdue_the_day_after_it_was_due(day: date, overdue: bool) -> None:
    told = named(found(day))
    assert (told["roads"].due, told["roads"].overdue) == (date(2026, 3, 3), overdue)
    assert (told["sgu"].due, told["sgu"].overdue) == (None, None)


def test_checks_and_features_are_those_of_the_table() -> None:
    told = named(found())
    assert (told["hush_pipes"].passed, told["hush_pipes"].failed) == (("a", "c"), ("b",))
    assert told["sgu"].features == ("soil_class",)
    assert told["valves"].features == ()
    assert (told["roads"].deliveries, told["roads"].left_out) == (2, {"duplicate_id": 2})


def test_a_prediction_is_stale_once_its_source_is_reloaded() -> None:
    told = named(found())
    assert (told["roads"].use, told["roads"].prediction) == ("current", "late")
    assert (told["hush_pipes"].use, told["hush_pipes"].prediction) == ("stale", "early")
    assert (told["sgu"].use, told["sgu"].prediction) == ("stale", None)
    assert told["valves"].use == "unused"
    assert named(found(runs=[]))["roads"].use == "none"


@pytest.fixture
def city(tmp_path: Path) -> City:
    return city_of(tmp_path)


def test_a_good_catalogue_is_valid_and_tells_only_what_is_open_and_its_own(city: City, tmp_path: Path) -> None:
    described = dcat(found(), city=city)
    assert (described.datasets, described.closed, described.others) == (1, 3, 1)
    paths = write_dcat(described.graph, tmp_path)
    assert [path.name for path in paths] == ["catalogue.ttl", "catalogue.jsonld", "catalogue.rdf"]
    secrets = [
        "hush",
        "valvet",
        "Hemliga",
        "Dold",
        "Ada",
        "inner",
        "Inre",
        "SGU",
        "sgu",
        "valves",
        "duplicate",
        "roads.csv",
    ]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "vagar.csv" in text
        assert [word for word in secrets if word in text] == []


def parsed(path: Path) -> Graph:
    """Read a file; rdflib's own JSON-LD parser makes a kind of graph that rdflib has deprecated."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="ConjunctiveGraph is deprecated", category=DeprecationWarning)
        return Graph().parse(path)


def test_the_forms_say_the_same_and_have_no_blank_nodes(city: City, tmp_path: Path) -> None:
    ttl, jsonld, xml = (parsed(path) for path in write_dcat(dcat(found(), city=city).graph, tmp_path))
    assert len(ttl) > 40
    assert isomorphic(ttl, jsonld)
    assert isomorphic(ttl, xml)
    assert not [node for triple in ttl for node in triple if isinstance(node, BNode)]


WRITE = """
import sys; sys.path[:0] = ["tests", "tests/unit"]
from pathlib import Path
from test_catalogue import city_of, dcat, found, write_dcat
folder = Path(sys.argv[1])
print("".join(p.read_text() for p in write_dcat(dcat(found(), city=city_of(folder)).graph, folder)))
"""


def test_bytes_do_not_depend_on_the_run(tmp_path: Path) -> None:
    written = {
        subprocess.run(
            [sys.executable, "-c", WRITE, tmp_path], env=os.environ | {"PYTHONHASHSEED": seed}, check=True,
            capture_output=True, text=True, cwd=Path(__file__).parents[2],
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(written) == 1


MANDATORY = [
    (DCAT.Catalog, DCTERMS.title),
    (DCAT.Catalog, DCTERMS.description),
    (DCAT.Catalog, DCTERMS.publisher),
    (DCAT.Catalog, DCTERMS.license),
    (DCAT.Catalog, DCAT.dataset),
    (DCAT.Dataset, DCTERMS.title),
    (DCAT.Dataset, DCTERMS.description),
    (DCAT.Dataset, DCTERMS.publisher),
    (DCAT.Dataset, DCAT.contactPoint),
    (DCAT.Dataset, DCAT.theme),
    (DCAT.Dataset, DCTERMS.accessRights),
    (DCAT.Distribution, DCAT.accessURL),
    (DCAT.Distribution, DCTERMS.license),
    (FOAF.Agent, FOAF.name),
    (FOAF.Agent, DCTERMS.type),
    (VCARD.Organization, VCARD.fn),
    (VCARD.Organization, VCARD.hasEmail),
]


@pytest.mark.parametrize(("kind", "property_"), MANDATORY)
def test_each_mandatory_property_is_missed_by_name(city: City, kind: URIRef, property_: URIRef) -> None:
    graph = dcat(found(), city=city).graph
    for node in set(graph.subjects(RDF.type, kind)):
        graph.remove((node, property_, None))
    name = str(property_).replace("#", "/").rpartition("/")[2]
    with pytest.raises(ConfigError, match=rf": {name}: .+\. [A-Z].+"):
        validated(graph)


def test_wrong_values_are_found(city: City) -> None:
    dataset = URIRef("https://data.ytterby.example/vatten#dataset-roads")
    wrong = [
        (DCTERMS.modified, Literal("2026-02-01")),
        (DCTERMS.title, Literal("untagged")),
        (DCTERMS.accessRights, URIRef("http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC")),
        (DCTERMS.accrualPeriodicity, Literal("monthly")),
    ]
    for property_, value in wrong:
        graph = dcat(found(), city=city).graph
        graph.set((dataset, property_, value))
        with pytest.raises(ConfigError, match="dataset-roads"):
            validated(graph)


def test_dates_are_typed_and_the_log_tells_its_period(city: City) -> None:
    log = [replace(entry, secrecy="open", owner="Ytterby kommun") for entry in found() if entry.table == "break"]
    graph = validated(dcat([*found(), *log], city=city).graph)
    days = [o for p in (DCTERMS.modified, DCAT.startDate, DCAT.endDate) for o in graph.objects(None, p)]
    assert {value.datatype for value in days if isinstance(value, Literal)} == {XSD.date}
    assert len(days) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('uri = "https://data.ytterby.example/vatten"\n', "", "lacks uri"),
        ('email = "oppnadata@ytterby.example"\n', "", "lacks email"),
        ("roads = ", "rods = ", "Did you mean 'roads'"),
        ("roads = ", "hush_pipes = ", "is not open"),
        ("vagar.csv", "vagar.csv?token=abc123", "no public address"),
        ("https://data.ytterby.example/vagar", "https://me:abc123@x.example/vagar", "no public address"),
    ],
)
def test_faults_of_the_section_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        city_of(tmp_path, CITY.replace(old, new))
    assert "city.toml line" in str(caught.value)
    assert "abc123" not in str(caught.value)


def test_without_the_section_or_a_licence_it_says_what_to_add(city: City) -> None:
    with pytest.raises(ConfigError, match=r"no \[catalogue\].*Add \[catalogue\] with uri"):
        dcat(found(), city=replace(city, catalogue=None))
    odd = [replace(entry, licence="House terms") for entry in found()]
    with pytest.raises(ConfigError, match=r"Add under \[catalogue.licences\]: \"House terms\""):
        dcat(odd, city=city)


@pytest.mark.parametrize(
    ("days", "code"), [(None, "UNKNOWN"), (1, "DAILY"), (31, "MONTHLY"), (50, "OTHER"), (365, "ANNUAL")]
)
def test_intervals_become_the_eus_words(days: int | None, code: str) -> None:
    assert frequency(days) == code


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_complete_in_itself_and_marked(city: City, language: str) -> None:
    html = page(
        [replace(entry, owner="<b>x") for entry in found()], city=city, day=date(2026, 3, 4), language=language
    )
    assert "&lt;b&gt;x" in html and "<b>x" not in html
    assert "marking-protected" in html and f'lang="{language}"' in html
    assert html.count("<caption>") == 2
    assert "http://" not in html and "https://" not in html and "<script" not in html
    assert TEXTS("catalogue_overdue", language, day="")[:6] in html


def test_an_open_city_has_an_internal_page(city: City) -> None:
    told = [replace(entry, secrecy="open") for entry in found()]
    html = page(told, city=replace(city, secrecy="open"), day=date(2026, 3, 4), language="en")
    assert "marking-internal" in html


def test_every_text_has_both_languages() -> None:
    assert TEXTS.incomplete() == [] and WORDS.incomplete() == []
    assert all(WORDS.has(f"{kind}_{table}") for table in schema.DELIVERED for kind in ("title", "about"))


def test_json_ld_does_not_depend_on_the_order_of_triples(city: City) -> None:
    graph, turned = dcat(found(), city=city).graph, Graph()
    for prefix, namespace in graph.namespaces():
        turned.bind(prefix, namespace, override=True, replace=True)
    for triple in sorted(graph, reverse=True):
        turned.add(triple)
    assert json_ld(turned) == json_ld(graph)
