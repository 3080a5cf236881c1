# The list of profiles.
list-title = SMTP profiles
list-legend = Selected profile
list-actions = Actions on the selected profile
list-more = More actions
list-empty = No profiles yet.
list-empty-about = A profile sets which server your emails are sent through. You need your email address and an app password; it takes five minutes.
list-in-use = In use
list-chosen = Default
list-next = Next profiles

owner-shop = shop
owner-gone = user removed from the portal

state-never = Never tested
state-failed = Failed { $moment }
state-unknown = Uncertain result { $moment }
state-changed = Needs retesting
state-secret-missing = Password needed
state-secret-unreadable = Password unreadable

delete-title = Delete this profile?
delete-question = You are about to delete the profile { $profile }, server { $host }.
delete-unused = No emails depend on it: this profile is not in use.
delete-last = This is the only profile of “{ $owner }”.
delete-secret = The saved password is deleted too. You will have ten seconds to undo this.

encoding-title = SMTP encoding
encoding-legend = Character set of your emails
encoding-utf-8-about = Recommended: every language and every character.
encoding-iso-8859-1-about = Western Europe, for very old software. Without the euro sign.
encoding-iso-8859-15-about = Western Europe, with the euro sign.
encoding-windows-1252-about = Western Europe, for older versions of Windows.
encoding-beyond = Text that does not fit the chosen set is sent in UTF-8.

# The account’s history.
history-title = History
history-empty = No changes yet.
history-kind = Kind of action
history-kind-all = All
history-kind-profiles = Profiles
history-kind-tests = Tests
history-kind-sending = Sending
history-kind-sessions = Sessions
history-profile = Profile
history-profile-all = All
history-filter = Filter
history-all = Show everything
history-none = No action matches this choice.
history-tests-failed = { $n } tests, the last one failed: { $why }
history-tests-unknown = { $n } tests, the last one uncertain
history-tests-passed = { $n } tests, the last one succeeded
history-tests-each = Show each test
history-older = Older
history-mode-own = Sending mode: through your own SMTP accounts
history-mode-portal = Sending mode: through the portal’s server
history-added = Profile added
history-changed = Profile changed: { $fields }
history-duplicated = Profile duplicated
history-in-use = Profile put in use
history-deleted = Profile and password deleted
history-restored = Deletion undone
history-cleaned = Extra characters removed from a password
history-test-failed = Test failed: { $why }
history-test-unknown = Uncertain test result: the message may or may not have been sent
history-tested = Test passed: the server accepted the message
history-fix-applied = Suggested change applied: { $what }
history-received = Delivery of a test message confirmed
history-fix-port = the port
history-fix-security = the encryption
history-fix-login = the username
history-fix-sender = the sender address
history-fix-spaces = the spaces in the password
history-fix-mechanism = the sign-in method
history-field-preset = predefined configuration

# What a profile sends.
action-sending = Sending
state-broken = Not working: { $why }
state-failing = Last email failed { $moment }
state-sent = Sending – last message { $moment }
sent-last = Last sent { $moment }
sent-failed = Last failure { $moment }: { $why }
list-failure = What to do about { $profile }
history-sending = Sending settings of a profile changed
history-blocked = Server entered but not allowed by the administrator: { $destination }
history-sessions = One person’s sessions ended
history-sessions-all = All of the account’s sessions ended
sending-title = Sending with this profile
sending-broken = This profile no longer works: { $why }. Noticed { $moment }.
sending-broken-next = Messages are waiting and will be sent as soon as this is fixed: correct the profile, then test it. A message that has waited for a day is reported to the portal as not sent.
sending-broken-fallback = In the meantime, your messages are sent through the portal’s server. Correct the profile, then test it.
sending-last-sent = Last message sent
sending-last-failed = Last failure
sending-last-checked = Last check
sending-failure = Last failure { $moment }: { $why }
sending-when-it-fails = If sending stops working
sending-check = Check the connection every hour
sending-check-about = We sign in without sending anything. Your portal is notified as soon as the password or the server stops working, before a customer is left waiting for a quote.
sending-fallback = If it fails, send through { $portal }’s server
sending-fallback-about = The message is then sent in the portal’s name, and replies come to you. The failure stays visible here. Without this option, the message waits until your server responds.
sending-limits = Sending limits
sending-limits-about = Leave empty to follow your provider. Change these only if your provider asks you to.
sending-max-connections = Simultaneous connections
sending-per-minute = Messages per minute
sending-per-day = Messages per day
sending-limit-usual = With your provider: { $usual }. From 1 to { $most }.
sending-limit-range = From 1 to { $most }.
sending-limit-wrong = Enter a whole number from 1 to { $most }, or leave empty.
delete-used = This is the profile in use for “{ $owner }”.
delete-successor = Which profile will send for “{ $owner }”?
delete-successor-none = None for now
delete-successor-others = { $count ->
    [one] One other profile
   *[other] { $count } other profiles
}
delete-all-fail = No other profile is known to work: unless you choose one, none will replace it.
delete-then-shop = Their emails will be sent through the shop’s profile.
delete-then-portal = Their emails will be sent through the server of { $portal }.
delete-then-nothing = Their emails cannot be sent until you choose a profile.
sending-limit-none = the provider’s

# What was sent through a profile.
sent-nothing = No message has been sent through this profile yet.
sent-days = Last 30 days
sent-chart = Messages day by day, { $from } to { $to }: { $accepted } accepted by the server, { $others } not accepted.
sent-accepted-count = { $n ->
    [one] { $n } message accepted
   *[other] { $n } messages accepted
}
sent-others-count = { $n } not accepted
sent-numbers = Show the numbers
sent-day = Day (UTC)
sent-accepted = Accepted
sent-others = Not accepted
sent-messages = Latest messages
sent-date = Date
sent-recipient = Recipient
sent-state = State
sent-and-others = { $n ->
    [one] { $recipient } and one other
   *[other] { $recipient } and { $n } others
}
fate-accepted = Accepted by the server
fate-portal = Sent by the portal’s server
fate-waiting = Waiting
fate-failed = Not sent
fate-unknown = May have been sent
sending-advanced = Advanced
