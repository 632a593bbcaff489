package dash

import (
	"net/http"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// dropView is a counter of dropped reports with the words for its reason.
type dropView struct {
	store.Drop
	Words reason
}

type dropsView struct {
	Drops []dropView
}

func (d *Dashboard) listDrops(w http.ResponseWriter, r *http.Request) error {
	drops, err := d.store.Drops(r.Context(), "")
	if err != nil {
		return err
	}
	var body dropsView
	for _, drop := range drops {
		body.Drops = append(body.Drops, dropView{drop, reasonFor(drop.Reason)})
	}
	return d.render(w, r, view{Name: "drops", Title: "Dropped reports", Body: body})
}
