package rewrite

// find returns the index of the innermost frame with this name, or -1.
func (t *tree) find(n name) int {
	for i := len(t.frames) - 1; i >= 0; i-- {
		if t.frames[i].name == n {
			return i
		}
	}
	return -1
}

// lastPoint returns the index of the last integration point below frame n, or -1.
func (t *tree) lastPoint(n int) int {
	for n--; n >= 0 && !t.frames[n].point; n-- {
	}
	return n
}

func (t *tree) push(f frame) bool {
	t.sawMath = t.sawMath || f.math
	if len(t.frames) == maxFrames {
		return false
	}
	t.frames = append(t.frames, f)
	return true
}

// breakOut leaves the foreign elements for the integration point or HTML element around them.
func (t *tree) breakOut() {
	t.frames = t.frames[:t.lastPoint(len(t.frames))+1]
	t.alt = min(t.alt, len(t.frames))
}

// bury forgets the frames, which may be open or not, in a context that is HTML.
func (t *tree) bury() {
	t.hide(t.frames)
	t.frames = t.frames[:0]
	t.alt = 0
}

// doubt makes the context unsure.
func (t *tree) doubt() {
	t.flat = t.lastPoint(len(t.frames)) < 0
	t.unsure = true
	t.alt = 0
}

// settle ends doubt: the tag at hand leaves foreign content.
func (t *tree) settle() {
	if !t.flat {
		t.hide(t.frames)
	}
	t.frames = t.frames[:0]
	t.unsure = false
}

func (t *tree) hide(frames []frame) {
	for i := range frames {
		t.hideName(frames[i].name)
	}
}

func (t *tree) hideName(n name) {
	for _, h := range t.hidden {
		if h == n {
			return
		}
	}
	if len(t.hidden) == maxHidden || !n.known() {
		t.anyHidden = true
		t.hiddenLetters = ^uint32(0)
		return
	}
	t.hidden = append(t.hidden, n)
	t.hiddenLetters |= 1 << (n.text[0] & 31)
}

// mayUncover reports whether an end tag can close a buried element, so that one around it becomes current.
func (t *tree) mayUncover(g *tag) bool {
	if len(t.hidden) == 0 && !t.anyHidden {
		return false
	}
	if t.anyHidden || !g.name.known() {
		return true
	}
	for _, h := range t.hidden {
		if h == g.name {
			return true
		}
	}
	return false
}
