package collect

// Sample lets the tests of this package reach the cleaning by itself.
func Sample(s string) string { return sample(s) }
