package main

import (
	"fmt"
	"strings"
)

// site is whose pages report.
const site = "shop.example"

// In the templates of bodies IDENTIFIER is what no other report has, so that none is taken for one that was sent before, and NUMBER what
// distinguishes issues. Both always have the same length.
const (
	identifier = "IDENTIFIER00"
	number     = "NUMBR"
	address    = "10.ADDRESS.7" // whom a proxy says that the request is from: as many networks as visitors come from
)

// legacyBody is what Chromium 156 posts to report-uri, with the policy of the strict preset and a site's names.
const legacyBody = `{"csp-report":{"document-uri":"https://` + site + `/cart/checkout?order=` + identifier + `","referrer":"https://` + site + `/cart","violated-directive":"script-src-elem",` +
	`"effective-directive":"script-src-elem","original-policy":"default-src 'self'; script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'strict-dynamic' 'report-sample'; ` +
	`style-src 'self' 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'report-sample'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests; ` +
	`report-uri /.merlon/r?d=e","disposition":"enforce","blocked-uri":"https://cdn-` + number + `.example/widget/loader.js","line-number":41,"column-number":17,` +
	`"source-file":"https://` + site + `/static/app.js","status-code":200,"script-sample":""}}`

// modernBody is one of a batch that it posts to an endpoint of the Reporting API.
const modernBody = `{"age":31,"body":{"blockedURL":"https://cdn-` + number + `.example/widget/loader.js","columnNumber":17,"disposition":"enforce",` +
	`"documentURL":"https://` + site + `/cart/checkout?order=` + identifier + `","effectiveDirective":"script-src-elem","lineNumber":41,` +
	`"originalPolicy":"default-src 'self'; script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'report-sample'; ` +
	`img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests; report-to merlon","referrer":"https://` + site + `/cart",` +
	`"sample":"","sourceFile":"https://` + site + `/static/app.js","statusCode":200},"type":"csp-violation","url":"https://` + site + `/cart/checkout?order=` + identifier + `",` +
	`"user_agent":"` + userAgent + `"}`

const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

// A load is what a contender is sent.
type load struct {
	path     string
	batch    int // reports in each request; 0 for one in the old format
	distinct int // issues that they make
}

func (l load) reports() int { return max(l.batch, 1) }

// body is the template of a request's body.
func (l load) body() (contentType, text string) {
	if l.batch == 0 {
		return "application/csp-report", legacyBody
	}
	return "application/reports+json", "[" + strings.TrimSuffix(strings.Repeat(modernBody+",", l.batch), ",") + "]"
}

// request is the template of a whole request, with the headers that Chromium sends.
func (l load) request() string {
	contentType, body := l.body()
	return "POST " + l.path + " HTTP/1.1\r\nHost: " + site + "\r\nContent-Type: " + contentType + "\r\nOrigin: https://" + site + "\r\nReferer: https://" + site + "/cart/checkout\r\n" +
		"Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nSec-Fetch-Dest: report\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: same-origin\r\n" +
		"User-Agent: " + userAgent + "\r\nX-Forwarded-For: " + address + "\r\nX-Forwarded-Proto: https\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body
}

// fill puts the nth report's own parts into a template, for the run with that number. Lua does the same under wrk.
func (l load) fill(template string, run, n int) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(template, number)
		if !found {
			out.WriteString(template)
			break
		}
		out.WriteString(before)
		fmt.Fprintf(&out, "%05d", n%l.distinct)
		n, template = n+1, after
	}
	return strings.ReplaceAll(out.String(), identifier, fmt.Sprintf("%04d%08d", run, n))
}

// lua makes the requests of a run. Each thread of wrk has numbers of its own.
func (l load) lua(run int) string {
	return fmt.Sprintf(luaText, run, l.distinct, l.request(), number, identifier, address)
}

// luaText takes the template apart once: what is to be filled in is at even places of parts.
const luaText = `local run, distinct, template = %d, %d, %q
local number, identifier, address = %q, %q, %q
local parts, threads, n = {}, 0, 0
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end
local function nearest(at)
  local where, what
  for _, word in ipairs({number, identifier, address}) do
    local found = template:find(word, at, true)
    if found and (not where or found < where) then where, what = found, word end
  end
  return where, what
end
function init()
  n = first * 50000000
  local at = 1
  local where, what = nearest(at)
  while where do
    parts[#parts + 1] = template:sub(at, where - 1)
    parts[#parts + 1] = what
    at = where + #what
    where, what = nearest(at)
  end
  parts[#parts + 1] = template:sub(at)
end
function request()
  local out, id = {}, string.format("%%04d%%08d", run, n)
  for i, part in ipairs(parts) do
    if part == number then
      out[i] = string.format("%%05d", n %% distinct)
      n = n + 1
    elseif part == identifier then out[i] = id
    elseif part == address then out[i] = string.format("10.%%d.%%d.7", n %% 256, math.floor(n / 256) %% 256)
    else out[i] = part end
  end
  return table.concat(out)
end
`
