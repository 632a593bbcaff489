// Package demo is what `merlon demo` attacks: a bank, an attacker's site, a
// partner's site and a third party, each a plain [http.Handler].
//
// The bank is vulnerable on purpose. It has a reflected and a stored script
// injection, may be framed by anybody and reads paths leniently. It must never
// be bound to anything but a loopback address: a script that runs in it is
// same-site with every other service on 127.0.0.1, and so gets their cookies
// sent along with its requests. Two checks keep the rest of the web out. All
// handlers refuse a Host that is not a loopback name (DNS rebinding), and the
// bank refuses what a page of another site asked for (Sec-Fetch-Site), save its
// log-in page.
//
// The attacks themselves are real. All sites are on one host and differ by
// port, so they are same-site: SameSite=Lax does not withhold the bank's cookie
// in a frame, and only the headers that merlon adds can stop the attack.
package demo
