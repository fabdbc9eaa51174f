"""Which language a question or a page is written in.

By script first, then by small words and letters that only some languages have.  Knows nothing of meaning.  A short text
in Latin letters without any sign of another language is taken for English: names and keywords are what people type."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache

_SCRIPTS: tuple[tuple[str, str], ...] = (  # first match wins; ranges of the Unicode blocks
    ("kana", "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"),
    ("hangul", "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f"),
    ("han", "\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\U00020000-\U0003ffff"),
    ("arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff"),
    ("hebrew", "\u0590-\u05ff"),
    ("cyrillic", "\u0400-\u052f"),
    ("greek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("thai", "\u0e00-\u0e7f"),
    ("devanagari", "\u0900-\u097f"),
    ("bengali", "\u0980-\u09ff"),
    ("tamil", "\u0b80-\u0bff"),
    ("telugu", "\u0c00-\u0c7f"),
    ("georgian", "\u10a0-\u10ff"),
    ("armenian", "\u0530-\u058f"),
    ("khmer", "\u1780-\u17ff"),
    ("latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
)
_LETTERS = {name: re.compile(f"[{chars}]") for name, chars in _SCRIPTS}
_LANGUAGE_OF = {
    "kana": "ja",
    "hangul": "ko",
    "han": "zh",
    "hebrew": "he",
    "greek": "el",
    "thai": "th",
    "devanagari": "hi",
    "bengali": "bn",
    "tamil": "ta",
    "telugu": "te",
    "georgian": "ka",
    "armenian": "hy",
    "khmer": "km",
}
_WIDE = ("kana", "hangul", "han")
# A letter of these scripts says about as much as a syllable of Latin letters: names are often left in Latin.
_LATIN_DISCOUNT = 0.3
_WIDE_LETTER = 3

_CYRILLIC = (("uk", "іїєґ"), ("be", "ў"), ("sr", "ђћљњџј"))
_CYRILLIC_WORDS = {
    "uk": frozenset(("що", "хто", "як", "чому", "який", "яка", "яке", "це")),
    "bg": frozenset(("какво", "кой", "къде", "защо", "колко", "са", "е")),
}
_ARABIC = (("ur", "ٹڈڑںے"), ("fa", "پچژگ"))
# Letters that few languages have; a word with one of them counts like a small word of theirs.
_PECULIAR = {
    "de": "äöüß",
    "es": "ñ¿¡áéíóú",
    "fr": "àâçèêëîïôûùœé",
    "it": "àèéìòù",
    "pt": "ãõçáâêôéíóú",
    "sv": "åäö",
    "da": "æøå",
    "no": "æøå",
    "pl": "ąćęłńóśźż",
    "cs": "čďěňřšťůžýáéí",
    "ro": "ăâîșțşţ",
    "tr": "ğışçöü",
    "vi": "àáãèéìíòóõùúýăâđêôơưĩũạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "fi": "äö",
    "hu": "őűáéíóöü",
}
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]++(?:['’-][^\W\d_]++)*+(?!\d)")  # of "o1" the o is no word
_QUOTED = re.compile(r"\"[^\"]+\"|'[^']+'(?!\w)|“[^”]+”|„[^“”]+[“”]|«[^»]+»|‘[^’]+’|「[^」]+」|『[^』]+』|《[^》]+》")
_SAMPLE = 4000  # characters: more changes nothing


def detect(text: str) -> str:
    """The BCP 47 code of the text's language, `en` where nothing tells."""
    sample = text[:_SAMPLE]
    script = _script(sample)
    if script == "latin":
        return _latin(sample)
    if script == "han" and _LETTERS["kana"].search(sample):
        return "ja"
    if script == "cyrillic":
        return _cyrillic(sample)
    if script == "arabic":
        return _by_letters(sample, _ARABIC, "ar")
    return _LANGUAGE_OF[script]


def is_cjk(text: str) -> bool:
    """Is the text mostly Chinese, Japanese or Korean?"""
    return _script(text[:_SAMPLE]) in _WIDE


def outside_quotes(text: str) -> str:
    return _QUOTED.sub(" ", text)


