package browser

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// ErrCrashed is the error of calls to a page whose renderer process has crashed.
var ErrCrashed = errors.New("the page has crashed")

// event records one event of the page. It runs on the connection's reader and calls nothing.
func (p *Page) event(method string, raw json.RawMessage) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.dispatch(method, raw)
	p.wake()
	return err
}

// wake has all who await something look again. p.mu is held.
func (p *Page) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Page) dispatch(method string, raw json.RawMessage) error {
	switch method {
	case "Page.frameNavigated":
		return decodeTo(p.frameNavigated, raw)
	case "Page.frameStartedNavigating":
		return decodeTo(p.frameStarted, raw)
	case "Page.frameDetached":
		return decodeTo(p.frameDetached, raw)
	case "Page.lifecycleEvent":
		return decodeTo(p.lifecycle, raw)
	case "Page.javascriptDialogOpening":
		return decodeTo(p.dialog, raw)
	case "Network.requestWillBeSent":
		return decodeTo(p.requestSent, raw)
	case "Network.responseReceived":
		return decodeTo(p.responseReceived, raw)
	case "Network.responseReceivedExtraInfo":
		return decodeTo(p.responseExtra, raw)
	case "Network.loadingFinished":
		return decodeTo(p.loadingFinished, raw)
	case "Network.loadingFailed":
		return decodeTo(p.loadingFailed, raw)
	case "Log.entryAdded":
		return decodeTo(p.logEntry, raw)
	case "Runtime.consoleAPICalled":
		return decodeTo(p.consoleCall, raw)
	case "Runtime.exceptionThrown":
		return decodeTo(p.exception, raw)
	case "Runtime.executionContextCreated":
		return decodeTo(p.worldCreated, raw)
	case "Runtime.executionContextDestroyed":
		return decodeTo(p.worldDestroyed, raw)
	case "Runtime.executionContextsCleared":
		clear(p.worlds)
	case "Inspector.targetCrashed":
		p.end(ErrCrashed)
	}
	return nil
}

// decodeTo gives raw to f as the value that f takes.
func decodeTo[T any](f func(T), raw json.RawMessage) error {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	f(v)
	return nil
}

type frameInfo struct {
	ID             string `json:"id"`
	ParentID       string `json:"parentId"`
	LoaderID       string `json:"loaderId"`
	URL            string `json:"url"`
	UnreachableURL string `json:"unreachableUrl"`
}

type frameNavigated struct {
	Frame frameInfo `json:"frame"`
}

func (p *Page) frameNavigated(e frameNavigated) {
	if e.Frame.ParentID != "" {
		p.childNavigated(e.Frame)
		return
	}
	m := &p.main
	m.count++
	m.loaded = false
	m.failed = ""
	if e.Frame.UnreachableURL != "" {
		m.failed = e.Frame.UnreachableURL + ": " + m.netErr
	}
	m.commits = append(m.commits, e.Frame.LoaderID)
	if len(m.commits) > maxCommits {
		m.commits = m.commits[1:]
	}
}

type lifecycle struct {
	FrameID  string `json:"frameId"`
	LoaderID string `json:"loaderId"`
	Name     string `json:"name"`
}

func (p *Page) lifecycle(e lifecycle) {
	last := len(p.main.commits) - 1
	if e.Name == "load" && last >= 0 && p.main.commits[last] == e.LoaderID {
		p.main.loaded = true
	}
}

type dialogOpening struct {
	URL           string `json:"url"`
	Message       string `json:"message"`
	Type          string `json:"type"`
	DefaultPrompt string `json:"defaultPrompt"`
}

// dialog records a dialog and accepts it, from a goroutine that Browser.Close waits for.
// Until then the page stands still, and so does every call to it.
func (p *Page) dialog(e dialogOpening) {
	keep(&p.dialogs, Dialog{Type: e.Type, Text: cut(e.Message), URL: cut(e.URL)})
	p.c.b.work.Go(func() {
		accept := map[string]any{"accept": true, "promptText": e.DefaultPrompt}
		// It fails when the dialog has gone with its page. Then nothing waits for it.
		_ = p.call(context.Background(), "Page.handleJavaScriptDialog", accept, nil)
	})
}

type response struct {
	URL     string            `json:"url"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
}

type requestSent struct {
	RequestID string `json:"requestId"`
	FrameID   string `json:"frameId"`
	Type      string `json:"type"`
	Request   struct {
		URL string `json:"url"`
	} `json:"request"`
	RedirectResponse *response `json:"redirectResponse"`
}

func (p *Page) requestSent(e requestSent) {
	if r := e.RedirectResponse; r != nil {
		p.responseReceived(responseReceived{e.RequestID, e.FrameID, e.Type, *r})
	}
	if len(p.requests) < maxRecords {
		p.requests[e.RequestID] = Response{URL: cut(e.Request.URL), Type: e.Type, Frame: e.FrameID}
	}
	switch {
	case e.Type != "Document":
	case e.FrameID == p.target:
		p.main.request, p.main.netErr = e.RequestID, ""
	default:
		p.childRequested(e)
	}
}

type responseReceived struct {
	RequestID string   `json:"requestId"`
	FrameID   string   `json:"frameId"`
	Type      string   `json:"type"`
	Response  response `json:"response"`
}

func (p *Page) responseReceived(e responseReceived) {
	p.childAnswered(e)
	r := e.Response
	if strings.HasPrefix(r.URL, "data:") {
		return // nobody answered
	}
	keep(&p.responses, Response{URL: cut(r.URL), Status: r.Status, Type: e.Type, Header: header(r.Headers), Frame: e.FrameID})
}

type loadingFailed struct {
	RequestID     string `json:"requestId"`
	ErrorText     string `json:"errorText"`
	BlockedReason string `json:"blockedReason"`
}

// loadingFailed records a request that came to nothing, after its answer if there was one.
func (p *Page) loadingFailed(e loadingFailed) {
	if r, ok := p.requests[e.RequestID]; ok {
		delete(p.requests, e.RequestID)
		r.ErrorText, r.BlockedReason = e.ErrorText, e.BlockedReason
		keep(&p.responses, r)
	}
	if e.RequestID == p.main.request {
		p.main.netErr = e.ErrorText
	}
	p.childFailed(e)
}

type loadingFinished struct {
	RequestID string `json:"requestId"`
}

func (p *Page) loadingFinished(e loadingFinished) {
	delete(p.requests, e.RequestID)
}

type logEntry struct {
	Entry struct {
		Source string `json:"source"`
		Level  string `json:"level"`
		Text   string `json:"text"`
		URL    string `json:"url"`
	} `json:"entry"`
}

func (p *Page) logEntry(e logEntry) {
	p.log(Entry(e.Entry))
}

type consoleCall struct {
	Type  string         `json:"type"`
	Args  []remoteObject `json:"args"`
	Stack stack          `json:"stackTrace"`
}

func (p *Page) consoleCall(e consoleCall) {
	words := make([]string, len(e.Args))
	for i, a := range e.Args {
		words[i] = a.String()
	}
	p.log(Entry{Source: "console", Level: e.Type, Text: strings.Join(words, " "), URL: e.Stack.url()})
}

type exceptionThrown struct {
	Details exceptionDetails `json:"exceptionDetails"`
}

func (p *Page) exception(e exceptionThrown) {
	d := e.Details
	url := d.URL
	if url == "" {
		url = d.Stack.url()
	}
	p.log(Entry{Source: "exception", Level: "error", Text: d.Error(), URL: url})
}
