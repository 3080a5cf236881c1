# Sending mode.
mode-title = How emails are sent
mode-legend = How are your emails sent?
mode-portal = Through the server of { $portal }
mode-portal-about = Nothing to set up. Your customers see that the message comes from your portal.
mode-own = Through your own SMTP accounts
mode-own-about = Quotes, confirmations and reminders are sent from your address, through your email provider.
mode-own-link = If you choose this option, you must set up your SMTP accounts by following this link
mode-nothing-ready = No SMTP account is ready: for now, your emails cannot be sent this way. Follow the link below to set one up.
way-title = This profile is not sending yet
way-portal = Your emails are sent through the server of { $portal }: these profiles are not used yet.
way-use-own = Send through my own SMTP accounts
way-stands-in = No SMTP account is ready: in the meantime, your emails are sent through the server of { $portal }.
way-in-use = The emails of “{ $owner }” are sent through this profile.
way-works-portal = The test passed, but your emails are still sent through the server of { $portal }.
way-works-unused = The test passed, but the emails of “{ $owner }” are sent through another profile.
way-use = Use this profile
