<?php
// The same token without a library, for a portal without composer: use it instead of token.php.
function facteur_token(array $user, ?string $challenge = null): string
{
    $now = time();
    $claims = [
        'iss' => 'my-portal', 'aud' => getenv('FACTEUR_URL'), 'iat' => $now, 'exp' => $now + 120,
        'jti' => bin2hex(random_bytes(16)), 'challenge' => $challenge,
        'sub' => (string) $user['id'], 'name' => $user['name'], 'email' => $user['email'],
        'account' => ['id' => (string) $user['shop']['id'], 'name' => $user['shop']['name']],
    ];
    $key = rtrim(file_get_contents(getenv('FACTEUR_KEY_FILE')));
    $encode = fn (string $bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $signed = $encode('{"typ":"JWT","alg":"HS256","kid":"k1"}') . '.' . $encode(json_encode($claims, JSON_THROW_ON_ERROR));
    return $signed . '.' . $encode(hash_hmac('sha256', $signed, $key, true));
}
