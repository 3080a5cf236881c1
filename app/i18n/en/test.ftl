# The test and its report.
test-panel = Test under way
test-recipient = Send the test message to
test-recipient-sender = the sender’s address
test-starting = The test begins…
test-restarting = The former test was stopped, the new one begins…
test-session-over = Your session has ended: the test did not start. Open the configurator again from your portal; everything you saved is there.
test-cut = The connection broke off before the end of the test. Check your Internet connection, then try again.
test-stop = Stop
test-stopped = The test was stopped. Nothing more was sent.

stage-went-well = done
stage-went-wrong = failed
stage-time = { $ms } ms
stage-time-short = < 1 ms

report-none = This profile has not been tested yet. Go back to the list and choose “Test”.
report-title = Test report
report-details = Technical details
report-last-stage = Last stage
report-queue-id = Number given by the server
report-tls = Encryption
report-certificate = Certificate
report-issuer = issued by { $issuer }
report-validity = valid from { $from } to { $to }
report-capabilities = What the server can do
report-transcript = Exchange with the server, without any password

card-next = What to do:
card-retryable = The same attempt may succeed later.
card-server-words = The server’s answer, at the stage “{ $stage }”:
card-edit = Edit the profile
