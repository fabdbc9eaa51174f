"""Pages that are none are told from pages about them."""

from __future__ import annotations

import pytest

from agent.errors import ExtractFailed
from agent.extract.block_pages import Signs, block_page_reason
from agent.extract.format_base import FormatInput
from agent.extract.formats import html

ARTICLE = "The weights were published in January, and people everywhere began to run the model at home. " * 12
MENUS = "Home News Sport Culture Weather Travel Contact Imprint Privacy About us Jobs Newsletter " * 40
BLOCKED, NOT_FOUND, PAYWALL = "blocked page", "not found, says the page", "login or subscription needed"
COOKIES, NO_SCRIPT, OUT_OF_ORDER = "cookie wall", "empty without JavaScript", "error page"


@pytest.mark.parametrize(
    ("title", "words", "reason"),
    [
        ("Sicherheitsprüfung", "Bitte warten Sie einen Augenblick.", BLOCKED),
        ("a.example", "Bestätigen Sie, dass Sie ein Mensch sind.", BLOCKED),
        ("Un instant", "Vérifiez que vous êtes humain en cochant cette case.", BLOCKED),
        ("Acceso denegado", "No puede ver esta página.", BLOCKED),
        ("a.example", "Подтвердите, что вы не робот", BLOCKED),
        ("a.example", "私はロボットではありません", BLOCKED),
        ("请稍候", "我们需要确认您不是机器人。请完成人机验证。", BLOCKED),
        ("Fehler 404", "Diese Seite gibt es nicht.", NOT_FOUND),
        ("Le Journal", "La page demandée est introuvable.", NOT_FOUND),
        ("Diario", "La página que busca no existe.", NOT_FOUND),
        ("新聞", "お探しのページが見つかりません", NOT_FOUND),
        ("Zeitung", "Dieser Artikel ist exklusiv für Abonnenten. Bereits Abonnent? Anmelden", PAYWALL),
        ("Le Journal", "Article réservé aux abonnés. Déjà abonné ? Connectez-vous", PAYWALL),
        ("新聞", "この記事は有料記事です。続きを読むにはログインしてください。", PAYWALL),
        ("Zeitung", "Wir verwenden Cookies. Alle akzeptieren oder mit Werbung weiterlesen", COOKIES),
        ("Le Journal", "Nous utilisons des cookies. Tout accepter. Continuer sans accepter", COOKIES),
        ("Periódico", "Utilizamos cookies propias y de terceros. Aceptar todas", COOKIES),
        ("App", "Bitte aktivieren Sie JavaScript, um fortzufahren.", NO_SCRIPT),
        ("App", "Veuillez activer JavaScript pour continuer.", NO_SCRIPT),
        ("App", "", "empty page"),
        ("a.example", "Überprüfung, ob Sie ein Mensch sind. Dies kann einige Sekunden dauern.", BLOCKED),
        ("Un instant…", "Vérification que vous êtes humain.", BLOCKED),
        ("请稍候…", "正在验证您是否是真人。这可能需要几秒钟时间。", BLOCKED),
        ("Zeitung", "Wegen Wartungsarbeiten nicht erreichbar", OUT_OF_ORDER),
        ("Сайт", "Сайт временно недоступен: проводятся технические работы", OUT_OF_ORDER),
    ],
)
def test_a_wall_is_known_in_many_languages(title: str, words: str, reason: str) -> None:
    assert block_page_reason(Signs(title, words, words)) == reason


