package policyfile

import (
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// DocumentsPath is where programs push counts of the documents that they send, on every host with a token.
const DocumentsPath = ReportPath + "/documents"

// minToken is what nobody guesses: 20 hexadecimal digits have 80 bits.
const minToken = 20

const documentsHint = "write documents: {token_file: documents.token}"

// documentsToken reads the token of programs that push counts of documents, "" where none may.
func (r *reader) documentsToken(v any, at string) string {
	keys := r.section(v, at, documentsHint, documentsKeys)
	if keys == nil {
		return ""
	}
	name := r.text(keys, at, "token_file")
	if name == "" {
		r.wrong(at, cfgerrors.Missing, "", "the file of the token is missing", documentsHint)
		return ""
	}
	at, hint := under(at, "token_file"), "make it with: openssl rand -hex 32 > "+name
	data, ok := r.contents(at, name, hint, maxSecretBytes)
	token := strings.TrimSpace(string(data))
	if ok && (len(token) < minToken || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' })) {
		r.wrong(at, cfgerrors.InvalidValue, name, "what is in it is no token: at least 20 visible characters without blanks", hint)
		return ""
	}
	return token
}
