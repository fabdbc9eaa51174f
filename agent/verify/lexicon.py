"""Words that change what a sentence says: they may neither be lost nor come in between a source and a claim.

Tables of several languages in one, in small letters; `words_of` makes them comparable with a text's words.
"""

from __future__ import annotations

from agent.text.words import spelling, stem


def words_of(words: str) -> frozenset[str]:
    return frozenset(form for word in words.split() for form in (spelling(word), stem(word)))


# Prepositions that say by themselves what a phrase has to do with its clause; "a" and "à" are too much else.
BEHIND = words_of("""
    in im ins at on am auf an bei beim zu zum zur mit für for to with en al con para dans au avec pour nel
""")
ARTICLES = words_of("the a an der die das den dem des ein eine einem einen einer el la los las un una le les une")
NEGATORS = words_of("""
    not no never none neither nor without cannot nobody nothing nowhere don't doesn't didn't isn't aren't wasn't
    weren't won't wouldn't can't couldn't shouldn't hasn't haven't hadn't lacks lacked fails failed unable denies
    denied rejected nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder nunca jamás
    ningún ninguna ninguno nadie nada sin tampoco ni ne pas jamais aucun aucune rien personne sans non nessun
    nessuno nessuna mai senza niet geen nooit zonder não nem sem 不 没 沒 未 无 無 非 否 勿 别 莫
""")
# What makes a statement weaker, narrower, or somebody's opinion.
HEDGES = words_of("""
    may might could would should can will must expected expects plans planned planning intends likely unlikely
    probably possibly perhaps allegedly reportedly supposedly apparently seems seem appears according says said say
    claims claimed argues argued believes believed thinks thought suggests suggested alleges alleged predicted
    predicts hopes hoped proposed hypothesized rumored rumoured considered if unless except only some many most few
    several often sometimes usually rarely mainly mostly partly partially almost nearly about approximately half
    potentially aims kann könnte soll sollte sollen will würde wird werden wahrscheinlich möglicherweise vermutlich
    angeblich laut sagte behauptet geplant plant wenn falls nur einige viele meisten oft manchmal meist fast
    teilweise vielleicht puede podría debería será probablemente posiblemente quizá quizás según dijo afirma afirmó
    supuestamente si solo sólo algunos algunas muchos muchas mayoría menudo casi peut pourrait devrait sera
    probablement peut-être selon si seulement certains plupart souvent presque 可 若 仅 僅 只 据 據 将 將 约 約 似 或
    几 幾 约 大 多 许 許
""")
# What a noun is no longer, or not quite.
LESS_THAN = words_of("""
    former formerly ex vice deputy assistant acting honorary fictional fictitious unofficial would-be pseudo ehemalig
    ehemalige ehemaliger ehemaligen früherer frühere ex-präsident exministro antiguo antigua expresidente ancien
    ancienne 曾 原 副
""")
# Small words that say what a figure did, or how two compare: not to be passed over like the other small ones.
TELLING = words_of("""
    up down off again same more less fewer mehr weniger más menos moins più meno mais meer minder best beste besten
    mejor mejores mismo misma même meilleur meilleure migliore melhor
""")
# What says that something is or has something, and nothing more.
LINKS = words_of("""
    is are was were be been being has have had ist sind war waren hat haben hatte wurde wurden es son era eran fue
    fueron está están tiene tienen est sont était ont è sono é são
""")
AND = words_of("and or but with while und oder aber mit während y e o pero con mientras et ou mais avec 和 与 并 而")
# Between two halves of which the second leaves out what the first has said: "45 crowns for a car and 120 for a lorry".
CONJOINED = words_of("""
    and or but while whereas then und oder aber sowie während dann y e o pero mientras luego así et ou mais tandis puis
    ainsi 和 与 并 而 但
""")
BOTH, EITHER = words_of("and und y e et 和 与 及"), words_of("or oder o u ou 或")
# What goes on with a subject of its own: "Holt, whose brother resigned".
WHOSE = words_of("whose where when whereby deren dessen wo wobei cuyo cuya cuyos cuyas donde cuando dont où")
# A place in one of these may be the same place.
REGIONS = words_of("""
    africa america americas antarctica asia australia europe argentina austria belgium brazil britain canada chile
    china colombia cuba denmark egypt england finland france germany greece hungary india indonesia iran iraq ireland
    israel italy japan kenya korea mexico netherlands nigeria norway pakistan peru poland portugal romania russia
    scotland spain sweden switzerland thailand turkey uk ukraine us usa u.s u.s.a vietnam wales afrika amerika asien
    australien europa argentinien österreich belgien brasilien kanada dänemark ägypten finnland frankreich deutschland
    griechenland indien indonesien italien japan mexiko niederlande norwegen polen rumänien russland spanien schweden
    schweiz türkei áfrica américa asia brasil alemania canadá dinamarca egipto españa francia grecia italia japón méxico
    noruega países polonia rusia suecia suiza turquía 中国 美国 英国 法国 德国 日本 欧洲 亚洲
""")
# Likewise, and these lie in one of those.
PROVINCES = words_of("""
    bayern bavaria sachsen saxony hessen hesse thüringen brandenburg westfalen niedersachsen saarland tirol steiermark
    california texas florida ohio michigan alaska catalonia cataluña katalonien andalucía andalusia galicia
    baviera sajonia tuscany toscana sicily sicilia lombardy bretagne brittany normandy ontario quebec queensland
""")
# What tells a name in a script without capitals: a family name or a title, what a place or a body is called by its
# kind, and the words that a name stands directly behind.  A word that describes is none: "local firm", "large bank".
FAMILY_NAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪"
    "田任姜范姚谭廖邹熊陆郝孔崔康邱秦顾侯邵孟龙段雷汤黎贺龚張劉陳楊趙黃吳孫羅鄭謝韓馮蕭鄧許呂蘇盧賈閻鍾譚鄒陸顧龍湯賀龔"
)
TITLES = frozenset("师師长長授士")
KINDS_OF_PLACE = frozenset("城市省县縣区區镇鎮村乡鄉州国國山河江湖海岛島港湾灣")
KINDS_OF_BODY = frozenset("厂廠桥橋院校馆館所室社行店站队隊坊司团團学學") | KINDS_OF_PLACE
NAMED_BEHIND = frozenset("了在把将由於于从從到向对對与與和及跟自")
DESCRIBING = frozenset("大小老新旧舊本当當地外内內中央全各该該此某前后後上下国國有营營私民型相关關同其他")

