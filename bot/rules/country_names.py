"""Names by which people call countries and regions, beyond what CLDR lists in the reader's language.

The names in a country's own languages are kept here because asking CLDR for them would load its data for 130
languages: two seconds and 80 MiB for one word.
"""

COMMON_NAMES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "usa": "US", "us": "US", "america": "US", "the states": "US", "states": "US",
    "united states of america": "US", "holland": "NL", "the netherlands": "NL", "eire": "IE",
    "republic of ireland": "IE", "czech republic": "CZ", "turkey": "TR", "russian federation": "RU",
    "south korea": "KR", "korea": "KR", "north korea": "KP", "uae": "AE", "emirates": "AE",
    "the emirates": "AE", "ivory coast": "CI", "burma": "MM", "hong kong": "HK", "macau": "MO",
    "congo kinshasa": "CD", "drc": "CD", "dr congo": "CD", "cape verde": "CV", "swaziland": "SZ",
    "macedonia": "MK", "bosnia": "BA", "vatican": "VA", "palestine": "PS", "east timor": "TL", "persia": "IR",
    "ksa": "SA", "rsa": "ZA", "prc": "CN", "nz": "NZ", "kiwi": "NZ", "oz": "AU", "brasil": "BR",
    "viet nam": "VN", "the philippines": "PH", "the gambia": "GM",
}  # fmt: skip

OWN_NAMES = {
    "الإمارات العربية المتحدة": "AE", "افغانستان": "AF", "Shqipëri": "AL", "Հայաստան": "AM",
    "Österreich": "AT", "Åland": "AX", "Azərbaycan": "AZ", "Азәрбајҹан": "AZ", "Босна и Херцеговина": "BA",
    "Bosna i Hercegovina": "BA", "বাংলাদেশ": "BD", "België": "BE", "Belgique": "BE", "Belgien": "BE",
    "България": "BG", "البحرين": "BH", "Uburundi": "BI", "بروني": "BN", "Caribisch Nederland": "BQ",
    "Brasil": "BR", "འབྲུག": "BT", "Беларусь": "BY", "Ködörösêse tî Bêafrîka": "CF",
    "République centrafricaine": "CF", "Schweiz": "CH", "Schwiiz": "CH", "Suisse": "CH", "Svizzera": "CH",
    "Cameroun": "CM", "中国": "CN", "Cabo Verde": "CV", "Kòrsou": "CW", "Κύπρος": "CY", "Kıbrıs": "CY",
    "Česko": "CZ", "Deutschland": "DE", "جيبوتي": "DJ", "Danmark": "DK", "República Dominicana": "DO",
    "الجزائر": "DZ", "Algérie": "DZ", "Eesti": "EE", "مصر": "EG", "الصحراء الغربية": "EH", "ኤርትራ": "ER",
    "إريتريا": "ER", "España": "ES", "ኢትዮጵያ": "ET", "Suomi": "FI", "Føroyar": "FO", "საქართველო": "GE",
    "Guyane française": "GF", "Kalaallit Nunaat": "GL", "Guinée": "GN", "Guinea Ecuatorial": "GQ",
    "Guinée équatoriale": "GQ", "Guiné Equatorial": "GQ", "Ελλάδα": "GR", "Guiné-Bissau": "GW",
    "中國香港特別行政區": "HK", "Hrvatska": "HR", "Magyarország": "HU", "Éire": "IE",
    "ישראל": "IL", "إسرائيل": "IL",
    "Ellan Vannin": "IM", "भारत": "IN", "العراق": "IQ", "ایران": "IR", "Ísland": "IS", "Italia": "IT",
    "الأردن": "JO", "日本": "JP", "Кыргызстан": "KG", "Киргизия": "KG", "កម្ពុជា": "KH", "جزر القمر": "KM",
    "Comores": "KM", "북한": "KP", "대한민국": "KR", "الكويت": "KW", "Казахстан": "KZ", "Қазақстан": "KZ",
    "ລາວ": "LA", "لبنان": "LB", "Liächteschtäi": "LI", "ශ්‍රී ලංකාව": "LK", "இலங்கை": "LK", "Lietuva": "LT",
    "Lëtzebuerg": "LU", "Luxemburg": "LU", "Latvija": "LV", "ليبيا": "LY", "المغرب": "MA", "Maroc": "MA",
    "Meṛṛuk": "MA", "Republica Moldova": "MD", "Crna Gora": "ME", "Madagasikara": "MG",
    "Северна Македонија": "MK", "မြန်မာ": "MM", "Монгол": "MN", "中國澳門特別行政區": "MO",
    "Macau, RAE da China": "MO", "موريتانيا": "MR", "Maurice": "MU", "ދިވެހި ރާއްޖެ": "MV",
    "Moçambique": "MZ", "Nouvelle-Calédonie": "NC", "Nàìjíríà": "NG", "Nederland": "NL", "Norge": "NO",
    "Noreg": "NO", "नेपाल": "NP", "Aotearoa": "NZ", "عُمان": "OM", "Polynésie française": "PF",
    "Papua Niugini": "PG", "Pilipinas": "PH", "پاکستان": "PK", "Polska": "PL",
    "Saint-Pierre-et-Miquelon": "PM", "الأراضي الفلسطينية": "PS", "Paraguai": "PY", "قطر": "QA",
    "La Réunion": "RE", "Srbija": "RS", "Србија": "RS", "Россия": "RU", "U Rwanda": "RW",
    "المملكة العربية السعودية": "SA", "السودان": "SD", "Sverige": "SE", "新加坡": "SG", "Singapura": "SG",
    "சிங்கப்பூர்": "SG", "Slovenija": "SI", "Svalbard og Jan Mayen": "SJ", "Slovensko": "SK",
    "Senegaal": "SN", "Soomaaliya": "SO", "الصومال": "SO", "São Tomé e Príncipe": "ST", "سوريا": "SY",
    "تشاد": "TD", "Tchad": "TD", "ไทย": "TH", "Тоҷикистон": "TJ", "تونس": "TN", "Tunisie": "TN", "台灣": "TW",
    "Україна": "UA", "Украина": "UA", "Oʻzbekiston": "UZ", "Ўзбекистон": "UZ", "Città del Vaticano": "VA",
    "Việt Nam": "VN", "Wallis-et-Futuna": "WF", "اليمن": "YE",
}  # fmt: skip

