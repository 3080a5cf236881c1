<?php
// The token, signed with firebase/php-jwt. FACTEUR_KEY_FILE names the file with the key that Facteur shares.
// FACTEUR_URL is Facteur's address, the token's only audience.
require __DIR__ . '/vendor/autoload.php';

function facteur_token(array $user, ?string $challenge = null): string // $challenge: from the element's request, if there is one
{
    $now = time();
    $claims = [
        'iss' => 'my-portal', 'aud' => getenv('FACTEUR_URL'), 'iat' => $now, 'exp' => $now + 120,
        'jti' => bin2hex(random_bytes(16)), 'challenge' => $challenge,
        'sub' => (string) $user['id'], 'name' => $user['name'], 'email' => $user['email'],
        'account' => ['id' => (string) $user['shop']['id'], 'name' => $user['shop']['name']],
    ];
    $key = rtrim(file_get_contents(getenv('FACTEUR_KEY_FILE')));
    return Firebase\JWT\JWT::encode($claims, $key, 'HS256', 'k1');
}
