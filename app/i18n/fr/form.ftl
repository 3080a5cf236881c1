# Le formulaire d’un profil.
form-title-new = Ajouter un profil
form-title-edit = Modifier le profil
form-step = Étape { $step } sur 2
form-presets = Vous pouvez choisir une configuration pré-saisie (optionnel)
form-server = Serveur
form-host = Adresse du serveur SMTP
form-host-hint = Par exemple smtp.exemple.fr
form-port = Numéro de port
form-security = Chiffrement
form-yours = Vos Informations
form-owner = Compte utilisateur
form-owner-hint = Pour qui ces emails partent. « magasin » vaut pour tous ceux qui n’ont pas leur propre profil.
form-login = Identifiant SMTP
form-login-hint = Le plus souvent, votre adresse email entière.
form-secret = Mot de passe SMTP
form-secret-hint = Chez beaucoup de fournisseurs, un mot de passe d’application et non celui de votre messagerie.
form-secret-stored = Un mot de passe est enregistré
form-secret-keep = Laissez le champ vide pour le garder.
form-secret-unreadable = Le mot de passe enregistré ne peut plus être lu : saisissez-le à nouveau.
form-sender-name = Nom de l’expéditeur
form-sender-name-hint = Ce que vos clients lisent à côté de l’adresse.
form-sender-address = Adresse de l’expéditeur
form-sender-address-hint = Laissez vide pour utiliser l’identifiant, quand c’est une adresse.
form-reply-to = Adresse de réponse
form-reply-to-hint = Si les réponses doivent arriver ailleurs, par exemple { $email }.
form-optional = (facultatif)
form-refused = { $count ->
    [one] Un champ est à corriger, rien n’est encore enregistré.
   *[other] { $count } champs sont à corriger, rien n’est encore enregistré.
}
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
preset-undo = Annuler
preset-proposal = Cette adresse est chez { $name }.
preset-choose = Choisir cette configuration

secret-show = Afficher le mot de passe
secret-removed-one = { $n } espace superflue retirée.
secret-removed-many = { $n } espaces ou caractères superflus retirés.
secret-found-one = { $n } caractère semble superflu : une espace au début ou à la fin, ou un signe invisible.
secret-found-many = { $n } caractères semblent superflus : espaces au début ou à la fin, ou signes invisibles.
secret-remove = Retirer
secret-suspicious = { $count ->
    [one] Enregistré. Le mot de passe contient un caractère qui semble superflu (une espace au début ou à la fin, ou un signe invisible). Il a été gardé, car il peut en faire partie.
   *[other] Enregistré. Le mot de passe contient { $count } caractères qui semblent superflus (des espaces au début ou à la fin, ou des signes invisibles). Ils ont été gardés, car ils peuvent en faire partie.
}

guide-title = Obtenir le mot de passe
guide-other-server = Votre hébergeur ou votre fournisseur de messagerie donne ces réglages dans son aide, souvent sous le nom « serveur sortant » ou « SMTP ».
guide-secret-required = { $provider } : il vous faut { $secret }
guide-secret-optional = { $provider } : { $secret } peut être nécessaire
guide-login-local-part = L’identifiant chez { $provider } est la partie de l’adresse avant le signe @.
guide-shape = À quoi il ressemble : { $shape }.
guide-missing = La page ou l’option n’apparaît pas ?
guide-help = L’aide de { $provider }

