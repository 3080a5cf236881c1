# Le test et son compte rendu.
test-panel = Test en cours
test-recipient = Envoyer le message de test à
test-recipient-sender = l’adresse de l’expéditeur
test-starting = Le test commence…
test-restarting = Le test précédent est arrêté, le nouveau commence…
test-session-renewed = Votre session avait pris fin : le test n’a pas commencé. Elle est rouverte : appuyez à nouveau sur Tester.
test-session-over = Votre session est terminée : le test n’a pas commencé. Rouvrez le configurateur depuis votre portail : vous y retrouverez tout ce qui est enregistré.
test-cut = La connexion s’est coupée avant la fin du test. Vérifiez votre connexion à Internet, puis recommencez.
test-stop = Arrêter
test-stopped = Le test est arrêté. Si vous recevez quand même un message de test, rechargez cette page : son résultat y sera.
test-late = Trop tard pour arrêter : le message est peut-être déjà parti. Le résultat arrive…

# Les quatre phases d’un test, pour tous ; les étapes du protocole sont dans les détails.
test-of = Test de
phase-reach = Joindre le serveur
phase-reach-running = Connexion au serveur…
phase-secure = Sécuriser la connexion
phase-secure-running = Mise en place de la connexion chiffrée…
phase-sign-in = Se connecter
phase-sign-in-running = Vérification de l’identifiant et du mot de passe…
phase-send = Envoyer le message
phase-send-running = Envoi du message…
phase-waits = à venir
phase-runs = en cours
phase-left = pas de chiffrement
phase-seconds = { $s } s

stage-went-well = réussi
stage-went-wrong = échoué
stage-unknown = résultat inconnu
stage-time = { $ms } ms
stage-time-short = < 1 ms

report-none = Ce profil n’a pas encore été testé. Revenez à la liste et choisissez « Tester ».
report-title = Compte rendu du test
report-details = Détails techniques
report-last-stage = Dernière étape
report-queue-id = Numéro donné par le serveur
report-tls = Chiffrement
report-certificate = Certificat
report-issuer = délivré par { $issuer }
report-validity = valable du { $from } au { $to }
report-capabilities = Fonctions du serveur
report-transcript = Échange avec le serveur, sans aucun mot de passe

card-next = À faire :
card-retryable = Vous pouvez réessayer plus tard, sans rien changer.
card-server-words = Réponse du serveur, à l’étape « { $stage } » :
card-edit = Modifier le profil
card-edit-host = Corriger l’adresse du serveur
card-other-provider = Choisir un autre fournisseur
