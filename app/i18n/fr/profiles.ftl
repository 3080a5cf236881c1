# La liste des profils.
list-title = Profils SMTP
list-legend = Profil sélectionné
list-actions = Actions sur le profil sélectionné
list-empty = Aucun profil pour le moment.
list-empty-about = Un profil dit par quel serveur vos emails partent. Il vous faut l’adresse de votre messagerie et un mot de passe d’application ; cinq minutes suffisent.
list-in-use = utilisé
list-next = Profils suivants

owner-shop = magasin
owner-gone = utilisateur retiré du portail

state-never = jamais testé
state-failed = échec { $moment } : { $why }
state-unknown = résultat incertain { $moment }
state-changed = à retester
state-secret-missing = mot de passe à saisir
state-secret-unreadable = mot de passe illisible

delete-title = Supprimer ce profil ?
delete-question = Vous allez supprimer le profil { $sender }, serveur { $host }.
delete-unused = Aucun envoi n’en dépend : ce profil n’est pas celui qui est utilisé.
delete-successor = C’est le profil utilisé pour « { $owner } ». Le profil { $sender } ({ $host }) prendra sa place.
delete-last = C’est le seul profil de « { $owner } » : sans lui, ses emails ne pourront plus partir par un compte SMTP à vous.
delete-secret = Le mot de passe enregistré sera effacé. Cette action est définitive.

encoding-title = Encodage SMTP
encoding-legend = Jeu de caractères des emails
encoding-utf-8-about = Recommandé : toutes les langues et tous les signes.
encoding-iso-8859-1-about = Europe de l’Ouest, pour de très anciens logiciels. Sans le signe euro.
encoding-iso-8859-15-about = Europe de l’Ouest, avec le signe euro.
encoding-windows-1252-about = Europe de l’Ouest, celui des anciens Windows. Un texte qui n’entre pas dans le jeu choisi part en UTF-8.

# L’historique du compte.
history-title = Historique
history-empty = Rien n’a encore été changé.
history-older = Plus ancien
history-mode-own = A choisi l’envoi par les comptes SMTP du compte
history-mode-portal = A choisi l’envoi par le serveur du portail
history-added = A ajouté un profil
history-changed = A modifié un profil : { $fields }
history-duplicated = A dupliqué un profil
history-in-use = A mis un profil en service
history-deleted = A supprimé un profil et son mot de passe
history-cleaned = A retiré des caractères superflus d’un mot de passe
history-test-failed = A testé un profil : { $why }
history-tested = A testé un profil : le serveur a accepté le message
history-mended = A appliqué un changement proposé : { $what }
history-received = A confirmé la réception d’un message de test
history-fix-port = le port
history-fix-security = le chiffrement
history-fix-login = l’identifiant
history-fix-sender = l’adresse de l’expéditeur
history-fix-spaces = les espaces du mot de passe
history-fix-mechanism = la façon de se connecter
history-field-preset = configuration pré-saisie

# Les envois d’un profil.
action-sending = Envois
state-broken = en panne : { $why }
state-failing = dernier envoi en échec { $moment } : { $why }
state-sent = envoie : dernier message { $moment }
sent-last = Dernier envoi { $moment }
sent-failed = Dernier échec { $moment } : { $why }
sent-failed-last = Dernier échec { $moment }
list-failure = Dernier échec de { $sender }, { $moment } : { $why }
history-sending = A modifié les réglages d’envoi d’un profil
history-blocked = A saisi un serveur que l’administrateur n’autorise pas : { $destination }
history-sessions = A mis fin aux sessions d’une personne
history-sessions-all = A mis fin à toutes les sessions du compte
sending-title = Envois de ce profil
sending-broken = Ce profil ne fonctionne plus : { $why }. Constaté { $moment }.
sending-broken-next = Les messages attendent. Ils partiront dès que ce sera réparé : corrigez le profil, puis testez. Après un jour d’attente, un message est signalé au portail comme non envoyé.
sending-broken-fallback = En attendant, vos messages partent par le serveur du portail. Corrigez le profil, puis testez.
sending-last-sent = Dernier message envoyé
sending-last-failed = Dernier échec
sending-last-checked = Dernière vérification
sending-never = jamais
sending-failure = Dernier échec { $moment } : { $why }
sending-when-it-fails = Quand l’envoi ne marche plus
sending-check = Vérifier la connexion toutes les heures
sending-check-about = Une connexion est faite sans rien envoyer. Votre portail est prévenu dès que le mot de passe ou le serveur ne marche plus, avant qu’un client n’attende son devis.
sending-fallback = En cas d’échec, envoyer par le serveur de { $portal }
sending-fallback-about = Le message part alors au nom du portail, et les réponses arrivent chez vous. L’échec reste affiché ici. Sans cette option, le message attend que votre serveur réponde.
sending-limits = Limites d’envoi
sending-limits-about = Laissez vide pour suivre votre fournisseur. À changer seulement s’il vous le demande.
sending-max-connections = Connexions en même temps
sending-per-minute = Messages par minute
sending-per-day = Messages par jour
sending-limit-usual = Chez votre fournisseur : { $usual }. De 1 à { $most }.
sending-limit-range = De 1 à { $most }.
sending-limit-wrong = Un nombre entier de 1 à { $most }, ou rien.