def script_share(text: str, language: str) -> float:
    """0..1: the share of the text's letters that are of the script of `language`; 1.0 for a text without letters.

    A letter of Chinese, Japanese or Korean counts for three: it says about as much.
    """
    counts = {name: n * (_WIDE_LETTER if name in _WIDE else 1) for name, n in _counts(text).items()}
    total = sum(counts.values())
    return sum(counts[name] for name in _scripts_of(language)) / total if total else 1.0


def _scripts_of(language: str) -> tuple[str, ...]:
    code = language.split("-", 1)[0]
    if code == "ja":
        return ("kana", "han")
    if code in ("ru", "uk", "be", "bg", "sr", "mk"):
        return ("cyrillic",)
    if code in ("ar", "fa", "ur"):
        return ("arabic",)
    return tuple(name for name, its in _LANGUAGE_OF.items() if its == code) or ("latin",)


def _counts(text: str) -> dict[str, int]:
    """Script -> how many letters of it; a text has few different characters."""
    counts = dict.fromkeys(_LETTERS, 0)
    for char, count in Counter(text).items():
        if script := _script_of(char):
            counts[script] += count
    return counts


@lru_cache(maxsize=20_000)
def _script_of(char: str) -> str:
    return next((name for name, letters in _LETTERS.items() if letters.match(char)), "")


@lru_cache(maxsize=32)  # of a page it is asked again and again
def _script(text: str) -> str:
    weights = {name: float(count) for name, count in _counts(text).items()}
    weights["latin"] *= _LATIN_DISCOUNT
    if weights["kana"]:  # Japanese is written in both; pure Han is Chinese
        weights["kana"] += weights["han"]
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] else "latin"


def _cyrillic(text: str) -> str:
    lowered = text.lower()
    if any(letter in lowered for letter in "ыэё"):
        return "be" if "ў" in lowered else "ru"
    words = set(_WORD.findall(lowered))
    for language, small_words in _CYRILLIC_WORDS.items():
        if words & small_words:
            return language
    return _by_letters(lowered, _CYRILLIC, "ru")


def _by_letters(text: str, peculiar: tuple[tuple[str, str], ...], usual: str) -> str:
    found = {language: sum(text.count(letter) for letter in letters) for language, letters in peculiar}
    best = max(found, key=lambda language: found[language])
    return best if found[best] else usual


def _latin(text: str) -> str:
    scores = dict.fromkeys(LANGUAGES, 0.0)
    for word in _WORD.findall(_QUOTED.sub(" ", text)):
        for language, weight in _votes(word.lower().replace("’", "'")):
            scores[language] += weight
    if "¿" in text or "¡" in text:
        scores["es"] += 2
    # English first: max() keeps the first of equals.
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] > scores["en"] else "en"


@lru_cache(maxsize=20_000)
def _votes(word: str) -> tuple[tuple[str, float], ...]:
    """A small word counts the more, the fewer languages have it; peculiar letters likewise."""
    found: list[tuple[str, float]] = []
    for part in dict.fromkeys((word, *re.split(r"['-]", word))):
        languages = speakers_of(part)
        found += [(language, len(languages) ** -0.5) for language in languages]
    strange = {letter for letter in word if letter > "\x7f"}
    if strange:
        fitting = [language for language, letters in _PECULIAR.items() if strange <= set(letters)]
        found += [(language, 1.5 * len(fitting) ** -0.5) for language in fitting]
        found.append(("en", -0.25))
    return tuple(found)


# ------------------------------------------------------------------------------------------ drift

# Has an answer drifted into another language than the one asked for?
#
# R1 is made for Chinese and English and mixes languages in others (its paper, "Limitations").  What stands in quotes,
# in code, in brackets or in a web address may be in any language.  Knows scripts and small words, and nothing of
# meaning.

