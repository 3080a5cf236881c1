# The list of profiles.
list-title = SMTP profiles
list-legend = Selected profile
list-actions = Actions on the selected profile
list-empty = No profile yet.
list-empty-about = A profile says through which server your e-mails leave. You need your e-mail address and an application password; it takes five minutes.
list-in-use = in use
list-next = Next profiles

owner-shop = shop
owner-gone = user removed from the portal

state-never = never tested
state-failed = failed { $moment }: { $why }
state-unknown = outcome uncertain { $moment }
state-changed = to be tested again
state-secret-missing = password needed
state-secret-unreadable = password unreadable

delete-title = Delete this profile?
delete-question = You are about to delete the profile { $sender }, server { $host }.
delete-unused = Nothing that is sent depends on it: this profile is not the one in use.
delete-successor = It is the profile in use for “{ $owner }”. The profile { $sender } ({ $host }) will take its place.
delete-last = It is the only profile of “{ $owner }”: without it, these e-mails can no longer leave through an SMTP account of yours.
delete-secret = The stored password will be erased. This cannot be undone.

encoding-title = SMTP encoding
encoding-legend = Character set of the e-mails
encoding-utf-8-about = Recommended: every language and every sign.
encoding-iso-8859-1-about = Western Europe, for very old software. Without the euro sign.
encoding-iso-8859-15-about = Western Europe, with the euro sign.
encoding-windows-1252-about = Western Europe, the one of older Windows. A text that does not fit the chosen set leaves in UTF-8.

# The account’s history.
history-title = History
history-empty = Nothing has been changed yet.
history-older = Older
history-mode-own = Chose to send through the account’s own SMTP accounts
history-mode-portal = Chose to send through the portal’s server
history-added = Added a profile
history-changed = Changed a profile: { $fields }
history-duplicated = Duplicated a profile
history-in-use = Put a profile in use
history-deleted = Deleted a profile and its password
history-cleaned = Removed superfluous characters from a password
history-test-failed = Tested a profile: { $why }
history-tested = Tested a profile: the server accepted the message
history-mended = Applied a proposed change: { $what }
history-received = Confirmed that a test message arrived
history-fix-port = the port
history-fix-security = the encryption
history-fix-login = the login
history-fix-sender = the sender’s address
history-fix-spaces = the password’s blanks
history-fix-mechanism = the way to log in
history-field-preset = pre-filled configuration

# What a profile sends.
action-sending = Sending
state-broken = broken: { $why }
state-failing = last message failed { $moment }: { $why }
state-sent = sending: last message { $moment }
sent-last = Last sent { $moment }
sent-failed = Last failure { $moment }: { $why }
sent-failed-last = Last failure { $moment }
list-failure = Last failure of { $sender }, { $moment }: { $why }
history-sending = Changed how a profile sends
history-blocked = Typed a server that the administrator does not allow: { $destination }
history-sessions = Ended one person’s sessions
history-sessions-all = Ended all of the account’s sessions
sending-title = Sending with this profile
sending-broken = This profile does not work any more: { $why }. Noticed { $moment }.
sending-broken-next = Messages are waiting. They leave as soon as this is mended: correct the profile, then test it. A message that has waited for a day is reported to the portal as not sent.
sending-broken-fallback = Meanwhile your messages leave through the portal’s server. Correct the profile, then test it.
sending-last-sent = Last message sent
sending-last-failed = Last failure
sending-last-checked = Last check
sending-never = never
sending-failure = Last failure { $moment }: { $why }
sending-when-it-fails = When sending stops working
sending-check = Check the login every hour
sending-check-about = It logs in and sends nothing. Your portal hears at once when the password or the server stops working, before a customer waits for a quote.
sending-fallback = When it fails, send through { $portal }’s server
sending-fallback-about = The message then leaves in the portal’s name, and answers come to you. The failure stays visible here. Without this the message waits until your server answers.
sending-limits = Limits
sending-limits-about = Leave empty to follow your provider. Change them only when it asks you to.
sending-max-connections = Connections at the same time
sending-per-minute = Messages a minute
sending-per-day = Messages a day
sending-limit-usual = At your provider: { $usual }. From 1 to { $most }.
sending-limit-range = From 1 to { $most }.
sending-limit-wrong = A whole number from 1 to { $most }, or nothing.
