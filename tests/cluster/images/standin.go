// Stands in for Fluent Bit where there is none: it ships nothing, and proves what surrounds Fluent Bit in its pod.
//
// It ends with what is wrong unless every file of the configuration that -c names is there, with the files that it
// includes, every variable in them has a value or stands empty in the environment, and the state directory can be
// written. Then it answers the two paths that the probes ask for. It watches the directory of container logs, prints
// the name of each log that it can read, and ends with the name of one that it can't.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

var variable = regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`)

// reference finds the lines that name another file: an item of `includes`, or `parsers_file`.
var reference = regexp.MustCompile(`(?m)^\s*(?:-|parsers_file:)\s+(\S+\.yaml)$`)

func checkFile(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var problems []error
	text := variable.ReplaceAllStringFunc(string(content), func(found string) string {
		value, ok := os.LookupEnv(strings.Trim(found, "${}"))
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %s is not in the environment", path, found))
		}
		return value
	})
	for _, match := range reference.FindAllStringSubmatch(text, -1) {
		named := match[1]
		if !filepath.IsAbs(named) {
			named = filepath.Join(filepath.Dir(path), named)
		}
		problems = append(problems, checkFile(named))
	}
	return errors.Join(problems...)
}

func checkState() error {
	probe := filepath.Join(os.Getenv("NODEOBS_STATE_DIR"), ".probe")
	if err := os.WriteFile(probe, []byte("x"), 0o600); err != nil {
		return err
	}
	return os.Remove(probe)
}

const interval = 200 * time.Millisecond

// logs remembers the container logs: when a link that leads nowhere was first seen, the zero time for a log that
// was read.
type logs struct {
	directory string
	patience  time.Duration
	seen      map[string]time.Time
}

// look reads what is new in the directory, and prints its names.
func (l *logs) look(now time.Time) error {
	found, err := os.ReadDir(l.directory)
	if err != nil {
		return err
	}
	for _, entry := range found {
		since, known := l.seen[entry.Name()]
		if known && since.IsZero() {
			continue
		}
		path := filepath.Join(l.directory, entry.Name())
		// The links must lead somewhere inside the container, which is what mounts are for.
		file, err := os.Open(path)
		switch {
		case err == nil:
			file.Close()
			l.seen[entry.Name()] = time.Time{}
			fmt.Printf("stand-in: %s can be read\n", entry.Name())
		case !errors.Is(err, os.ErrNotExist):
			return err
		case !known:
			l.seen[entry.Name()] = now
		case now.Sub(since) > l.patience:
			if _, gone := os.Lstat(path); gone == nil {
				return err
			}
			delete(l.seen, entry.Name()) // a pod that ended meanwhile
		}
	}
	return nil
}

func (l *logs) watch() error {
	for now := range time.Tick(interval) {
		if err := l.look(now); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	path := flag.String("c", "", "configuration")
	patience := flag.Duration("patience", 10*time.Second, "how long a link may lead nowhere before its log is made")
	dryRun := flag.Bool("dry-run", false, "check the configuration only")
	flag.Parse()
	err := checkFile(*path)
	if !*dryRun {
		err = errors.Join(err, checkState())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in:", err)
		os.Exit(1)
	}
	fmt.Println("stand-in: the configuration is whole; records are read by nobody")
	if *dryRun {
		return
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/api/v1/health", func(http.ResponseWriter, *http.Request) {})
	go func() {
		address := os.Getenv("NODEOBS_HTTP_LISTEN") + ":" + os.Getenv("NODEOBS_HTTP_PORT")
		fmt.Fprintln(os.Stderr, "stand-in:", http.ListenAndServe(address, nil))
		os.Exit(1)
	}()
	go func() {
		logs := logs{filepath.Dir(os.Getenv("NODEOBS_CONTAINER_LOGS")), *patience, map[string]time.Time{}}
		fmt.Fprintln(os.Stderr, "stand-in:", logs.watch())
		os.Exit(1)
	}()
	<-stopped
}