EVERY = words_of("""
    all every each always entire entirely whole both any everyone everything completely fully totally alle jeder
    jede jedes immer ganz beide sämtliche todos todas todo toda siempre cada ambos tous toutes toujours chaque 都 全 每
    总 總 所
""")
# The roles of two names depend on these.
ROLES = words_of(
    "by from before after until than against over under above below von durch vor nach bis als gegen por "
    "desde antes después hasta contra par depuis avant après 被 由 比 从 從 前 后 後"
)
AGAINST = words_of("against without contra gegen contre 反对 反對")
# Left out anywhere, even in a clause of their own, these take away what a sentence depends on.
CONDITIONS = words_of("if unless except provided wenn falls sofern si excepto salvo sauf 若 如 除")
# Likewise these, which make of it what somebody says.
SAYING = words_of("""
    allegedly reportedly supposedly apparently according says said say claims claimed argues argued believes believed
    thinks thought suggests suggested alleges alleged predicted predicts rumored rumoured angeblich laut sagte sagt
    behauptet según dijo afirma afirmó supuestamente selon 据 據 称 稱
""")
SUPERLATIVES = words_of("""
    first last final largest biggest smallest highest lowest oldest youngest newest best worst longest shortest only
    sole most least fastest slowest earliest latest greatest main primary erste erster letzte größte größter kleinste
    höchste älteste einzige beste primera primero última último mayor menor mejor peor única único premier première
    dernier plus 最 唯 首
""")
SYMMETRIC = words_of("""
    and or with between versus vs equals equal married marry met meet differ differs different similar same together
    both und oder mit zwischen verheiratet y e o con entre et ou avec 和 与 與 及 跟 或 、
""")

