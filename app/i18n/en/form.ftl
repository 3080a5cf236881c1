# The form of a profile.
form-title-new = Add a profile
form-title-edit = Edit the profile
form-step = Step { $step } of 2
form-presets = You can choose a ready-made configuration (optional)
form-server = Server
form-host = SMTP server address
form-host-hint = For example smtp.example.com
form-port = Port number
form-security = Encryption
form-yours = Your details
form-owner = User account
form-owner-hint = For whom these e-mails are sent. “shop” is for everybody who has no profile of their own.
form-login = SMTP login
form-login-hint = Most often your whole e-mail address.
form-secret = SMTP password
form-secret-hint = With many providers, an application password and not the one of your mailbox.
form-secret-stored = A password is stored
form-secret-keep = Leave the field empty to keep it.
form-secret-unreadable = The stored password can no longer be read: type it again.
form-sender-name = Sender’s name
form-sender-name-hint = What your customers read beside the address.
form-sender-address = Sender’s address
form-sender-address-hint = Leave empty to use the login, when that is an address.
form-reply-to = Reply address
form-reply-to-hint = If replies should arrive elsewhere, for example { $email }.
form-optional = (optional)
form-refused = { $count ->
    [one] One field needs correcting, nothing is saved yet.
   *[other] { $count } fields need correcting, nothing is saved yet.
}
form-secret-again = If you had typed the password, type it again: it is never sent back to the page.

security-tls = SSL/TLS
security-starttls = STARTTLS
security-none = None

preset-others = { $count ->
    [one] One other provider
   *[other] { $count } other providers
}
preset-other-server = Another server
preset-fill = Fill the fields
preset-search = Search for a provider
preset-none-found = No provider of that name. Choose “Another server”.
preset-replaced = Replaced by the chosen configuration: { $names }.
preset-undo = Undo
preset-proposal = This address is with { $name }.
preset-choose = Choose this configuration

secret-show = Show the password
secret-removed-one = { $n } superfluous space removed.
secret-removed-many = { $n } superfluous spaces or characters removed.
secret-found-one = { $n } character looks superfluous: a space at the start or the end, or an invisible sign.
secret-found-many = { $n } characters look superfluous: spaces at the start or the end, or invisible signs.
secret-remove = Remove
secret-suspicious = { $count ->
    [one] Saved. The password holds one character that looks superfluous (a space at the start or the end, or an invisible sign). It was kept, because it can be part of the password.
   *[other] Saved. The password holds { $count } characters that look superfluous (spaces at the start or the end, or invisible signs). They were kept, because they can be part of the password.
}

guide-title = Getting the password
guide-other-server = Your host or mail provider gives these settings in its help pages, often under “outgoing server” or “SMTP”.
guide-secret-required = { $provider }: you need { $secret }
guide-secret-optional = { $provider }: { $secret } may be needed
guide-login-local-part = The login at { $provider } is the part of the address before the @ sign.
guide-shape = What it looks like: { $shape }.
guide-missing = The page or the option is not there?
guide-help = { $provider } help

error-required = This field is needed.
error-too-long = This is too long.
error-unprintable = This text holds invisible characters that cannot be sent. Clear it and type it by hand.
error-host-invalid = This is not the address of a server. Write its name alone, like smtp.example.com, without “https://”, port or space.
error-host-not-allowed = This server cannot be used here. Write the public name of your mail server.
error-port-invalid = A port number goes from 1 to 65535. The usual ones are 465 and 587.
error-port-not-allowed = This port is not for sending mail. Try 465 (SSL/TLS) or 587 (STARTTLS).
error-unencrypted = Without encryption your password could be read on its way. Choose SSL/TLS or STARTTLS.
error-address-invalid = This is not a whole e-mail address, like name@example.com.
error-sender-required = The login is not an e-mail address: give the sender’s here.
error-unknown-choice = This choice is not in the list.
error-secret-for-new-server = The stored password is only good for the former server and login. Type the one that goes with the new ones.
error-mask = This is not a password, only what is shown in its place. Enter the password itself.

# What looks wrong before anything is sent. Never keeps anybody from confirming.
warn-port = Port 465 usually goes with SSL/TLS, port 587 with STARTTLS.
warn-ending = Microsoft is closing sending by password step by step: off by default at the end of December 2026, removed at a date to be given in the second half of 2027.
warn-over = Since 16 September 2024 Microsoft takes no password any more for these addresses.
warn-other = This address is with { $login }, but the server is { $host }’s.
warn-account = This looks like the mailbox’s own password. { $host } wants an app password here.
warn-alike = The password holds a sign that looks like another one: a dash or quote from a word processor, a letter of another alphabet.
warn-sender = { $host } usually takes only the login’s own address as the sender.
warn-title = Saved. To look at before testing:
warn-edit = Correct the profile
form-preset = Predefined settings
form-tidied = Only the server’s name is kept.
form-tidied-port = The server’s name and port { $port } were separated.
form-host-tidied = The address was understood as: server { $host }, port { $port }.
form-session-ending = Your session ends in a few minutes. Save, or go on typing to prolong it.
form-offline = The service does not answer. What you typed is still here: check your Internet connection, then save again.
form-session-over = Your session has ended. What you typed is still in this page: open the configurator again from your portal in another tab, then come back and save here.
draft-restored = This is what you had typed without saving. The password is never kept.
draft-restored-edit = This is what you had changed without saving.
draft-begin-anew = Start over
draft-as-saved = Keep what is saved
draft-offer = You had begun to enter a profile without saving it.
draft-offer-named = You had begun to enter a profile ({ $name }) without saving it.
draft-offer-edit = You had changed the profile { $name } without saving it.
draft-resume = Resume
draft-forget = Discard
conflict-about = This profile was changed meanwhile, in another tab or by somebody else. Nothing is modified yet: for each field, choose the value to keep.
conflict-same = This profile, or its password, was changed meanwhile. Your other values are those that are saved.
conflict-mine = What you typed:
conflict-theirs = Saved:
conflict-empty = (empty)
conflict-secret = If you had typed a password, enter it again on the next page: it is never kept.
conflict-continue = Continue
