# What every page says.
product-name = SMTP configurator
nav-label = Configurator pages
nav-mode = Sending mode
skip-to-content = Skip to content
back-to-portal = Back to the portal
open-in-a-tab = Open in a new tab
action-save = Save
action-validate = Save and continue
action-undo = Undo
action-cancel = Cancel
action-back = Back
action-back-to-list = Back to the list
action-add = Add
action-edit = Edit
action-duplicate = Duplicate
action-use = Use
action-delete = Delete
action-test = Test
action-retype = Save and test again
action-report = Last test
action-code = Enter the code

moment-now = just now
moment-minutes = { $n ->
    [one] { $n } min ago
   *[other] { $n } min ago
}
moment-hours = { $n ->
    [one] { $n } hour ago
   *[other] { $n } hours ago
}
moment-days = { $n ->
    [one] { $n } day ago
   *[other] { $n } days ago
}
moment-utc = { $moment } UTC
moment-date = on { $date }
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
date-time = { $date } at { $time }

session-ended-title = Session ended
trouble-session-ended = Your session has ended. For your security, it closes after a period of inactivity. Open the configurator again from your portal: everything you saved is there.
trouble-stranger = The configurator opens from your portal, where you are already signed in. If that is where you came from, your browser may be blocking the cookies of an embedded page: open the configurator in a new tab.
trouble-not-found = This page or profile does not exist, or no longer exists.
trouble-unavailable = The service is not responding at the moment. Nothing you saved is lost: try again shortly.
trouble-internal = A fault of the service prevents this page from being shown. It has been logged. If it happens again, report it to your portal.
trouble-malformed = The request is incomplete. Go back to the previous page and try again.
not-found-title = Page not found

notice-saved = { $name ->
    [none] Profile saved.
   *[other] Profile { $name } saved.
}
notice-saved-only = { $name ->
    [none] Profile saved. It is this user’s only profile, so it is the one in use. Test it to find out whether it sends.
   *[other] Profile { $name } saved. It is this user’s only profile, so it is the one in use. Test it to find out whether it sends.
}
notice-mode-saved = The sending mode is saved.
notice-deleted = The profile and its password are deleted.
notice-duplicated = Here is the copy. The password is never copied: enter it, then save.
notice-in-use = { $name ->
    [none] This profile is now in use.
   *[other] { $name } is now the profile in use.
}
notice-secret-removed = { $count ->
    [one] One extra character was removed from the password.
   *[other] { $count } extra characters were removed from the password.
}
notice-cleaned = { $count ->
    [one] One character was removed from the saved password.
   *[other] { $count } characters were removed from the saved password.
}
notice-secret-missing = This profile has no password. Enter it, then test.
notice-secret-unreadable = The saved password can no longer be read. Enter it again.
notice-secret-invalid = This password cannot be saved: it is empty, longer than 1,024 characters, or contains an invalid character. Enter it again.
notice-secret-refused = The provider has rejected this password three times in a row. Another attempt could lock your account: enter a new one.
notice-gone = This profile does not exist, or no longer exists.
notice-limited = { $seconds ->
    [one] Too many attempts in a short time. Try again in one second.
   *[other] Too many attempts in a short time. Try again in { $seconds } seconds.
}
notice-tests-of-yours = You already have several tests running: this one was not started. Try again when one of them has finished.
notice-tests-of-account = Your account already has several tests running: this one was not started. Try again when one of them has finished.
notice-tests-of-all = Too many tests are running at the moment: this one was not started. Try again in a minute.
notice-malformed = The request was incomplete: nothing was changed.
notice-unknown-field = The request contained an unknown field: nothing was changed.
notice-full = This account already has { $count } profiles, the maximum. Delete one you no longer need, then try again.
notice-unavailable = The service is not responding at the moment: nothing was changed. Try again shortly.
stale-about = Someone made a change in the meantime: nothing was modified.
stale-list = The list has changed since this page was displayed: nothing was modified. Here is the current list; try again if you still want to.
stale-delete = This profile, or the one that would replace it, has changed since this page was displayed: nothing is deleted. Review it, then confirm.
stale-mode = The sending mode has changed in the meantime. Saved: “{ $saved }”. Your choice: “{ $mine }”. Nothing is modified yet: choose, then save.
stale-encoding = The encoding has changed in the meantime. Saved: { $saved }. Your choice: { $mine }. Nothing is modified yet: choose, then save.
stale-sending = These settings have changed in the meantime. The form shows what you entered; nothing is modified yet. Saved values:
stale-line = { $name }: { $value }
stale-on = yes
stale-off = no
carry-about = Your session ended before the form was sent: nothing was saved. What you entered is not lost.
carry-about-secret = Your session ended before the form was sent: nothing was saved. What you entered is not lost, except the password, which is never kept: you will enter it again.
carry-about-press = Your session has ended: nothing was done.
carry-open = Open the configurator again from your portal.
carry-portal = Open the portal in a new tab
carry-then = Come back here, then continue.
notice-mode-own = The sending mode is saved: through your own SMTP accounts.
notice-in-use-now = { $name ->
    [none] Your emails are now sent through this profile.
   *[other] Your emails are now sent through { $name }.
}
notice-in-use-later = This profile is selected. For now, your emails are sent through the portal’s server: it will send once you switch to your own SMTP accounts.
notice-deleted-successor = { $name ->
    [none] The profile and its password are deleted. The profile selected below replaces it.
   *[other] The profile and its password are deleted. { $name } replaces it:
}
notice-deleted-nobody = The profile and its password are deleted. No profile replaces it: choose one, then Use.
notice-was-deleted = This profile was deleted in the meantime. Here is what you entered: saving creates a new profile. Enter the password again.
notice-merged = Here is the profile with your choices. Review it, then save.
notice-saved-already = This profile is already saved: you are editing it.
notice-deleted-shop = The profile and its password are deleted. Their emails are now sent through the shop’s profile.
notice-deleted-portal = The profile and its password are deleted. Their emails are now sent through the portal’s server.
other-account-title = This form belongs to another account
other-account-about = It was opened for “{ $owner }”. Since then, “{ $now }” was opened in this browser. Nothing was saved. What you typed is not lost, except the password, which is never kept.
other-account-open = Open the configurator of “{ $owner }” again from your portal.
other-account-then = Come back here, then send it again.
other-account-again = Send again
other-account-live = This page belongs to “{ $owner }”. Since then, “{ $now }” was opened in this browser: no test was started. Open the configurator of “{ $owner }” again from your portal.
list-again = Show the current list
carry-again = Continue
notice-session-renewed = Your session had ended: nothing was saved. What you entered is here: check it, then save.
notice-session-renewed-secret = Your session had ended: nothing was saved. What you entered is here, except the password, which is never kept: enter it again, then save.
notice-session-renewed-press = Your session had ended: nothing was done. Press the button again.
notice-in-use-failing = { $name ->
    [none] This profile is now in use, but it cannot send yet: correct it, then test it.
   *[other] { $name } is now the profile in use, but it cannot send yet: correct it, then test it.
}
notice-in-use-later-failing = This profile is selected, but it cannot send yet: correct it and test it before you switch to your own SMTP accounts.
notice-sending-saved = { $name ->
    [none] Sending settings saved.
   *[other] Sending settings saved for { $name }.
}
notice-restored = { $name ->
    [none] The profile is restored, with its password.
   *[other] The profile { $name } is restored, with its password.
}
notice-restore-late = It is too late to undo: the profile and its password are permanently deleted.
