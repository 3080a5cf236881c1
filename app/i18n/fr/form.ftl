# Le formulaire d’un profil.
form-title-new = Ajouter un profil
form-title-edit = Modifier le profil
form-title-copy = Copie du profil
form-step = Étape { $step } sur 2
form-presets = Vous pouvez choisir une configuration pré-saisie (optionnel)
form-server = Serveur
form-host = Adresse du serveur SMTP
form-host-hint = Par exemple smtp.exemple.fr
form-port = Numéro de port
form-security = Chiffrement
form-yours = Vos Informations
form-owner = Compte utilisateur
form-owner-hint = Qui envoie avec ce profil ? « magasin » : toute l’équipe, sauf ceux qui ont leur propre profil.
form-login = Identifiant SMTP
form-login-hint = Le plus souvent, votre adresse email complète.
form-secret = Mot de passe SMTP
form-secret-hint = Souvent un mot de passe d’application, pas celui de votre messagerie.
form-secret-stored = Un mot de passe est enregistré
form-secret-keep = Laissez le champ vide pour le garder.
form-secret-moved-server = Vous avez changé le serveur : saisissez le mot de passe de { $host }.
form-secret-moved-login = Vous avez changé l’identifiant : saisissez son mot de passe.
form-secret-unreadable = Le mot de passe enregistré ne peut plus être lu : saisissez-le à nouveau.
form-sender-name = Nom de l’expéditeur
form-sender-name-hint = Le nom que vos clients verront.
form-sender-address = Adresse de l’expéditeur
form-sender-address-hint = Même adresse que l’identifiant tant que ce champ est vide.
form-reply-to = Adresse de réponse
form-reply-to-hint = Si vous voulez recevoir les réponses ailleurs, par exemple { $email }.
form-optional = (facultatif)
form-refused = Rien n’est encore enregistré. À corriger :
form-secret-again = Si vous aviez saisi le mot de passe, saisissez-le à nouveau : il n’est jamais renvoyé à la page.

security-tls = SSL/TLS
security-starttls = STARTTLS
security-none = Aucun

preset-others = { $count ->
    [one] Un autre fournisseur
   *[other] { $count } autres fournisseurs
}
preset-other-server = Autre serveur
preset-fill = Remplir les champs
preset-search = Chercher un fournisseur
preset-none-found = Aucun fournisseur de ce nom. Choisissez « Autre serveur ».
preset-replaced = Remplacé par la configuration choisie : { $names }.
preset-left = Cette adresse n’est pas celle de { $name } : la configuration choisie a changé.
preset-undo = Rétablir
preset-proposal = Cette adresse est chez { $name }.
preset-choose = Choisir cette configuration

secret-show = Afficher le mot de passe
secret-removed-one = { $n } caractère en trop retiré.
secret-removed-many = { $n } caractères en trop retirés.
secret-found-one = { $n } caractère semble en trop : un espace au début ou à la fin, ou un caractère invisible.
secret-found-many = { $n } caractères semblent en trop : espaces au début ou à la fin, ou caractères invisibles.
secret-remove = Retirer
secret-suspicious = { $count ->
    [one] Profil enregistré. Le mot de passe contient un caractère qui semble en trop (un espace au début ou à la fin, ou un caractère invisible). Nous l’avons gardé : il fait peut-être partie du mot de passe.
   *[other] Profil enregistré. Le mot de passe contient { $count } caractères qui semblent en trop (des espaces au début ou à la fin, ou des caractères invisibles). Nous les avons gardés : ils font peut-être partie du mot de passe.
}

guide-title = Obtenir le mot de passe
guide-other-server = Votre hébergeur ou votre fournisseur de messagerie donne ces réglages dans son aide, souvent sous le nom « serveur sortant » ou « SMTP ».
guide-secret-required = { $provider } : il vous faut { $secret }
guide-secret-optional = { $provider } : { $secret } peut être nécessaire
guide-login-local-part = Chez { $provider }, l’identifiant est la partie de l’adresse avant le @.
guide-shape = À quoi il ressemble : { $shape }.
guide-missing = La page ou l’option n’apparaît pas ?
guide-help = Aide : { $provider }

