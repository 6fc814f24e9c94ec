"""The public catalogue in DCAT-AP-SE 3: what may be known by everybody, and nothing else.

A source is described only where it is open and the publisher's own, or where city.toml says where the public finds
it. Of others not even the name stands here, nor do files, addresses of services, persons, rows or checks.
Every node has a stable address of its own, so that two runs write the same bytes.

Source: DCAT-AP-SE 3.0.1 (Swedish Agency for Digital Government, 2024), https://docs.dataportal.se/dcat/3.0.1/en/
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef

from vardag.core.errors import ConfigError
from vardag.core.texts import LANGUAGES, Texts
from vardag.water.city import City
from vardag.water.city.model import CatalogueSection
from vardag.water.publish.catalogue.entries import Entry

HERE = Path(__file__).parent
WORDS = Texts(HERE / "dcat_texts.toml")
SHAPES = HERE / "shapes.ttl"
EU = "http://publications.europa.eu/resource/authority/"
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
LOCAL_AUTHORITY = URIRef("http://purl.org/adms/publishertype/LocalAuthority")
LANGUAGE = {"sv": "SWE", "en": "ENG"}
LICENCES = {"cc0": CC0, "cc0 1.0": CC0, "cc by 4.0": "http://creativecommons.org/licenses/by/4.0/"}
THEMES = {"road": "TRAN", "rail": "TRAN", "works": "TRAN", "building": "REGI", "report": "GOVE"}
FREQUENCIES = {
    1: "DAILY",
    7: "WEEKLY",
    14: "BIWEEKLY",
    30: "MONTHLY",
    91: "QUARTERLY",
    182: "ANNUAL_2",
    365: "ANNUAL",
}
FORMATS = {
    ".csv": "text/csv",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
}
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
PREFIXES = {"dcat": DCAT, "dcterms": DCTERMS, "foaf": FOAF, "vcard": VCARD, "xsd": XSD}
SH = Namespace("http://www.w3.org/ns/shacl#")


@dataclass(frozen=True)
class Described:
    """The catalogue as a graph, and how many sources it leaves out: not open, or somebody else's."""

    graph: Graph
    datasets: int
    closed: int
    others: int


def dcat(found: Sequence[Entry], *, city: City) -> Described:
    """Describe the open sources of a city.

    Raises
    ------
    ConfigError
        When city.toml has no ``[catalogue]``, or when a licence has no address (cure: state them).
    """
    section = _section(city)
    name = section.publisher_name or city.owner or city.name
    is_open = [entry for entry in found if entry.secrecy == "open"]
    public = [entry for entry in is_open if entry.owner == name or entry.source in section.access]
    graph = Graph()
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace, override=True, replace=True)
    triples = [*_catalogue(section, city, name, public)]
    for entry in public:
        several = sum(other.table == entry.table for other in public) > 1
        triples += [*_dataset(section, city, entry, several=several), *_distribution(section, entry)]
    for triple in sorted(triples):
        graph.add(triple)
    return Described(graph, len(public), len(found) - len(is_open), len(is_open) - len(public))


def _section(city: City) -> CatalogueSection:
    if city.catalogue is None:
        raise ConfigError(
            "city.toml has no [catalogue], which DCAT-AP-SE needs: the catalogue's address, the publisher's and an "
            'e-mail address. Add [catalogue] with uri = "https://...", publisher = '
            '"http://dataportal.se/organisation/SE<number>" and email = "oppnadata@...".'
        )
    return city.catalogue


Triple = tuple[URIRef, URIRef, Any]


def _node(section: CatalogueSection, kind: str, name: str = "") -> URIRef:
    return URIRef(f"{section.uri.rstrip('/')}#{kind}" + (f"-{quote(name, safe='')}" if name else ""))


def _tagged(node: URIRef, property_: URIRef, key: str, **values: object) -> list[Triple]:
    return [(node, property_, Literal(WORDS(key, one, **values), lang=one)) for one in LANGUAGES]


def _day(day: date) -> Literal:
    return Literal(day.isoformat(), datatype=XSD.date)


