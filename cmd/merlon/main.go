// Command merlon protects web applications with HTTP security headers, and proves that the protection works.
// Run merlon help for its commands.
package main

import "github.com/merlon-sec/merlon/cmd/merlon/internal/cli"

func main() { cli.Main() }
