package cli

import (
	"os"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// gatewayNonce is the gateway's form of how pages get their nonces. A placeholder in the environment is read here and not with the file, which may be
// checked where the application does not run.
func gatewayNonce(site string, of policyfile.Nonce) (gateway.Nonce, error) {
	n := gateway.Nonce{Forward: of.Forward, Inject: of.Inject, Placeholder: of.Placeholder, Hashes: of.Hashes}
	if name := of.PlaceholderEnv; name != "" {
		if n.Placeholder = strings.TrimSpace(os.Getenv(name)); n.Placeholder == "" {
			return n, usagef("site %s: nonce.placeholder_env: the environment has no variable %s (start the gateway and the application with the same secret in it)", site, name)
		}
		if rewrite.CheckPlaceholder(n.Placeholder) != nil {
			return n, usagef("site %s: nonce.placeholder_env: what is in %s is no placeholder: a letter and at least 31 random letters and digits (make it with: (printf n; openssl rand -hex 16))", site, name)
		}
	}
	return n, nil
}
