<?php
// A portal in PHP. composer install, then:
//   FACTEUR_URL=http://127.0.0.1:3000 FACTEUR_KEY_FILE=portal.key php -S 127.0.0.1:4000 portal.php
require __DIR__ . '/token.php';

$facteur = getenv('FACTEUR_URL');
// The signed-in user, from your own session.
$user = ['id' => 7, 'name' => 'Claire Martin', 'email' => 'claire@bakery.example',
    'shop' => ['id' => 42, 'name' => 'Martin Bakery']];

$form = fn (string $target) => '<form method="post" action="' . $facteur . '/session" target="' . $target . '">
    <input type="hidden" name="token" value="' . facteur_token($user) . '"><button>Email settings</button></form>
    <script>document.forms[0].submit()</script>';

header('Cache-Control: no-store');
switch ($_SERVER['REQUEST_METHOD'] . ' ' . $_SERVER['REQUEST_URI']) {
    case 'GET /':
        echo '<a href="/open">In a page</a> <a href="/frame">In a frame</a> <a href="/element">As an element</a>';
        break;
    case 'GET /open':
        echo $form('_self');
        break;
    case 'GET /frame':
        echo '<iframe name="facteur" title="Email settings" width="100%" height="900"></iframe>', $form('facteur');
        break;
    case 'GET /element':
        echo '<script src="' . $facteur . '/embed.js" async></script>
            <smtp-configurator token-url="/facteur-token">Loading…</smtp-configurator>';
        break;
    case 'POST /facteur-token':
        header('Content-Type: text/plain');
        echo facteur_token($user, $_POST['challenge'] ?? null);
        break;
    default:
        http_response_code(404);
}
