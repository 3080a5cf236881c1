<?php
// Sends a message. FACTEUR_API_KEY_FILE names the file with the portal's API key.

/** $once: your own id of this message. Using it again never sends the message twice. */
function facteur_send(array $message, string $once): array
{
    $key = rtrim(file_get_contents(getenv('FACTEUR_API_KEY_FILE')));
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => ["Authorization: Bearer $key", 'Content-Type: application/json', "Idempotency-Key: $once"],
        'content' => json_encode($message, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE),
        'timeout' => 60, // seconds
        'ignore_errors' => true, // the body of a refusal says what is wrong
    ]]);
    for ($tries = 1; ; $tries++) {
        $answer = @fopen(getenv('FACTEUR_URL') . '/api/v1/messages', 'r', false, $context);
        $status = $answer ? (int) explode(' ', stream_get_meta_data($answer)['wrapper_data'][0])[1] : 0;
        $said = $answer ? json_decode(stream_get_contents($answer), true) : null;
        if ($status === 202 && $said) {
            return $said; // id, state, message_id
        }
        // No response, or 5xx: repeat the request with the same key.
        if (($said && $status < 500) || $tries === 5) {
            throw new RuntimeException($said ? json_encode($said) : 'Facteur is not responding');
        }
        sleep(2 ** $tries);
    }
}
