package main

// A race is one contender with one page, and how it did.
type race struct {
	contender
	path    string
	samples []sample // one of each round
}

// A scenario is what is compared in a table.
type scenario struct {
	title  string
	rows   []row
	beside []row // what the rows are divided by, a column for each
}

// A row is a race by the name that it has in a table.
type row struct {
	name string
	*race
}

// A bar is a ratio of requests in a second that must be reached.
type bar struct {
	what          string
	race, divisor *race
	least         float64
}

// program is what is measured, printed and demanded.
type program struct {
	races     []*race
	scenarios []scenario
	bars      []bar
}

func newProgram(plain, nonces map[string]contender) program {
	var p program
	race := func(c contender, path string) *race {
		r := &race{contender: c, path: path}
		p.races = append(p.races, r)
		return r
	}
	all := func(path string) map[string]row {
		rows := map[string]row{}
		for _, name := range []string{bare, merlon, caddy, nginx} {
			rows[name] = row{name, race(plain[name], path)}
		}
		return rows
	}
	small, large := all(smallPage), all(largePage)
	rewriting := map[string]row{merlon: {merlon + " rewriting", race(nonces[merlon], largePage)}, nginx: {nginx + " rewriting", race(nonces[nginx], largePage)}}

	p.scenarios = []scenario{
		{"small page, 1 KiB", rowsOf(small, bare, merlon, caddy, nginx), rowsOf(small, bare, caddy, nginx)},
		{"large page, 100 KiB", rowsOf(large, bare, merlon, caddy, nginx), rowsOf(large, bare, caddy, nginx)},
		{"large page with 20 nonces", append(rowsOf(large, bare, merlon), rowsOf(rewriting, merlon, nginx)...),
			append(rowsOf(large, bare, merlon), rewriting[nginx])},
	}
	p.bars = []bar{
		{"small page: merlon / Caddy", small[merlon].race, small[caddy].race, 2},
		{"small page: merlon / nginx", small[merlon].race, small[nginx].race, 0.6},
		{"large page: merlon rewriting / merlon", rewriting[merlon].race, large[merlon].race, 0.8},
	}
	return p
}

func rowsOf(rows map[string]row, names ...string) []row {
	var list []row
	for _, name := range names {
		list = append(list, rows[name])
	}
	return list
}
