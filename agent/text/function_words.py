"""The small words of languages written in Latin letters: articles, pronouns, prepositions, question words.

They tell a language from three words of a question, and they carry no subject matter, so ranking and coverage leave
them out.  Collected by hand from the grammars' closed classes; knows words only, nothing of how they are used.
"""

from __future__ import annotations

from functools import cache

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
