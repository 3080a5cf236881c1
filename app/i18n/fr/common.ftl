# Ce que toutes les pages disent.
product-name = Configurateur SMTP
nav-label = Pages du configurateur
skip-to-content = Aller au contenu
back-to-portal = Retour au portail
open-in-a-tab = Ouvrir dans un nouvel onglet
action-save = Enregistrer
action-validate = Valider
action-cancel = Annuler
action-back = Retour
action-back-to-list = Retour à la liste
action-add = Ajouter
action-edit = Modifier
action-duplicate = Dupliquer
action-use = Utiliser
action-delete = Supprimer
action-test = Tester
action-report = Dernier test

moment-now = à l’instant
moment-minutes = { $n ->
    [one] il y a { $n } minute
   *[other] il y a { $n } minutes
}
moment-hours = { $n ->
    [one] il y a { $n } heure
   *[other] il y a { $n } heures
}
moment-days = { $n ->
    [one] il y a { $n } jour
   *[other] il y a { $n } jours
}
moment-date = le { $date }

session-ended-title = Session terminée
trouble-session-ended = Votre session est terminée. Pour votre sécurité, elle se ferme au bout d’un moment sans activité. Rouvrez le configurateur depuis votre portail : tout ce qui a été enregistré vous y attend.
trouble-stranger = Le configurateur s’ouvre depuis votre portail, où vous êtes déjà connecté. Si vous venez de là, votre navigateur refuse peut-être les cookies d’une page intégrée : ouvrez alors le configurateur dans une page à lui.
trouble-not-found = Cette page ou ce profil n’existe pas, ou n’existe plus.
trouble-unavailable = Le service ne répond pas pour le moment. Rien n’a été perdu de ce qui était enregistré : réessayez dans un instant.
trouble-malformed = La demande reçue est incomplète. Revenez à la page précédente et recommencez.
not-found-title = Page introuvable

notice-saved = Enregistré.
notice-mode-saved = Le mode d’envoi est enregistré.
notice-deleted = Le profil et son mot de passe sont supprimés.
notice-duplicated = Voici la copie. Le mot de passe n’est jamais copié : saisissez-le, puis validez.
notice-in-use = Ce profil est maintenant celui qui envoie.
notice-secret-removed = { $count ->
    [one] Enregistré. Une espace superflue a été retirée du mot de passe.
   *[other] Enregistré. { $count } espaces ou caractères superflus ont été retirés du mot de passe.
}
notice-cleaned = { $count ->
    [one] Un caractère a été retiré du mot de passe enregistré.
   *[other] { $count } caractères ont été retirés du mot de passe enregistré.
}
notice-secret-missing = Ce profil n’a pas de mot de passe. Choisissez Modifier pour le saisir, puis testez.
notice-secret-unreadable = Le mot de passe enregistré ne peut plus être lu. Choisissez Modifier pour le saisir à nouveau.
notice-secret-refused = Le fournisseur a refusé ce mot de passe trois fois de suite. Un essai de plus pourrait bloquer le compte : choisissez Modifier et saisissez-en un nouveau.
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
notice-full = Ce compte a déjà { $count } profils, le nombre maximal. Supprimez un profil qui ne sert plus, puis recommencez.
notice-unavailable = Le service ne répond pas pour le moment : rien n’a été modifié. Réessayez dans un instant.
stale-about = Ce que vous vouliez changer a été changé entre-temps : rien n’a été modifié.
stale-list = La liste a changé depuis que cette page était affichée : rien n’a été modifié. La voici telle qu’elle est maintenant ; recommencez si c’est toujours ce que vous voulez.
stale-delete = Ce profil ou celui qui prendrait sa place a changé depuis que cette page était affichée : rien n’est supprimé. Relisez, puis confirmez.
stale-mode = Entre-temps, le mode d’envoi a été changé. Enregistré : « { $saved } ». Votre choix : « { $mine } ». Rien n’est encore modifié : choisissez, puis enregistrez.
stale-encoding = Entre-temps, l’encodage a été changé. Enregistré : { $saved }. Votre choix : { $mine }. Rien n’est encore modifié : choisissez, puis validez.
stale-sending = Entre-temps, ces réglages ont été changés. Le formulaire montre votre saisie ; rien n’est encore modifié. Ce qui est enregistré :
stale-line = { $name } : { $value }
stale-on = oui
stale-off = non
carry-about = Votre session s’est terminée avant que le formulaire ne parte. Rien de ce que vous avez saisi n’est perdu, sauf le mot de passe, qui n’est jamais gardé.
carry-open = Rouvrez le configurateur depuis votre portail.
carry-portal = Ouvrir le portail dans un nouvel onglet
carry-then = Revenez ici, puis reprenez la saisie.
notice-mode-own = Le mode d’envoi est enregistré : par vos propres comptes SMTP.
notice-in-use-now = Vos emails partent maintenant par ce profil.
notice-in-use-later = Ce profil est choisi. Il enverra dès que vos emails partiront par vos propres comptes SMTP : pour l’instant, ils partent par le serveur du portail.
notice-deleted-heir = Le profil et son mot de passe sont supprimés. Le profil sélectionné ci-dessous a pris sa place.
notice-deleted-nobody = Le profil et son mot de passe sont supprimés. Aucun autre n’a pris sa place : choisissez un profil, puis Utiliser.
notice-was-deleted = Ce profil a été supprimé entre-temps. Voici ce que vous aviez saisi : Valider en fait un nouveau profil. Saisissez à nouveau le mot de passe.
notice-merged = Voici le profil avec vos choix. Relisez-le, puis validez.
notice-saved-already = Ce profil est déjà enregistré : vous le modifiez.
notice-deleted-shop = Le profil et son mot de passe sont supprimés. Ses emails partent maintenant par le profil du magasin.
notice-deleted-portal = Le profil et son mot de passe sont supprimés. Ses emails partent maintenant par le serveur du portail.
other-account-title = Ce formulaire est celui d’un autre compte
other-account-about = Il a été ouvert pour « { $whose } ». Depuis, « { $now } » a été ouvert dans ce navigateur. Rien n’a été enregistré. Ce que vous avez saisi n’est pas perdu, sauf le mot de passe, qui n’est jamais gardé.
other-account-open = Rouvrez le configurateur de « { $whose } » depuis votre portail.
other-account-then = Revenez ici, puis envoyez de nouveau.
other-account-again = Envoyer de nouveau
other-account-live = Cette page est celle de « { $whose } ». Depuis, « { $now } » a été ouvert dans ce navigateur : aucun test n’a été lancé. Rouvrez le configurateur de « { $whose } » depuis votre portail.
list-again = Afficher la liste actuelle
