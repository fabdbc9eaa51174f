"""Pages that are not what was asked for: blocks, captchas, cookie and login walls, "not found", errors, empty shells.

They come with status 200 and would be cited as sources.  Judged by the words a reader sees, where there are few: an
article about captchas is an article."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHORT = 2_500  # characters seen on a page; walls have 100 to 1,500
_TINY = 700  # of a bot check
_EMPTY = 20
_STUB = 500  # characters of main text: an apology, between whatever menus the site has
_TEASER = 1_500  # likewise: what a paywall lets through
_TEASER_END = 500  # where its invitation to subscribe stands


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page is judged by."""

    titles: str  # its names for itself, one a line
    text: str  # what was found as its main text: an honest page's has no cookie banner in it
    seen: str  # all words on it
    sold: bool = False  # it says for machines that it is not free to read
    shell: bool = False  # the place that a script would fill is empty
    challenge: bool = False  # its source is that of a bot check


def block_page_reason(signs: Signs) -> str | None:
    """Why a page is none, in plain words; None: it is a page."""
    if len(signs.seen) > _SHORT:
        return _among_menus(signs)
    if signs.challenge:
        return BLOCKED.reason
    if found := next((candidate for candidate in WALLS if _is(candidate, signs)), None):
        return found.reason
    if signs.shell and len(signs.text) < _EMPTY:
        return NO_SCRIPT.reason
    return "empty page" if len(signs.seen) < _EMPTY else _among_menus(signs)


def is_challenge(source: str, seen: str) -> bool:
    """`source`: of a page, with its scripts; `seen`: all words on it."""
    return len(seen) <= _TINY and CHALLENGE.search(source) is not None


def _is(candidate: BlockPage, signs: Signs) -> bool:
    """On a tiny page one sign is enough, on a short one it takes two different ones; the title counts as one."""
    found = {match[0].lower() for match in candidate.words.finditer(signs.text or signs.seen)}
    titled = candidate.title.search(signs.titles) is not None
    return len(found) + titled >= (1 if len(signs.seen) <= candidate.tiny else 2)


def _among_menus(signs: Signs) -> str | None:
    """A page with all of a site's menus around an apology or a teaser."""
    if len(signs.text) < _STUB and NOT_FOUND.title.search(signs.titles) and NOT_FOUND.words.search(signs.text):
        return NOT_FOUND.reason
    if len(signs.text) < _TEASER and (signs.sold or _ends_in_an_offer(signs.text)):
        return PAYWALL.reason
    return None


def _ends_in_an_offer(text: str) -> bool:
    return len({match[0].lower() for match in PAYWALL.words.finditer(text[-_TEASER_END:])}) >= 2


# ------------------------------------------------------------------------------------------ wall_signs

# The words by which pages give away that they are not what was asked for, in the languages of most of the web.
#
# Data.  Of each kind: what its title says, and what its text says.


@dataclass(frozen=True, slots=True)
class BlockPage:
    reason: str
    title: re.Pattern[str]
    words: re.Pattern[str]
    tiny: int = 700  # characters seen, up to which one sign is enough; honest stubs say some of these words too


_UNSPACED = re.compile("[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af]")  # scripts in which a word has no clear beginning


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE | re.MULTILINE)


def _words(*phrases: str) -> re.Pattern[str]:
    """Tried where a word begins: a fifth of the time."""
    spaced = "|".join(phrase for phrase in phrases if not _UNSPACED.search(phrase))
    return _any(rf"\b(?:{spaced})", *(phrase for phrase in phrases if _UNSPACED.search(phrase)))


