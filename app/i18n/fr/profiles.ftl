# La liste des profils.
list-title = Profils SMTP
list-legend = Profil sélectionné
list-actions = Actions sur le profil sélectionné
list-more = Autres actions
list-empty = Aucun profil pour le moment.
list-empty-about = Un profil indique par quel serveur vos emails partent. Il vous faut votre adresse email et un mot de passe d’application ; cinq minutes suffisent.
list-in-use = Actif
list-chosen = Par défaut
list-next = Profils suivants

owner-shop = magasin
owner-gone = utilisateur supprimé du portail

state-never = Jamais testé
state-failed = Échec { $moment }
state-unknown = Résultat incertain { $moment }
state-changed = À retester
state-secret-missing = Mot de passe à saisir
state-secret-unreadable = Mot de passe illisible

delete-title = Supprimer ce profil ?
delete-question = Vous allez supprimer le profil { $profile }, serveur { $host }.
delete-unused = Aucun envoi n’en dépend : ce profil n’est pas actif.
delete-last = C’est le seul profil de « { $owner } ».
delete-secret = Le mot de passe enregistré sera supprimé aussi. Vous aurez dix secondes pour annuler.

encoding-title = Encodage SMTP
encoding-legend = Jeu de caractères des emails
encoding-utf-8-about = Recommandé : toutes les langues et tous les caractères.
encoding-iso-8859-1-about = Europe de l’Ouest, pour de très anciens logiciels. Sans le symbole euro.
encoding-iso-8859-15-about = Europe de l’Ouest, avec le symbole euro.
encoding-windows-1252-about = Europe de l’Ouest, pour les anciennes versions de Windows.
encoding-beyond = Un texte que le jeu choisi ne peut pas écrire part en UTF-8.

# L’historique du compte.
history-title = Historique
history-empty = Aucun changement pour le moment.
history-kind = Type d’action
history-kind-all = Toutes
history-kind-profiles = Profils
history-kind-tests = Tests
history-kind-sending = Envois
history-kind-sessions = Sessions
history-profile = Profil
history-profile-all = Tous
history-filter = Filtrer
history-all = Tout afficher
history-none = Aucune action ne correspond à ce choix.
history-tests-failed = { $n } tests, le dernier a échoué : { $why }
history-tests-unknown = { $n } tests, le dernier au résultat incertain
history-tests-passed = { $n } tests, le dernier a réussi
history-tests-each = Voir chaque test
history-older = Plus ancien
history-mode-own = Mode d’envoi : par vos propres comptes SMTP
history-mode-portal = Mode d’envoi : par le serveur du portail
history-added = Profil ajouté
history-changed = Profil modifié : { $fields }
history-duplicated = Profil dupliqué
history-in-use = Profil activé
history-deleted = Profil et mot de passe supprimés
history-restored = Suppression annulée
history-cleaned = Caractères en trop retirés d’un mot de passe
history-test-failed = Test échoué : { $why }
history-test-unknown = Test au résultat incertain : on ne sait pas si le message est parti
history-tested = Test réussi : le serveur a accepté le message
history-fix-applied = Changement proposé appliqué : { $what }
history-received = Réception d’un message de test confirmée
history-fix-port = le port
history-fix-security = le chiffrement
history-fix-login = l’identifiant
history-fix-sender = l’adresse de l’expéditeur
history-fix-spaces = les espaces du mot de passe
history-fix-mechanism = la méthode de connexion
history-field-preset = configuration pré-saisie

# Les envois d’un profil.
action-sending = Envois
state-broken = En panne : { $why }
state-failing = Dernier envoi échoué { $moment }
state-sent = Envoie – dernier message { $moment }
sent-last = Dernier envoi { $moment }
sent-failed = Dernier échec { $moment } : { $why }
list-failure = Que faire pour { $profile } ?
history-sending = Réglages d’envoi d’un profil modifiés
history-blocked = Serveur saisi mais non autorisé par l’administrateur : { $destination }
history-sessions = Sessions d’une personne terminées
history-sessions-all = Toutes les sessions du compte terminées
sending-title = Envois de ce profil
sending-broken = Ce profil ne fonctionne plus : { $why }. Constaté { $moment }.
sending-broken-next = Les messages attendent et partiront dès que le problème sera réglé : corrigez le profil, puis testez. Après un jour d’attente, un message est signalé au portail comme non envoyé.
sending-broken-fallback = En attendant, vos messages partent par le serveur du portail. Corrigez le profil, puis testez.
sending-last-sent = Dernier message envoyé
sending-last-failed = Dernier échec
sending-last-checked = Dernière vérification
sending-failure = Dernier échec { $moment } : { $why }
sending-when-it-fails = Si l’envoi ne fonctionne plus
sending-check = Vérifier la connexion toutes les heures
sending-check-about = Nous nous connectons sans rien envoyer. Votre portail est prévenu dès que le mot de passe ou le serveur ne fonctionne plus, avant qu’un client attende son devis.
sending-fallback = En cas d’échec, envoyer par le serveur de { $portal }
sending-fallback-about = Le message part alors au nom du portail, et les réponses vous parviennent. L’échec reste affiché ici. Sans cette option, le message attend que votre serveur réponde.
sending-limits = Limites d’envoi
sending-limits-about = Laissez vide pour suivre votre fournisseur. Ne les changez que s’il vous le demande.
sending-max-connections = Connexions simultanées
sending-per-minute = Messages par minute
sending-per-day = Messages par jour
sending-limit-usual = Chez votre fournisseur : { $usual }. De 1 à { $most }.
sending-limit-range = De 1 à { $most }.
sending-limit-wrong = Saisissez un nombre entier de 1 à { $most }, ou laissez vide.
delete-used = C’est le profil actif de « { $owner } ».
delete-successor = Quel profil enverra pour « { $owner } » ?
delete-successor-none = Aucun pour l’instant
delete-successor-others = { $count ->
    [one] Un autre profil
   *[other] { $count } autres profils
}
delete-all-fail = Nous ne savons pas si un autre profil fonctionne : si vous n’en choisissez pas, aucun ne le remplacera.
delete-then-shop = Ses emails partiront par le profil du magasin.
delete-then-portal = Ses emails partiront par le serveur de { $portal }.
delete-then-nothing = Ses emails ne pourront pas partir tant que vous n’aurez pas choisi un profil.
sending-limit-none = celle du fournisseur

# Ce qui est parti par un profil.
sent-nothing = Aucun message n’est encore parti par ce profil.
sent-days = Les 30 derniers jours
sent-chart = Envois jour par jour, du { $from } au { $to } : { $accepted } acceptés par le serveur, { $others } non acceptés.
sent-accepted-count = { $n ->
    [one] { $n } message accepté
   *[other] { $n } messages acceptés
}
sent-others-count = { $n ->
    [one] { $n } non accepté
   *[other] { $n } non acceptés
}
sent-numbers = Voir les chiffres
sent-day = Jour (UTC)
sent-accepted = Acceptés
sent-others = Non acceptés
sent-messages = Derniers messages
sent-date = Date
sent-recipient = Destinataire
sent-state = État
sent-and-others = { $n ->
    [one] { $recipient } et un autre
   *[other] { $recipient } et { $n } autres
}
fate-accepted = Accepté par le serveur
fate-portal = Parti par le serveur du portail
fate-waiting = En attente
fate-failed = Non envoyé
fate-unknown = Peut-être envoyé
sending-advanced = Avancé
