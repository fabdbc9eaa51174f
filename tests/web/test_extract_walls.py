"""Pages that are none are told from pages about them."""

from __future__ import annotations

import pytest

from agent.web.extract.walls import Signs, wall

ARTICLE = "The weights were published in January, and people everywhere began to run the model at home. " * 12
MENUS = "Home News Sport Culture Weather Travel Contact Imprint Privacy About us Jobs Newsletter " * 40
BLOCKED, NOT_FOUND, PAYWALL = "blocked page", "not found, says the page", "login or subscription needed"
COOKIES, NO_SCRIPT = "cookie wall", "empty without JavaScript"


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
    ],
)
def test_a_wall_is_known_in_many_languages(title: str, words: str, reason: str) -> None:
    assert wall(Signs(title, words, words)) == reason


def test_a_soft_404_between_menus_is_one() -> None:
    sorry = "Sorry, the page you were looking for could not be found. Try our front page."
    assert wall(Signs("Page not found - Paper", sorry, MENUS + sorry)) == NOT_FOUND
    assert wall(Signs("Page not found - Paper", ARTICLE, MENUS + ARTICLE)) is None
    assert wall(Signs("Paper", sorry, MENUS + sorry)) is None


def test_a_teaser_of_a_sold_article_is_no_page() -> None:
    teaser = ARTICLE[:600]
    assert wall(Signs("Story", teaser, MENUS + teaser, sold=True)) == PAYWALL
    offer = f"{teaser} Subscribe to continue reading. Already a subscriber? Log in"
    assert wall(Signs("Story", offer, MENUS + offer)) == PAYWALL
    assert wall(Signs("Story", teaser, MENUS + teaser)) is None


def test_a_sold_article_that_came_whole_is_a_page() -> None:
    whole = ARTICLE * 3
    assert wall(Signs("Story", whole, MENUS + whole, sold=True)) is None


def test_one_sign_in_an_article_makes_no_wall() -> None:
    story = f"{ARTICLE} Critics say the captcha is dead. Subscribe to read more stories like this."
    assert wall(Signs("The end of the robot test", story, MENUS + story)) is None


def test_the_place_of_an_application_that_stays_empty_is_a_shell() -> None:
    assert wall(Signs("App", "", "Menu Search", shell=True)) == NO_SCRIPT
    assert wall(Signs("App", ARTICLE, ARTICLE, shell=True)) is None
