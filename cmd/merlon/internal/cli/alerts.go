package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/alert"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func newAlerts() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Send a test message, and list the alerts that are on",
		Long: `alerts tries the targets of alerts: the webhook and the mail addresses that the
policy file has under alerts. It also lists the alerts that are on. The gateway
and the collector send them by themselves.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAlertsTest(), newAlertsList())
	return cmd
}

func newAlertsTest() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "test --config FILE",
		Short: "Send a test message to every target of a policy file",
		Long: `test sends a message that says it is a test to the webhook and by e-mail, as the
policy file has them under alerts, and says what became of each. The exit code
is 3 if one was not sent.`,
		Example: "  merlon alerts test --config merlon.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if config == "" {
				return usagef("whose targets? Give --config FILE (see merlon alerts test --help)")
			}
			file, err := readPolicy(config)
			if err != nil {
				return err
			}
			return testAlerts(cmd.Context(), cmd.OutOrStdout(), file)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "policy file")
	return cmd
}

func testAlerts(ctx context.Context, out io.Writer, file *policyfile.File) error {
	c, err := alertConfig(file)
	if err != nil {
		return err
	}
	if len(c.Targets) == 0 {
		return usagef("the policy file has no alerts: nobody would be told (docs/alerts.md says what to write)")
	}
	var errs []error
	for _, t := range c.Targets {
		if err := t.Send(ctx, alert.TestMessage(time.Now())); err != nil {
			errs = append(errs, fmt.Errorf("%s: not sent: %s", t.Name(), visible(err.Error(), 300)))
			continue
		}
		fmt.Fprintf(out, "%s: sent\n", t.Name())
	}
	return errors.Join(errs...)
}

type alertsListFlags struct{ data, format string }

func newAlertsList() *cobra.Command {
	var f alertsListFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the alerts that are on",
		Long: `list shows the alerts that are on, the newest first. It may be run while the
gateway runs. docs/alerts.md says what each of them means and what to do.`,
		Example: "  merlon alerts list --data merlon-data\n  merlon alerts list --data merlon-data --format json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	dataFlag(cmd, &f.data)
	formatFlag(cmd, &f.format)
	return cmd
}

func (f alertsListFlags) run(ctx context.Context, out io.Writer) error {
	if err := checkFormat(f.format); err != nil {
		return err
	}
	db, err := readReports(ctx, f.data)
	if err != nil {
		return err
	}
	defer db.Close()
	alerts, err := db.Notices(ctx)
	if err != nil {
		return err
	}
	alerts = slices.DeleteFunc(alerts, func(a store.Notice) bool { return a.State == store.Resolved })
	if f.format == "json" {
		return writeAlertsJSON(out, alerts)
	}
	return writeAlertsText(out, alerts)
}

// alertsVersion counts changes of the JSON that break its readers.
const alertsVersion = 1

type alertsJSON struct {
	Schema  string      `json:"schema"`
	Version int         `json:"version"`
	Alerts  []alertJSON `json:"alerts"`
}

type alertJSON struct {
	Site  string     `json:"site"` // empty for what is no site's
	Kind  string     `json:"kind"`
	State string     `json:"state"`
	What  string     `json:"what"`
	Why   string     `json:"why"`
	Issue int64      `json:"issue"` // 0 for none
	Fired time.Time  `json:"fired"`
	Since time.Time  `json:"since"`
	Sent  *time.Time `json:"sent"` // null while somebody has yet to hear of it
	Waits []string   `json:"waiting"`
}

func writeAlertsJSON(out io.Writer, alerts []store.Notice) error {
	doc := alertsJSON{Schema: "merlon/alerts-list", Version: alertsVersion, Alerts: []alertJSON{}}
	for _, a := range alerts {
		doc.Alerts = append(doc.Alerts, alertJSON{Site: a.Site, Kind: a.Kind, State: string(a.State), What: a.What, Why: a.Why, Issue: a.Issue,
			Fired: a.Fired, Since: a.Since, Sent: optionalTime(a.SentAt), Waits: append([]string{}, a.Pending...)})
	}
	return writeJSON(out, doc)
}

func writeAlertsText(out io.Writer, alerts []store.Notice) error {
	if len(alerts) == 0 {
		fmt.Fprintln(out, "No alert is on.")
	}
	for _, a := range alerts {
		for i, line := range alert.Text(a) {
			indent := ""
			if i > 0 {
				indent = "    "
			}
			if _, err := fmt.Fprintln(out, indent+wrapped(strings.Fields(line), " ", width-4, "    ")); err != nil {
				return err
			}
		}
	}
	return nil
}
