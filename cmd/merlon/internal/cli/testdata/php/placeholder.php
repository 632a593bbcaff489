<?php
$nonce = trim(file_get_contents(getenv('MERLON_PLACEHOLDER_FILE')));
?>
<!doctype html><title>t</title><p id=out></p>
<?= $_GET['q'] ?? '' ?>

<script nonce="<?= $nonce ?>">
document.getElementById("out").textContent = "ran"</script>
