package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// fileVersion counts changes of the file's format.
const fileVersion = 1

// maxFile bounds the file; it has about 150 bytes.
const maxFile = 4 << 10

// file is what stands in it, in JSON.
type file struct {
	Schema  string `json:"schema"`
	Version int    `json:"version"`
	Day     int64  `json:"day"`
	Secret  []byte `json:"secret"`
}

const fileSchema = "merlon/keys"

var (
	errAbsent  = errors.New("there are none")
	errDamaged = errors.New("no file of keys, or a damaged one: remove it and new keys are made (reports of pages that are open now count as unattested)")
	errNewer   = errors.New("written by a newer merlon: update this one")
)

// read returns what the file says; errAbsent where there is none.
func read(path string) (ratchet, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ratchet{}, errAbsent
	}
	if err != nil {
		return ratchet{}, fmt.Errorf("%w: change its owner, or remove it and new keys are made", reason(err))
	}
	defer f.Close()
	if err := check(f); err != nil {
		return ratchet{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return ratchet{}, reason(err)
	}
	return decode(data)
}

// check refuses a file that others may read: they could make nonces and reports that count.
func check(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return reason(err)
	case !info.Mode().IsRegular():
		return errDamaged
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("its mode is %#o, so others have the keys too: remove it and new keys are made, or run chmod 600 on it if nobody has read it", info.Mode().Perm())
	}
	return nil
}

func decode(data []byte) (ratchet, error) {
	var f file
	if len(data) > maxFile || json.Unmarshal(data, &f) != nil || f.Schema != fileSchema {
		return ratchet{}, errDamaged
	}
	if f.Version > fileVersion {
		return ratchet{}, fmt.Errorf("version %d, this program knows up to %d: %w", f.Version, fileVersion, errNewer)
	}
	if f.Version < 1 || f.Day < 0 || len(f.Secret) != Size || bytes.Equal(f.Secret, make([]byte, Size)) {
		return ratchet{}, errDamaged
	}
	return ratchet{f.Day, [Size]byte(f.Secret)}, nil
}

// write puts a new file in the place of the old one, so that one of the two is there whole whenever the machine stops. Either will do.
func write(path string, r ratchet) (err error) {
	text, err := json.Marshal(file{fileSchema, fileVersion, r.day, r.secret[:]})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), FileName+"-*") // its mode is 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// reason is err without the path, which the message names already.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
