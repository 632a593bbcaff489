package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// What the check sends before anything is measured, of each kind of load.
const (
	checkRequests = 1000
	checkWorkers  = 16
)

// batchSize is how many reports the batches have.
const batchSize = 20

// verify checks that the contender takes what it will be sent, and, of merlon, that it counts each report once.
func (c *contender) verify(ctx context.Context) error {
	for i, batch := range []int{0, batchSize} {
		l := c.load(batch)
		if err := l.post(ctx, c.url, 9000+i); err != nil {
			return err
		}
		c.sent += checkRequests * int64(l.reports())
	}
	return c.audit(ctx)
}

// post sends requests over a few connections, and wants each answered as taken.
func (l load) post(ctx context.Context, url string, run int) error {
	numbers, errs := make(chan int), make([]error, checkWorkers)
	var workers sync.WaitGroup
	for i := range checkWorkers {
		workers.Go(func() {
			for n := range numbers {
				if errs[i] == nil {
					errs[i] = l.postOne(ctx, url, run, n*l.reports())
				}
			}
		})
	}
	for n := range checkRequests {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	return cmp.Or(errs...) // all workers meet the same
}

func (l load) postOne(ctx context.Context, url string, run, n int) error {
	text := l.fill(strings.ReplaceAll(l.request(), address, fmt.Sprintf("10.%d.%d.7", n%256, n/256%256)), run, n)
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	out, err := http.NewRequestWithContext(ctx, req.Method, url+l.path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	out.Header, out.Host = req.Header, req.Host
	res, err := http.DefaultClient.Do(out)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answers %s: %s", l.path, res.Status, answer)
	}
	return err
}

// audit compares what merlon has counted with what it was sent.
func (c *contender) audit(ctx context.Context) error {
	if c.admin == "" {
		return nil
	}
	counted, err := c.metric(ctx, "merlon_reports_total")
	if err != nil {
		return err
	}
	dropped, err := c.metric(ctx, "merlon_reports_dropped_total")
	if err != nil {
		return err
	}
	if counted < c.sent || counted > c.sent+c.most || dropped != 0 {
		return fmt.Errorf("it counts %d reports and %d dropped ones, of %d that it has acknowledged and %d that may not have been answered", counted, dropped, c.sent, c.most)
	}
	return nil
}

// metric is the sum of the series with the name.
func (c *contender) metric(ctx context.Context, name string) (sum int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		series, value, found := strings.Cut(lines.Text(), "} ")
		if !found || !strings.HasPrefix(series, name+"{") {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		sum += int64(n)
	}
	return sum, lines.Err()
}
