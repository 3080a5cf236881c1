# Mending, confirming receipt, passing on.
action-mend = Apply and test again
card-fixes = { $count ->
    [one] One change may be enough
   *[other] One of these changes may be enough
}
fix-port = Use port { $port } with { $security } instead of port { $old }. Checked: this server answers there.
fix-security = Change the encryption to { $security }. Checked: this server answers that way on the same port.
fix-login = Use the login “{ $login }”: that is the form { $provider } wants.
fix-sender = Use { $address } as the sender’s address. Checked: this server takes it.
fix-spaces = { $count ->
    [one] Remove one character that looks superfluous from the password: a space at either end, or an invisible sign.
   *[other] Remove { $count } characters that look superfluous from the password: spaces at either end, or invisible signs.
}
fix-mechanism = Log in another way ({ $mechanism }), which this server offers too.
mend-stale = The profile has changed since this test: test it again.

survey-title = Where does the problem lie?
survey-settings = In the settings: this server does not answer that way on port { $port }, but it does on port { $other } with { $security }.
survey-settings-same-port = In the settings: on this very port the server answers with the encryption { $security }.
survey-server = With the server, or with what protects it: none of its sending ports can be used from our service, while our network is well.
survey-server-alone = With the server, or with what protects it: it shows signs of life, but none of its sending ports can be used.
survey-us = With us: our own network cannot get out at the moment. Your settings are probably fine; tell your portal’s support.
survey-unclear = None of this server’s sending ports shows any sign of life. Check the server’s address first; if it is right, the server is down or cannot be reached from our service.
survey-ipv6-mute = Over IPv6 this server gives no sign; over IPv4 it does.
survey-ipv4-mute = Over IPv4 this server gives no sign; over IPv6 it does.
survey-doors = What we tried, without login or password
survey-running = Looking for where the problem lies…
door-works = ready for sending
door-answers = answers, but not for sending with a password
door-refuses = refuses the connection
door-silent = does not answer
door-unreachable = out of reach

receipt-title = Has the message arrived?
receipt-about = It holds a six-digit code. Type it in here, and you have the proof that your emails really arrive.
receipt-label = Code received
receipt-confirm = Confirm receipt
receipt-done = Receipt confirmed { $moment }: this profile works.
receipt-missing = Is the message not arriving?
receipt-missing-spam = Look for it in the junk folder of { $recipient }, and mark it as wanted.
receipt-missing-sender = Some servers replace the sender by the account’s own address: look for a message from “{ $login }” too.
receipt-missing-delay = A first message may be held back for some minutes, sometimes an hour, before it is delivered.
receipt-missing-dropped = Nothing after an hour? It was probably thrown away without a word. Ask whoever looks after the domain { $domain } whether it lets { $provider } send in its name (SPF, DKIM), and pass the report on to { $provider }.
notice-received = Receipt is confirmed: this profile works.
notice-code-wrong = { $left ->
    [one] That is not the right code. One try is left.
   *[other] That is not the right code. { $left } tries are left.
}
notice-code-invalid = The code has six digits. Look at the test message.
notice-code-gone = This code is no longer valid: it has expired, or no tries are left. A new test sends a new code.
notice-stale = The profile has changed since this test. Test it again: the changes proposed no longer apply.
state-accepted = accepted by the server { $moment }, receipt to be confirmed
state-received = works, receipt confirmed { $moment }
mail-code = Receipt code: { $code }
mail-code-about = Type it in where you chose “Test” in the configurator: it proves that this message has arrived. It is valid for 24 hours.

passable-title = Report to pass on
passable-about = For your provider’s support. It holds no password, no name and no recipient’s address.
passable-copy = Copy the report
passable-copied = Copied.
passable-select = The text is selected: copy it with Ctrl+C (⌘C on a Mac).
passable-server = Server: { $host }, port { $port }, { $security }
passable-login = Login: { $login }
passable-sender = Sender: { $sender }
passable-when = Date (UTC): { $when }
passable-verdict = Outcome: { $verdict }
passable-reply = The server’s reply: { $reply }
passable-queue = Number given by the server: { $id }
passable-tls = Encryption: { $tls }
passable-certificate = Certificate: { $names }, issued by { $issuer }, valid until { $until }
passable-transcript = Exchange (C: us, S: the server)
card-certificate-names = The certificate is in the name of { $names }: one of these addresses may be the right one.
card-offers = What the server offers for logging in: { $mechanisms }
card-link = { $provider }’s page