error-required = Remplissez ce champ.
error-required-host = Saisissez l’adresse de votre serveur SMTP.
error-required-port = Saisissez un numéro de port, par exemple 465.
error-required-login = Saisissez votre identifiant SMTP.
error-required-secret = Saisissez votre mot de passe SMTP.
error-too-long = Ce texte est trop long.
error-too-long-login = 320 caractères au maximum.
error-too-long-name = 100 caractères au maximum.
error-too-long-secret = Ce mot de passe est trop long. Vérifiez ce que vous avez collé.
error-unprintable = Ce texte contient des caractères invisibles qui ne peuvent pas être envoyés. Effacez-le et saisissez-le à la main.
error-host-invalid = Ce n’est pas l’adresse d’un serveur. Indiquez seulement son nom, par exemple smtp.exemple.fr, sans « https:// », sans port et sans espace.
error-host-not-allowed = Ce serveur ne peut pas être utilisé ici. Indiquez le nom public de votre serveur de messagerie.
error-port-invalid = Un numéro de port va de 1 à 65535. Les plus courants sont 465 et 587.
error-port-not-allowed = Ce port n’est pas autorisé ici : le port 25, par exemple, est réservé aux échanges entre serveurs. Essayez 465 (SSL/TLS) ou 587 (STARTTLS).
error-unencrypted = Sans chiffrement, votre mot de passe pourrait être intercepté. Choisissez SSL/TLS ou STARTTLS.
error-address-invalid = Ce n’est pas une adresse email complète, comme nom@exemple.fr.
error-login-address = Chez ce fournisseur, l’identifiant est votre adresse email complète, par exemple nom@exemple.fr.
error-sender-required = L’identifiant n’est pas une adresse email : saisissez ici l’adresse de l’expéditeur.
error-unknown-choice = Ce choix n’existe pas dans la liste.
error-secret-for-new-server = Le mot de passe enregistré ne vaut que pour l’ancien serveur et l’ancien identifiant. Saisissez celui des nouveaux.
error-leftover = Ce champ semble avoir été rempli par erreur par un logiciel. Saisissez votre propre valeur.
error-mask = Ce n’est pas un mot de passe, seulement ce qui s’affiche à sa place. Saisissez le mot de passe lui-même.

# Ce qui semble faux avant tout envoi. N’empêche jamais de valider.
warn-port = D’habitude, le port 465 va avec SSL/TLS et le port 587 avec STARTTLS.
warn-ending = Microsoft arrête peu à peu l’envoi par mot de passe : désactivé par défaut fin décembre 2026, supprimé à une date annoncée au second semestre 2027.
warn-over = Depuis le 16 septembre 2024, Microsoft n’accepte plus de mot de passe pour ces adresses.
warn-other = Cette adresse est chez { $login }, mais le serveur est celui de { $host }.
warn-account = Cela ressemble au mot de passe de votre messagerie. { $host } demande ici un mot de passe d’application.
warn-alike = Le mot de passe contient un caractère qui ressemble à un autre : un tiret ou un guillemet de traitement de texte, ou une lettre d’un autre alphabet.
warn-sender = D’habitude, { $host } n’accepte comme expéditeur que l’adresse de l’identifiant.
warn-near = Vouliez-vous dire { $near } ?
warn-title = Profil enregistré. À vérifier avant de tester :
warn-title-also = À vérifier aussi avant de tester :
warn-edit = Corriger le profil
form-preset = Configuration pré-saisie
form-tidied = Seul le nom du serveur est conservé.
form-tidied-port = Le port { $port } a été séparé du nom du serveur.
form-host-tidied = Nous avons lu dans cette adresse : serveur { $host }, port { $port }.
form-session-ending = Votre session se termine dans quelques minutes. Validez, ou continuez la saisie pour la prolonger.
form-offline = Le service ne répond pas. Votre saisie est toujours là : vérifiez votre connexion à Internet, puis validez à nouveau.
form-session-renewed = Votre session avait pris fin : rien n’a été enregistré. Elle est rouverte, et votre saisie est toujours là : vérifiez-la, puis validez.
form-session-over = Votre session est terminée. Votre saisie est toujours dans cette page : rouvrez le configurateur depuis votre portail dans un autre onglet, puis revenez valider ici.
draft-restored = Voici votre saisie non enregistrée. Le mot de passe, lui, n’est jamais conservé.
draft-restored-edit = Voici vos modifications non enregistrées.
draft-begin-anew = Recommencer à vide
draft-as-saved = Garder ce qui est enregistré
draft-offer = Vous avez commencé à saisir un profil sans l’enregistrer.
draft-offer-named = Vous avez commencé à saisir un profil ({ $name }) sans l’enregistrer.
draft-offer-edit = Le profil { $name } a des changements non enregistrés.
draft-resume = Reprendre la saisie
draft-forget = Oublier
draft-dropped = Saisie abandonnée, rien n’est enregistré.
draft-take-back = Rétablir
conflict-about = Ce profil a été modifié entre-temps, dans un autre onglet ou par quelqu’un d’autre. Rien n’est encore changé : pour chaque champ, choisissez la valeur à garder.
conflict-same = Ce profil, ou son mot de passe, a été modifié entre-temps. Vos autres valeurs sont celles qui sont enregistrées.
conflict-mine = Votre saisie :
conflict-theirs = Enregistré :
conflict-empty = (vide)
conflict-secret = Si vous aviez saisi un mot de passe, saisissez-le à nouveau à la page suivante : il n’est jamais conservé.
conflict-continue = Continuer
