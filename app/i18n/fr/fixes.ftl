# Appliquer une correction, confirmer la réception, transmettre.
action-apply-fix = Appliquer et retester
card-fixes = { $count ->
    [one] Un changement peut suffire
   *[other] L’un de ces changements peut suffire
}
fix-port = Utiliser le port { $port } avec { $security } au lieu du port { $old }. Vérifié : ce serveur y répond.
fix-security = Utiliser le chiffrement { $security }. Vérifié : ce serveur répond ainsi, sur le même port.
fix-login = Utiliser l’identifiant « { $login } » : c’est la forme que { $provider } demande.
fix-sender = Utiliser { $address } comme adresse de l’expéditeur. Vérifié : ce serveur l’accepte.
fix-spaces = { $count ->
    [one] Retirer du mot de passe un caractère qui semble en trop : un espace au début ou à la fin, ou un caractère invisible.
   *[other] Retirer du mot de passe { $count } caractères qui semblent en trop : des espaces au début ou à la fin, ou des caractères invisibles.
}
fix-mechanism = Utiliser une autre méthode de connexion ({ $mechanism }), que ce serveur propose aussi.
apply-fix-stale = Le profil a changé depuis ce test : testez-le à nouveau.

survey-title = D’où vient le problème ?
survey-settings = De vos réglages : le port { $port } ne convient pas. Ce serveur répond en { $security } sur le port { $other }.
survey-settings-same-port = De vos réglages : sur ce port, ce serveur répond en { $security }.
survey-server = Du serveur, ou de ce qui le protège : aucun de ses ports d’envoi n’est utilisable depuis notre service, alors que notre réseau fonctionne.
survey-server-alone = Du serveur, ou de ce qui le protège : il répond, mais aucun de ses ports d’envoi n’est utilisable.
survey-us = De chez nous : notre propre réseau est en panne en ce moment. Vos réglages n’y sont sans doute pour rien ; prévenez l’assistance de votre portail.
survey-unclear = Aucun port d’envoi de ce serveur ne répond. Vérifiez d’abord l’adresse du serveur. Si elle est correcte, il est arrêté ou injoignable depuis notre service.
survey-ipv6-mute = Ce serveur répond en IPv4, mais pas en IPv6.
survey-ipv4-mute = Ce serveur répond en IPv6, mais pas en IPv4.
survey-doors = Ce que nous avons essayé, sans identifiant ni mot de passe
survey-running = Nous cherchons d’où vient le problème…
door-works = prêt pour l’envoi
door-answers = répond, mais pas pour un envoi avec mot de passe
door-refuses = refuse la connexion
door-silent = ne répond pas
door-unreachable = injoignable

receipt-title = Le message est-il arrivé ?
receipt-of = Test de { $profile }, { $moment }
receipt-about = Il contient un code à six chiffres. Saisissez-le ici pour vérifier que vos emails arrivent.
receipt-label = Code reçu
receipt-confirm = Confirmer la réception
receipt-again = Saisir le code de ce dernier message
receipt-done = Réception confirmée { $moment } : ce profil fonctionne.
receipt-missing = Le message n’arrive pas ?
receipt-missing-spam = Cherchez-le dans le courrier indésirable de la boîte { $recipient }, puis signalez-le comme « non-spam ».
receipt-missing-sender = Certains serveurs remplacent l’expéditeur par l’adresse du compte : cherchez aussi un message de « { $login } ».
receipt-missing-delay = Un premier message peut être retenu quelques minutes, parfois une heure.
receipt-missing-dropped = Rien au bout d’une heure ? Il a sans doute été supprimé sans avertissement. Demandez à la personne qui gère le domaine { $domain } s’il autorise { $provider } à envoyer en son nom (SPF, DKIM), et envoyez le compte rendu à { $provider }.
notice-received = La réception est confirmée : ce profil fonctionne.
notice-code-wrong = { $left ->
    [one] Ce n’est pas le bon code. Il reste un essai.
   *[other] Ce n’est pas le bon code. Il reste { $left } essais.
}
notice-code-invalid = Le code comporte six chiffres. Vous le trouverez dans le message de test.
notice-code-gone = Ce code n’est plus valable : il a expiré, ou il ne reste plus d’essai. Faites un nouveau test pour recevoir un nouveau code.
notice-stale = Le profil a changé depuis ce test. Testez-le à nouveau : les changements proposés ne sont plus valables.
state-accepted = Accepté par le serveur { $moment }, réception à confirmer
state-received-before = Fonctionne, réception confirmée { $moment }, testé { $tested }
state-received = Fonctionne, réception confirmée { $moment }
mail-code = Code de réception : { $code }
mail-code-about = Saisissez-le dans { $portal }, « Mode d’envoi des emails », puis « Profils SMTP », pour confirmer que ce message est arrivé. Il est valable 24 heures.

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
card-certificate-names = Noms inscrits dans le certificat : { $names }. La bonne adresse en fait peut-être partie.
card-offers = Méthodes de connexion que le serveur propose : { $mechanisms }
card-link = Page d’aide : { $provider }
