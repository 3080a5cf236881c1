//! Words that mean the same to a rule, in the languages that servers speak here: English, French, German,
//! Spanish, Italian. Without accents: the text has none.
//!
//! To add one: its name and its words, `|` between them; a rule uses it as `@name`.

use std::sync::LazyLock;

use super::pattern::padded;

/// The words of a family; empty for an unknown name. A test reads every rule.
pub(super) fn of(name: &str) -> &'static str {
    FAMILIES.iter().find(|(family, _)| *family == name).map_or("", |(_, words)| words)
}

/// The families with a word in this sentence.
pub(in crate::diagnosis) fn said_in(sentence: &str) -> Vec<&'static str> {
    let said = |words: &[String]| words.iter().any(|word| sentence.contains(word.as_str()));
    PADDED.iter().filter(|(_, words)| said(words)).map(|(family, _)| *family).collect()
}

/// The words of each family as they stand in a sentence.
static PADDED: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
    let written = |words: &'static str| words.split('|').map(|word| padded(word.trim_start_matches('~')));
    FAMILIES.iter().map(|(family, words)| (*family, written(words).collect())).collect()
});

#[rustfmt::skip] // a table: a family is a name and its words
const FAMILIES: &[(&str, &str)] = &[
    // Who
    ("account",
        "account|accounts|user|username|user account|smtp account|customer|subscription|tenant|login|credentials|\
         api key|compte|utilisateur|konto|benutzer|benutzerkonto|zugang|cuenta|usuario|utente"),
    ("mailbox",
        "mailbox|mail box|inbox|mail folder|maildir|email account|mail account|boite|boite aux lettres|bal|\
         messagerie|postfach|mailkonto|buzon|casella"),
    ("recipient",
        "recipient|recipients|rcpt|rcpts|rcptto|receiver|receivers|recipient address|mailbox|user|addressee|destination address|destinataire|\
         destinataires|utilisateur|empfanger|empfaenger|destinatario|destinatarios|usuario|utente|postfach|buzon|\
         casella"),
    ("sender",
        "sender|sender address|sender email|sender e mail|from email|from e mail|sender domain|senders|\
         envelope sender|envelope from|mail from|mailfrom|from address|from header|from field|from domain|\
         header from|return path|adresse d'expedition|domaine d'envoi|expediteur|emetteur|adresse d'envoi|absender|\
         absenderadresse|remitente|mittente"),
    ("client",
        "ip|ips|ip address|ip addresses|client host|client address|your host|your server|your network|sending host|\
         sending mta|mail server at|adresse ip|ip adresse|direccion ip|indirizzo ip"),
    ("message",
        "message|messages|link|links|mail|mails|email|emails|e mail|content|contents|nachricht|mensaje|mensajes|\
         correo|correos|messaggio|messaggi|courriel|courrier|contenu"),
    // What was done
    ("barred",
        "suspended|disabled|deactivated|blocked|locked|locked out|frozen|terminated|closed|canceled|cancelled|banned|\
         barred|inactive|not active|not activated|not yet active|not yet validated|not yet approved|pas encore valide|\
         pas encore active|noch nicht freigeschaltet|not yet activated|isn't active|isn't activated|must be activated|\
         activate your|not enabled|on hold|under review|under validation|under investigation|in review|restricted|\
         suspend*|bloque*|desactive*|pas active*|non active*|gesperrt|deaktiviert|suspendid*|bloquead*|desactivad*|\
         deshabilitad*|disabilitat*|disattivat*|sospes*|bloccat*"),
    ("refused",
        "rejected|refused|reject|rejects|refuse|denied|deny|not allowed|isn't allowed|not permitted|not accepted|\
         not acceptable|unacceptable|blocked|prohibited|forbidden|unauthorized|unauthorised|not authorized|\
         not authorised|disallowed|declined|refusee|rejete|rejetee|interdit|interdite|non autorise|non autorisee|\
         pas autorise|pas autorisee|n'est pas autorise|abgelehnt|verweigert|nicht erlaubt|nicht zugelassen|\
         nicht berechtigt|rechazado|rechazada|denegado|denegada|no permitido|no esta permitido|no esta permitida|\
         no permitida|no autorizado|no autorizada|rifiutato|rifiutata|negato|non consentito|non autorizzato|\
         non autorizzata"),
    ("off",
        "disabled|deactivated|not enabled|not activated|not active|not available|not allowed|not permitted|turned off|\
         switched off|inactive|is off|blocked|desactive*|pas active*|non active*|nicht aktiviert|deaktiviert|\
         nicht freigeschaltet|ausgeschaltet|deshabilitad*|desactivad*|no habilitad*|disabilitat*|disattivat*|\
         non attiv*|non abilitat*"),
    ("unknown",
        "unknown|not found|no such|doesn't exist|does not exist|not exist|non existent|nonexistent|invalid|not known|\
         unrecognized|couldn't be found|could not be found|inconnu|inconnue|n'existe pas|introuvable|invalide|\
         inexistant|inexistante|unbekannt|existiert nicht|gibt es nicht|nicht gefunden|ungultig|ungueltig|desconocido|\
         desconocida|no existe|inexistente|no encontrado|sconosciuto|sconosciuta|non esiste|inesistente|non trovato"),
    ("wrong",
        "wrong|not correct|nicht korrekt|nicht richtig|non reconnu|non reconnue|non reconnus|no son validas|\
         no son validos|incorrect|invalid|bad|incorrecte|incorrects|incorrectes|errone|erronee|errones|invalide|\
         invalides|mauvais|falsch|ungultig|ungueltig|inkorrekt|incorrecta|incorrectas|incorrectos|invalida|invalidas|\
         errata|errati|errate|non valide|non valido|non valida|no valida|no valido"),
    ("failed",
        "failed|failure|fail|fails|unsuccessful|rejected|refused|denied|not accepted|not recognized|not valid|\
         mismatch|did not match|do not match|doesn't match|does not match|declined|echec|echoue|echouee|refusee|\
         refuse|fehlgeschlagen|gescheitert|abgelehnt|fallida|fallido|fallo|rechazada|fallita|fallito|rifiutata"),
    ("required",
        "required|requires|require|must|needed|needs|need|necessary|mandatory|first|only|please use|please enable|\
         please turn|please start|please issue|please switch|please activate|please set|please select|please choose|\
         enforced|obligatory|debe|deve|deben|devez|doit|doivent|zuerst|muss|mussen|moet|         requis|requise|\
         necessaire|obligatoire|nécessite|exige|d'abord|veuillez|erforderlich|notwendig|notig|requerida|requerido|\
         necesaria|necesario|obligatoria|richiesta|richiesto|necessaria|obbligatoria"),
    // How much
    ("too_many",
        "too many|too much|too often|too frequent|too frequently|exceed|exceeds|exceeded|exceeding|excessive|limit|\
         limits|limited|maximum|max|over limit|over the|over your|reached|trop de|trop|maximal|limite|depasse|depassee|\
         atteint|atteinte|zu viele|zu oft|zu haufig|uberschritten|ueberschritten|erreicht|demasiados|demasiadas|\
         superado|excedido|alcanzado|troppi|troppe|superato|raggiunto"),
    ("day",
        "daily|day|24 hours|24 hour|24h|24 h|per month|month|monthly|this month|week|weekly|today|aujourd'hui|heute|\
         hoy|oggi|jour|par jour|journalier|journaliere|quotidien|quotidienne|journee|mensuel|mensuelle|mois|taglich|\
         taeglich|tages|tageslimit|tag|monatlich|diario|diaria|dia|mensual|giornaliero|giornaliera|giorno|mensile"),
    ("hour", "hour|hours|hourly|minute|minutes|second|seconds|heure|horaire|stunde|stundlich|hora|ora"),
    ("later",
        "later|try again|retry|come back|again in|plus tard|reessayer|reessayez|ulterieurement|spater|spaeter|\
         erneut|mas tarde|intentelo|nuevamente|piu tardi|riprova"),
    // Of what
    ("block_list",
        "~spamhaus|~spamcop|~sorbs|~barracudacentral|~barracudanetworks|~dnsbl|~dnsbls|~rbl|~rbls|~dnsrbl|~dsbl|\
         ~uceprotect|~psbl|~surbl|~mailspike|~senderscore|~cloudmark|~abusix|~spamrats|~njabl|~cbl|~xbl|~sbl|~pbl|\
         blacklist|blacklists|blacklisted|blacklisting|black list|black lists|black listed|blocklist|blocklists|\
         blocklisted|block list|block lists|denylist|denylisted|deny list|denied list|policy block list|liste noire|\
         listes noires|blackliste|sperrliste|schwarze liste|schwarzen liste|lista negra|listas negras|lista nera"),
    ("reverse_name",
        "reverse dns|rdns|ptr|reverse hostname|reverse host name|reverse name|reverse lookup|reverse mapping|\
         reverse record|reverse entry|no reverse|cannot find your hostname|cannot find your reverse hostname|\
         ip name lookup failed|forward dns|forward confirmed|dns inverse|reverse inexistant"),
    ("encryption",
        "starttls|tls|ssl|ssl tls|encryption|encrypted connection|encrypted session|encrypted channel|encrypted|\
         secure connection|secure channel|secured connection|chiffrement|connexion chiffree|connexion securisee|\
         verschlusselung|verschluesselung|verschlusselte|verschluesselte|cifrado|cifrada|conexion segura|\
         crittografia|crittografata|connessione sicura"),
    ("spam",
        "spam|spams|spamming|spammer|spammy|pourriel|spamverdacht|ube|uce|bulk|phishing|phish|virus|viruses|malware|\
         infected|trojan|worm|unsolicited|junk|antispam|anti spam|spamassassin|rspamd|clamav|heuristics|malicious|\
         fraud|scam|spoof|spoofing|spoofed|attachment|attachments|piece jointe|pieces jointes|anhang|adjunto|\
         allegato|virenverdacht"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_words() {
        for (name, words) in FAMILIES {
            assert_eq!(of(name), *words);
            assert!(words.split('|').all(|word| !word.trim().is_empty()), "{name}");
        }
        assert_eq!(of("nobody"), "");
    }
}