def _catalogue(section: CatalogueSection, city: City, name: str, public: Sequence[Entry]) -> list[Triple]:
    node, agent, contact = URIRef(section.uri), URIRef(section.publisher), _node(section, "contact")
    optional = [(node, FOAF.homepage, URIRef(section.landing_page))] if section.landing_page else []
    return [
        (node, RDF.type, DCAT.Catalog),
        *_tagged(node, DCTERMS.title, "catalogue_title"),
        *_tagged(node, DCTERMS.description, "catalogue_description", city=city.name),
        (node, DCTERMS.publisher, agent),
        (node, DCTERMS.license, URIRef(CC0)),
        (node, DCAT.themeTaxonomy, URIRef(EU + "data-theme")),
        *((node, DCTERMS.language, URIRef(f"{EU}language/{code}")) for code in LANGUAGE.values()),
        *((node, DCAT.dataset, _node(section, "dataset", entry.source)) for entry in public),
        *optional,
        *_spatial(section, node),
        (agent, RDF.type, FOAF.Agent),
        (agent, FOAF.name, Literal(name)),
        (agent, DCTERMS.type, LOCAL_AUTHORITY),
        (contact, RDF.type, VCARD.Organization),
        (contact, VCARD.fn, Literal(name)),
        (contact, VCARD.hasEmail, URIRef(f"mailto:{section.email}")),
    ]


def _spatial(section: CatalogueSection, node: URIRef) -> list[Triple]:
    return [(node, DCTERMS.spatial, URIRef(section.spatial))] if section.spatial else []


def _dataset(section: CatalogueSection, city: City, entry: Entry, *, several: bool) -> list[Triple]:
    node = _node(section, "dataset", entry.source)
    title = [
        (node, DCTERMS.title, Literal(text + (f" ({entry.source})" if several else ""), lang=one))
        for one in LANGUAGES
        for text in [WORDS(f"title_{entry.table}", one)]
    ]
    return [
        (node, RDF.type, DCAT.Dataset),
        *title,
        *_tagged(node, DCTERMS.description, f"about_{entry.table}"),
        (node, DCTERMS.publisher, URIRef(section.publisher)),
        (node, DCAT.contactPoint, _node(section, "contact")),
        (node, DCAT.theme, URIRef(f"{EU}data-theme/{THEMES.get(entry.table, 'ENVI')}")),
        (node, DCTERMS.accessRights, URIRef(EU + "access-right/PUBLIC")),
        (node, DCTERMS.accrualPeriodicity, URIRef(f"{EU}frequency/{frequency(entry.refresh_days)}")),
        (node, DCTERMS.language, URIRef(f"{EU}language/{LANGUAGE[city.language]}")),
        *([(node, DCTERMS.modified, _day(entry.described))] if entry.described else []),
        *_provenance(section, entry, node),
        *_spatial(section, node),
        *_temporal(section, city, entry, node),
    ]


def _provenance(section: CatalogueSection, entry: Entry, node: URIRef) -> list[Triple]:
    statement = _node(section, "provenance", entry.source)
    label = URIRef("http://www.w3.org/2000/01/rdf-schema#label")
    return [
        (node, DCTERMS.provenance, statement),
        (statement, RDF.type, DCTERMS.ProvenanceStatement),
        *_tagged(statement, label, "provenance", owner=entry.owner),
    ]


def _temporal(section: CatalogueSection, city: City, entry: Entry, node: URIRef) -> list[Triple]:
    """The days that a log covers; registers and maps tell of one day, which is `dcterms:modified`."""
    if entry.table != "break" or not (city.record_start and city.record_end):
        return []
    period = _node(section, "period", entry.source)
    return [
        (node, DCTERMS.temporal, period),
        (period, RDF.type, DCTERMS.PeriodOfTime),
        (period, DCAT.startDate, _day(city.record_start)),
        (period, DCAT.endDate, _day(city.record_end)),
    ]


def _distribution(section: CatalogueSection, entry: Entry) -> list[Triple]:
    """Where the public finds the data, where the city has said so."""
    address = section.access.get(entry.source)
    if address is None:
        return []
    node = _node(section, "distribution", entry.source)
    kind = FORMATS.get(Path(urlsplit(address).path).suffix.lower())
    return [
        (_node(section, "dataset", entry.source), DCAT.distribution, node),
        (node, RDF.type, DCAT.Distribution),
        (node, DCAT.accessURL, URIRef(address)),
        (node, DCTERMS.license, URIRef(_licence(section.licences, entry))),
        *([(node, DCTERMS["format"], Literal(kind))] if kind else []),
    ]


