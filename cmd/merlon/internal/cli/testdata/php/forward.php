<!doctype html><title>t</title><p id=out></p>
<?= $_GET['q'] ?? '' ?>

<script nonce="<?= htmlspecialchars($_SERVER['HTTP_MERLON_NONCE'] ?? '') ?>">
document.getElementById("out").textContent = "ran"</script>