_ANTONYMS = """
    increase decrease|increased decreased|increases decreases|rise fall|rose fell|rising falling|more less|
    more fewer|most least|higher lower|highest lowest|high low|larger smaller|largest smallest|large small|
    big small|greater smaller|first last|before after|early late|earlier later|earliest latest|above below|
    over under|up down|always never|all none|maximum minimum|best worst|better worse|success failure|
    succeeded failed|win lose|won lost|accept reject|accepted rejected|approve reject|approved rejected|
    allow forbid|allowed forbidden|allowed banned|legal illegal|true false|positive negative|open closed|
    public private|north south|east west|northern southern|eastern western|left right|old new|older newer|
    oldest newest|oldest youngest|older younger|male female|men women|man woman|son daughter|brother sister|
    father mother|husband wife|king queen|male female|born died|begin end|began ended|start end|started ended|
    opened closed|open close|buy sell|bought sold|gain loss|profit loss|hot cold|warm cold|long short|
    longer shorter|longest shortest|fast slow|faster slower|strong weak|stronger weaker|strengthen weaken|
    cheap expensive|cheaper costlier|support oppose|supported opposed|agree disagree|similar different|
    same different|with without|include exclude|included excluded|possible impossible|likely unlikely|
    safe dangerous|rich poor|internal external|inside outside|import export|imports exports|majority minority|
    top bottom|front back|urban rural|summer winter|day night|attack defend|victory defeat|ally enemy|
    ancient modern|domestic foreign|hard easy|harder easier|improve worsen|improved worsened|add remove|
    added removed|create destroy|created destroyed|appear disappear|arrive depart|mehr weniger|größer kleiner|
    höher niedriger|größte kleinste|höchste niedrigste|gestiegen gesunken|steigt sinkt|erste letzte|vor nach|
    nördlich südlich|östlich westlich|norden süden|osten westen|immer nie|gewann verlor|más menos|mayor menor|
    mejor peor|aumentó disminuyó|aumentar disminuir|subió bajó|primero último|primera última|antes después|
    norte sur|este oeste|siempre nunca|ganó perdió|alto bajo|alta baja|增 减|增 降|升 降|
    高 低|大 小|多 少|前 后|首 末|先 后|早 晚|上 下|
    南 北|东 西|胜 败|赢 输|新 旧|长 短|快 慢|男 女|父 母|
    生 死|买 卖|有 无|是 非|强 弱|好 坏|最高 最低|增加 减少|上升 下降|提高 降低
"""
ANTONYMS = frozenset(
    frozenset((stem(one), stem(other)))
    for pair in _ANTONYMS.replace("\n", " ").split("|")
    if len(pair.split()) == 2
    for one, other in [pair.split()]
)
_IRREGULAR = """
    begin began begun|become became|break broke broken|bring brought|build built|buy bought|catch caught|
    choose chose chosen|come came|cut cuts|deal dealt|do did done does|draw drew drawn|drive drove driven|
    fall fell fallen|feel felt|fight fought|find found|fly flew flown|get got gotten|give gave given|go went gone|
    grow grew grown|have has had|hear heard|hold held|keep kept|know knew known|lead led|leave left|lose lost|
    make made|mean meant|meet met|pay paid|read reads|ride rode ridden|rise rose risen|run ran|say said|
    see saw seen|sell sold|send sent|show showed shown|speak spoke spoken|spend spent|stand stood|take took taken|
    teach taught|tell told|think thought|understand understood|win won|write wrote written|use used|die died dies|
    us usa united-states america|uk britain united-kingdom|person people|child children|man men|woman women|
    half halves|life lives
"""
ONE_FORM = {
    stem(form): stem(forms.split()[0]) for forms in _IRREGULAR.replace("\n", " ").split("|") for form in forms.split()
}
# A claim may have them and the source not: they say nothing of the matter.
EMPTY = words_of("""
    also however moreover furthermore additionally thus therefore overall notably specifically namely called known
    named there currently now today include includes including such released-by jedoch außerdem somit
    insgesamt también además por ello así aussi également donc ainsi 也 还 還 该 該 即 并
""")
