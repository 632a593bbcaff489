module github.com/merlon-sec/merlon

go 1.25.0
