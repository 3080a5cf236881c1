<?php
// Receives Facteur's events. FACTEUR_WEBHOOK_SECRET_FILE names the file with the secret that Facteur shares.
//   FACTEUR_WEBHOOK_SECRET_FILE=webhook.key php -S 127.0.0.1:4001 webhook.php

/** The event; null if Facteur did not sign it, or more than five minutes ago. $body: the unmodified bytes. */
function facteur_event(string $id, string $at, string $signatures, string $body): ?array
{
    if (!ctype_digit($at) || abs(time() - (int) $at) > 300) {
        return null;
    }
    $text = rtrim(file_get_contents(getenv('FACTEUR_WEBHOOK_SECRET_FILE')));
    $secret = base64_decode(substr($text, strlen('whsec_')));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$at.$body", $secret, true));
    foreach (explode(' ', $signatures) as $given) {
        if (hash_equals($expected, $given)) {
            return json_decode($body, true);
        }
    }
    return null;
}

$header = fn (string $name) => $_SERVER["HTTP_WEBHOOK_$name"] ?? '';
$event = facteur_event($header('ID'), $header('TIMESTAMP'), $header('SIGNATURE'), file_get_contents('php://input'));
if ($event) {
    // An event may come again with the same webhook-id: remember the ones you have handled.
    error_log($header('ID') . ' ' . $event['type'] . ' ' . json_encode($event['data']));
}
http_response_code($event ? 204 : 400);
