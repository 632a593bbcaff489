package main

import (
	"fmt"
	"strings"
)

// What the application serves.
const (
	smallSize = 1 << 10
	largeSize = 100 << 10
	scripts   = 20 // elements with a nonce in the large page
)

// page is an HTML page of the size, with so many script elements spread over it, each with the placeholder as its nonce.
func page(size, scripts int, placeholder string) string {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Shop</title></head><body>\n")
	const end = "</body></html>\n"
	for i, written := 0, 0; ; i++ {
		item := card(i)
		if written < scripts && b.Len() >= written*size/scripts {
			item = fmt.Sprintf("<script nonce=\"%s\">%s</script>\n", placeholder, strings.Repeat("for (let i = 0; i < list.length; i++) render(list[i], '<b>')\n", 10))
			written++
		}
		if b.Len()+len(item)+len(end) > size {
			break
		}
		b.WriteString(item)
	}
	b.WriteString(strings.Repeat(" ", size-b.Len()-len(end)))
	b.WriteString(end)
	return b.String()
}

func card(i int) string {
	return fmt.Sprintf(`<article class="card card--wide" id="item-%d" data-price="19.95">
  <a class="card__link" href="/items/%d?ref=list&amp;page=2"><img src="/media/%d.webp" alt="A cup" width="320" height="240"></a>
  <h2 class="card__title">Cup number %d, glazed &amp; fired</h2>
  <p>A cup for tea or coffee, made by hand in a small workshop by the sea. It holds a third of a litre.</p>
</article>
`, i, i, i, i)
}
