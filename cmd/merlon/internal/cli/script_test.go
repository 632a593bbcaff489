package cli_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cli"
)

// The scripts specify the command line. In them merlon is this test binary, and seed writes a database.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"merlon": cli.Main, "seed": seed})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true})
}