def _licence(named: Mapping[str, str], entry: Entry) -> str:
    found = named.get(entry.licence) or LICENCES.get(entry.licence.casefold().replace("-", " "))
    if found is None and entry.licence.startswith(("http://", "https://")):
        found = entry.licence
    if found is None:
        raise ConfigError(
            f"city.toml: licence {entry.licence!r} of {entry.source} has no address, which a public dataset needs. "
            f'Add under [catalogue.licences]: "{entry.licence}" = "https://...".'
        )
    return found


def frequency(days: int | None) -> str:
    """EU frequency code nearest to an interval; OTHER where none is within a fifth of it.

    >>> frequency(28), frequency(50)
    ('MONTHLY', 'OTHER')
    """
    if days is None:
        return "UNKNOWN"
    nearest = min(FREQUENCIES, key=lambda one: abs(one - days) / one)
    return FREQUENCIES[nearest] if abs(nearest - days) <= 0.2 * nearest else "OTHER"


def validated(graph: Graph) -> Graph:
    """Hold a catalogue against the shapes; give it back if it keeps them.

    Raises
    ------
    ConfigError
        When it does not; one line a fault: node, property, what is wrong and the cure.
    """
    import pyshacl  # noqa: PLC0415 - takes a second to import, and only the public catalogue needs it

    conforms, report, _ = pyshacl.validate(graph, shacl_graph=Graph().parse(SHAPES), inference="none")
    if not conforms:
        raise ConfigError(
            "the public catalogue breaks DCAT-AP-SE and is not written:\n" + "\n".join(_faults(report))
        )
    return graph


def _faults(report: Graph) -> list[str]:
    lines = set()
    for result in report.subjects(RDF.type, SH.ValidationResult):
        path = report.value(result, SH.resultPath)
        about = str(report.value(result, SH.focusNode)).rpartition("#")[2]
        short = f"{path}".replace("#", "/").rpartition("/")[2] if path else "address"
        lines.add(f"{about}: {short}: {report.value(result, SH.resultMessage)}")
    return sorted(lines)


def write_dcat(graph: Graph, folder: Path) -> list[Path]:
    """Write a valid catalogue as Turtle, JSON-LD and RDF/XML (what dataportal.se harvests)."""
    validated(graph)
    files = {
        "catalogue.ttl": graph.serialize(format="turtle"),
        "catalogue.jsonld": json_ld(graph),
        "catalogue.rdf": rdf_xml(graph),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def json_ld(graph: Graph) -> str:
    """JSON-LD with nodes and values in a stable order."""
    context = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
    text = graph.serialize(format="json-ld", context=context, auto_compact=False)
    return json.dumps(_sorted(json.loads(text)), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def rdf_xml(graph: Graph) -> str:
    """RDF/XML in a stable order, which rdflib's own writer does not keep; every node has an address."""
    spaces = {"rdf": RDF, "rdfs": RDFS, **PREFIXES}
    heads = "".join(f" xmlns:{prefix}={quoteattr(str(space))}" for prefix, space in spaces.items())
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<rdf:RDF{heads}>"]
    for node in sorted(set(graph.subjects()), key=str):
        told = [_element(graph.qname(str(name)), value) for name, value in sorted(graph.predicate_objects(node))]
        lines += [f"<rdf:Description rdf:about={quoteattr(str(node))}>", *told, "</rdf:Description>"]
    return "\n".join([*lines, "</rdf:RDF>", ""])


def _element(name: str, value: Any) -> str:
    if not isinstance(value, Literal):
        return f" <{name} rdf:resource={quoteattr(str(value))}/>"
    language = f" xml:lang={quoteattr(value.language)}" if value.language else ""
    kind = f" rdf:datatype={quoteattr(str(value.datatype))}" if value.datatype else ""
    return f" <{name}{language}{kind}>{escape(str(value))}</{name}>"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(inner) for inner in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value
