//! Server side. The texts of the provider's pages.

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
    ("provider", "Bac à sable", "Sandbox"),
    (
        "imitation",
        "Page de démonstration : elle imite celle d’un fournisseur. Aucun vrai compte n’est utilisé.",
        "Demonstration page: it imitates a provider’s. No real account is used.",
    ),
    ("app", "Facteur (démonstration)", "Facteur (demo)"),
    ("wants", "demande l’accès à votre compte", "wants to access your account"),
    ("allows", "Cette application pourra :", "This application will be able to:"),
    ("scope-mail", "Envoyer des e-mails depuis votre boîte aux lettres", "Send e-mail from your mailbox"),
    ("scope-email", "Voir votre adresse e-mail", "See your e-mail address"),
    ("scope-profile", "Voir votre nom", "See your name"),
    ("scope-openid", "Savoir avec quel compte vous vous connectez", "Know which account you sign in with"),
    ("scope-offline", "Garder cet accès jusqu’à ce que vous le retiriez", "Keep this access until you withdraw it"),
    ("account", "Choisissez un compte", "Choose an account"),
    ("accept", "Accepter", "Accept"),
    ("cancel", "Annuler", "Cancel"),
    ("failed", "Connexion impossible", "Cannot sign in"),
    (
        "incomplete",
        "Il manque à la demande l’application ou son adresse de retour.",
        "The request does not name the application or its return address.",
    ),
    ("unknown-client", "Cette application n’est pas enregistrée ici.", "This application is not registered here."),
    (
        "unknown-redirect",
        "L’adresse de retour n’est pas enregistrée pour cette application.",
        "The return address is not registered for this application.",
    ),
    ("foreign", "Cette demande vient d’un autre site.", "This request comes from another site."),
    (
        "page-expired",
        "Cette page a expiré ou a déjà servi. Fermez-la, puis recommencez depuis l’application.",
        "This page has expired or was already used. Close it, then start again from the application.",
    ),
    ("admin-title", "Autoriser une application", "Allow an application"),
    (
        "admin-about",
        "En tant qu’administrateur de sandbox.example, vous l’autorisez pour tous les comptes. Le compte admin@sandbox.example pourra alors se connecter.",
        "As the administrator of sandbox.example, you allow it for every account. The account admin@sandbox.example can then sign in.",
    ),
    (
        "admin-allowed",
        "L’application est autorisée. Le compte admin@sandbox.example peut se connecter.",
        "The application is allowed. The account admin@sandbox.example can sign in.",
    ),
    ("admin-withdraw", "Retirer l’autorisation", "Withdraw the permission"),
];
