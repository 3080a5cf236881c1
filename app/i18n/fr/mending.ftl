# Réparer, confirmer la réception, transmettre.
action-mend = Appliquer et retester
card-fixes = { $count ->
    [one] Un changement peut suffire
   *[other] L’un de ces changements peut suffire
}
fix-port = Utiliser le port { $port } avec { $security } au lieu du port { $old }. Vérifié : ce serveur y répond.
fix-security = Passer le chiffrement à { $security }. Vérifié : ce serveur y répond ainsi, sur le même port.
fix-login = Utiliser l’identifiant « { $login } » : c’est la forme que { $provider } demande.
fix-sender = Utiliser { $address } comme adresse de l’expéditeur. Vérifié : ce serveur l’accepte.
fix-spaces = { $count ->
    [one] Retirer du mot de passe un caractère qui semble superflu : une espace au début ou à la fin, ou un signe invisible.
   *[other] Retirer du mot de passe { $count } caractères qui semblent superflus : des espaces au début ou à la fin, ou des signes invisibles.
}
fix-mechanism = Se connecter d’une autre façon ({ $mechanism }), que ce serveur propose aussi.
mend-stale = Le profil a changé depuis ce test : testez-le à nouveau.

survey-title = D’où vient le problème ?
survey-settings = Du réglage : ce serveur ne répond pas ainsi sur le port { $port }, mais il répond sur le port { $other } avec { $security }.
survey-settings-same-port = Du réglage : sur ce même port, le serveur répond avec le chiffrement { $security }.
survey-server = Du serveur, ou de ce qui le protège : aucun de ses ports d’envoi n’est utilisable depuis notre service, alors que notre réseau fonctionne.
survey-server-alone = Du serveur, ou de ce qui le protège : il se manifeste, mais aucun de ses ports d’envoi n’est utilisable.
survey-us = De chez nous : notre propre réseau ne sort pas en ce moment. Vos réglages n’y sont sans doute pour rien ; prévenez l’assistance de votre portail.
survey-unclear = Aucun port d’envoi de ce serveur ne donne signe de vie. Vérifiez d’abord l’adresse du serveur ; si elle est juste, il est arrêté ou injoignable depuis notre service.
survey-ipv6-mute = En IPv6, ce serveur ne donne aucun signe ; en IPv4, si.
survey-ipv4-mute = En IPv4, ce serveur ne donne aucun signe ; en IPv6, si.
survey-doors = Ce que nous avons essayé, sans identifiant ni mot de passe
survey-running = Nous cherchons d’où vient le problème…
door-works = prêt pour l’envoi
door-answers = répond, mais pas pour un envoi avec mot de passe
door-refuses = refuse la connexion
door-silent = ne répond pas
door-unreachable = injoignable

receipt-title = Le message est-il arrivé ?
receipt-about = Il contient un code à six chiffres. En le saisissant ici, vous avez la preuve que vos emails arrivent vraiment.
receipt-label = Code reçu
receipt-confirm = Confirmer la réception
receipt-done = Réception confirmée { $moment } : ce profil fonctionne.
receipt-missing = Le message n’arrive pas ?
receipt-missing-spam = Cherchez-le dans le courrier indésirable de la boîte { $recipient }, puis marquez-le comme souhaité.
receipt-missing-sender = Certains serveurs remplacent l’expéditeur par l’adresse du compte : cherchez aussi un message venu de « { $login } ».
receipt-missing-delay = Un premier message peut être retenu quelques minutes, parfois une heure, avant d’être distribué.
receipt-missing-dropped = Rien au bout d’une heure ? Il a sans doute été écarté sans rien dire. Demandez à celui qui gère le domaine { $domain } s’il autorise { $provider } à envoyer en son nom (SPF, DKIM), et transmettez le compte rendu à { $provider }.
notice-received = La réception est confirmée : ce profil fonctionne.
notice-code-wrong = { $left ->
    [one] Ce n’est pas le bon code. Il reste un essai.
   *[other] Ce n’est pas le bon code. Il reste { $left } essais.
}
notice-code-invalid = Le code est fait de six chiffres. Regardez le message de test.
notice-code-gone = Ce code n’est plus valable : il a expiré, ou les essais sont épuisés. Un nouveau test envoie un nouveau code.
notice-stale = Le profil a changé depuis ce test. Testez-le à nouveau : les changements proposés ne valent plus.
state-accepted = accepté par le serveur { $moment }, réception à confirmer
state-received = fonctionne, réception confirmée { $moment }
mail-code = Code de réception : { $code }
mail-code-about = Saisissez-le dans le configurateur, là où vous avez choisi « Tester » : c’est la preuve que ce message est arrivé. Il est valable 24 heures.

passable-title = Compte rendu à transmettre
passable-about = Pour l’assistance de votre fournisseur. Il ne contient ni mot de passe, ni nom, ni adresse de destinataire.
passable-copy = Copier le compte rendu
passable-copied = Copié.
passable-select = Le texte est sélectionné : copiez-le avec Ctrl+C (⌘C sur Mac).
passable-server = Serveur : { $host }, port { $port }, { $security }
passable-login = Identifiant : { $login }
passable-sender = Expéditeur : { $sender }
passable-when = Date (UTC) : { $when }
passable-verdict = Résultat : { $verdict }
passable-reply = Réponse du serveur : { $reply }
passable-queue = Numéro donné par le serveur : { $id }
passable-tls = Chiffrement : { $tls }
passable-certificate = Certificat : { $names }, délivré par { $issuer }, valable jusqu’au { $until }
passable-transcript = Échange (C : nous, S : le serveur)
card-certificate-names = Le certificat est au nom de { $names } : l’une de ces adresses est peut-être la bonne.
card-offers = Ce que le serveur propose pour se connecter : { $mechanisms }
card-link = La page de { $provider }