BLOCKED = BlockPage(
    "blocked page",
    _any(
        r"^just a moment",
        r"attention required!",
        r"access denied",
        r"^\W*(?:error )?403\b",
        r"^forbidden",
        r"are you (?:a )?(?:human|robot)",
        r"(?:human|security|bot|robot) (?:verification|check)",
        r"^captcha\W*$",
        r"captcha (?:check|challenge|required|verification)",
        r"manager captcha",
        r"request (?:blocked|rejected|unsuccessful)",
        r"pardon our interruption",
        r"^robot or human",
        r"not a (?:ro)?bot\b",
        r"^client challenge",
        r"security checkpoint",
        r"ddos-guard",
        r"too many requests",
        r"zugriff verweigert",
        r"sicherheits(?:über)?prüfung",
        r"accès refusé",
        r"vérification de sécurité",
        r"acceso denegado",
        r"verificación de seguridad",
        r"acesso negado",
        r"verificação de segurança",
        r"accesso negato",
        r"verifica di sicurezza",
        r"toegang geweigerd",
        r"odmowa dostępu",
        r"доступ (?:запрещ[её]н|ограничен)",
        r"проверка (?:безопасности|браузера)",
        r"アクセス(?:が)?(?:拒否|できません)",
        r"セキュリティ(?:チェック|確認)",
        r"접근이? (?:거부|차단)",
        r"보안 (?:확인|검사)",
        r"(?:安全|人机|访问|安全性|人機)(?:验证|驗證)",
    ),
    _words(
        r"verify(?:ing)? (?:that )?you(?:['’]re| are) (?:a )?(?:human|real person|not a (?:ro)?bot)",
        r"are you (?:a )?(?:human|robot)",
        r"robot or human",
        r"not a (?:ro)?bot\b",
        r"think (?:that )?you (?:are|were) a (?:ro)?bot\b",
        r"confirm (?:that )?you(?:['’]re| are) (?:a )?human",
        r"captcha",
        r"request is being verified",
        r"enable js and disable any ad ?blocker",
        r"incapsula incident",
        r"requested url was rejected",
        r"access to this (?:site|service) has been limited",
        r"problem providing the content you requested",
        r"button below to continue shopping",
        r"unusual (?:traffic|activity)",
        r"automated (?:requests|access)",
        r"access (?:to this (?:page|site|resource) )?(?:(?:has been|is|was) )?denied",
        r"(?:do not|don['’]t) have permission to (?:access|read|view)",
        r"enable (?:javascript and cookies|cookies and javascript)",
        r"checking (?:your browser|if the site connection is secure)",
        r"review the security of your connection",
        r"press (?:&|and) hold",
        r"security check",
        r"you(?:['’]ve| have) been blocked",
        r"request (?:has been |was )?blocked",
        r"\bray id\b",
        r"reference #\d",
        r"too many requests",
        r"(?:rate|request) limit exceeded",
        r"(?:bestätigen|beweisen) sie, dass sie (?:ein mensch|kein roboter)",
        r"ich bin kein roboter",
        r"ob sie ein mensch sind",
        r"ungewöhnliche[nr]? (?:aktivität|datenverkehr|zugriffe)",
        r"zugriff (?:auf diese seite )?(?:wurde )?(?:verweigert|gesperrt)",
        r"je ne suis pas un robot",
        r"vérifi(?:e[zr]|cation) que vous êtes (?:bien )?(?:un )?humain",
        r"trafic inhabituel",
        r"no soy un robot",
        r"(?:verifi(?:que|car|ca|cando)|confirm[ae]) que (?:eres|es) (?:un )?humano",
        r"tráfico inusual",
        r"não sou um robô",
        r"verificando se você é humano",
        r"tráfego incomum",
        r"non sono un robot",
        r"traffico (?:insolito|anomalo)",
        r"verifica che tu sia (?:un )?(?:umano|essere umano)",
        r"ik ben geen robot",
        r"controleren of u een mens bent",
        r"nie jestem robotem",
        r"я не робот",
        r"подтвердите, что вы\W{1,3}(?:не робот|человек)",
        r"ロボットではありません",
        r"人間であること",
        r"로봇이 아닙니다",
        r"사람인지 확인",
        r"(?:安全|人机|访问|安全性|人機)(?:验证|驗證)",
        r"您是否是真人",
        r"请求存在异常",
        r"访问过于频繁",
        r"我不是(?:机器人|機器人)",
    ),
)
NOT_FOUND = BlockPage(
    "not found, says the page",
    _any(
        r"^\W*(?:error |fehler |erreur )?404\b",
        r"\b404$",
        r"page (?:was )?not found",
        r"^not found$",
        r"page (?:does not|doesn['’]t) exist",
        r"seite (?:wurde )?(?:leider )?nicht gefunden",
        r"page (?:non trouvée|introuvable)",
        r"página no (?:encontrada|existe)",
        r"página não (?:encontrada|existe)",
        r"pagina non (?:trovata|esiste)",
        r"pagina niet gevonden",
        r"(?:nie znaleziono strony|strona nie istnieje)",
        r"страница не (?:найдена|существует)",
        r"ページ(?:が|は)見つかりません",
        r"페이지를 찾을 수 없",
        r"页面不存在|找不到(?:页面|頁面)",
    ),
    _words(
        r"page (?:you (?:are|were) looking for|you requested)?.{0,20}(?:could not|cannot|can['’]t) be found",
        r"page (?:does not|doesn['’]t|no longer) exists?",
        r"(?:error|fehler|erreur) 404",
        r"404 (?:error|not found)",
        r"(?:can['’]t|cannot|couldn['’]t) find (?:the|that|this) page",
        r"seite (?:konnte |wurde )?(?:leider )?nicht gefunden",
        r"seite existiert nicht",
        r"page (?:demandée |que vous cherchez )?(?:est introuvable|n['’]existe (?:pas|plus))",
        r"página (?:que busca(?:s)? )?no (?:existe|se (?:ha )?encontr)",
        r"página (?:que procura )?não (?:existe|foi encontrada)",
        r"pagina (?:richiesta |cercata )?non (?:esiste|è stata trovata)",
        r"pagina (?:bestaat niet|niet gevonden)",
        r"strona (?:o podanym adresie )?nie (?:istnieje|została znaleziona)",
        r"страница не (?:найдена|существует)",
        r"ページ(?:が|は)見つかりません",
        r"페이지를 찾을 수 없",
        r"页面不存在|找不到(?:页面|頁面)",
    ),
)
PAYWALL = BlockPage(
    "login or subscription needed",
    _any(r"^(?:log|sign) in\b", r"^login\b", r"subscribe to (?:read|continue)", r"^anmelden\b", r"^connexion\b"),
    _words(
        r"(?:log|sign) in to (?:continue|read|view|access)",
        r"subscribe (?:now )?to (?:continue|read|unlock|keep reading)",
        r"create (?:an|a free) account to",
        r"(?:for|to) subscribers only",
        r"(?:article|content|story) is (?:reserved |exclusive |only )?(?:for|to) (?:our )?(?:subscribers|members)",
        r"already a (?:paid )?(?:subscriber|member)\?",
        r"already on \w+\? (?:log|sign) in",
        r"(?:available|open) to (?:\w+ )?members only",
        r"for paid subscribers",
        r"already have an account\? (?:log|sign) in",
        r"you(?:['’]ve| have) reached your .{0,20}limit",
        r"(?:nur|exklusiv) für (?:\w+-)?abonnent",
        r"bereits (?:\w+-)?abonnent",
        r"um weiterzulesen",
        r"weiterlesen mit",
        r"artikel ist (?:nur )?für abonnent",
        r"mit (?:einem )?abo (?:weiter)?lesen",
        r"réservé(?:e)? (?:aux|à nos) abonnés",
        r"abonnez-vous pour (?:lire|continuer)",
        r"déjà abonné",
        r"(?:solo|exclusiv[oa]) para suscriptores",
        r"suscríb(?:e|a)(?:te|se) para (?:leer|seguir|continuar)",
        r"ya (?:eres|es) suscriptor",
        r"exclusivo para assinantes",
        r"assine para (?:ler|continuar)",
        r"já é assinante",
        r"riservat[oa] (?:agli|ai nostri) abbonati",
        r"abbonati per (?:leggere|continuare)",
        r"sei già abbonato",
        r"alleen voor abonnees",
        r"al abonnee\?",
        r"tylko dla (?:subskrybentów|prenumeratorów)",
        r"только для подписчиков",
        r"оформите подписку",
        r"会員限定(?:記事|です)",
        r"この記事は(?:有料|会員)",
        r"続きを読むには",
        r"구독자 전용",
        r"유료 ?회원",
        r"登录后(?:查看|阅读|继续)",
        r"(?:付费|訂閱)后?(?:阅读|內容|内容)",
        r"会员专享",
    ),
)
COOKIES = BlockPage(
    "cookie wall",
    _any(
        r"^before you continue",
        r"cookie (?:consent|wall)",
        r"^bevor sie (?:zu|fortfahren)",
        r"^avant (?:d['’]accéder|de continuer)",
    ),
    _words(
        r"accept (?:all )?(?:cookies|and continue)",
        r"we (?:value|respect) your privacy",
        r"(?:uses?|our use of) cookies",
        r"manage (?:cookies|preferences|choices)",
        r"reject all",
        r"our \d* ?partners",
        r"(?:verwende[nt]|nutz(?:en|t)|setz(?:en|t)) (?:\w+ )?cookies",
        r"alle (?:cookies )?(?:akzeptieren|zulassen|ablehnen)",
        r"mit werbung (?:weiterlesen|nutzen)",
        r"cookie-einstellungen",
        r"nous utilisons des cookies",
        r"tout (?:accepter|refuser)",
        r"accepter et (?:continuer|fermer)",
        r"continuer sans accepter",
        r"utilizamos cookies",
        r"aceptar (?:todas|todo|y continuar)",
        r"rechazar tod[ao]s?",
        r"utilizziamo (?:i )?cookie",
        r"accetta tutt[io]",
        r"rifiuta tutt[io]",
        r"aceitar (?:todos|tudo)",
        r"rejeitar (?:todos|tudo)",
        r"wij gebruiken cookies",
        r"alles (?:accepteren|weigeren)",
        r"używamy plików cookie",
        r"(?:zaakceptuj|odrzuć) wszystkie",
        r"мы используем (?:файлы )?cookie",
        r"принять все",
        r"cookieを使用",
        r"すべて(?:許可|同意|拒否)",
        r"모두 (?:허용|거부)",
    ),
    tiny=300,
)
NO_SCRIPT = BlockPage(
    "empty without JavaScript",
    _any(r"^javascript (?:is )?(?:required|disabled)"),
    _words(
        r"(?:enable|turn on|activate|requires?|need) javascript",
        r"javascript (?:is )?(?:required|disabled|not enabled|must be enabled)",
        r"without javascript",
        r"^loading\W*$",
        r"aktivieren sie (?:bitte )?javascript",
        r"javascript (?:ist )?(?:deaktiviert|erforderlich)",
        r"activer javascript",
        r"javascript (?:est )?(?:désactivé|requis|nécessaire)",
        r"(?:habilit|activ)[aeo]r? (?:el |o )?javascript",
        r"(?:abilita|attiva)(?:re)? javascript",
        r"включите javascript",
        r"javascriptを有効",
        r"자바스크립트를 (?:활성화|사용)",
        r"请(?:启用|开启) ?javascript",
    ),
    tiny=300,
)
OUT_OF_ORDER = BlockPage(
    "error page",
    _any(
        r"internal server error",
        r"bad gateway",
        r"gateway time-?out",
        r"service (?:is )?(?:temporarily )?unavailable",
        r"\| 52\d: ",
        r"^(?:(?:site|website|server) )?(?:is )?(?:down for |under |in )?maintenance(?: mode)?\W*$",
        r"account (?:has been )?suspended",
        r"^welcome to nginx",
        r"default (?:web )?page: it works",
        r"^(?:an )?error(?: occurred)?\W*$",
        r"browser (?:is )?not supported",
        r"^redirecting",
        r"wartungsarbeiten",
        r"^maintenance en cours",
        r"en mantenimiento\W*$",
        r"em manutenção\W*$",
        r"in manutenzione\W*$",
    ),
    _words(
        r"internal server error",
        r"(?:502 )?bad gateway",
        r"gateway time-?out",
        r"(?:service|server|site|page) (?:is )?(?:currently |temporarily )+unavailable",
        r"web server is down",
        r"connection timed out",
        r"error code 5\d\d",
        r"error establishing a database connection",
        r"there has been a critical error on this website",
        r"(?:performing|under|undergoing|for|down for) (?:some )?(?:scheduled )?maintenance",
        r"be back (?:soon|shortly|online)",
        r"account has been suspended",
        r"domain (?:name )?(?:\S+ )?(?:is|may be) for sale",
        r"buy this domain",
        r"is parked (?:free|courtesy)",
        r"domain (?:name )?has expired",
        r"web ?server is successfully installed",
        r"browser is (?:not supported|no longer supported|unsupported|out of date)",
        r"unavailable (?:due to|for) legal reasons",
        r"not available in your (?:country|region|location)",
        r"access cannot be granted at this time",
        r"if you are not (?:automatically )?redirected",
        r"(?:something|oops\W+something) went wrong",
        r"an? (?:unexpected |internal )?error (?:has )?occurred",
        r"interner serverfehler",
        r"(?:wegen|aufgrund von) wartungsarbeiten",
        r"(?:seite|dienst) ist (?:derzeit|zurzeit|vorübergehend) nicht (?:verfügbar|erreichbar)",
        r"erreur interne du serveur",
        r"(?:site|page|service) (?:est )?(?:temporairement|momentanément) indisponible",
        r"error interno del servidor",
        r"temporalmente (?:fuera de servicio|no disponible)",
        r"temporariamente (?:fora do ar|indisponível)",
        r"temporaneamente non disponibile",
        r"tijdelijk niet (?:beschikbaar|bereikbaar)",
        r"przerwa techniczna",
        r"(?:ведутся|проводятся) технические работы",
        r"временно недоступ",
        r"メンテナンス中",
        r"(?:시스템|서비스) 점검 ?중",
        r"(?:系统|网站)(?:正在)?维护|服务器(?:内部)?错误",
    ),
    tiny=300,
)
WALLS = (BLOCKED, NOT_FOUND, PAYWALL, COOKIES, NO_SCRIPT, OUT_OF_ORDER)
# What bot checks of Cloudflare, Imperva, DataDome, PerimeterX, AWS, Anubis, DDoS-Guard and Akamai have in their source
# and pages behind them have not; their words are in the reader's language.  Captcha boxes stand on honest forms too.
CHALLENGE = re.compile(
    r"_cf_chl_opt|_Incapsula_Resource\?[A-Z]+UDNSAI|captcha-delivery\.com|px-captcha|awsWafCookieDomainList"
    r"|within\.website/x/cmd/anubis|ddos-guard/js-challenge|/_sec/cp_challenge"
)
