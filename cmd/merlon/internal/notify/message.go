package notify

import (
	"encoding/json"
	"strings"
	"time"
)

// Message is what a target gets. What came from elsewhere went through [Defang]; the rest is the program's own.
type Message struct {
	Headline string // one line, with little of hostile origin in it
	Lines    []string
	At       time.Time
	Data     any // the same for programs: what webhooks get in JSON, under merlon
}

// maxText bounds the text of a message, in bytes: Discord takes 2000 characters, and the others more.
const maxText = 1800

// text is the whole of it. What is not ASCII would be the program's own mistake, and is made safe as well.
func (m Message) text() string {
	text := strings.Map(func(r rune) rune {
		if r > '~' || r < ' ' && r != '\n' {
			return '?'
		}
		return r
	}, strings.Join(append([]string{m.Headline}, m.Lines...), "\n"))
	return text[:min(len(text), maxText)]
}

// webhookJSON is what Slack, Mattermost and Discord's /slack take, with a part for programs that they pass over.
type webhookJSON struct {
	Text        string      `json:"text"`
	Markdown    bool        `json:"mrkdwn"`
	UnfurlLinks bool        `json:"unfurl_links"`
	UnfurlMedia bool        `json:"unfurl_media"`
	Blocks      []blockJSON `json:"blocks"`
	Merlon      any         `json:"merlon"`
}

type blockJSON struct {
	Type string   `json:"type"`
	Text textJSON `json:"text"`
}

type textJSON struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"`
}

func (m Message) json() ([]byte, error) {
	text := m.text()
	return json.Marshal(webhookJSON{Text: text, Blocks: []blockJSON{{"section", textJSON{"plain_text", text, false}}}, Merlon: m.Data})
}
