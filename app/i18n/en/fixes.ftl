# Applying a fix, confirming receipt, passing on.
action-apply-fix = Apply and test again
card-fixes = { $count ->
    [one] One change may be enough
   *[other] One of these changes may be enough
}
fix-port = Use port { $port } with { $security } instead of port { $old }. Checked: this server responds there.
fix-security = Change the encryption to { $security }. Checked: this server responds with it on the same port.
fix-login = Use the username “{ $login }”: that is the form { $provider } requires.
fix-sender = Use { $address } as the sender address. Checked: this server accepts it.
fix-spaces = { $count ->
    [one] Remove one character that looks extra from the password: a space at the start or end, or an invisible character.
   *[other] Remove { $count } characters that look extra from the password: spaces at the start or end, or invisible characters.
}
fix-mechanism = Use another sign-in method ({ $mechanism }), which this server also offers.
apply-fix-stale = The profile has changed since this test: test it again.

survey-title = Where is the problem?
survey-settings = In your settings: port { $port } does not work. This server responds on port { $other } with { $security }.
survey-settings-same-port = In your settings: on this port, this server responds with { $security }.
survey-server = With the server, or whatever protects it: none of its outgoing ports can be used from our service, while our network is working.
survey-server-alone = With the server, or whatever protects it: it responds, but none of its outgoing ports can be used.
survey-us = With us: our own network is down at the moment. Your settings are probably fine; tell your portal’s support team.
survey-unclear = None of this server’s outgoing ports responds. Check the server address first. If it is correct, the server is down or cannot be reached from our service.
survey-ipv6-mute = This server responds over IPv4, but not over IPv6.
survey-ipv4-mute = This server responds over IPv6, but not over IPv4.
survey-doors = What we tried, without a username or password
survey-running = Looking for the problem…
door-works = ready for sending
door-answers = responds, but not for sending with a password
door-refuses = refuses the connection
door-silent = does not respond
door-unreachable = unreachable

receipt-title = Has the message arrived?
receipt-of = Test of { $profile }, { $moment }
receipt-about = It contains a six-digit code. Enter it to confirm delivery.
receipt-label = Code received
receipt-confirm = Confirm delivery
receipt-again = Enter the code of this last message
receipt-done = Delivery confirmed { $moment }: this profile works.
receipt-missing = Has the message not arrived?
receipt-missing-spam = Look for it in the spam folder of { $recipient }, and mark it as not spam.
receipt-missing-sender = Some servers replace the sender with the account’s own address: look for a message from “{ $login }” too.
receipt-missing-delay = A first message may be held back for a few minutes, sometimes an hour.
receipt-missing-dropped = Nothing after an hour? It was probably silently discarded. Ask whoever manages the domain { $domain } whether it allows { $provider } to send on its behalf (SPF, DKIM), and send the report to { $provider }.
notice-received = Delivery is confirmed: this profile works.
notice-code-wrong = { $left ->
    [one] This is not the right code. One attempt is left.
   *[other] This is not the right code. { $left } attempts are left.
}
notice-code-invalid = The code has six digits. You will find it in the test message.
notice-code-gone = This code is no longer valid: it has expired, or no attempts are left. Run a new test to get a new code.
notice-stale = The profile has changed since this test. Test it again: the suggested changes no longer apply.
state-accepted = Accepted by the server { $moment }, delivery to be confirmed
state-received-before = Working, delivery confirmed { $moment }, tested { $tested }
state-received = Working, delivery confirmed { $moment }
mail-code = Delivery code: { $code }
mail-code-about = Enter it in { $portal }, “Sending mode”, then “SMTP profiles”, to confirm that this message has arrived. It is valid for 24 hours.

passable-title = Report to send
passable-about = For your provider’s support team. It contains no password, no name and no recipient address.
passable-copy = Copy the report
passable-copied = Copied.
passable-select = The text is selected: copy it with Ctrl+C (⌘C on a Mac).
passable-server = Server: { $host }, port { $port }, { $security }
passable-login = Username: { $login }
passable-sender = Sender: { $sender }
passable-when = Date (UTC): { $when }
passable-verdict = Result: { $verdict }
passable-reply = The server’s reply: { $reply }
passable-queue = Server’s message ID: { $id }
passable-tls = Encryption: { $tls }
passable-certificate = Certificate: { $names }, issued by { $issuer }, valid until { $until }
passable-transcript = Exchange (C: us, S: the server)
card-certificate-names = Names in the certificate: { $names }. The right address may be among them.
card-offers = Sign-in methods the server offers: { $mechanisms }
card-link = Help page: { $provider }
