//! Server side. The portal's texts. It is another product, with its own words.

use app::i18n::Locale;

/// A text in the reader's language.
pub(super) fn word(locale: Locale, key: &str) -> &'static str {
    let found = WORDS.iter().find(|(known, ..)| *known == key);
    found.map_or("", |(_, french, english)| match locale {
        Locale::Fr => french,
        Locale::En => english,
    })
}

const WORDS: &[(&str, &str, &str)] = &[
    ("product", "Comptoir", "Comptoir"),
    ("skip", "Aller au contenu", "Skip to content"),
    ("menu", "Menu", "Menu"),
    ("home", "Accueil", "Home"),
    ("settings", "Paramètres", "Settings"),
    ("sending", "Mode d’envoi des emails", "How emails are sent"),
    (
        "sending-about",
        "Par quel serveur partent vos devis, confirmations et rappels.",
        "The server your quotes, confirmations and reminders are sent through.",
    ),
    ("inbox", "Boîte du bac à sable", "Sandbox inbox"),
    (
        "inbox-about",
        "Les messages « partis » pendant la démonstration.",
        "The messages “sent” during the demonstration.",
    ),
    ("other-account", "Passer à", "Switch to"),
    ("orders", "Commandes", "Orders"),
    ("quotes", "Devis", "Quotes"),
    ("customers", "Clients", "Customers"),
    ("appointments", "Rendez-vous", "Appointments"),
    ("today", "Aujourd’hui", "Today"),
    ("number", "Numéro", "Number"),
    ("customer", "Client", "Customer"),
    ("amount", "Montant", "Amount"),
    ("status", "État", "Status"),
    ("to-send", "à envoyer", "to be sent"),
    ("sent", "envoyé", "sent"),
    ("send", "Envoyer", "Send"),
    ("waiting", "part bientôt", "sending soon"),
    ("not-sent", "non envoyé", "not sent"),
    ("sent-perhaps", "peut-être envoyé", "perhaps sent"),
    (
        "refused-no-profile",
        "Le devis n’est pas parti : choisissez d’abord par quel compte SMTP vos emails s’envoient, dans Paramètres.",
        "The quote was not sent: first choose in Settings through which SMTP account your emails are sent.",
    ),
    (
        "refused",
        "Le devis n’est pas parti. Réessayez dans un instant.",
        "The quote was not sent. Try again in a moment.",
    ),
    ("profile", "Mon entreprise", "My business"),
    ("profile-about", "Nom, adresse, horaires, logo.", "Name, address, hours, logo."),
    ("team", "Équipe", "Team"),
    ("team-about", "Qui travaille ici, et qui peut quoi.", "Who works here, and who may do what."),
    ("full-page", "Ouvrir dans une page", "Open as a page"),
    ("events", "Messages du configurateur à cette page", "Messages from the configurator to this page"),
    (
        "events-about",
        "Des identifiants et des codes, rien de personnel. Le portail peut s’en servir pour se mettre à jour.",
        "Ids and codes, nothing personal. The portal can use them to stay up to date.",
    ),
    ("opening", "Votre configurateur SMTP", "Your SMTP configurator"),
    ("open", "Ouvrir le configurateur", "Open the configurator"),
    ("not-found", "Page introuvable", "Page not found"),
    ("language", "English", "Français"),
    ("no-mail", "Aucun message pour le moment.", "No message yet."),
    ("empty", "Vider la boîte", "Empty the inbox"),
    ("from", "De", "From"),
    ("to", "À", "To"),
    ("subject", "Objet", "Subject"),
    ("at", "Reçu", "Received"),
    ("back", "Retour à la boîte", "Back to the inbox"),
    ("html", "Version HTML", "HTML version"),
    ("text", "Version texte", "Text version"),
    ("source", "Source du message", "Source of the message"),
    ("login", "Identifiant", "Username"),
    ("server", "Serveur", "Server"),
    ("plays", "Ce qui se passe", "What happens"),
    ("personas", "Essayez chaque panne", "Try every failure"),
    (
        "personas-about",
        "Choisissez la configuration « Bac à sable » dans le configurateur, puis l’un de ces identifiants. Le mot de passe à coller est le même pour tous :",
        "In the configurator, choose the configuration “Bac à sable (sandbox)”, then one of these usernames. The password to paste is the same for all:",
    ),
    ("ports", "Ports :", "Ports:"),
];