error-required = Ce champ est nécessaire.
error-too-long = C’est trop long.
error-unprintable = Ce texte contient des caractères invisibles qui ne peuvent pas être envoyés. Effacez-le et saisissez-le à la main.
error-host-invalid = Ce n’est pas l’adresse d’un serveur. Écrivez son nom seul, comme smtp.exemple.fr, sans « https:// », ni port, ni espace.
error-host-not-allowed = Ce serveur ne peut pas être utilisé ici. Écrivez le nom public de votre serveur de messagerie.
error-port-invalid = Un numéro de port va de 1 à 65535. Les plus courants sont 465 et 587.
error-port-not-allowed = Ce port ne sert pas à l’envoi de courrier. Essayez 465 (SSL/TLS) ou 587 (STARTTLS).
error-unencrypted = Sans chiffrement, votre mot de passe serait lisible en route. Choisissez SSL/TLS ou STARTTLS.
error-address-invalid = Ce n’est pas une adresse email complète, comme nom@exemple.fr.
error-sender-required = L’identifiant n’est pas une adresse email : indiquez ici celle de l’expéditeur.
error-unknown-choice = Ce choix n’existe pas dans la liste.
error-secret-for-new-server = Le mot de passe enregistré n’est valable que pour l’ancien serveur et l’ancien identifiant. Saisissez celui qui va avec les nouveaux.
error-mask = Ce n’est pas un mot de passe, seulement ce qui s’affiche à sa place. Saisissez le mot de passe lui-même.

# Ce qui semble faux avant tout envoi. N’empêche jamais de valider.
warn-port = Le port 465 va d’habitude avec SSL/TLS, le port 587 avec STARTTLS.
warn-ending = Microsoft ferme peu à peu l’envoi par mot de passe : désactivé par défaut fin décembre 2026, supprimé à une date annoncée au second semestre 2027.
warn-over = Depuis le 16 septembre 2024, Microsoft n’accepte plus de mot de passe pour ces adresses.
warn-other = Cette adresse est chez { $login }, mais le serveur est celui de { $host }.
warn-account = Cela ressemble au mot de passe de la messagerie. { $host } veut ici un mot de passe d’application.
warn-alike = Le mot de passe contient un signe qui ressemble à un autre : un tiret ou un guillemet de traitement de texte, une lettre d’un autre alphabet.
warn-sender = { $host } n’accepte d’habitude que l’adresse de l’identifiant comme expéditeur.
warn-title = Enregistré. À vérifier avant de tester :
warn-edit = Corriger le profil
form-preset = Configuration pré-saisie
form-tidied = Seul le nom du serveur est gardé.
form-tidied-port = Le nom du serveur et le port { $port } sont séparés.
form-host-tidied = L’adresse saisie a été comprise ainsi : serveur { $host }, port { $port }.
form-session-ending = Votre session se termine dans quelques minutes. Validez, ou continuez à saisir pour la prolonger.
form-offline = Le service ne répond pas. Votre saisie est toujours là : vérifiez votre connexion à Internet, puis validez à nouveau.
form-session-over = Votre session est terminée. Votre saisie est toujours dans cette page : rouvrez le configurateur depuis votre portail dans un autre onglet, puis revenez valider ici.
draft-restored = Voici ce que vous aviez saisi sans l’enregistrer. Le mot de passe, lui, n’est jamais gardé.
draft-restored-edit = Voici ce que vous aviez changé sans l’enregistrer.
draft-begin-anew = Recommencer à vide
draft-as-saved = Garder ce qui est enregistré
draft-offer = Vous aviez commencé à saisir un profil sans l’enregistrer.
draft-offer-named = Vous aviez commencé à saisir un profil ({ $name }) sans l’enregistrer.
draft-offer-edit = Vous aviez changé le profil { $name } sans l’enregistrer.
draft-resume = Reprendre la saisie
draft-forget = Oublier
conflict-about = Ce profil a été changé entre-temps, dans un autre onglet ou par quelqu’un d’autre. Rien n’est encore modifié : pour chaque champ, choisissez la valeur à garder.
conflict-same = Ce profil, ou son mot de passe, a été changé entre-temps. Vos autres valeurs sont celles qui sont enregistrées.
conflict-mine = Votre saisie :
conflict-theirs = Enregistré :
conflict-empty = (vide)
conflict-secret = Si vous aviez saisi un mot de passe, saisissez-le à nouveau à la page suivante : il n’est jamais gardé.
conflict-continue = Continuer
