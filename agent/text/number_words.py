"""The words of counting and measuring: magnitudes, number words, units, currencies; and how Chinese numerals read.

Tables.  Does not know where in a text they stand.
"""

from __future__ import annotations

_MANY = {
    1e2: "hundred hundert ciento 百",
    1e3: "thousand thousands k tausend tsd mil mille тыс 千 천",
    1e4: "万 萬 만",
    1e5: "lakh lakhs",
    1e6: "million millions mn mln mio m millionen millón millones milioni milhão milhões miljoen миллион миллиона "
    "миллионов млн 百万 百萬",
    1e7: "crore crores 千万 千萬",
    1e8: "亿 億 억",
    1e9: "billion billions bn b mrd milliarde milliarden milliard milliards miliardi miliardo miljard bilhão bilhões "
    "миллиард миллиарда миллиардов млрд 十亿 十億",
    1e12: "trillion trillions tn t billionen billones billón 万亿 萬億 兆 조",
}
MAGNITUDES: dict[str, float] = {word: value for value, words in _MANY.items() for word in words.split()}

_COUNTED = {
    2: "two zwei dos deux dois twee",
    3: "three drei tres trois três drie",
    4: "four vier cuatro quatre quattro quatro",
    5: "five fünf cinco cinq cinque vijf",
    6: "six sechs seis zes",
    7: "seven sieben siete sette sete zeven",
    8: "eight acht ocho huit oito",
    9: "nine neun nueve nove negen",
    10: "ten zehn diez dix dieci dez tien",
    11: "eleven onze undici",
    12: "twelve zwölf doce douze dodici doze twaalf dozen",
    13: "thirteen dreizehn trece treize",
    14: "fourteen vierzehn catorce quatorze",
    15: "fifteen fünfzehn quince quinze",
    16: "sixteen sechzehn dieciséis",
    17: "seventeen siebzehn diecisiete",
    18: "eighteen achtzehn dieciocho",
    19: "nineteen neunzehn diecinueve",
    20: "twenty zwanzig veinte vingt venti vinte twintig",
    30: "thirty dreißig treinta trente trenta",
    40: "forty vierzig cuarenta quarante quaranta",
    50: "fifty fünfzig cincuenta cinquante cinquanta",
    60: "sixty sechzig sesenta soixante",
    70: "seventy siebzig setenta",
    80: "eighty achtzig ochenta",
    90: "ninety neunzig noventa",
    100: "hundred hundert cien",
    1000: "thousand tausend mil mille",
    1_000_000: "million",
    1_000_000_000: "billion",
}
NUMBER_WORDS: dict[str, float] = {word: float(value) for value, words in _COUNTED.items() for word in words.split()}

