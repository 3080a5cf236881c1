# The form of a profile.
form-title-new = Add a profile
form-title-edit = Edit the profile
form-title-copy = Copy of the profile
form-step = Step { $step } of 2
form-presets = You can choose a predefined configuration (optional)
form-server = Server
form-host = SMTP server address
form-host-hint = For example smtp.example.com
form-port = Port number
form-security = Encryption
form-yours = Your details
form-owner = User account
form-owner-hint = Who sends with this profile? “shop”: the whole team, except those who have their own profile.
form-login = SMTP username
form-login-hint = Usually your full email address.
form-secret = SMTP password
form-secret-hint = Often an app password, not your mailbox password.
form-secret-stored = A password is saved
form-secret-keep = Leave the field empty to keep it.
form-secret-moved-server = You changed the server: enter the password for { $host }.
form-secret-moved-login = You changed the username: enter its password.
form-secret-unreadable = The saved password can no longer be read: enter it again.
form-sender-name = Sender name
form-sender-name-hint = The name your customers see.
form-sender-address = Sender address
form-sender-address-hint = Same as the username while this field is empty.
form-reply-to = Reply address
form-reply-to-hint = If you want replies to go elsewhere, for example { $email }.
form-optional = (optional)
form-refused = Nothing is saved yet. Please correct:
form-secret-again = If you had entered the password, enter it again: it is never sent back to the page.

security-tls = SSL/TLS
security-starttls = STARTTLS
security-none = None

preset-others = { $count ->
    [one] One other provider
   *[other] { $count } other providers
}
preset-other-server = Other server
preset-fill = Fill in the fields
preset-search = Search for a provider
preset-none-found = No provider with that name. Choose “Other server”.
preset-replaced = Replaced by the chosen configuration: { $names }.
preset-left = This is not a server of { $name }: another configuration is selected now.
preset-undo = Undo
preset-proposal = This address is with { $name }.
preset-choose = Choose this configuration

secret-show = Show the password
secret-removed-one = { $n } extra character removed.
secret-removed-many = { $n } extra characters removed.
secret-found-one = { $n } character looks extra: a space at the start or end, or an invisible character.
secret-found-many = { $n } characters look extra: spaces at the start or end, or invisible characters.
secret-remove = Remove
secret-suspicious = { $count ->
    [one] Profile saved. The password contains one character that looks extra (a space at the start or end, or an invisible character). We kept it: it may be part of the password.
   *[other] Profile saved. The password contains { $count } characters that look extra (spaces at the start or end, or invisible characters). We kept them: they may be part of the password.
}

guide-title = Getting the password
guide-other-server = Your hosting or email provider gives these settings in its help pages, often under “outgoing server” or “SMTP”.
guide-secret-required = { $provider }: you need { $secret }
guide-secret-optional = { $provider }: { $secret } may be needed
guide-login-local-part = With { $provider }, the username is the part of the address before the @.
guide-shape = What it looks like: { $shape }.
guide-missing = Can’t find the page or option?
guide-help = Help: { $provider }

error-required = Fill in this field.
error-required-host = Enter your SMTP server address.
error-required-port = Enter a port number, for example 465.
error-required-login = Enter your SMTP username.
error-required-secret = Enter your SMTP password.
error-too-long = This text is too long.
error-too-long-login = At most 320 characters.
error-too-long-name = At most 100 characters.
error-too-long-secret = This password is too long. Check what you pasted.
error-unprintable = This text contains invisible characters that cannot be sent. Clear it and type it by hand.
error-host-invalid = This is not a server address. Enter only its name, for example smtp.example.com, without “https://”, port or spaces.
error-host-not-allowed = This server cannot be used here. Enter the public name of your mail server.
error-port-invalid = A port number goes from 1 to 65535. The usual ones are 465 and 587.
error-port-not-allowed = This port is not allowed here; port 25, for example, is for traffic between servers. Try 465 (SSL/TLS) or 587 (STARTTLS).
error-unencrypted = Without encryption, your password could be intercepted. Choose SSL/TLS or STARTTLS.
error-address-invalid = This is not a full email address, like name@example.com.
error-login-address = With this provider, the username is your full email address, for example name@example.com.
error-sender-required = The username is not an email address: enter the sender address here.
error-unknown-choice = This choice is not in the list.
error-secret-for-new-server = The saved password only works for the previous server and username. Enter the one for the new ones.
error-leftover = A program seems to have filled this in by mistake. Enter your own.
error-mask = This is not a password, only what is shown in its place. Enter the password itself.

# What looks wrong before anything is sent. Never keeps anybody from confirming.
warn-port = Port 465 usually goes with SSL/TLS, and port 587 with STARTTLS.
warn-ending = Microsoft is phasing out sending with a password: off by default at the end of December 2026, removed on a date to be announced in the second half of 2027.
warn-over = Since 16 September 2024, Microsoft no longer accepts passwords for these addresses.
warn-other = This address is with { $login }, but the server is { $host }’s.
warn-account = This looks like your mailbox password. { $host } requires an app password here.
warn-alike = The password contains a character that looks like another one: a dash or quotation mark from a word processor, or a letter from another alphabet.
warn-sender = { $host } usually only accepts the username’s own address as the sender.
warn-near = Did you mean { $near }?
warn-title = Profile saved. Check before testing:
warn-title-also = Also check before testing:
warn-edit = Correct the profile
form-preset = Predefined configuration
form-tidied = Only the server name is kept.
form-tidied-port = Port { $port } was separated from the server name.
form-host-tidied = We read this address as: server { $host }, port { $port }.
form-session-ending = Your session ends in a few minutes. Save, or keep typing to extend it.
form-offline = The service is not responding. What you entered is still here: check your Internet connection, then save again.
form-session-renewed = Your session had ended: nothing was saved. It is open again, and what you entered is still here: check it, then save.
form-session-over = Your session has ended. What you entered is still on this page: open the configurator again from your portal in another tab, then come back and save here.
draft-restored = Here is what you entered without saving. The password is never kept.
draft-restored-edit = Here are your unsaved changes.
draft-begin-anew = Start over
draft-as-saved = Keep what is saved
draft-offer = You started entering a profile without saving it.
draft-offer-named = You started entering a profile ({ $name }) without saving it.
draft-offer-edit = The profile { $name } has unsaved changes.
draft-resume = Continue
draft-forget = Discard
draft-dropped = Changes discarded, nothing was saved.
draft-take-back = Undo
conflict-about = This profile was changed in the meantime, in another tab or by someone else. Nothing is modified yet: for each field, choose the value to keep.
conflict-same = This profile, or its password, was changed in the meantime. Your other values match what is saved.
conflict-mine = What you entered:
conflict-theirs = Saved:
conflict-empty = (empty)
conflict-secret = If you had entered a password, enter it again on the next page: it is never kept.
conflict-continue = Continue