# States and provinces as they are abbreviated behind the name of a city.
REGIONS = {
    "al": "alabama", "ak": "alaska", "az": "arizona", "ar": "arkansas", "ca": "california", "co": "colorado",
    "ct": "connecticut", "de": "delaware", "fl": "florida", "ga": "georgia usa", "hi": "hawaii",
    "id": "idaho", "il": "illinois", "in": "indiana", "ia": "iowa", "ks": "kansas", "ky": "kentucky",
    "la": "louisiana", "me": "maine", "md": "maryland", "ma": "massachusetts", "mi": "michigan",
    "mn": "minnesota", "ms": "mississippi", "mo": "missouri", "mt": "montana", "ne": "nebraska",
    "nv": "nevada", "nh": "new hampshire", "nj": "new jersey", "nm": "new mexico", "ny": "new york state",
    "nc": "north carolina", "nd": "north dakota", "oh": "ohio", "ok": "oklahoma", "or": "oregon",
    "pa": "pennsylvania", "ri": "rhode island", "sc": "south carolina", "sd": "south dakota",
    "tn": "tennessee", "tx": "texas", "ut": "utah", "vt": "vermont", "va": "virginia",
    "wa": "washington state", "wv": "west virginia", "wi": "wisconsin", "wy": "wyoming",
    "washington": "washington state", "georgia": "georgia usa", "new york": "new york state", "on": "ontario",
    "qc": "quebec", "bc": "british columbia", "ab": "alberta", "sk": "saskatchewan", "mb": "manitoba",
    "nb": "new brunswick", "ns": "nova scotia", "nl": "newfoundland", "nsw": "new south wales",
    "vic": "victoria", "qld": "queensland", "tas": "tasmania",
}  # fmt: skip
