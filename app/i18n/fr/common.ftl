# Ce que toutes les pages disent.
product-name = Configurateur SMTP
nav-label = Pages du configurateur
nav-mode = Mode d’envoi
skip-to-content = Aller au contenu
back-to-portal = Retour au portail
open-in-a-tab = Ouvrir dans un nouvel onglet
action-save = Enregistrer
action-validate = Valider
action-undo = Annuler
action-cancel = Annuler
action-back = Retour
action-back-to-list = Retour à la liste
action-add = Ajouter
action-edit = Modifier
action-duplicate = Dupliquer
action-use = Utiliser
action-delete = Supprimer
action-test = Tester
action-retype = Enregistrer et retester
action-report = Dernier test
action-code = Saisir le code

moment-now = à l’instant
moment-minutes = { $n ->
    [one] il y a { $n } min
   *[other] il y a { $n } min
}
moment-hours = { $n ->
    [one] il y a { $n } heure
   *[other] il y a { $n } heures
}
moment-days = { $n ->
    [one] il y a { $n } jour
   *[other] il y a { $n } jours
}
moment-utc = { $moment } UTC
moment-date = le { $date }
date = { $day ->
    [1] 1er
   *[other] { $day }
} { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
} { $year }
date-time = { $date } à { $time }

session-ended-title = Session terminée
trouble-session-ended = Votre session est terminée. Pour votre sécurité, elle se ferme après un moment sans activité. Rouvrez le configurateur depuis votre portail : vous y retrouverez tout ce qui a été enregistré.
trouble-stranger = Le configurateur s’ouvre depuis votre portail, où vous êtes déjà connecté. Si vous en venez, votre navigateur refuse peut-être les cookies d’une page intégrée : ouvrez alors le configurateur dans un nouvel onglet.
trouble-not-found = Cette page ou ce profil n’existe pas, ou n’existe plus.
trouble-unavailable = Le service ne répond pas pour le moment. Ce qui était enregistré n’est pas perdu : réessayez dans un instant.
trouble-internal = Une erreur de notre côté empêche d’afficher cette page. Elle a été enregistrée. Si elle se reproduit, signalez-la à votre portail.
trouble-malformed = La demande reçue est incomplète. Revenez à la page précédente et recommencez.
not-found-title = Page introuvable

