// Express pages that print the nonce, on a free port of loopback. Prints the port when it is ready.
// The environment's MERLON_PLACEHOLDER_FILE names the file with the placeholder.
const express = require("express");
const fs = require("fs");

const app = express();
app.set("view engine", "ejs");
app.set("views", __dirname);

// What docs/frameworks.md shows: the one, or the other.
app.use("/forward", (req, res, next) => {
  res.locals.nonce = req.get("Merlon-Nonce") || "";
  next();
});
app.locals.nonce = fs.readFileSync(process.env.MERLON_PLACEHOLDER_FILE, "utf8").trim();

app.get(["/forward", "/placeholder"], (req, res) => {
  res.render("page", { q: req.query.q || "" });
});

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
