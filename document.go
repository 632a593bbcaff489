package merlon

import "strings"

// isDocument reports whether a browser may render a response with this Content-Type, and run its scripts: HTML, XML,
// SVG, PDF, and whatever browsers sniff because the type is absent, doubled or unknown.
func isDocument(contentType []string) bool {
	if len(contentType) != 1 {
		return true
	}
	if contentType[0] == "text/html; charset=utf-8" || contentType[0] == "text/html" { // what nearly all say
		return true
	}
	if strings.Contains(contentType[0], ",") { // several types in one line, of which browsers take the last good one
		return true
	}
	essence, _, _ := strings.Cut(contentType[0], ";")
	essence = strings.ToLower(strings.Trim(essence, " \t"))
	major, minor, ok := strings.Cut(essence, "/")
	switch {
	case !ok || major == "" || minor == "":
		return true
	case strings.HasSuffix(minor, "+xml"), minor == "xml", minor == "xsl", minor == "rdf", minor == "html", minor == "pdf", minor == "x-mixed-replace":
		return true
	}
	return essence == "unknown/unknown" || essence == "application/unknown" || essence == "*/*"
}
