package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
)

// NewThirdParty returns a site that is neither the bank's nor an attacker's: it
// serves the image /pixel.png and takes the newsletter form.
func NewThirdParty() http.Handler {
	pages, pixel := loadSite("thirdparty"), badge()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pixel.png", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		// From a cache, the image would appear where a policy blocks loading it.
		w.Header().Set("Cache-Control", "no-store")
		w.Write(pixel)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		pages.render(w, http.StatusOK, "index", nil)
	})
	mux.HandleFunc("POST /newsletter", func(w http.ResponseWriter, r *http.Request) {
		if readForm(w, r) {
			pages.render(w, http.StatusOK, "newsletter", r.PostForm.Get("email"))
		}
	})
	mux.HandleFunc("GET /static/thirdparty.css", stylesheet("thirdparty.css"))
	return loopbackOnly(mux)
}

// badge draws a square that a person sees on a screenshot, where a real tracker
// would use a single pixel.
func badge() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 48, 48))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{0xd9, 0x8a, 0x29, 0xff}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(14, 14, 34, 34), image.NewUniform(color.White), image.Point{}, draw.Src)
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		panic(err) // only an image of an impossible size fails to encode
	}
	return buf.Bytes()
}
