package notify

// CheckAddress is checkAddress.
var CheckAddress = checkAddress

// Compose writes a message as mail.
func Compose(e *Email, m Message, id string) ([]byte, error) { return e.compose(m, id) }