@pytest.mark.parametrize(
    ("title", "words", "reason"),
    [
        ("Just a moment...", "Enable JavaScript and cookies to continue", BLOCKED),
        ("Access denied", "Error 1015 You are being rate limited.", BLOCKED),
        ("", "Request unsuccessful. Incapsula incident ID: 877-123", BLOCKED),
        ("Access Denied", "You don't have permission to access this on this server. Reference #18.2d", BLOCKED),
        ("Robot or human?", "Activate and hold the button to confirm that you're human.", BLOCKED),
        ("a.example", "Please enable JS and disable any ad blocker", BLOCKED),
        ("Shop", "Click the button below to continue shopping", BLOCKED),
        ("Blocked", "You've been blocked by network security.", BLOCKED),
        ("Security Checkpoint", "We're verifying your browser", BLOCKED),
        ("Making sure you're not a bot!", "Loading...", BLOCKED),
        ("Request Rejected", "The requested URL was rejected. Please consult with your administrator.", BLOCKED),
        ("Your access has been limited", "Your access to this site has been limited by the site owner.", BLOCKED),
        ("One moment, please...", "Please wait while your request is being verified...", BLOCKED),
        ("Client Challenge", "JavaScript is disabled in your browser.", BLOCKED),
        ("Journal", "There was a problem providing the content you requested", BLOCKED),
        ("Story", "The author made this story available to paying members only.", PAYWALL),
        ("Post", "This post is for paid subscribers. Already a paid subscriber? Sign in", PAYWALL),
        ("Sign Up", "Join us. Already on Linked? Sign in", PAYWALL),
        ("500 Internal Server Error", "The server was unable to complete your request.", OUT_OF_ORDER),
        ("a.example | 521: Web server is down", "Error code 521", OUT_OF_ORDER),
        ("Maintenance", "Briefly unavailable for scheduled maintenance. Check back in a minute.", OUT_OF_ORDER),
        ("Account Suspended", "Contact your hosting provider for more information.", OUT_OF_ORDER),
        ("a.example", "This domain is for sale!", OUT_OF_ORDER),
        ("Welcome to nginx!", "Further configuration is required.", OUT_OF_ORDER),
        ("Redirecting...", "Click here if you are not redirected", OUT_OF_ORDER),
        ("Unavailable", "451: Unavailable due to legal reasons", OUT_OF_ORDER),
        ("Blog", "Your browser is not supported. Please upgrade.", OUT_OF_ORDER),
    ],
)
def test_the_usual_blocks_and_errors_that_come_with_status_200_are_known(title: str, words: str, reason: str) -> None:
    page = f"<html><head><title>{title}</title></head><body><div><p>{words}</p></div></body></html>"
    with pytest.raises(ExtractFailed, match=f"^{reason}"):
        html.extract(page.encode(), FormatInput("http://a.example/"))


@pytest.mark.parametrize("mark", ["window._cf_chl_opt={cvId:'3'}", "src='//geo.captcha-delivery.com/c.js'"])
def test_a_bot_check_is_known_by_its_source_whatever_its_language(mark: str) -> None:
    page = "<title>Odottakaa</title><body><p>{}</p><script>{}</script>"
    with pytest.raises(ExtractFailed, match=BLOCKED):
        html.extract(page.format("Hetkinen, olkaa hyvä.", mark).encode(), FormatInput("http://a.example/"))
    assert ARTICLE[:80] in html.extract(page.format(ARTICLE, mark).encode(), FormatInput("http://a.example/")).text


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("How a CAPTCHA tells people from programs", ARTICLE),
        ("Access denied: who may read court files", ARTICLE),
        ("Redirecting the river", ARTICLE[:500]),
        ("Boilers", f"{ARTICLE[:500]} The heating goes off for scheduled maintenance."),
        ("Bakery", f"{ARTICLE[:500]} We use cookies."),
        ("Plugin", f"{ARTICLE[:500]} To post a comment, enable JavaScript."),
    ],
)
def test_a_short_page_that_mentions_such_things_is_a_page(title: str, words: str) -> None:
    assert block_page_reason(Signs(title, words, words)) is None


def test_a_soft_404_between_menus_is_one() -> None:
    sorry = "Sorry, the page you were looking for could not be found. Try our front page."
    assert block_page_reason(Signs("Page not found - Paper", sorry, MENUS + sorry)) == NOT_FOUND
    assert block_page_reason(Signs("Page not found - Paper", ARTICLE, MENUS + ARTICLE)) is None
    assert block_page_reason(Signs("Paper", sorry, MENUS + sorry)) is None


def test_a_teaser_of_a_sold_article_is_no_page() -> None:
    teaser = ARTICLE[:600]
    assert block_page_reason(Signs("Story", teaser, MENUS + teaser, sold=True)) == PAYWALL
    offer = f"{teaser} Subscribe to continue reading. Already a subscriber? Log in"
    assert block_page_reason(Signs("Story", offer, MENUS + offer)) == PAYWALL
    assert block_page_reason(Signs("Story", teaser, MENUS + teaser)) is None


def test_a_sold_article_that_came_whole_is_a_page() -> None:
    whole = ARTICLE * 3
    assert block_page_reason(Signs("Story", whole, MENUS + whole, sold=True)) is None


def test_one_sign_in_an_article_makes_no_wall() -> None:
    story = f"{ARTICLE} Critics say the captcha is dead. Subscribe to read more stories like this."
    assert block_page_reason(Signs("The end of the robot test", story, MENUS + story)) is None


def test_the_place_of_an_application_that_stays_empty_is_a_shell() -> None:
    assert block_page_reason(Signs("App", "", "Menu Search", shell=True)) == NO_SCRIPT
    assert block_page_reason(Signs("App", ARTICLE, ARTICLE, shell=True)) is None
