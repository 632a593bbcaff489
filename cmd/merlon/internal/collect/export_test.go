package collect

import "net/url"

// Route and Sample let the tests of this package reach the cleaning by itself.
func Route(u *url.URL) string { return route(u) }

func Sample(s string) string { return sample(s) }
