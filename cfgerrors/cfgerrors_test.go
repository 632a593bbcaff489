package cfgerrors_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/merlon-sec/merlon/cfgerrors"
)

func fields(err error) []string {
	var out []string
	for e := range cfgerrors.All(err) {
		out = append(out, e.Field)
	}
	return out
}

func TestAllWalksTheTree(t *testing.T) {
	a, b, c := &cfgerrors.Error{Field: "a"}, &cfgerrors.Error{Field: "b"}, &cfgerrors.Error{Field: "c"}
	err := fmt.Errorf("reading: %w", errors.Join(a, errors.New("other"), errors.Join(b, fmt.Errorf("x: %w", c))))
	if got, want := fields(err), []string{"a", "b", "c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("All yields %q, want %q", got, want)
	}
	for e := range cfgerrors.All(err) {
		if e != a {
			t.Errorf("after a break, All yields %v", e)
		}
		break
	}
	if got := fields(nil); got != nil {
		t.Errorf("All(nil) yields %q", got)
	}
}

func TestUnder(t *testing.T) {
	err := cfgerrors.Under("routes[0]", errors.Join(&cfgerrors.Error{Field: "frame"}, &cfgerrors.Error{}, &cfgerrors.Error{Field: "[1]"}))
	if got, want := fields(err), []string{"routes[0].frame", "routes[0]", "routes[0][1]"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Under gives the fields %q, want %q", got, want)
	}
	other := errors.New("other")
	if got := cfgerrors.Under("x", other); got != other {
		t.Errorf("Under(x, %v) = %v, want it as it was", other, got)
	}
	if got := cfgerrors.Under("x", nil); got != nil {
		t.Errorf("Under(x, nil) = %v", got)
	}
}

func ExampleError_Error() {
	fmt.Println(&cfgerrors.Error{Field: "routes[0].frame", Code: cfgerrors.InvalidValue, Value: "sometimes", Text: "no such word", Hint: "write deny"})
	// Output: routes[0].frame: "sometimes": no such word (write deny)
}
