package metrics

import (
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// Database adds the size of the report database at path, with its write-ahead log, as it is when somebody asks. It is called once at most.
func (m *Metrics) Database(path string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(gaugeOf("database_bytes", "Size of the report database on the disk, with its log."), func() (sum float64) {
		for _, name := range []string{path, path + "-wal"} {
			if info, err := os.Stat(name); err == nil { // a log may be there or not
				sum += float64(info.Size())
			}
		}
		return sum
	}))
}
