# Mode d’envoi des emails.
mode-title = Mode d’envoi des emails
mode-legend = Comment vos emails partent-ils ?
mode-portal = Par le serveur de { $portal }
mode-portal-about = Rien à régler. Vos clients voient que le message vient de votre portail.
mode-own = Par vos propres comptes SMTP
mode-own-about = Devis, confirmations et rappels partent de votre adresse, par votre fournisseur de messagerie.
mode-own-link = Si vous choisissez cette option, vous devez paramétrer vos comptes SMTP en suivant ce lien
mode-nothing-ready = Aucun compte SMTP n’est prêt : pour l’instant, vos emails ne peuvent pas partir ainsi. Suivez le lien ci-dessous pour en paramétrer un.
way-title = Ce profil n’envoie pas encore
way-portal = Vos emails partent par le serveur de { $portal } : ces profils ne servent pas encore.
way-use-own = Envoyer par mes propres comptes SMTP
way-stands-in = Aucun compte SMTP n’est prêt : en attendant, vos emails partent par le serveur de { $portal }.
way-in-use = Les emails de « { $owner } » partent par ce profil.
way-works-portal = Le test a réussi, mais vos emails partent toujours par le serveur de { $portal }.
way-works-unused = Le test a réussi, mais les emails de « { $owner } » partent par un autre profil.
way-use = Utiliser ce profil