# unit -> (dimension, factor to its base)
_MEASURES: dict[str, dict[float, str]] = {
    "%": {
        1: "% ％ percent per-cent prozent procent por_ciento pour_cent per_cent per_cento por_cento 퍼센트 процентов",
    },
    "points": {
        1: "percentage_points percentage_point prozentpunkte puntos_porcentuales points_de_pourcentage 个百分点 百分点"
    },
    "usd": {1: "dollars dollar us-dollar us_dollars dólares dólar 美元 美金 usd", 0.01: "cents cent 美分"},
    "eur": {1: "euros euro eur 欧元 歐元 €"},
    "gbp": {1: "gbp 英镑 £"},
    "cny": {1: "yuan rmb cny 元 人民币 人民幣 renminbi"},
    "jpy": {1: "yen jpy 日元 日圓 円"},
    "inr": {1: "rupees rupee inr"},
    "m": {
        1: "m metres metre meters meter metros mètres 米 公尺",
        1e3: "km kilometres kilometre kilometers kilometer kilómetros kilomètres 公里 千米",
        0.01: "cm centimetres centimeters zentimeter 厘米",
        0.001: "mm millimetres millimeters millimeter 毫米",
        1e-9: "nm nanometres nanometers nanometer 纳米",
        1609.344: "miles mile meilen millas 英里",
        0.3048: "ft feet foot fuß 英尺",
        0.0254: "inches inch pulgadas 英寸",
        0.9144: "yards yard",
    },
    "kg": {
        1: "kg kilograms kilogram kilogramm kilos kilogramos 公斤 千克",
        1e-3: "g grams gram gramm gramos 克",
        1e-6: "mg milligrams 毫克",
        1e3: "tonnes tonne tons ton tonnen toneladas 吨 噸",
        0.45359237: "lb lbs pounds",
    },
    "s": {
        1: "s sec seconds second sekunden sekunde segundos secondes secondi 秒",
        1e-3: "ms milliseconds millisekunden 毫秒",
        60: "min minutes minute minuten minutos minuti 分钟 分鐘",
        3600: "h hr hrs hours hour stunden stunde horas hora heures heure ore 小时 小時",
        86400: "days day tage tagen tag días día jours jour giorni 天",
        604800: "weeks week wochen woche semanas semana semaines semaine 周",
    },
    # Months and years are no fixed number of days.
    "month": {
        1: "months month monate monaten monat meses mes mois mesi 个月 個月",
        12: "years year jahre jahren jahr años año ans anni",
    },
    "byte": {
        1: "bytes byte",
        1e3: "kb kilobytes",
        1e6: "mb megabytes",
        1e9: "gb gigabytes",
        1e12: "tb terabytes",
        2.0**10: "kib",
        2.0**20: "mib",
        2.0**30: "gib",
        2.0**40: "tib",
    },
    "°c": {1: "°c ℃ celsius 摄氏度"},
    "°f": {1: "°f fahrenheit"},
    "w": {1: "w watts watt", 1e3: "kw kilowatts", 1e6: "mw megawatts megawatt 兆瓦", 1e9: "gw gigawatts gigawatt 吉瓦"},
    "wh": {
        1: "wh watt_hours wattstunden",
        1e3: "kwh kilowatt_hours kilowatt-hours kilowattstunden",
        1e6: "mwh megawatt_hours megawatt-hours megawattstunden",
        1e9: "gwh gigawatt_hours gigawatt-hours gigawattstunden",
        1e12: "twh terawatt_hours terawatt-hours terawattstunden",
    },
    "hz": {1: "hz", 1e3: "khz", 1e6: "mhz", 1e9: "ghz"},
    "m/s": {1 / 3.6: "km/h kph", 0.44704: "mph"},
    "m2": {
        1: "m² sqm square_metres square_meters 平方米",
        1e6: "km² square_kilometres square_kilometers 平方公里",
        1e4: "hectares ha",
    },
    "l": {1: "litres liters liter l 升", 1e-3: "ml"},
    "times": {1: "times x × fold mal veces fois volte vezes 倍"},
}
UNITS: dict[str, tuple[str, float]] = {
    word.replace("_", " "): (dimension, factor)
    for dimension, sizes in _MEASURES.items()
    for factor, words in sizes.items()
    for word in words.split()
}
# Units that are others in another case: `Mb` are megabits, `mW` milliwatts.
CASED_UNITS: dict[str, tuple[str, ...]] = {
    "kb": ("kB", "KB"),
    "mb": ("MB",),
    "gb": ("GB",),
    "tb": ("TB",),
    "kib": ("KiB",),
    "mib": ("MiB",),
    "gib": ("GiB",),
    "tib": ("TiB",),
    "mw": ("MW",),
    "mwh": ("MWh",),
    "mhz": ("MHz",),
    "mm": ("mm",),
    "nm": ("nm",),
    "mg": ("mg",),
    "ms": ("ms",),
    "ml": ("ml", "mL"),
}
CURRENCIES = {
    "us$": "usd",
    "$": "usd",
    "usd": "usd",
    "€": "eur",
    "eur": "eur",
    "£": "gbp",
    "gbp": "gbp",
    "¥": "cny",
    "￥": "cny",
    "cny": "cny",
    "rmb": "cny",
    "jpy": "jpy",
    "₹": "inr",
    "inr": "inr",
    "₩": "krw",
    "chf": "chf",
    "a$": "aud",
    "c$": "cad",
    "hk$": "hkd",
}

_WIDE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_WIDE_PLACES = {"十": 10, "百": 100, "千": 1000, "백": 100, "천": 1000}
_WIDE_BASES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12, "만": 10**4, "억": 10**8, "조": 10**12}


def wide_number(numerals: str) -> float:
    """The value of Chinese numerals such as `三百五十万` or `二〇二五`."""
    if all(c in _WIDE_DIGITS for c in numerals):
        return float("".join(str(_WIDE_DIGITS[c]) for c in numerals))
    total = section = digit = 0
    for c in numerals:
        if c in _WIDE_DIGITS:
            digit = _WIDE_DIGITS[c]
        elif c in _WIDE_PLACES:
            section += (digit or 1) * _WIDE_PLACES[c]
            digit = 0
        else:
            # `三亿六千万` adds up, `三万亿` multiplies
            base = _WIDE_BASES[c]
            total = total + (section + digit) * base if section + digit else (total or 1) * base
            section = digit = 0
    return float(total + section + digit)
