"""Swedish street names, put together from the kinds of words Swedish towns use."""

from itertools import cycle, islice, product

import numpy as np

from vardag.demo.fields import Words

RADIALS = (
    "Stockholmsvägen",
    "Göteborgsvägen",
    "Norrköpingsvägen",
    "Örebrovägen",
    "Jönköpingsvägen",
    "Västeråsvägen",
)
RINGS = ("Inre Ringvägen", "Ringleden", "Yttre Ringvägen", "Förbifarten")
OLD_TOWN = [
    name
    for line in (
        "Storgatan Kyrkogatan Drottninggatan Kungsgatan Järnvägsgatan Hamngatan Skolgatan",
        "Nygatan Torggatan Kvarngatan Slottsgatan Bangatan Vasagatan Prästgatan",
        "Rådhusgatan Trädgårdsgatan Östergatan Västergatan Södergatan Norrgatan Smedjegatan",
        "Garvaregatan Repslagargatan Bryggaregatan Strandgatan Brogatan Klostergatan Apotekaregatan",
    )
    for name in line.split()
]
THEMES = [
    theme.split()
    for theme in (
        "Björk Ek Ask Lind Gran Tall Rönn Alm Asp Hassel Lönn Pil Sälg Idegran",
        "Trast Lärk Svan Orr Duv Ugle Fink Tran Falk Stare Svale Gök Ripe Sparv",
        "Blåklocks Vallmo Viol Syren Ros Lilje Klöver Sippe Ljung Timjan Nejlik Tulpan",
        "Snickar Murar Målar Smed Sadelmakar Glasblåsar Timmermans Vävar Skräddar Bagar",
        "Stjärn Mån Komet Sol Saturnus Merkurius Jupiter Planet Norrskens Vinter",
        "Äppel Päron Plommon Körsbärs Hallon Krusbärs Lingon Blåbärs Hjortron Smultron",
        "Gädd Abborr Lax Ål Braxen Laxörings Mört Gös Sik Lake",
        "Granit Kvarts Kalkstens Marmor Skiffer Porfyr Gnejs Diabas Flint Sandstens",
        "Hövdinge Runstens Viking Langskepps Mjöd Hednings Gravfälts Ätte Svärds Sköld",
        "Violin Flöjt Trumpet Harp Cello Polske Vals Spelmans Visor Orgel",
        "Humle Råg Havre Korn Vete Lin Lador Ängs Åker Hag",
        "Älg Räv Rådjurs Lo Bäver Iller Igelkotts Hare Ekorr Utter",
    )
]
MIDDLES = ("", "bergs", "dals", "lunds", "holms", "backa", "hult", "torps", "näs", "rydss", "kulle", "mosse")
ENDINGS = ("vägen", "gatan", "stigen", "gränd", "backen", "gången", "slingan", "kroken", "allén", "ringen")


def street_names(rng: np.random.Generator, *, count: int) -> Words:
    """Name streets in the order they were built: the old town first, then one theme per neighbourhood.

    A name comes back only in a town of more than 15,000 streets.
    """
    names = list(OLD_TOWN)
    for middle in MIDDLES:
        kinds = list(product(THEMES, ENDINGS))
        for index in rng.permutation(len(kinds)):
            theme, ending = kinds[index]
            names.extend(root + middle + ending for root in theme)
    return np.array(list(islice(cycle(names), count)), dtype=object)
