// Package rewrite puts Content Security Policy nonces into HTML on its way to the browser, for applications that cannot
// ask for one. It streams: what is decided goes out at once; at most 64 KiB of an unfinished tag are held back, and of the
// word at the end as much as the placeholder has.
//
// A Writer knows what a start tag is. It follows the tokenizer of the HTML standard
// (https://html.spec.whatwg.org/multipage/parsing.html#tokenization) and, of the tree construction, what decides about
// tokens: which SVG and MathML elements are open. The bytes that it passes on differ from those that it got in nothing
// but nonces and scrubbed placeholders, so a browser builds the same tree from both.
//
// # Where no nonce is given
//
// A tokenizer cannot know all that a browser knows, and must not guess: a nonce in a text would be there to read. These
// elements go without one, and placeholders in them are scrubbed:
//
//   - the content of noscript. It is text to a browser that runs scripts, and markup to others; they get no nonce for
//     styles there.
//   - script, style and link in MathML, and link in SVG: these are not the elements of those names.
//   - a tag whose attributes hold the beginning of another, which injected markup left open;
//   - a tag of more than 64 KiB, and one that the end of the response cuts off.
//   - link where HTML or SVG may be open, as after an end tag in SVG that closes nothing there (</div> in an unclosed
//     svg). The next start tag that cannot stand in SVG (div, p and others) ends that; so does it for script in MathML.
//   - everything that follows, where the readings part: a '<' with meaning in title, style, script and the like, or a
//     CDATA section, where HTML or SVG may be open; style and its like in select, which browsers ignored until 2025; any
//     of them in a template that begins with col.
//   - everything after frameset or plaintext, and after 64 nested foreign elements.
//   - pages in UTF-16 or ISO-2022-JP, and what follows an ESC byte in a page without a declared charset, which a browser
//     might take for ISO-2022-JP.
//
// Result.GaveUp tells of the cases that end all nonces. A nonce in a meta element's policy is not replaced: the policy
// belongs into the header. Result.Policies counts such elements, because browsers enforce theirs as well.
//
// # What scrubbing cannot do
//
// A placeholder is found as the bytes that it is made of (in UTF-16 too). It is not found behind a content coding, as
// character references, in base64, or where a range begins or ends in it. Whoever uses this package asks the upstream
// for whole, uncoded responses, that is, drops Range, If-Range and Accept-Encoding from requests, and scrubs header
// fields with Scrub. A response that stops in the middle of the placeholder shows what it has of it if that is less than
// half: to scrub less would tell clients whose words a page repeats whether they guess right.
package rewrite
