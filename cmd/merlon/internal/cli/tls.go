package cli

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/certs"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// acmeFolder is where the data directory keeps what a CA issues.
const acmeFolder = "acme"

// ownCertificates reads the certificates that the policy file names.
func ownCertificates(file *policyfile.File) (*certs.Own, error) {
	var pairs []certs.Pair
	for _, c := range file.TLS.Certs {
		pairs = append(pairs, certs.Pair(c))
	}
	own, err := certs.Read(pairs)
	if err != nil {
		return nil, &usageError{err}
	}
	return own, nil
}

// newCertificates makes what gives the public listener its certificates, or returns nil for plain HTTP.
func newCertificates(file *policyfile.File, log *slog.Logger) *certs.Keeper {
	if !file.TLS.On() {
		return nil
	}
	return certs.New(certs.Config{ACME: (*certs.CA)(file.TLS.ACME), Dir: filepath.Join(file.Data, acmeFolder), Min: file.TLS.Min,
		Plain: file.TLS.HTTP != "", Logger: log})
}

// useCertificates puts a file's certificates in force and says what about them is probably not meant.
func useCertificates(k *certs.Keeper, own *certs.Own, file *policyfile.File, log *slog.Logger) {
	if k == nil {
		return
	}
	k.Use(own, orderedHosts(file))
	for _, warning := range certificateWarnings(own, file) {
		log.Warn(warning)
	}
}

func certificateWarnings(own *certs.Own, file *policyfile.File) []string {
	if !file.TLS.On() {
		return nil
	}
	return own.Warnings(file.Hosts(), orderedHosts(file), time.Now())
}

// orderedHosts are the hosts that a CA is asked for.
func orderedHosts(file *policyfile.File) []string {
	if file.TLS.ACME == nil {
		return nil
	}
	return file.ACMEHosts()
}

func closeCertificates(k *certs.Keeper) {
	if k != nil {
		k.Close()
	}
}

func configOf(k *certs.Keeper) *tls.Config {
	if k == nil {
		return nil
	}
	return k.TLS()
}

// checkTLS refuses what only a new start can change: the listener has its configuration from then.
func checkTLS(before, after policyfile.TLS) error {
	switch {
	case before.On() != after.On():
		return errors.New("tls was added or removed: that takes a new start")
	case !reflect.DeepEqual(before.ACME, after.ACME):
		return errors.New("tls.acme was added, removed or changed: that takes a new start")
	case before.Min != after.Min:
		return fmt.Errorf("tls.min changed to %s: that takes a new start", tls.VersionName(after.Min))
	}
	return nil
}

// printCertificates says whom certificates come from.
func printCertificates(out io.Writer, file *policyfile.File) {
	if file.TLS.ACME != nil {
		fmt.Fprintf(out, "certificates for %s: from %s, kept in %s\n", strings.Join(file.ACMEHosts(), ", "), file.TLS.ACME.Directory, filepath.Join(cmp.Or(file.Data, defaultData), acmeFolder))
	}
}
