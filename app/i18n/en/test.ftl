# The test and its report.
test-panel = Test in progress
test-recipient = Send the test message to
test-recipient-sender = the sender address
test-starting = Starting the test…
test-restarting = The previous test was stopped, starting the new one…
test-session-renewed = Your session had ended: the test did not start. It is open again: press Test again.
test-session-over = Your session has ended: the test did not start. Open the configurator again from your portal: everything you saved is there.
test-cut = The connection was lost before the end of the test. Check your Internet connection, then try again.
test-stop = Stop
test-stopped = The test was stopped. If a test message still reaches you, reload this page: its result will be here.
test-late = Too late to stop: the message may have been sent already. The result is coming…

# The four phases of a test, for everybody; the stages of the protocol are in the details.
test-of = Test of
phase-reach = Reach the server
phase-reach-running = Connecting to the server…
phase-secure = Secure the connection
phase-secure-running = Setting up the encrypted connection…
phase-sign-in = Sign in
phase-sign-in-running = Checking the username and the password…
phase-send = Send the message
phase-send-running = Sending the message…
phase-waits = to come
phase-runs = in progress
phase-left = no encryption
phase-seconds = { $s } s

stage-went-well = passed
stage-went-wrong = failed
stage-unknown = outcome unknown
stage-time = { $ms } ms
stage-time-short = < 1 ms

report-none = This profile has not been tested yet. Go back to the list and choose “Test”.
report-title = Test report
report-details = Technical details
report-last-stage = Last step
report-queue-id = Server’s message ID
report-tls = Encryption
report-certificate = Certificate
report-issuer = issued by { $issuer }
report-validity = valid from { $from } to { $to }
report-capabilities = Server features
report-transcript = Exchange with the server, without any password

card-next = What to do:
card-retryable = You can try again later, without changing anything.
card-server-words = Server’s reply, at the step “{ $stage }”:
card-edit = Edit the profile
card-edit-host = Correct the server address
card-other-provider = Choose another provider
