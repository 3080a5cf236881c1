# What every page says.
product-name = SMTP configurator
nav-label = Pages of the configurator
skip-to-content = Skip to content
back-to-portal = Back to the portal
open-in-a-tab = Open in a new tab
action-save = Save
action-validate = Confirm
action-cancel = Cancel
action-back = Back
action-back-to-list = Back to the list
action-add = Add
action-edit = Edit
action-duplicate = Duplicate
action-use = Use
action-delete = Delete
action-test = Test
action-report = Last test

moment-now = just now
moment-minutes = { $n ->
    [one] { $n } minute ago
   *[other] { $n } minutes ago
}
moment-hours = { $n ->
    [one] { $n } hour ago
   *[other] { $n } hours ago
}
moment-days = { $n ->
    [one] { $n } day ago
   *[other] { $n } days ago
}
moment-date = on { $date }

session-ended-title = Session ended
trouble-session-ended = Your session has ended. For your safety it closes after a while without activity. Open the configurator again from your portal: everything that was saved is there.
trouble-stranger = The configurator opens from your portal, where you are already signed in. If you come from there, your browser may refuse the cookies of an embedded page: open the configurator in a page of its own.
trouble-not-found = This page or profile does not exist, or no longer exists.
trouble-unavailable = The service is not answering at the moment. Nothing that was saved is lost: try again shortly.
trouble-malformed = The request is incomplete. Go back to the previous page and try again.
not-found-title = Page not found

notice-saved = Saved.
notice-mode-saved = The sending mode is saved.
notice-deleted = The profile and its password are deleted.
notice-duplicated = Here is the copy. The password is never copied: type it, then confirm.
notice-in-use = This profile is now the one that sends.
notice-secret-removed = { $count ->
    [one] Saved. One superfluous space was removed from the password.
   *[other] Saved. { $count } superfluous spaces or characters were removed from the password.
}
notice-cleaned = { $count ->
    [one] One character was removed from the stored password.
   *[other] { $count } characters were removed from the stored password.
}
notice-secret-missing = This profile has no password. Choose Edit to type it, then test.
notice-secret-unreadable = The stored password can no longer be read. Choose Edit to type it again.
notice-secret-refused = The provider refused this password three times in a row. One more attempt could lock the account: choose Edit and type a new one.
notice-gone = This profile does not exist, or no longer exists.
notice-limited = { $seconds ->
    [one] Too many attempts in a short time. Try again in one second.
   *[other] Too many attempts in a short time. Try again in { $seconds } seconds.
}
notice-tests-of-yours = You already have several tests under way: this one was not started. Try again when one of them has ended.
notice-tests-of-account = Several tests of your account are already under way: this one was not started. Try again when one of them has ended.
notice-tests-of-all = Too many tests are under way at the moment: this one was not started. Try again in a minute.
notice-malformed = The request was incomplete: nothing was changed.
notice-unknown-field = The request had a field that is not known: nothing was changed.
notice-full = This account has { $count } profiles already, which is the most it may have. Delete one that is not needed any more, and try again.
notice-unavailable = The service is not answering at the moment: nothing was changed. Try again shortly.
stale-about = What you were about to change was changed meanwhile: nothing was modified.
stale-list = The list has changed since this page was shown: nothing was modified. This is how it is now; try again if it is still what you want.
stale-delete = This profile, or the one that would take over, has changed since this page was shown: nothing is deleted. Read again, then confirm.
stale-mode = The sending mode was changed meanwhile. Saved: “{ $saved }”. Your choice: “{ $mine }”. Nothing is modified yet: choose, then save.
stale-encoding = The encoding was changed meanwhile. Saved: { $saved }. Your choice: { $mine }. Nothing is modified yet: choose, then confirm.
stale-sending = These settings were changed meanwhile. The form shows what you typed; nothing is modified yet. What is saved:
stale-line = { $name }: { $value }
stale-on = yes
stale-off = no
carry-about = Your session ended before the form was sent. Nothing you typed is lost, except the password, which is never kept.
carry-open = Open the configurator again from your portal.
carry-portal = Open the portal in a new tab
carry-then = Come back here, then resume.
notice-mode-own = The sending mode is saved: through your own SMTP accounts.
notice-in-use-now = Your emails are now sent through this profile.
notice-in-use-later = This profile is chosen. It will send once your emails are sent through your own SMTP accounts: for now, they are sent through the portal’s server.
notice-deleted-heir = The profile and its password are deleted. The profile selected below has taken over.
notice-deleted-nobody = The profile and its password are deleted. No other one has taken over: choose a profile, then Use.
notice-was-deleted = This profile was deleted meanwhile. This is what you had typed: saving makes a new profile of it. Enter the password again.
notice-merged = This is the profile with your choices. Read it again, then save.
notice-saved-already = This profile is already saved: you are editing it.
notice-deleted-shop = The profile and its password are deleted. Their emails are now sent through the shop’s profile.
notice-deleted-portal = The profile and its password are deleted. Their emails are now sent through the portal’s server.
other-account-title = This form belongs to another account
other-account-about = It was opened for “{ $whose }”. Since then, “{ $now }” was opened in this browser. Nothing was saved. What you typed is not lost, except the password, which is never kept.
other-account-open = Open the configurator of “{ $whose }” again from your portal.
other-account-then = Come back here, then send it again.
other-account-again = Send again
other-account-live = This page belongs to “{ $whose }”. Since then, “{ $now }” was opened in this browser: no test was started. Open the configurator of “{ $whose }” again from your portal.
list-again = Show the current list
