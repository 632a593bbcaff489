package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Eval evaluates a JavaScript expression in the main frame, waits for its promise if it is
// one, and decodes the value, as JSON, into out unless that is nil; undefined is null.
// An exception is an error that has its text. The page's CSP does not apply.
func (p *Page) Eval(ctx context.Context, expression string, out any) error {
	return p.evaluate(ctx, "", expression, out)
}

// EvalFrame is Eval in the first child frame, at any depth, whose URL contains urlPart.
func (p *Page) EvalFrame(ctx context.Context, urlPart, expression string, out any) error {
	var tree struct {
		FrameTree frameTree `json:"frameTree"`
	}
	if err := p.call(ctx, "Page.getFrameTree", nil, &tree); err != nil {
		return err
	}
	f := tree.FrameTree.child(urlPart)
	if f == nil {
		return fmt.Errorf("no child frame shows a URL with %q", urlPart)
	}
	var world string
	err := p.await(ctx, func() bool { world = p.worlds[f.ID]; return world != "" })
	if err != nil {
		return fmt.Errorf("waiting for the script context of the frame with %q: %w", urlPart, err)
	}
	return p.evaluate(ctx, world, expression, out)
}

type frameTree struct {
	Frame    frameInfo   `json:"frame"`
	Children []frameTree `json:"childFrames"`
}

// child returns the first frame below t whose URL contains part. A refused frame shows
// chrome-error://chromewebdata/, so it is not found by the URL that was refused.
func (t *frameTree) child(part string) *frameInfo {
	for i := range t.Children {
		c := &t.Children[i]
		if strings.Contains(c.Frame.URL, part) {
			return &c.Frame
		}
		if f := c.child(part); f != nil {
			return f
		}
	}
	return nil
}

// evaluate is Eval in a script context, by its unique id; "" is the main frame's.
func (p *Page) evaluate(ctx context.Context, world, expression string, out any) error {
	params := map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}
	if world != "" {
		params["uniqueContextId"] = world
	}
	var answer struct {
		Result    remoteObject      `json:"result"`
		Exception *exceptionDetails `json:"exceptionDetails"`
	}
	if err := p.call(ctx, "Runtime.evaluate", params, &answer); err != nil {
		return err
	}
	if answer.Exception != nil {
		return fmt.Errorf("evaluating %.200q: %w", expression, answer.Exception)
	}
	if out == nil {
		return nil
	}
	return answer.Result.decode(out)
}

// remoteObject is a JavaScript value: one that JSON can carry, or a description.
type remoteObject struct {
	Type           string          `json:"type"`
	Value          json.RawMessage `json:"value"`
	Unserializable string          `json:"unserializableValue"` // NaN, Infinity, -0, 1n
	Description    string          `json:"description"`
}

func (o remoteObject) decode(out any) error {
	switch {
	case o.Value != nil:
		return json.Unmarshal(o.Value, out)
	case o.Type == "undefined":
		return json.Unmarshal([]byte("null"), out)
	}
	return fmt.Errorf("the value %s is not JSON", o)
}

// String is the value as console.log shows it, more or less.
func (o remoteObject) String() string {
	var text string
	switch {
	case o.Unserializable != "":
		return o.Unserializable
	case o.Type == "string" && json.Unmarshal(o.Value, &text) == nil:
		return text
	case o.Value != nil:
		return string(o.Value)
	case o.Description != "":
		return o.Description
	}
	return o.Type
}

// exceptionDetails is an uncaught exception. As an error its text is the exception's.
type exceptionDetails struct {
	Text      string        `json:"text"`
	URL       string        `json:"url"`
	Stack     stack         `json:"stackTrace"`
	Exception *remoteObject `json:"exception"`
}

func (e *exceptionDetails) Error() string {
	if e.Exception == nil {
		return e.Text
	}
	return e.Text + " " + e.Exception.String() // "Uncaught" and the like, then the value
}

type stack struct {
	CallFrames []struct {
		URL string `json:"url"`
	} `json:"callFrames"`
}

// url is that of the function that made the call.
func (s stack) url() string {
	if len(s.CallFrames) == 0 {
		return ""
	}
	return s.CallFrames[0].URL
}

type worldCreated struct {
	Context struct {
		UniqueID string `json:"uniqueId"`
		Aux      struct {
			FrameID   string `json:"frameId"`
			IsDefault bool   `json:"isDefault"`
		} `json:"auxData"`
	} `json:"context"`
}

func (p *Page) worldCreated(e worldCreated) {
	if aux := e.Context.Aux; aux.IsDefault {
		p.worlds[aux.FrameID] = e.Context.UniqueID
	}
}

type worldDestroyed struct {
	UniqueID string `json:"executionContextUniqueId"`
}

func (p *Page) worldDestroyed(e worldDestroyed) {
	for frame, id := range p.worlds {
		if id == e.UniqueID {
			delete(p.worlds, frame)
		}
	}
}

// pollScript waits in the page until the expression is true, for a second at most, and
// returns {ok, error}: the last exception, since what is looked at may not be there yet.
// The expression stands on lines of its own: it may end in a comment.
const pollScript = `(async () => {
	const end = performance.now() + 1000;
	for (;;) {
		let error = '';
		try {
			if (await (
%s
			)) return {ok: true, error: ''};
		} catch (e) { error = String(e); }
		if (performance.now() > end) return {ok: false, error};
		await new Promise(done => setTimeout(done, 20));
	}
})()`

// retryAfter is how long Wait rests when the page was between two documents.
const retryAfter = 20 * time.Millisecond

// Wait waits until a JavaScript expression, or what its promise gives, is true. An
// exception counts as not yet, except one of syntax. The page may navigate meanwhile.
// It is bounded by ctx alone.
func (p *Page) Wait(ctx context.Context, expression string) error {
	var last string
	for {
		var got struct {
			OK    bool   `json:"ok"`
			Error string `json:"error"`
		}
		err := p.Eval(ctx, fmt.Sprintf(pollScript, expression), &got)
		if got.OK {
			return nil
		}
		if got.Error != "" {
			last = "; last " + got.Error
		}
		// The browser refuses an evaluation whose document went away.
		if refused := (*ProtocolError)(nil); errors.As(err, &refused) {
			err = p.rest(ctx)
		}
		if err != nil {
			return fmt.Errorf("waiting for %.200q: %w%s", expression, err, last)
		}
	}
}

func (p *Page) rest(ctx context.Context) error {
	ctx, cancel := p.bound(ctx)
	defer cancel()
	select {
	case <-time.After(retryAfter):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
