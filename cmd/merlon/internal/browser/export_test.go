package browser

// FindAmong is Find with other places and another system.
var FindAmong = findAmong

// MaxMessageBytes is the bound of one message.
const MaxMessageBytes = maxMessageBytes