_NO_PROSE = re.compile(r"```.*?```|`[^`\n]+`|https?://\S+|\[[^\]\n]*\]|\([^()\n]*\)|（[^（）\n]*）", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_NAME = re.compile(r"(?<![A-Za-z])(?=[a-z.+/-]*[A-Z0-9])[A-Za-z][A-Za-z0-9.+/_-]*")  # and abbreviations
_FEWEST = 40  # letters: fewer may be names only
_FEWEST_HAN = 24  # letters: a heading, or the name of an authority, may be as long
_FEWEST_TO_DETECT = 120  # letters, for two languages in one script: small words tell them apart
_OWN = 0.85  # share of its own script that a language in Latin letters needs: less has a sentence of Chinese in it
_OWN_ELSEWHERE = 0.5  # likewise any other: names and terms stay in Latin letters
_ALIKE = (frozenset({"da", "no"}), frozenset({"nb", "no"}), frozenset({"hr", "sr", "bs"}), frozenset({"id", "ms"}))


def drifted(text: str, language: str) -> str:
    """The code of the language that a text has drifted to, of all or of a part of it; empty: it is in `language`."""
    wanted = language.casefold().split("-")[0]
    prose = outside_quotes(_NO_PROSE.sub(" ", text))
    letters = len(_LETTER.findall(prose))
    if letters < _FEWEST:
        return ""
    if not _is_latin(wanted):
        prose = _NAME.sub(" ", prose)
    if script_share(prose, wanted) < _own(wanted):
        return _other(prose, wanted)
    if wanted == "ja":
        return "zh" if any(map(_is_chinese, prose.splitlines())) else ""
    if wanted not in LANGUAGES or letters < _FEWEST_TO_DETECT:
        return ""
    found = detect(prose)
    return "" if found == wanted or any({found, wanted} <= pair for pair in _ALIKE) else found


def _is_latin(language: str) -> bool:
    return script_share("a", language) > 0


def _is_chinese(line: str) -> bool:
    """Han alone, and so much of it: no sentence of Japanese is written without kana; rows of a table are."""
    return not line.lstrip().startswith("|") and len(_LETTER.findall(line)) >= _FEWEST_HAN and detect(line) == "zh"


def _own(language: str) -> float:
    return _OWN if _is_latin(language) else _OWN_ELSEWHERE


def _other(prose: str, wanted: str) -> str:
    """What it drifted to; for a text of two scripts, that of the lines that are not in the wanted one."""
    found = detect(prose)
    if found != wanted:
        return found
    foreign = [line for line in prose.splitlines() if script_share(line, wanted) < _own(wanted)]
    told = detect("\n".join(foreign))
    return told if told != wanted else "zh" if any(map(is_cjk, foreign)) else "mixed"


# ------------------------------------------------------------------------------------------ function_words

# The small words of languages written in Latin letters: articles, pronouns, prepositions, question words.
#
# They tell a language from three words of a question, and they carry no subject matter, so ranking and coverage leave
# them out.  Collected by hand from the grammars' closed classes; knows words only, nothing of how they are used.

_WORDS: dict[str, str] = {
    "en": """
        the a an of to in on at for from by with without about into onto over under between among through during
        before after above below against since until within and or but nor if then than because while as so is
        are was were be been being am do does did done has have had having can could will would shall should may
        might must not no this that these those it its he she they them his her their our your my we you i me us
        him who whom whose what which when where why how there here also very more most much many some any each
        every other such only own same too just between both all vs versus per via up down out off again once
        tell give explain list latest best does's what's isn't aren't doesn't don't didn't wasn't weren't won't
        can't cannot it's that's
    """,
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder aber denn wenn weil dass als ob wie so
        ist sind war waren sein bin bist wird werden wurde wurden worden hat haben hatte hatten habe kann können
        konnte soll sollen muss müssen darf will wollen möchte nicht kein keine keinen nur auch noch schon sehr
        mehr viel viele wer wen wem was welche welcher welches welchen welchem wann wo woher wohin warum wieso
        weshalb wozu womit wieviel in im an am auf aus bei beim mit nach seit von vom zu zum zur für durch gegen
        ohne um über unter vor hinter neben zwischen ich du er sie es wir ihr mich dich sich uns euch ihm ihn
        ihnen mein dein sein ihre ihrer ihren seine seiner seinen dieser diese dieses diesen jeder jede jedes
        man hier dort da nun dann doch zwar bis gibt wieder alle alles etwa sowie bzw beste besten heute morgen
        gestern zusammen während laut vergleiche erkläre nenne
    """,
    "es": """
        el la los las un una unos unas lo al del de a en con por para sin sobre entre hasta desde hacia según
        tras ante bajo contra durante y e o u pero sino porque pues que si como cuando donde quien quienes cual
        cuales cuanto cuánto cuánta cuántos cuántas qué quién quiénes cuál cuáles cómo cuándo dónde por qué es
        son era eran fue fueron ser sido está están estaba estar ha han había haber hay tiene tienen tener puede
        pueden se su sus mi mis tu tus nos nuestro nuestra les le me te este esta estos estas ese esa esos esas
        esto eso aquel aquella no ni ya muy más menos también sólo solo todo toda todos todas otro otra otros
        otras mismo misma cada hoy mañana ayer mejor mejores yo él ella ellos ellas nosotros usted ustedes
        compara explica diferencia
    """,
    "fr": """
        le la les l un une des du de d au aux à en dans par pour sans sur sous entre avec chez vers depuis
        pendant et ou mais donc or ni car que qu qui quoi dont où quand comment pourquoi combien quel quelle
        quels quelles lequel laquelle est sont était étaient être été suis es sommes êtes a ont avait avoir eu
        fait peut peuvent doit ce c cet cette ces il elle ils elles on nous vous je j tu me m te t se s lui leur
        leurs son sa ses mon ma mes ton ta tes notre nos votre vos ne n pas plus moins très aussi bien tout
        toute tous toutes autre autres même si comme y ça cela est-ce qu'est-ce aujourd'hui demain hier meilleur
        meilleure meilleurs comparer comparez explique expliquez différence
    """,
    "it": """
        il lo la i gli le l un uno una di a da in con su per tra fra del dello della dei degli delle dell al
        allo alla ai agli alle all dal dalla dai dalle nel nello nella nei nelle nell sul sulla sui sulle e ed o
        ma se che chi cui cosa come quando dove perché perche quanto quanta quanti quante quale quali qual è
        sono era erano essere stato stata ha hanno aveva avere ho può possono deve non né si ci vi ne mi ti lui
        lei loro noi voi io tu suo sua suoi sue mio mia questo questa questi queste quello quella quelli più
        meno molto anche solo tutto tutta tutti tutte altro altri ogni oggi domani ieri migliore migliori
        miglior confronta spiega differenza cos'è dov'è com'è c'è
    """,
    "pt": """
        o a os as um uma uns umas de do da dos das em no na nos nas num numa por pelo pela pelos pelas para com
        sem sobre entre até desde contra durante e ou mas porque pois que se como quando onde quem qual quais
        quanto quanta quantos quantas quê por que é são era eram foi foram ser sido está estão estava estar há
        tem têm tinha ter pode podem ele ela eles elas nós você vocês eu tu me te lhe seu sua seus suas meu
        minha este esta estes estas esse essa isso isto aquele aquela não nem já muito mais menos também só todo
        toda todos todas outro outra outros ao aos à às hoje amanhã ontem melhor melhores explique diferença
        quanto custa
    """,
    "nl": """
        de het een en of maar want dat die dit deze als dan toen omdat hoe wat wie waar wanneer waarom welke
        welk hoeveel waarvoor waarmee is zijn was waren ben bent wordt worden werd werden geworden heeft hebben
        had hadden kan kunnen kon moet moeten mag wil willen zal zou niet geen ook nog al wel er hier daar in op
        aan van voor met bij door over onder tussen tegen naar uit tot om te ten ter sinds zonder ik jij je hij
        zij ze wij we jullie u hem haar hun mijn jouw uw ons onze zich meer meest veel alle andere zo beste
        vandaag morgen vergelijk leg uit verschil
    """,
    "sv": """
        en ett den det de och eller men att som om när var vad vem vilken vilket vilka hur varför är var vara
        varit blir blev har hade kan kunde ska skulle måste inte ingen inga på i av för med till från under över
        mellan utan vid efter före jag du han hon vi ni dem sig sin sitt sina deras hans hennes denna detta
        dessa också mycket mer mest många alla bästa idag jämför skillnad
    """,
    "da": """
        en et den det de og eller men at som om når hvor hvad hvem hvilken hvilket hvilke hvordan hvorfor
        hvornår er var være været bliver blev har havde kan kunne skal skulle må ikke ingen på i af for med til
        fra under over mellem uden ved efter før jeg du han hun vi dem sig sin sit sine deres hans hendes denne
        dette disse også meget mere mest mange alle bedste
    """,
    "no": """
        en et ei den det de og eller men at som om når hvor hva hvem hvilken hvilket hvilke hvordan hvorfor er
        var være vært blir ble har hadde kan kunne skal skulle må ikke ingen på i av for med til fra under over
        mellom uten ved etter før jeg du han hun vi dem seg sin sitt sine deres hans hennes denne dette disse
        også mye mer mest mange alle beste
    """,
    "pl": """
        i w we z ze na do od o po za przez przy dla bez nad pod przed między oraz lub albo ale czy że żeby jak
        co kto kogo komu czym który która które którzy kiedy gdzie dlaczego ile jaki jaka jakie to jest są był
        była było były być będzie ma mają może nie tak tylko też porównaj różnica także już się go jej ich jego
        mu im ten ta te ty ja my wy on ona ono oni bardzo więcej najlepszy
    """,
    "cs": """
        a i v ve z ze na do od o po za přes při pro bez nad pod před mezi nebo ale že aby jak co kdo koho čím
        který která které kteří kdy kde proč kolik jaký jaká jaké to je jsou byl byla bylo byly být bude má mají
        může ne není jen také už se si ho její jejich jeho mu ten ta ty já my vy on ona oni velmi více nejlepší
    """,
    "ro": """
        și în la de cu pe din pentru prin fără între sau dar că dacă când unde cine ce cum care cât câți câte
        câtă este sunt era erau fi fost are au avea poate nu mai foarte un o unei unui unor al ale lui ei lor
        său sa săi acest această acești aceste acel acea el ea noi voi eu tu se îl cel cea cei
    """,
    "tr": """
        ve veya ile için bir bu şu o ne nedir kim kimdir nasıl neden niçin niye nerede nereden neresidir hangi
        hangisi kaç kadar mi mı mu mü midir mıdır gibi daha en çok az var yok değil olan olarak oldu olduğu olur
        ise de da ki ben sen biz siz onlar her tüm bütün sonra önce göre zaman kim kimi neyi kimleri
    """,
    "vi": """
        là của và có không được cho với trong những các một này đó khi nào gì ai đâu sao như thế bao nhiêu vì
        tại ở từ đến về trên dưới hay hoặc nhưng mà nếu thì đã đang sẽ rất nhiều hơn nhất người ông bà tôi bạn
        họ
    """,
    "fi": """
        ja tai mutta että jos kun kuin mikä mitä mitkä kuka ketkä missä mistä mihin milloin miksi miten miksi
        kuinka on ovat oli olivat olla ollut ei eivät ole voi hän se ne he minä sinä me te tämä tuo nämä joka
        jotka myös vain hyvin enemmän kanssa ilman
    """,
    "hu": """
        a az egy és vagy de hogy ha mint mi mit ki kit hol honnan hova mikor miért hogyan mennyi hány melyik van
        vannak volt voltak lesz lenni nem is csak már még nagyon több ez azok ezek ő ők én te mi ti
    """,
    "id": """
        yang dan di ke dari untuk dengan pada adalah ini itu apa siapa kapan mana dimana mengapa kenapa
        bagaimana berapa atau tetapi tidak bukan akan telah sudah bisa dapat oleh dalam sebagai karena jika
        lebih sangat saya kamu dia kami kita mereka
    """,
}
LANGUAGES = tuple(_WORDS)


@cache
def function_words(language: str) -> frozenset[str]:
    """The lower-case small words of a language; empty for one that is not known.  `language`: BCP 47."""
    return frozenset(_WORDS.get(language.split("-", 1)[0], "").split())


@cache
def speakers_of(word: str) -> tuple[str, ...]:
    """The languages that have this small word."""
    return tuple(language for language in _WORDS if word in function_words(language))


# ------------------------------------------------------------------------------------------ languages

# The name of an answer's language, as a prompt says it.  Knows BCP 47 codes and nothing else.

_ENGLISH = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_TRADITIONAL = ("hant", "tw", "hk", "mo")


def language_name(code: str) -> str:
    """English words for a language; a code without a name here is given as it is, which models understand too."""
    main, *rest = code.casefold().split("-")
    if main == "zh":
        return "繁体中文" if set(rest) & set(_TRADITIONAL) else "简体中文" if rest else "中文"
    name = _ENGLISH.get(main, f"the language with the code {code!r}")
    return f"{name} ({code})" if rest and main in _ENGLISH else name