notice-saved = { $name ->
    [none] Profil enregistré.
   *[other] Profil { $name } enregistré.
}
notice-saved-only = { $name ->
    [none] Profil enregistré. C’est le seul profil de cet utilisateur : il est donc actif. Testez-le pour savoir s’il envoie.
   *[other] Profil { $name } enregistré. C’est le seul profil de cet utilisateur : il est donc actif. Testez-le pour savoir s’il envoie.
}
notice-mode-saved = Le mode d’envoi est enregistré.
notice-deleted = Le profil et son mot de passe sont supprimés.
notice-duplicated = Voici la copie. Le mot de passe n’est jamais copié : saisissez-le, puis validez.
notice-in-use = { $name ->
    [none] Ce profil est maintenant actif.
   *[other] { $name } est maintenant le profil actif.
}
notice-secret-removed = { $count ->
    [one] Un caractère en trop a été retiré du mot de passe.
   *[other] { $count } caractères en trop ont été retirés du mot de passe.
}
notice-cleaned = { $count ->
    [one] Un caractère a été retiré du mot de passe enregistré.
   *[other] { $count } caractères ont été retirés du mot de passe enregistré.
}
notice-secret-missing = Ce profil n’a pas de mot de passe. Saisissez-le, puis testez.
notice-secret-unreadable = Le mot de passe enregistré ne peut plus être lu. Saisissez-le à nouveau.
notice-secret-invalid = Ce mot de passe ne peut pas être enregistré : il est vide, dépasse 1 024 caractères ou contient un caractère impossible. Ressaisissez-le.
notice-secret-refused = Le fournisseur a refusé ce mot de passe trois fois de suite. Un essai de plus pourrait bloquer votre compte : saisissez-en un nouveau.
notice-gone = Ce profil n’existe pas, ou n’existe plus.
notice-limited = { $seconds ->
    [one] Trop d’essais en peu de temps. Réessayez dans une seconde.
   *[other] Trop d’essais en peu de temps. Réessayez dans { $seconds } secondes.
}
notice-tests-of-yours = Vous avez déjà plusieurs tests en cours : celui-ci n’a pas été lancé. Réessayez quand l’un d’eux sera terminé.
notice-tests-of-account = Plusieurs tests de votre compte sont déjà en cours : celui-ci n’a pas été lancé. Réessayez quand l’un d’eux sera terminé.
notice-tests-of-all = Trop de tests sont en cours pour le moment : celui-ci n’a pas été lancé. Réessayez dans une minute.
notice-malformed = La demande reçue était incomplète : rien n’a été modifié.
notice-unknown-field = La demande contenait un champ inconnu : rien n’a été modifié.
notice-full = Ce compte a déjà { $count } profils, le maximum. Supprimez un profil inutile, puis recommencez.
notice-unavailable = Le service ne répond pas pour le moment : rien n’a été modifié. Réessayez dans un instant.
stale-about = Quelqu’un a fait un changement entre-temps : rien n’a été modifié.
stale-list = La liste a changé depuis l’affichage de cette page : rien n’a été modifié. La voici à jour ; recommencez si vous le souhaitez toujours.
stale-delete = Ce profil, ou celui qui le remplacerait, a changé depuis l’affichage de cette page : rien n’est supprimé. Relisez, puis confirmez.
stale-mode = Le mode d’envoi a changé entre-temps. Enregistré : « { $saved } ». Votre choix : « { $mine } ». Rien n’est encore modifié : choisissez, puis enregistrez.
stale-encoding = L’encodage a changé entre-temps. Enregistré : { $saved }. Votre choix : { $mine }. Rien n’est encore modifié : choisissez, puis validez.
stale-sending = Ces réglages ont changé entre-temps. Le formulaire montre votre saisie ; rien n’est encore modifié. Valeurs enregistrées :
stale-line = { $name } : { $value }
stale-on = oui
stale-off = non
carry-about = Votre session a pris fin avant l’envoi du formulaire : rien n’a été enregistré. Votre saisie n’est pas perdue.
carry-about-secret = Votre session a pris fin avant l’envoi du formulaire : rien n’a été enregistré. Votre saisie n’est pas perdue, sauf le mot de passe, qui n’est jamais conservé : vous le saisirez à nouveau.
carry-about-press = Votre session a pris fin : rien n’a été fait.
carry-open = Rouvrez le configurateur depuis votre portail.
carry-portal = Ouvrir le portail dans un nouvel onglet
carry-then = Revenez ici, puis continuez.
notice-mode-own = Le mode d’envoi est enregistré : par vos propres comptes SMTP.
notice-in-use-now = { $name ->
    [none] Vos emails partent maintenant par ce profil.
   *[other] Vos emails partent maintenant par { $name }.
}
notice-in-use-later = Ce profil est choisi. Pour l’instant, vos emails partent par le serveur du portail : il enverra quand vous passerez à vos propres comptes SMTP.
notice-deleted-successor = { $name ->
    [none] Le profil et son mot de passe sont supprimés. Le profil sélectionné ci-dessous le remplace.
   *[other] Le profil et son mot de passe sont supprimés. { $name } le remplace :
}
notice-deleted-nobody = Le profil et son mot de passe sont supprimés. Aucun profil ne le remplace : choisissez-en un, puis Utiliser.
notice-was-deleted = Ce profil a été supprimé entre-temps. Voici votre saisie : Valider en fait un nouveau profil. Saisissez à nouveau le mot de passe.
notice-merged = Voici le profil avec vos choix. Relisez-le, puis validez.
notice-saved-already = Ce profil est déjà enregistré : vous le modifiez.
notice-deleted-shop = Le profil et son mot de passe sont supprimés. Ses emails partent maintenant par le profil du magasin.
notice-deleted-portal = Le profil et son mot de passe sont supprimés. Ses emails partent maintenant par le serveur du portail.
other-account-title = Ce formulaire est celui d’un autre compte
other-account-about = Il a été ouvert pour « { $owner } ». Depuis, « { $now } » a été ouvert dans ce navigateur. Rien n’a été enregistré. Ce que vous avez saisi n’est pas perdu, sauf le mot de passe, qui n’est jamais gardé.
other-account-open = Rouvrez le configurateur de « { $owner } » depuis votre portail.
other-account-then = Revenez ici, puis envoyez de nouveau.
other-account-again = Envoyer de nouveau
other-account-live = Cette page est celle de « { $owner } ». Depuis, « { $now } » a été ouvert dans ce navigateur : aucun test n’a été lancé. Rouvrez le configurateur de « { $owner } » depuis votre portail.
list-again = Afficher la liste actuelle
carry-again = Continuer
notice-session-renewed = Votre session avait pris fin : rien n’a été enregistré. Votre saisie est là : vérifiez-la, puis enregistrez.
notice-session-renewed-secret = Votre session avait pris fin : rien n’a été enregistré. Votre saisie est là, sauf le mot de passe, qui n’est jamais conservé : saisissez-le à nouveau, puis validez.
notice-session-renewed-press = Votre session avait pris fin : rien n’a été fait. Appuyez à nouveau sur le bouton.
notice-in-use-failing = { $name ->
    [none] Ce profil est maintenant actif, mais il ne peut pas encore envoyer : corrigez-le, puis testez.
   *[other] { $name } est maintenant le profil actif, mais il ne peut pas encore envoyer : corrigez-le, puis testez.
}
notice-in-use-later-failing = Ce profil est choisi, mais il ne peut pas encore envoyer : corrigez-le et testez-le avant de passer à vos propres comptes SMTP.
notice-sending-saved = { $name ->
    [none] Réglages d’envoi enregistrés.
   *[other] Réglages d’envoi enregistrés pour { $name }.
}
notice-restored = { $name ->
    [none] Le profil est rétabli, avec son mot de passe.
   *[other] Le profil { $name } est rétabli, avec son mot de passe.
}
notice-restore-late = Il n’est plus possible d’annuler : le profil et son mot de passe sont supprimés définitivement.
