//! Server side. The hints under the login and the password. For a provider they agree with its guide: both come from
//! the same lines of the table.

use super::preset::{AppPassword, Guide, LoginForm, Preset};
use crate::i18n::{Locale, Texts};

/// The hints under the login and the password.
pub fn hints(locale: Locale, preset: Option<&Preset>, guide: Option<&Guide>) -> [String; 2] {
    preset.map_or_else(
        || ["form-login-hint", "form-secret-hint"].map(|key| locale.text(key, &[])),
        |preset| [login_hint(locale, preset), secret_hint(locale, preset, guide)],
    )
}

fn login_hint(locale: Locale, preset: &Preset) -> String {
    match (&preset.login_fixed, &preset.login_hint, preset.login) {
        (Some(login), ..) => locale.text("form-login-hint-fixed", &[("login", login.clone())]),
        (_, Some(hint), _) => hint.get(locale).to_owned(),
        (.., LoginForm::Address) => locale.text("form-login-hint-address", &[]),
        (.., LoginForm::LocalPart) => locale.text("form-login-hint-local-part", &[]),
        (.., LoginForm::Other) => locale.text("form-login-hint", &[]),
    }
}

fn secret_hint(locale: Locale, preset: &Preset, guide: Option<&Guide>) -> String {
    let secret = guide.map(|guide| ("secret", guide.secret_name.get(locale).to_owned()));
    match (secret, preset.app_password) {
        _ if preset.is_closed() => locale.text("form-secret-hint-closed", &[]),
        (Some(secret), AppPassword::Optional) => locale.text("form-secret-hint-optional", &[secret]),
        (Some(secret), _) => locale.text("form-secret-hint-is", &[secret]),
        (None, _) if preset.login == LoginForm::Other => locale.text("form-secret-hint", &[]),
        (None, _) => locale.text("form-secret-hint-mailbox", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::preset::Catalogue;

    fn of(id: &str) -> [String; 2] {
        let catalogue = Catalogue::builtin();
        let preset = catalogue.get(id).unwrap();
        hints(Locale::Fr, Some(preset), catalogue.guide(preset))
    }

    #[test]
    fn the_hints_are_the_provider_s() {
        let address = "Votre adresse email complète.";
        for (id, login, secret) in [
            ("gmail", address, "Il vous faut un mot de passe d’application."),
            ("ionos-fr", address, "Il vous faut le mot de passe de l’adresse email."),
            ("gandi", address, "Il vous faut le mot de passe de l’adresse email."),
            ("orange", address, "Le mot de passe de l’adresse email."),
            ("free", "La partie de votre adresse avant le @.", "Il vous faut le mot de passe de la boîte Free."),
            (
                "brevo",
                "L’identifiant SMTP affiché par Brevo, et non votre adresse de connexion.",
                "Il vous faut une clé SMTP.",
            ),
            ("resend", "Toujours «\u{a0}resend\u{a0}».", "Il vous faut une clé API."),
            ("outlook-com", address, "Ce fournisseur n’accepte plus de mot de passe."),
        ] {
            assert_eq!(of(id), [login, secret], "{id}");
        }
    }

    /// For every provider and language: the guide asks for the password that the hint asks for, and for the same login.
    #[test]
    fn no_hint_contradicts_the_guide() {
        let catalogue = Catalogue::builtin();
        for (preset, locale) in catalogue.all().iter().flat_map(|preset| Locale::ALL.map(|locale| (preset, locale))) {
            let guide = catalogue.guide(preset);
            let [login, secret] = hints(locale, Some(preset), guide);
            let [app, whole, before] = match locale {
                Locale::Fr => ["d’application", "adresse complète", "avant le @"],
                Locale::En => ["app password", "full address", "before the @"],
            };
            let steps = guide.iter().flat_map(|guide| guide.steps.iter().map(|step| step.get(locale)));
            let steps: String = steps.collect::<Vec<_>>().join(" ");
            let note = preset.note.as_ref().map(|note| note.get(locale)).unwrap_or_default();
            let id = &preset.id;
            if preset.is_closed() {
                assert!(guide.is_none() && secret == locale.text("form-secret-hint-closed", &[]), "{id}");
            } else if let Some(guide) = guide {
                assert!(secret.contains(guide.secret_name.get(locale)), "{id}: {secret}");
                assert!(!steps.contains(app) || secret.contains("appli") || secret.contains(app), "{id}: {steps}");
            } else {
                assert!(!note.contains(app), "{id}: {note}");
            }
            let general = locale.text("form-secret-hint", &[]);
            assert!(secret != general || (preset.login == LoginForm::Other && guide.is_none()), "{id}");
            assert_ne!(login, locale.text("form-login-hint", &[]), "{id}");
            match preset.login {
                LoginForm::Address => assert!(!steps.contains(before) && !login.contains(before), "{id}: {steps}"),
                LoginForm::LocalPart => assert!(!steps.contains(whole) && login.contains(before), "{id}: {steps}"),
                LoginForm::Other => {
                    let named = preset.login_fixed.as_ref().is_none_or(|fixed| login.contains(fixed.as_str()));
                    assert!(named, "{id}: {login}");
                }
            }
        }
    }
}
