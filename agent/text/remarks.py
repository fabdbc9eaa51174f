"""What the agent says about its own work, in the reader's language, and how such a sentence is told from a claim.

Knows phrases, and the ways in which writers say that sources are silent.  Knows no facts: a remark is never checked, so
whatever might carry a fact is not taken for one.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

Remark = Literal["no model", "model failed", "no answer", "part unanswered", "nothing confirmed"]
Label = Literal["not confirmed", "unsupported", "refuted"]

_REMARKS: dict[Remark, dict[str, str]] = {
    "no model": {
        "en": "No reasoning model wrote this: these are sentences from the sources, word for word.",
        "de": "Kein Sprachmodell hat dies geschrieben: Es sind Sätze aus den Quellen, Wort für Wort.",
        "es": "Ningún modelo de razonamiento ha escrito esto: son frases de las fuentes, palabra por palabra.",
        "fr": "Aucun modèle de raisonnement n'a écrit ceci : ce sont des phrases des sources, mot pour mot.",
        "it": "Nessun modello di ragionamento ha scritto questo testo: sono frasi delle fonti, parola per parola.",
        "pt": "Nenhum modelo de raciocínio escreveu isto: são frases das fontes, palavra por palavra.",
        "nl": "Geen redeneermodel heeft dit geschreven: het zijn zinnen uit de bronnen, woord voor woord.",
        "ru": "Это написала не модель: здесь предложения из источников, слово в слово.",
        "zh": "以下内容并非由推理模型撰写，而是逐字摘自来源的句子。",
        "ja": "これは推論モデルが書いたものではなく、情報源の文をそのまま抜き出したものです。",
        "ko": "추론 모델이 작성한 글이 아니라 출처의 문장을 그대로 옮긴 것입니다.",
        "ar": "لم يكتب هذا نموذج استدلال: هذه جمل من المصادر منقولة حرفيًا.",
    },
    "model failed": {
        "en": "The reasoning model failed ({because}), so no model wrote this: these are sentences from the sources, "
        "word for word.",
        "de": "Das Sprachmodell ist ausgefallen ({because}), darum hat kein Modell dies geschrieben: Es sind Sätze aus "
        "den Quellen, Wort für Wort.",
        "es": "El modelo de razonamiento ha fallado ({because}), así que ningún modelo ha escrito esto: son frases de "
        "las fuentes, palabra por palabra.",
        "fr": "Le modèle de raisonnement a échoué ({because}) ; aucun modèle n'a donc écrit ceci : ce sont des phrases "
        "des sources, mot pour mot.",
        "zh": "推理模型出错（{because}），因此以下内容并非由模型撰写，而是逐字摘自来源的句子。",
    },
    "no answer": {
        "en": "The sources found do not answer this.",
        "de": "Die gefundenen Quellen beantworten das nicht.",
        "es": "Las fuentes encontradas no responden a esto.",
        "fr": "Les sources trouvées ne répondent pas à cela.",
        "it": "Le fonti trovate non rispondono a questo.",
        "pt": "As fontes encontradas não respondem a isto.",
        "nl": "De gevonden bronnen beantwoorden dit niet.",
        "ru": "Найденные источники на это не отвечают.",
        "zh": "找到的来源没有回答这个问题。",
        "ja": "見つかった情報源はこれに答えていません。",
        "ko": "찾은 출처는 이에 답하지 않습니다.",
        "ar": "المصادر التي عُثر عليها لا تجيب عن هذا.",
    },
    "part unanswered": {
        "en": "No sentence was found in the sources for this part: {part}",
        "de": "Zu diesem Teil fand sich kein Satz in den Quellen: {part}",
        "es": "No se encontró en las fuentes ninguna frase para esta parte: {part}",
        "fr": "Aucune phrase des sources n'a été trouvée pour cette partie : {part}",
        "zh": "在来源中没有找到与这一部分对应的句子：{part}",
    },
    "nothing confirmed": {
        "en": "Nothing in this answer could be confirmed from its sources.",
        "de": "Nichts in dieser Antwort ließ sich aus ihren Quellen bestätigen.",
        "es": "Nada de esta respuesta se ha podido confirmar con sus fuentes.",
        "fr": "Rien dans cette réponse n'a pu être confirmé par ses sources.",
        "zh": "此回答中没有任何内容能从其来源得到证实。",
    },
}
_LABELS: dict[Label, dict[str, str]] = {
    "not confirmed": {
        "en": "Not confirmed",
        "de": "Nicht bestätigt",
        "es": "Sin confirmar",
        "fr": "Non confirmé",
        "zh": "未经证实",
    },
    "unsupported": {
        "en": "without support",
        "de": "ohne Beleg",
        "es": "sin respaldo",
        "fr": "sans appui",
        "zh": "没有依据",
    },
    "refuted": {
        "en": "contradicted",
        "de": "widersprochen",
        "es": "contradicho",
        "fr": "contredit",
        "zh": "与来源矛盾",
    },
}

# Why a claim failed, as the checks say it, and the same in other languages; `\1` and `\2` are what is quoted.
_REASONS: dict[str, dict[str, str]] = {
    r"no source is cited": {
        "de": "keine Quelle ist angegeben", "es": "no se cita ninguna fuente",
        "fr": "aucune source n'est citée", "zh": "没有引用来源",
    },
    r"the source says “(.*)”, not “(.*)”": {
        "de": r"die Quelle sagt „\1“, nicht „\2“", "es": r"la fuente dice «\1», no «\2»",
        "fr": r"la source dit « \1 », et non « \2 »", "zh": r"来源说的是“\1”，不是“\2”",
    },
    r"the source says it without “(.*)”": {
        "de": r"die Quelle sagt es ohne „\1“", "es": r"la fuente lo dice sin «\1»",
        "fr": r"la source le dit sans « \1 »", "zh": r"来源的说法中没有“\1”",
    },
    r"the source says “(.*)”": {
        "de": r"die Quelle sagt „\1“", "es": r"la fuente dice «\1»", "fr": r"la source dit « \1 »", "zh": r"来源说“\1”",
    },
    r"the source's table has “(.*)” there": {
        "de": r"in der Tabelle der Quelle steht dort „\1“", "es": r"la tabla de la fuente tiene ahí «\1»",
        "fr": r"le tableau de la source y donne « \1 »", "zh": r"来源的表格中此处为“\1”",
    },
    r"the source says otherwise: (.*)": {
        "de": r"die Quelle sagt es anders: \1", "es": r"la fuente dice otra cosa: \1",
        "fr": r"la source dit autre chose : \1", "zh": r"来源的说法不同：\1",
    },
    r"the sources cited do not say it, as the model that checks reads them": {
        "de": "die angeführten Quellen sagen es nicht, wie das prüfende Modell sie liest",
        "es": "las fuentes citadas no lo dicen, según las lee el modelo que comprueba",
        "fr": "les sources citées ne le disent pas, selon le modèle qui vérifie",
        "zh": "据核查模型的判断，所引来源没有这样说",
    },
    r"it goes on from a sentence that is not confirmed": {
        "de": "es schließt an einen Satz an, der nicht bestätigt ist", "es": "sigue a una frase sin confirmar",
        "fr": "cela se rattache à une phrase non confirmée", "zh": "它承接的句子未经证实",
    },
}  # fmt: skip

# "The sources do not say …": the ways of telling that something was not found.  Only of *our* sources: that evidence
# in general does not show something is a claim.
_OURS = (
    r"(?:(?<![-\w])(?:search results?|web ?pages?|sources?(?![ -]code)(?: \d+)?)"
    r"|\b(?:provided|available|given|retrieved|cited|found|gathered) "
    r"(?:\w+ )?(?:documents?|evidence|articles?|texts?|passages?|materials?|information|results?|pages))"
)
_TELL = (
    r"(?:say|state|mention|give|specify|provide|address|answer|contain|include|cover|discuss|report|indicate|confirm|"
    r"explain|name|quote|list|describe|disclose|reveal|support|offer|clarify|detail|tell)"
)
_SILENT = re.compile(
    rf"{_OURS}\b[^.;:]{{0,40}}?\b(?:(?:do(?:es)?|did) not|(?:do|does|did)n[’']t|never|cannot|fail to)"
    rf" (?:\w+ )?{_TELL}"
    rf"|{_OURS}\b[^.;:]{{0,40}}?\b(?:says? nothing|(?:is|are) silent|lacks?\b"
    r"|(?:contain|give|provide|make|offer)s? no\b)"
    r"|\b(?:none of the|no|neither) (?:\w+ ){0,2}?(?:sources?|search results?|web ?pages?|pages)\b"
    rf"[^.;:]{{0,20}}\b{_TELL}"
    r"|\b(?:i|we) (?:could|can|was|were|did)(?:n[’']t| ?not|) ?(?:not |unable to )"
    r"(?:find|determine|verify|confirm|locate)"
    r"|\b(?:i|we) (?:found no|found nothing|could find no|(?:couldn|didn)[’']t find)"
    r"|\bno (?:\w+ ){0,2}(?:information|evidence|details?|data|figures?|mention)\b[^.;:]{0,40}"
    rf"\b(?:(?:was|were|is|are|could be) (?:found|available|given|provided)|in (?:the )?{_OURS})"
    rf"|\b(?:is|are|was|were) not \w+ (?:in|by) (?:the |any |these )?{_OURS}"
    r"|(?:来源|來源|搜索结果|搜尋結果|网页|網頁|提供的资料|提供的信息)[^。；]{0,20}(?:没有|沒有|未|无法|無法|不)[^。；]{0,8}"
    r"(?:提及|提到|提供|说明|說明|回答|给出|給出|涉及|包含|显示|證實|证实|确认)"
    r"|(?:没有|未能|无法|未)(?:能)?(?:在\w{1,8}中)?(?:找到|查到)"
    r"|\bquellen\b[^.;:]{0,40}\b(?:nicht|keine[nrs]?|nichts)\b|\bfuentes\b[^.;:]{0,40}\bno\b"
    r"|\bno se (?:ha |han )?(?:encontr|hall)\w+|\bsources\b[^.;:]{0,40}\bne\b[^.;:]{0,30}\bpas\b|\baucune source\b",
    re.IGNORECASE,
)
# After one of these a sentence may go on to state a fact.
_BUT = re.compile(
    r"\b(?:but|however|although|though|while|whereas|yet|nevertheless|still|instead|aber|jedoch|obwohl|doch|sondern|pero|"
    r"aunque|sino|sin embargo|mais|cependant|bien que|toutefois)\b|但|不过|不過|然而|虽然|雖然|而是",
    re.IGNORECASE,
)
_MANNERS = re.compile(
    r"(?:i hope|let me know|feel free|if you (?:need|want|have|would like)|for more (?:details|information)"
    r"|this answer|the following|here (?:is|are|’s|'s)|below (?:is|are)|in summary[,:]?$"
    r"|to summari[sz]e[,:]?$|in conclusion[,:]?$"
    r"|希望|如需|如果您|以下是|下面是|ich hoffe|im folgenden|espero que|a continuación|j[’']espère|voici)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"^[\s*_>(]+|(?<![\s*_)])[\s*_)]+$")


def remark(kind: Remark, language: str, **words: str) -> str:
    """The phrase in the language, in English where we do not speak it."""
    return _in(_REMARKS[kind], language).format(**words)


def label(kind: Label, language: str) -> str:
    return _in(_LABELS[kind], language)


def reason(why: str, language: str) -> str:
    """Why a claim failed, in the answer's language; as it is, where we do not speak that."""
    for said, told in _REASONS.items():
        if (found := re.fullmatch(said, why, re.DOTALL)) and language.split("-", 1)[0] in told:
            return found.expand(told[language.split("-", 1)[0]])
    return why


def is_remark(sentence: str) -> bool:
    """Is this said about the work, the sources or the reader, and nothing else?  `sentence`: without its marks."""
    said = _EMPHASIS.sub("", sentence)
    if any(own.fullmatch(said) for own in _own()):
        return True
    if _SILENT.search(said):
        return not _BUT.search(said)
    return bool(_MANNERS.match(said)) and not re.search(r"\d", said)


@cache
def _own() -> tuple[re.Pattern[str], ...]:
    """Our own phrases, whatever stands in their places."""
    phrases = [phrase for kind in _REMARKS.values() for phrase in kind.values()]
    told = [r"The sources found do not answer this part[:：].*"]  # what models are asked to write
    told += [rf"{re.escape(words)}[:：].*" for kind in ("unsupported", "refuted") for words in _LABELS[kind].values()]
    return tuple(
        re.compile(re.sub(r"\\\{\w+\\\}", ".*", _EMPHASIS.sub("", re.escape(phrase))), re.DOTALL) for phrase in phrases
    ) + tuple(re.compile(pattern, re.DOTALL) for pattern in told)


def _in(phrases: dict[str, str], language: str) -> str:
    return phrases.get(language.split("-", 1)[0], phrases["en"])
