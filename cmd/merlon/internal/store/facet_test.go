package store_test

import (
	"fmt"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Made-up pages of an issue, however many came before, do not hide the one that visitors report it from.
func TestCrowdOfPages(t *testing.T) {
	s, path := open(t)
	page := func(route string) {
		h := hit("https://a.example")
		h.Route = route
		commit(t, s, h)
	}
	for i := range 100 {
		page(fmt.Sprintf("/made-up-%c%c", 'a'+i/26, 'a'+i%26))
	}
	for range 3 {
		page("/checkout")
	}
	for i := range 100 {
		page(fmt.Sprintf("/later-%c%c", 'a'+i/26, 'a'+i%26))
	}
	listed := issues(t, s, store.Query{})[0]
	if got, want := listed.Pages[0], (store.Page{Route: "/checkout", Count: 3}); got != want {
		t.Errorf("first page %+v, want %+v", got, want)
	}
	checkSums(t, path)
}
